using Candela.Data;
using Candela.Metrics;
using Candela.Models;

namespace Candela.Evaluation;

/// <summary>Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019): how much accuracy or R2 falls when one column's cells are shuffled among the rows.
/// Columns that carry the same information share it, and each may look unimportant alone.</summary>
public static class PermutationImportance
{
    /// <summary>Shuffles of each column by default.</summary>
    public const int DefaultRepeats = 5;

    /// <summary>Rows used at the most.</summary>
    public const int MaxRows = 2_000;

    // Rows scored in all, so that large models stay within seconds: 10 columns use 1,600 rows, 30 columns 533, from 80 columns on the least, 200.
    private const double ScoreBound = 80_000;
    private const int FewestRows = 200;

    /// <summary>Importance of every input column, largest first. The interval is the 95 % t-interval of the mean over shuffles: it tells how well the shuffles determine
    /// the drop on these rows, not how it would vary on others.</summary>
    /// <param name="predictor">The model over raw rows.</param>
    /// <param name="rows">Rows it was not trained on, holding at least its input columns. A seeded sample is taken when there are more than <see cref="MaxRows"/> (fewer with more than 8 columns, at least 200).</param>
    /// <param name="labels">The class of each row, for classification.</param>
    /// <param name="targets">The value of each row, for regression.</param>
    /// <param name="seed">Seed of sample and shuffles.</param>
    /// <param name="repeats">Shuffles of each column.</param>
    /// <param name="cancellation">Checked before each column.</param>
    /// <returns>Empty when the inputs are images or one single column of text, where a shuffled column says nothing, or when there are fewer than two rows.</returns>
    /// <remarks>Cost: columns x repeats x rows scores, in calls of repeats x rows rows.</remarks>
    public static IReadOnlyList<ColumnImportance> Compute(IPredictor predictor, TableChunk rows, int[]? labels, float[]? targets, long seed, int repeats = DefaultRepeats, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 2);
        Problem problem = predictor.Schema.Problem;
        IReadOnlyList<ColumnSchema> inputs = predictor.Schema.Inputs.Columns;
        int truth = (problem.IsClassification ? labels?.Length : targets?.Length) ?? 0;
        if (truth != rows.Rows)
            throw new ShapeException($"Permutation importance got {rows.Rows} rows and {truth} {(problem.IsClassification ? "labels" : "targets")}; they must be as many.");
        if (inputs.Any(c => c.Kind == ColumnKind.Image) || (inputs.Count == 1 && inputs[0].Kind == ColumnKind.Text) || rows.Rows < 2)
            return [];

        int bound = (int)Math.Clamp(ScoreBound / ((double)inputs.Count * repeats), FewestRows, MaxRows);
        int[] sample = Bootstrap.Sample(rows.Rows, bound, new Rng(seed, stream: 11));
        int n = sample.Length;
        int[] stacked = new int[n * repeats];
        for (int i = 0; i < stacked.Length; i++)
            stacked[i] = sample[i % n];
        TableChunk kept = rows.Take(sample), copies = rows.Take(stacked);
        double reference = Quality(problem, predictor.Score(kept), sample, labels, targets)[0];

        var importance = new List<ColumnImportance>(inputs.Count);
        var order = new int[stacked.Length];
        for (int c = 0; c < inputs.Count; c++)
        {
            cancellation.ThrowIfCancellationRequested();
            int column = copies.Schema.IndexOf(inputs[c].Name);
            if (column < 0)
                _ = rows.Column(inputs[c].Name); // throws, naming the nearest
            var rng = new Rng(seed, stream: 1_000 + c);
            for (int r = 0; r < repeats; r++)
            {
                for (int i = 0; i < n; i++)
                    order[(r * n) + i] = i;
                rng.Shuffle(order.AsSpan(r * n, n));
            }

            double[] quality = Quality(problem, predictor.Score(copies.With(column, kept.Columns[column].Take(order))), sample, labels, targets);
            MetricValue drop = StudentT.MeanInterval(Array.ConvertAll(quality, q => reference - q));
            importance.Add(new ColumnImportance(inputs[c].Name, drop.Value, drop.Low, drop.High));
        }

        return [.. importance.OrderByDescending(i => i.Drop)];
    }

    // Accuracy or R2 of each block of sample.Length scored rows.
    private static double[] Quality(Problem problem, float[] scores, int[] sample, int[]? labels, float[]? targets)
    {
        int block = sample.Length * problem.Outputs;
        var quality = new double[scores.Length / block];
        int[] actual = problem.IsClassification ? Array.ConvertAll(sample, i => labels![i]) : [];
        float[] values = problem.IsClassification ? [] : Array.ConvertAll(sample, i => targets![i]);
        for (int r = 0; r < quality.Length; r++)
        {
            var part = scores.AsSpan(r * block, block);
            quality[r] = problem.IsClassification ? ProbabilityMetrics.Accuracy(part, actual, problem.Outputs) : RegressionMetrics.R2(values, part);
        }

        return quality;
    }
}
