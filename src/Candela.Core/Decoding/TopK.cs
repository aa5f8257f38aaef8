namespace Candela.Decoding;

/// <summary>Keeps the k likeliest candidates; of equals those with the lowest ids, so that k = 1 is greedy (Hugging Face keeps all that equal the k-th).</summary>
public sealed class TopK(int k) : ILogitsWarper
{
    /// <inheritdoc/>
    public void Warp(TokenCandidates candidates) => candidates.KeepTop(k);
}
