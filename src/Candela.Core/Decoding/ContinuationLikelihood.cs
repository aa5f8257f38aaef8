namespace Candela.Decoding;

/// <summary>How likely a continuation is after its context.</summary>
/// <param name="LogProbability">Sum of the natural log-probabilities of its tokens.</param>
/// <param name="Tokens">How many tokens it has.</param>
/// <param name="IsGreedy">Whether greedy generation would give it.</param>
/// <param name="LeftOut">Tokens at the beginning of the context that had no room.</param>
public sealed record ContinuationLikelihood(double LogProbability, int Tokens, bool IsGreedy, int LeftOut);
