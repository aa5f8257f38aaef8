namespace Candela.Metrics;

/// <summary>The 95 % interval of a ratio of sums over units that depend on their neighbours in time: runs of neighbouring units are resampled together, so that the dependence within a run is kept.
/// Circular block bootstrap (Politis and Romano 1992): moving blocks (Künsch 1989) on the units laid in a ring, so that those near the ends are drawn as often as others. Percentile interval; with
/// fewer than some ten blocks it is too narrow.</summary>
public static class BlockBootstrap
{
    /// <summary>The ratio with its interval. Cost: resamples x units additions.</summary>
    /// <param name="numerators">One number per unit, in time order.</param>
    /// <param name="denominators">One number per unit, their sum above 0.</param>
    /// <param name="block">Units of a run, at least 1; more than half of the units count as half.</param>
    /// <param name="seed">Of the resamples.</param>
    /// <param name="resamples">Default 1,000.</param>
    /// <exception cref="ShapeException">The lengths differ or there are no units.</exception>
    public static MetricValue Interval(ReadOnlySpan<double> numerators, ReadOnlySpan<double> denominators, int block, long seed, int resamples = 1000)
    {
        int n = numerators.Length;
        if (n != denominators.Length || n == 0 || block < 1)
            throw new ShapeException($"{n} numerators, {denominators.Length} denominators and blocks of {block}; as many of both were needed, at least 1, in blocks of 1 or more.");
        // Sums up to each unit make a block's sum one subtraction.
        block = Math.Min(block, Math.Max(1, n / 2));
        double[] above = Running(numerators, block), below = Running(denominators, block);
        double value = above[n] / below[n];
        var draws = new List<double>(resamples);
        var rng = new Rng(seed);
        for (int r = 0; r < resamples; r++)
        {
            double top = 0, bottom = 0;
            for (int left = n; left > 0;)
            {
                int length = Math.Min(block, left), start = rng.Next(n);
                top += above[start + length] - above[start];
                bottom += below[start + length] - below[start];
                left -= length;
            }

            if (double.IsFinite(top / bottom))
                draws.Add(top / bottom);
        }

        if (draws.Count == 0)
            return new MetricValue(value, value, value);
        draws.Sort();
        return new MetricValue(value, Math.Min(value, draws[(int)(0.025 * (draws.Count - 1))]), Math.Max(value, draws[(int)Math.Ceiling(0.975 * (draws.Count - 1))]));
    }

    private static double[] Running(ReadOnlySpan<double> values, int beyond)
    {
        var sums = new double[values.Length + beyond + 1];
        for (int i = 0; i < values.Length + beyond; i++)
            sums[i + 1] = sums[i] + values[i % values.Length];
        return sums;
    }
}
