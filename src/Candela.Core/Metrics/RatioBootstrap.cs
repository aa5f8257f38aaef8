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
        Check(numerators, denominators);
        return Interval(new Sums(numerators.ToArray(), denominators.ToArray(), [], []), seed, resamples);
    }

    /// <summary>By how much one ratio is above another over the same units, with its interval: each resample takes the same units for both, so what makes a unit hard for both cancels out
    /// (the paired bootstrap of Koehn 2004).</summary>
    /// <param name="numerators">Of the first ratio, one number per unit.</param>
    /// <param name="denominators">Of the first ratio, their sum above 0.</param>
    /// <param name="otherNumerators">Of the ratio taken off it, as many.</param>
    /// <param name="otherDenominators">Of that, as many, their sum above 0.</param>
    /// <param name="seed">Of the resamples.</param>
    /// <param name="resamples">Default 1,000.</param>
    /// <exception cref="ShapeException">The lengths differ or there are no units.</exception>
    public static MetricValue Difference(ReadOnlySpan<double> numerators, ReadOnlySpan<double> denominators, ReadOnlySpan<double> otherNumerators, ReadOnlySpan<double> otherDenominators, long seed, int resamples = 1000)
    {
        Check(numerators, denominators);
        Check(otherNumerators, otherDenominators);
        if (otherNumerators.Length != numerators.Length)
            throw new ShapeException($"{numerators.Length} and {otherNumerators.Length} units; both ratios need the same ones.");
        return Interval(new Sums(numerators.ToArray(), denominators.ToArray(), otherNumerators.ToArray(), otherDenominators.ToArray()), seed, resamples);
    }

    private static void Check(ReadOnlySpan<double> numerators, ReadOnlySpan<double> denominators)
    {
        if (numerators.Length != denominators.Length || numerators.Length == 0)
            throw new ShapeException($"{numerators.Length} numerators and {denominators.Length} denominators; as many of both were needed, at least 1.");
    }

    private static MetricValue Interval(Sums sums, long seed, int resamples)
    {
        double value = sums.Value(null);
        var draws = new List<double>(resamples);
        var rng = new Rng(seed);
        for (int i = 0; i < resamples; i++)
        {
            double drawn = sums.Value(rng);
            if (double.IsFinite(drawn))
                draws.Add(drawn);
        }

        if (draws.Count == 0)
            return new MetricValue(value, value, value);
        draws.Sort();
        return new MetricValue(value, Math.Min(value, draws[(int)(0.025 * (draws.Count - 1))]), Math.Max(value, draws[(int)Math.Ceiling(0.975 * (draws.Count - 1))]));
    }

    private sealed record Sums(double[] Above, double[] Below, double[] OtherAbove, double[] OtherBelow)
    {
        // Over all units, or over as many drawn ones.
        public double Value(Rng? rng)
        {
            double above = 0, below = 0, otherAbove = 0, otherBelow = 0;
            for (int i = 0; i < Above.Length; i++)
            {
                int unit = rng is null ? i : rng.Next(Above.Length);
                above += Above[unit];
                below += Below[unit];
                if (OtherAbove.Length == 0)
                    continue;
                otherAbove += OtherAbove[unit];
                otherBelow += OtherBelow[unit];
            }

            return (above / below) - (OtherAbove.Length == 0 ? 0 : otherAbove / otherBelow);
        }
    }
}
