namespace Candela.Data;

/// <summary>Encoded rows. The arrays are at least as long as needed and are reused by the source that yields the batch: valid until the next batch is asked for.</summary>
public sealed class FeatureBatch : IBatch
{
    /// <summary>Number of rows.</summary>
    public int Count { get; set; }

    /// <summary>Dense features, row-major: Count x DenseWidth. Image pixels are scaled to 0..1 and then standardised per channel.</summary>
    public float[] Dense { get; set; } = [];

    /// <summary>Sparse rows (CSR): the entries of row i are <c>SparseStarts[i] .. SparseStarts[i + 1]</c>.</summary>
    public int[] SparseStarts { get; set; } = [0];

    /// <summary>Feature index of each sparse entry.</summary>
    public int[] SparseIndices { get; set; } = [];

    /// <summary>Value of each sparse entry.</summary>
    public float[] SparseValues { get; set; } = [];

    /// <summary>Token ids, Count x TokenLength, padded at the end with 0.</summary>
    public int[] Tokens { get; set; } = [];

    /// <summary>Texts, Count x TextColumns; a missing cell is empty.</summary>
    public string[] Texts { get; set; } = [];

    /// <summary>Regression targets in the target's own unit; empty for classification or when unknown.</summary>
    public float[] Targets { get; set; } = [];

    /// <summary>Class indices; empty for regression or when unknown.</summary>
    public int[] Labels { get; set; } = [];

    /// <summary>What each row counts in the loss and in scores, 0 or more; 0 leaves it out (a mask). Empty (the default) when all count 1.</summary>
    public float[] Weights { get; set; } = [];

    /// <summary>The weight of a row: 1 when there are none.</summary>
    public float WeightOf(int row) => Weights.Length == 0 ? 1 : Weights[row];
}
