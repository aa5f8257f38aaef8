using Candela.Data;

namespace Candela.Classic;

/// <summary>All rows of an <see cref="IExampleSource"/> in memory, for solvers that pass over them many times.
/// Cost: 4 bytes per dense feature, 8 per non-zero sparse entry and 8 for row start and target, per row.</summary>
internal sealed class EncodedRows
{
    private EncodedRows(FeatureLayout layout, int count) => (Layout, Count) = (layout, count);

    public FeatureLayout Layout { get; }

    public int Count { get; }

    /// <summary>Row-major [Count, DenseWidth].</summary>
    public required float[] Dense { get; init; }

    public int DenseWidth => Layout.DenseWidth;

    /// <summary>CSR starts, [Count + 1]; all zero without sparse features.</summary>
    public required int[] SparseStarts { get; init; }

    public required int[] SparseIndices { get; init; }

    public required float[] SparseValues { get; init; }

    /// <summary>Class per row; empty for regression.</summary>
    public required int[] Labels { get; init; }

    /// <summary>Target per row; empty for classification.</summary>
    public required float[] Targets { get; init; }

    public ReadOnlySpan<float> DenseRow(int row) => Dense.AsSpan(row * DenseWidth, DenseWidth);

    /// <summary>Reads the source once, in order.</summary>
    /// <exception cref="DataException">There are no rows, or more numbers than one array holds (2^31 dense features or sparse entries).</exception>
    public static EncodedRows Read(IExampleSource source, Problem problem, CancellationToken cancellation)
    {
        int width = source.Layout.DenseWidth;
        if (source.Count == 0)
            throw new DataException("There are no training rows; give a larger file or smaller validation and test shares.");
        if (source.Count * Math.Max(1, width) > Array.MaxLength)
            throw new DataException($"{source.Count} rows of {width} features do not fit this model's memory layout ({Array.MaxLength} numbers); train on fewer rows.");
        int count = (int)source.Count, row = 0, entries = 0;
        var dense = new float[count * width];
        var starts = new int[count + 1];
        int[] indices = [];
        float[] values = [];
        var labels = problem.IsClassification ? new int[count] : [];
        var targets = problem.IsClassification ? [] : new float[count];
        bool sparse = source.Layout.SparseWidth > 0;
        foreach (FeatureBatch batch in source.Batches(new BatchPlan(1024)))
        {
            cancellation.ThrowIfCancellationRequested();
            batch.Dense.AsSpan(0, batch.Count * width).CopyTo(dense.AsSpan(row * width));
            if (problem.IsClassification)
                batch.Labels.AsSpan(0, batch.Count).CopyTo(labels.AsSpan(row));
            else
                batch.Targets.AsSpan(0, batch.Count).CopyTo(targets.AsSpan(row));
            if (sparse)
            {
                int first = batch.SparseStarts[0], added = batch.SparseStarts[batch.Count] - first;
                Reserve(ref indices, entries + added);
                Reserve(ref values, entries + added);
                batch.SparseIndices.AsSpan(first, added).CopyTo(indices.AsSpan(entries));
                batch.SparseValues.AsSpan(first, added).CopyTo(values.AsSpan(entries));
                for (int i = 0; i < batch.Count; i++)
                    starts[row + i + 1] = entries + batch.SparseStarts[i + 1] - first;
                entries += added;
            }

            row += batch.Count;
        }

        return new EncodedRows(source.Layout, count)
        {
            Dense = dense,
            SparseStarts = starts,
            SparseIndices = indices,
            SparseValues = values,
            Labels = labels,
            Targets = targets,
        };
    }

    private static void Reserve<T>(ref T[] array, int needed)
    {
        if (array.Length < needed)
            Array.Resize(ref array, (int)Math.Min(Array.MaxLength, Math.Max(needed, array.Length * 2L)));
    }
}
