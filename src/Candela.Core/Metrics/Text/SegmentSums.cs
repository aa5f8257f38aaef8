using Candela.Evaluation;

namespace Candela.Metrics;

/// <summary>Metrics as functions of statistics summed over segments, so that resampling segments needs no text again.</summary>
/// <param name="names">Of the metrics.</param>
/// <param name="ceiling">The largest value any of them can take; the least is 0.</param>
/// <param name="width">Statistics of one segment.</param>
/// <param name="statistics">Segment after segment.</param>
/// <param name="score">Turns sums into the metrics.</param>
internal sealed class SegmentSums(string[] names, double ceiling, int width, double[] statistics, SegmentSums.Scorer score) : IResampledRows
{
    /// <summary>Writes every metric of the summed statistics into <paramref name="values"/>.</summary>
    public delegate void Scorer(ReadOnlySpan<double> sums, Span<double> values);

    /// <summary>Metrics that are the share of segments with some property.</summary>
    public IReadOnlyCollection<int> Shares { get; init; } = [];

    public int Count => statistics.Length / width;

    public int CostPerRow => width;

    public IReadOnlyList<string> Names => names;

    public (double Low, double High) Range(int metric) => (0, ceiling);

    public bool IsShare(int metric) => Shares.Contains(metric);

    public double? LeastWhenPerfect(int metric) => IsShare(metric) ? PerfectScores.Share(Count) : null;

    public void Compute(ReadOnlySpan<int> counts, Span<double> values)
    {
        Span<double> sums = stackalloc double[width];
        sums.Clear();
        for (int i = 0; i < Count; i++)
        {
            int count = counts.IsEmpty ? 1 : counts[i];
            if (count == 0)
                continue;
            ReadOnlySpan<double> segment = statistics.AsSpan(i * width, width);
            for (int k = 0; k < width; k++)
                sums[k] += count * segment[k];
        }

        score(sums, values);
    }

    public IResampledRows Take(int[] rows)
    {
        var taken = new double[rows.Length * width];
        for (int i = 0; i < rows.Length; i++)
            statistics.AsSpan(rows[i] * width, width).CopyTo(taken.AsSpan(i * width));
        return new SegmentSums(names, ceiling, width, taken, score) { Shares = Shares };
    }

    /// <summary>The sums over all segments.</summary>
    public double[] Total()
    {
        var sums = new double[width];
        for (int i = 0; i < statistics.Length; i++)
            sums[i % width] += statistics[i];
        return sums;
    }

    /// <summary>Every metric with its interval, in the order of the names.</summary>
    public MetricValue[] Intervals(TextMetricOptions options)
    {
        if (options.Resamples < 0)
            throw new UsageException($"A text metric got {options.Resamples} resamples; give 0 or more.");
        var metrics = Bootstrap.Intervals(this, options.Seed, options.Resamples);
        return [.. names.Select(name => metrics[name])];
    }
}
