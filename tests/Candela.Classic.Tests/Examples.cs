using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Tests;

/// <summary>Encoded rows made in a test, with every part of a layout.</summary>
internal sealed class Examples : IExampleSource
{
    private readonly float[] _dense;
    private readonly (int Index, float Value)[][]? _sparse;
    private readonly int[] _labels;
    private readonly float[] _targets;

    public Examples(float[] dense, int width, int[]? labels = null, float[]? targets = null, int[]? cardinalities = null, (int Index, float Value)[][]? sparse = null, int sparseWidth = 0)
    {
        (_dense, _sparse, _labels, _targets) = (dense, sparse, labels ?? [], targets ?? []);
        Count = Math.Max(_labels.Length, _targets.Length);
        Layout = new FeatureLayout
        {
            DenseShape = [width],
            DenseNames = [.. Enumerable.Range(0, width).Select(i => $"x{i}")],
            Cardinalities = cardinalities ?? [],
            SparseWidth = sparseWidth,
        };
    }

    public long Count { get; }

    public FeatureLayout Layout { get; }

    public static Problem Regression { get; } = new(TaskKind.Regression, "y", []);

    public static Problem Binary { get; } = new(TaskKind.Binary, "y", ["no", "yes"]);

    public static Problem Classes(int count) => new(TaskKind.Multiclass, "y", [.. Enumerable.Range(0, count).Select(i => $"c{i}")]);

    public FitContext Context(Problem problem, FitOptions? options = null, IExampleSource? valid = null) =>
        new() { Problem = problem, Train = this, Valid = valid, Options = options ?? new FitOptions { Threads = 1 } };

    public float[] Score(IFittedModel model, Problem problem)
    {
        var scores = new float[Count * problem.Outputs];
        int row = 0;
        foreach (FeatureBatch batch in Batches(new BatchPlan(7)))
        {
            model.Score(batch, scores.AsSpan(row * problem.Outputs, batch.Count * problem.Outputs));
            row += batch.Count;
        }

        return scores;
    }

    public double Accuracy(IFittedModel model, Problem problem)
    {
        float[] scores = Score(model, problem);
        int right = 0;
        for (int i = 0; i < Count; i++)
        {
            ReadOnlySpan<float> row = scores.AsSpan(i * problem.Outputs, problem.Outputs);
            right += System.Numerics.Tensors.TensorPrimitives.IndexOfMax(row) == _labels[i] ? 1 : 0;
        }

        return (double)right / Count;
    }

    public double MeanSquaredError(IFittedModel model)
    {
        float[] scores = Score(model, Regression);
        return scores.Zip(_targets, (s, t) => (double)(s - t) * (s - t)).Average();
    }

    public IEnumerable<FeatureBatch> Batches(BatchPlan plan)
    {
        int width = Layout.DenseWidth;
        var batch = new FeatureBatch();
        for (int start = 0; start < Count; start += plan.BatchSize)
        {
            int count = (int)Math.Min(plan.BatchSize, Count - start);
            batch.Count = count;
            batch.Dense = _dense.AsSpan(start * width, count * width).ToArray();
            batch.Labels = _labels.Length > 0 ? _labels.AsSpan(start, count).ToArray() : [];
            batch.Targets = _targets.Length > 0 ? _targets.AsSpan(start, count).ToArray() : [];
            if (_sparse is not null)
            {
                var rows = _sparse.AsSpan(start, count).ToArray();
                var starts = new int[count + 1];
                for (int i = 0; i < count; i++)
                    starts[i + 1] = starts[i] + rows[i].Length;
                batch.SparseStarts = starts;
                batch.SparseIndices = [.. rows.SelectMany(r => r.Select(e => e.Index))];
                batch.SparseValues = [.. rows.SelectMany(r => r.Select(e => e.Value))];
            }

            yield return batch;
        }
    }
}
