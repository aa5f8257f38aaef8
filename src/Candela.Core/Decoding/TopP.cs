namespace Candela.Decoding;

/// <summary>Nucleus sampling (Holtzman et al. 2020, section 3.1): keeps the smallest set of likeliest candidates whose probability reaches p; of equals the lowest ids first.</summary>
public sealed class TopP(double p) : ILogitsWarper
{
    /// <inheritdoc/>
    public void Warp(TokenCandidates candidates)
    {
        if (p >= 1 || candidates.Count < 2)
            return;
        Span<float> weights = candidates.Weights(out double total);
        if (!candidates.IsSorted)
        {
            // With n candidates, one lighter than (1 - p) / (n - 1) cannot be in the nucleus: it and all after it would weigh less than 1 - p. Few are left to sort.
            candidates.KeepHeavier((1 - p) * total / (candidates.Count - 1) * 0.999);
            candidates.Sort();
            weights = candidates.Weights(out _);
        }

        double sum = 0;
        int kept = 0;
        while (kept < weights.Length && (kept == 0 || sum < p * total))
            sum += weights[kept++];
        candidates.Truncate(kept);
    }
}
