namespace Candela.Decoding;

/// <summary>One text found by beam search.</summary>
/// <param name="Tokens">The generated ids, without the end token.</param>
/// <param name="LogProbability">Sum of the log-probabilities of the ids, the end token's included.</param>
/// <param name="Score">What the texts are ranked by: the sum / length^<see cref="GenerationOptions.LengthPenalty"/>, where the length counts the end token.</param>
/// <param name="FinishReason">Stop when it ended with an end token or a stop string.</param>
public sealed record BeamHypothesis(IReadOnlyList<int> Tokens, double LogProbability, double Score, FinishReason FinishReason);
