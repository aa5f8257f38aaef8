namespace Candela.Data;

/// <summary>Collects rows of encoded blocks into one reused batch of at most <paramref name="size"/> rows.</summary>
internal sealed class RowGather(FeatureLayout layout, int size)
{
    private readonly int _width = layout.DenseWidth;

    public FeatureBatch Batch { get; } = new();

    public void Clear() => Batch.Count = 0;

    /// <summary>Appends the given rows of <paramref name="from"/>; together they must not exceed the size.</summary>
    public void Append(FeatureBatch from, ReadOnlySpan<int> rows)
    {
        int at = Batch.Count;
        if (_width > 0)
            Batch.Dense = Copy(from.Dense, Batch.Dense, _width, rows, at);
        if (layout.TokenLength > 0)
            Batch.Tokens = Copy(from.Tokens, Batch.Tokens, layout.TokenLength, rows, at);
        if (layout.TextColumns > 0)
            Batch.Texts = Copy(from.Texts, Batch.Texts, layout.TextColumns, rows, at);
        if (layout.SparseWidth > 0)
            CopySparse(from, rows, at);
        if (from.Labels.Length > 0)
            Batch.Labels = Copy(from.Labels, Batch.Labels, 1, rows, at);
        if (from.Targets.Length > 0)
            Batch.Targets = Copy(from.Targets, Batch.Targets, 1, rows, at);
        Batch.Count = at + rows.Length;
    }

    private T[] Copy<T>(T[] from, T[] to, int width, ReadOnlySpan<int> rows, int at)
    {
        long needed = (long)width * (at + rows.Length);
        if (to.Length < needed)
        {
            // Full batches follow, unless this one is the whole part.
            long full = (long)width * Math.Min(size, Math.Max(at + rows.Length, 4096));
            Array.Resize(ref to, (int)Math.Min(Array.MaxLength, Math.Max(needed, full)));
        }

        if (width == 1)
        {
            for (int i = 0; i < rows.Length; i++)
                to[at + i] = from[rows[i]];
            return to;
        }

        for (int i = 0; i < rows.Length; i++)
            from.AsSpan(rows[i] * width, width).CopyTo(to.AsSpan((at + i) * width));
        return to;
    }

    private void CopySparse(FeatureBatch from, ReadOnlySpan<int> rows, int at)
    {
        int[] starts = Batch.SparseStarts;
        if (starts.Length < at + rows.Length + 1)
            Array.Resize(ref starts, Math.Max(at + rows.Length, Math.Min(size, 4096)) + 1);
        Batch.SparseStarts = starts;
        int end = starts[at], needed = end;
        foreach (int row in rows)
            needed += from.SparseStarts[row + 1] - from.SparseStarts[row];
        if (Batch.SparseIndices.Length < needed)
        {
            int[] indices = Batch.SparseIndices;
            float[] values = Batch.SparseValues;
            Array.Resize(ref indices, needed + (needed / 2));
            Array.Resize(ref values, needed + (needed / 2));
            (Batch.SparseIndices, Batch.SparseValues) = (indices, values);
        }

        for (int i = 0; i < rows.Length; i++)
        {
            int start = from.SparseStarts[rows[i]], count = from.SparseStarts[rows[i] + 1] - start;
            from.SparseIndices.AsSpan(start, count).CopyTo(Batch.SparseIndices.AsSpan(end));
            from.SparseValues.AsSpan(start, count).CopyTo(Batch.SparseValues.AsSpan(end));
            end += count;
            starts[at + i + 1] = end;
        }
    }
}
