namespace Candela.Classic.Linear;

/// <summary>Rows as a linear model sees them: dense features, then only those sparse features that occur in the training rows, renumbered 0..SparseWidth-1.</summary>
internal sealed class DesignMatrix
{
    private DesignMatrix(EncodedRows rows, int[] vocabulary, int[] starts, int[] indices, float[] values)
        => (Rows, Vocabulary, SparseStarts, SparseIndices, SparseValues) = (rows, vocabulary, starts, indices, values);

    public EncodedRows Rows { get; }

    public int Count => Rows.Count;

    public int DenseWidth => Rows.DenseWidth;

    /// <summary>Number of sparse features kept.</summary>
    public int SparseWidth => Vocabulary.Length;

    /// <summary>The encoder's index of each kept sparse feature, ascending.</summary>
    public int[] Vocabulary { get; }

    public int[] SparseStarts { get; }

    public int[] SparseIndices { get; }

    public float[] SparseValues { get; }

    /// <summary>Features of one row without the intercept.</summary>
    public int Width => DenseWidth + SparseWidth;

    /// <summary>Training rows: the vocabulary is what occurs in them.</summary>
    public static DesignMatrix OfTraining(EncodedRows rows)
    {
        var seen = new bool[rows.Layout.SparseWidth];
        foreach (int index in rows.SparseIndices.AsSpan(0, rows.SparseStarts[rows.Count]))
            seen[index] = true;
        var vocabulary = new List<int>();
        for (int i = 0; i < seen.Length; i++)
            if (seen[i])
                vocabulary.Add(i);
        return With(rows, [.. vocabulary]);
    }

    /// <summary>Other rows over the same vocabulary; entries outside it are dropped, as they will be at prediction time.</summary>
    public DesignMatrix OfOther(EncodedRows rows) => With(rows, Vocabulary);

    private static DesignMatrix With(EncodedRows rows, int[] vocabulary)
    {
        if (rows.Layout.SparseWidth == 0)
            return new DesignMatrix(rows, vocabulary, rows.SparseStarts, [], []);
        int[] local = Inverse(vocabulary, rows.Layout.SparseWidth);
        var starts = new int[rows.Count + 1];
        var indices = new int[rows.SparseStarts[rows.Count]];
        var values = new float[indices.Length];
        int kept = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            for (int e = rows.SparseStarts[row]; e < rows.SparseStarts[row + 1]; e++)
                if (local[rows.SparseIndices[e]] is >= 0 and var index)
                    (indices[kept], values[kept++]) = (index, rows.SparseValues[e]);
            starts[row + 1] = kept;
        }

        return new DesignMatrix(rows, vocabulary, starts, indices, values);
    }

    /// <summary>For each of <paramref name="width"/> indices its place in <paramref name="vocabulary"/>, or -1.</summary>
    public static int[] Inverse(int[] vocabulary, int width)
    {
        var local = new int[width];
        Array.Fill(local, -1);
        for (int i = 0; i < vocabulary.Length; i++)
            local[vocabulary[i]] = i;
        return local;
    }
}
