namespace Candela.Decoding;

/// <summary>Locally typical sampling (Meister et al. 2022, equation 7): keeps the candidates whose surprisal -ln q is nearest the entropy until their probability reaches p; of equals the lowest ids first.</summary>
public sealed class Typical(double p) : ILogitsWarper
{
    private ulong[] _keys = [];

    /// <inheritdoc/>
    public void Warp(TokenCandidates candidates)
    {
        if (p >= 1 || candidates.Count < 2)
            return;
        int n = candidates.Count;
        Span<float> weights = candidates.Weights(out double total), logits = candidates.Logits;
        double mean = 0;
        for (int i = 0; i < n; i++)
            if (weights[i] > 0)
                mean += weights[i] / total * (candidates.Largest - logits[i]);

        // Surprisal is ln(total) + largest - logit and the entropy ln(total) + mean: their distance needs no logarithm.
        if (_keys.Length < 2 * n)
            _keys = new ulong[2 * n];
        Span<ulong> keys = _keys.AsSpan(0, n), sorted = _keys.AsSpan(n, n);
        for (int i = 0; i < n; i++)
        {
            float distance = (float)Math.Abs(candidates.Largest - logits[i] - mean);
            keys[i] = ((ulong)BitConverter.SingleToUInt32Bits(distance) << 32) | (uint)candidates.Ids[i];
        }

        keys.CopyTo(sorted);
        Span<float> byDistance = candidates.Scratch;
        weights.CopyTo(byDistance);
        sorted.Sort(byDistance);
        double sum = 0;
        int kept = 0;
        while (kept < n && (kept == 0 || sum < p * total))
            sum += byDistance[kept++];
        candidates.KeepUpTo(keys, sorted[kept - 1]);
    }
}
