namespace Candela.Data;

/// <summary>Encoded rows held in arrays: for tests, benchmarks and callers with their own features. Dense rows only.</summary>
public sealed class ArrayExamples : IExampleSource
{
    private readonly float[] _dense;
    private readonly int[]? _labels;
    private readonly float[]? _targets;
    private readonly float[]? _weights;
    private readonly int _width;

    /// <summary>Takes rows by reference.</summary>
    /// <param name="dense">Row-major [rows, product of shape].</param>
    /// <param name="shape">Shape of one row, for example [30] or [1, 28, 28].</param>
    /// <param name="labels">Class index per row, or null.</param>
    /// <param name="targets">Regression target per row, or null.</param>
    /// <param name="weights">What each row counts in the loss, 0 or more (0 and 1 are a mask), or null for 1.</param>
    public ArrayExamples(float[] dense, IReadOnlyList<int> shape, int[]? labels = null, float[]? targets = null, float[]? weights = null)
    {
        Layout = new FeatureLayout { DenseShape = shape };
        _width = Layout.DenseWidth;
        if (_width == 0 || dense.Length % _width != 0)
            throw new ShapeException($"{dense.Length} numbers do not divide into rows of shape [{string.Join(", ", shape)}].");
        Count = dense.Length / _width;
        if ((labels?.Length ?? Count) != Count || (targets?.Length ?? Count) != Count)
            throw new ShapeException($"{Count} rows need {Count} labels or targets; got {labels?.Length ?? targets?.Length}.");
        if (weights is not null && (weights.Length != Count || weights.Any(w => !(w >= 0) || !float.IsFinite(w))))
            throw new ShapeException($"{Count} rows need {Count} weights, each 0 or more and finite; got {weights.Length}.");
        (_dense, _labels, _targets, _weights) = (dense, labels, targets, weights);
    }

    /// <inheritdoc/>
    public long Count { get; }

    /// <inheritdoc/>
    public FeatureLayout Layout { get; }

    /// <inheritdoc/>
    public IEnumerable<FeatureBatch> Batches(BatchPlan plan)
    {
        var order = new int[Count];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        if (plan.ShuffleSeed is { } seed)
            new Rng(seed, plan.Epoch).Shuffle(order.AsSpan());
        int size = plan.BatchSize;
        var batch = new FeatureBatch { Dense = new float[size * _width] };
        if (_labels is not null)
            batch.Labels = new int[size];
        if (_targets is not null)
            batch.Targets = new float[size];
        if (_weights is not null)
            batch.Weights = new float[size];
        for (long start = plan.Skip * size; start < Count; start += size)
        {
            batch.Count = (int)Math.Min(size, Count - start);
            for (int i = 0; i < batch.Count; i++)
            {
                int row = order[start + i];
                _dense.AsSpan(row * _width, _width).CopyTo(batch.Dense.AsSpan(i * _width));
                if (_labels is not null)
                    batch.Labels[i] = _labels[row];
                if (_targets is not null)
                    batch.Targets[i] = _targets[row];
                if (_weights is not null)
                    batch.Weights[i] = _weights[row];
            }

            yield return batch;
        }
    }
}
