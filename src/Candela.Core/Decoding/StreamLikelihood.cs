namespace Candela.Decoding;

/// <summary>How likely a stream of tokens is.</summary>
/// <param name="NegativeLogLikelihood">Sum over the predicted tokens, in nats.</param>
/// <param name="Tokens">How many were predicted: all but the first.</param>
public sealed record StreamLikelihood(double NegativeLogLikelihood, long Tokens)
{
    /// <summary>exp of the mean: as undecided as a fair choice among so many tokens.</summary>
    public double Perplexity => Math.Exp(NegativeLogLikelihood / Tokens);

    /// <summary>Mean bits a token.</summary>
    public double BitsPerToken => NegativeLogLikelihood / Tokens / Math.Log(2);
}
