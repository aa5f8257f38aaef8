namespace Candela.Decoding;

/// <summary>One step of generation.</summary>
/// <param name="Id">The token chosen.</param>
/// <param name="Text">The text that has become certain with it: never half a character, never what may still become a stop string; often empty. All pieces together are the text.</param>
/// <param name="LogProbability">Natural logarithm of the token's probability under the model itself, before penalties, temperature and filters.</param>
/// <param name="Top">The likeliest tokens under the model itself, when <see cref="GenerationOptions.TopLogProbabilities"/> asks for them.</param>
/// <param name="FinishReason">On the last token of a text; null before.</param>
/// <param name="IsEndToken">True for an end token, which is no part of the text.</param>
/// <param name="StopString">The stop string that ended the text, on the last token.</param>
public readonly record struct GeneratedToken(
    int Id, string Text, double LogProbability, IReadOnlyList<TokenLogProbability> Top, FinishReason? FinishReason = null, bool IsEndToken = false, string? StopString = null);
