namespace Candela.Metrics;

/// <summary>The 95 % bootstrap interval of a ratio of sums over units that are resampled whole: loss per token over blocks of text, errors per word over sentences.
/// Percentile bootstrap (Efron and Tibshirani 1993, chapter 13).</summary>
public static class RatioBootstrap
{
    /// <summary>The ratio with its interval. Cost: resamples x units additions.</summary>
    /// <param name="numerators">One number per unit.</param>
    /// <param name="denominators">One number per unit, their sum above 0.</param>
    /// <param name="seed">Of the resamples.</param>
    /// <param name="resamples">Default 1,000.</param>
    /// <exception cref="ShapeException">The lengths differ or there are no units.</exception>
    public static MetricValue Interval(ReadOnlySpan<double> numerators, ReadOnlySpan<double> denominators, long seed, int resamples = 1000)
    {
        if (numerators.Length != denominators.Length || numerators.Length == 0)
            throw new ShapeException($"{numerators.Length} numerators and {denominators.Length} denominators; as many of both were needed, at least 1.");
        double value = Ratio(numerators, denominators, null);
        var draws = new List<double>(resamples);
        var rng = new Rng(seed);
        for (int i = 0; i < resamples; i++)
        {
            double drawn = Ratio(numerators, denominators, rng);
            if (double.IsFinite(drawn))
                draws.Add(drawn);
        }

        if (draws.Count == 0)
            return new MetricValue(value, value, value);
        draws.Sort();
        return new MetricValue(value, Math.Min(value, draws[(int)(0.025 * (draws.Count - 1))]), Math.Max(value, draws[(int)Math.Ceiling(0.975 * (draws.Count - 1))]));
    }

    private static double Ratio(ReadOnlySpan<double> numerators, ReadOnlySpan<double> denominators, Rng? rng)
    {
        double above = 0, below = 0;
        for (int i = 0; i < numerators.Length; i++)
        {
            int unit = rng is null ? i : rng.Next(numerators.Length);
            above += numerators[unit];
            below += denominators[unit];
        }

        return above / below;
    }
}
