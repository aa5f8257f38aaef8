using Candela.Metrics;

namespace Candela.Evaluation;

/// <summary>Scored rows whose metrics can be computed again under any row counts.</summary>
internal interface IResampledRows
{
    int Count { get; }

    /// <summary>Steps that one resample takes per row, for the work bound.</summary>
    int CostPerRow { get; }

    IReadOnlyList<string> Names { get; }

    /// <summary>Smallest and largest value the metric can take.</summary>
    (double Low, double High) Range(int metric);

    /// <summary>Whether the metric is the share of rows with some property.</summary>
    bool IsShare(int metric);

    /// <summary>A lower bound of a metric whose value here is the best there is, so that no resample differs; null where there is none.</summary>
    double? LeastWhenPerfect(int metric);

    /// <summary>Every metric with row i counted <c>counts[i]</c> times (all once when empty) into <paramref name="values"/>; NaN where undefined.</summary>
    void Compute(ReadOnlySpan<int> counts, Span<double> values);

    IResampledRows Take(int[] rows);
}

/// <summary>Percentile bootstrap over rows; see <see cref="Evaluator"/> for the scheme.</summary>
internal static class Bootstrap
{
    private const long WorkBound = 400_000_000;
    private const int FewestRows = 1_000;
    private const int FewestResamples = 200;

    public static IReadOnlyDictionary<string, MetricValue> Intervals(IResampledRows all, long seed, int resamples)
    {
        var value = new double[all.Names.Count];
        all.Compute([], value);

        int m = (int)Math.Clamp(WorkBound / Math.Max(1, (long)resamples * all.CostPerRow), FewestRows, Evaluator.BootstrapRows);
        IResampledRows drawn = all.Count <= m ? all : all.Take(Sample(all.Count, m, new Rng(seed, stream: 1)));
        if ((long)resamples * drawn.Count * all.CostPerRow > 2 * WorkBound)
            resamples = (int)Math.Max(Math.Min(resamples, FewestResamples), 2 * WorkBound / ((long)drawn.Count * all.CostPerRow));
        var centre = value;
        if (drawn != all)
            drawn.Compute([], centre = new double[value.Length]);

        double[][] draws = Draw(drawn, value.Length, resamples, new Rng(seed, stream: 2));
        double shrink = Math.Sqrt((double)drawn.Count / all.Count);
        var metrics = new Dictionary<string, MetricValue>();
        for (int k = 0; k < value.Length; k++)
        {
            if (double.IsNaN(value[k]))
                continue;
            double[] kept = Array.FindAll(draws[k], double.IsFinite);
            if (kept.Length == 0 || double.IsNaN(centre[k]) || resamples == 0)
            {
                metrics[all.Names[k]] = new MetricValue(value[k], value[k], value[k]);
                continue;
            }

            Array.Sort(kept);
            var (floor, ceiling) = all.Range(k);
            double low = value[k] + (shrink * (Quantile(kept, 0.025) - centre[k])), high = value[k] + (shrink * (Quantile(kept, 0.975) - centre[k]));
            (low, high) = (Math.Min(value[k], Math.Max(floor, low)), Math.Max(value[k], Math.Min(ceiling, high)));
            // No resample of rows that are all alike differs.
            if (low == high && value[k] == ceiling)
                low = all.LeastWhenPerfect(k) ?? low;
            else if (low == high && value[k] == 0 && all.IsShare(k))
                high = 1 - PerfectScores.Share(all.Count);

            metrics[all.Names[k]] = new MetricValue(value[k], low, high);
        }

        return metrics;
    }

    /// <summary>A uniform sample of <paramref name="take"/> of <paramref name="count"/> indices, rising; all when there are no more.</summary>
    public static int[] Sample(int count, int take, Rng rng)
    {
        var sample = new int[Math.Min(take, count)];
        int taken = 0;
        for (int i = 0; i < count && taken < sample.Length; i++)
            if (rng.NextDouble() * (count - i) < sample.Length - taken)
                sample[taken++] = i;
        return sample;
    }

    private static double[][] Draw(IResampledRows rows, int metrics, int resamples, Rng rng)
    {
        var draws = new double[metrics][];
        for (int k = 0; k < metrics; k++)
            draws[k] = new double[resamples];
        var counts = new int[rows.Count];
        var values = new double[metrics];
        for (int r = 0; r < resamples; r++)
        {
            Array.Clear(counts);
            for (int i = 0; i < counts.Length; i++)
                counts[rng.Next(counts.Length)]++;
            rows.Compute(counts, values);
            for (int k = 0; k < metrics; k++)
                draws[k][r] = values[k];
        }

        return draws;
    }

    // Linear between order statistics (type 7).
    private static double Quantile(double[] sorted, double p)
    {
        double at = p * (sorted.Length - 1);
        int i = (int)at;
        return i + 1 < sorted.Length ? sorted[i] + ((at - i) * (sorted[i + 1] - sorted[i])) : sorted[i];
    }
}
