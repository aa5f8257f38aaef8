namespace Candela.Decoding;

/// <summary>Keeps the candidates at least <paramref name="share"/> times as likely as the likeliest (Nguyen et al. 2024, section 3).</summary>
public sealed class MinP(double share) : ILogitsWarper
{
    /// <inheritdoc/>
    public void Warp(TokenCandidates candidates)
    {
        candidates.Weights(out _);
        candidates.KeepHeavier(share);
    }
}
