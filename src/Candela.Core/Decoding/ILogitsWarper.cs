namespace Candela.Decoding;

/// <summary>Reshapes or narrows the distribution that is sampled from. At least one candidate stays.</summary>
public interface ILogitsWarper
{
    /// <summary>Changes the candidates' logits, or removes some of them.</summary>
    void Warp(TokenCandidates candidates);
}
