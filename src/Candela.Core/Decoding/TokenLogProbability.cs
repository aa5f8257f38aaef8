namespace Candela.Decoding;

/// <summary>A token and the natural logarithm of its probability.</summary>
/// <param name="Id">The token's id.</param>
/// <param name="LogProbability">0 or less.</param>
public readonly record struct TokenLogProbability(int Id, double LogProbability);
