namespace Candela.Data;

/// <summary>How table columns become numbers.</summary>
public enum FeatureStyle
{
    /// <summary>For nets and linear models: imputed, scaled, one-hot; no NaN.</summary>
    Scaled,

    /// <summary>For trees: one feature per column, numbers as they are with NaN for missing, categories as integer codes with NaN for missing or unseen.</summary>
    Raw,
}

/// <summary>What <see cref="FeatureStyle.Scaled"/> makes of a strongly skewed number: one whose skewness over the training rows is beyond 2 (that of an
/// exponential distribution). Its logarithm is sign(x - m) ln(1 + |x - m| / s), m the median and s the interquartile range / 1.349.</summary>
public enum SkewedNumbers
{
    /// <summary>The standardised number and its standardised logarithm, as two features (default): nothing linear is lost.</summary>
    LogToo,

    /// <summary>The standardised logarithm only: for nets, which extrapolate wildly at outliers.</summary>
    LogOnly,

    /// <summary>The standardised number only: for exact linear fits whose coefficients are read.</summary>
    Plain,
}

/// <summary>What a model family wants of the encoder.</summary>
/// <param name="Style">See <see cref="FeatureStyle"/>.</param>
public sealed record FeatureRequest(FeatureStyle Style)
{
    /// <summary>Text columns become hashed, weighted n-gram rows (sparse). Default true.</summary>
    public bool TextAsNgrams { get; init; } = true;

    /// <summary>Text columns also become fixed-length rows of token ids (for embedding models). Default false.</summary>
    public bool TextAsTokens { get; init; }

    /// <summary>Text columns are also given as they are (for nets with a tokenizer of their own). Default false.</summary>
    public bool TextAsIs { get; init; }

    /// <summary>What becomes of strongly skewed numbers. Default: number and logarithm. Scaled style only.</summary>
    public SkewedNumbers Skewed { get; init; } = SkewedNumbers.LogToo;

    /// <summary>Numbers are also given as piecewise-linear codes of this many quantile bins (0: none; default). Scaled style only.</summary>
    public int QuantileBins { get; init; }
}

/// <summary>What one encoded row holds; fixed for a fitted encoder.</summary>
public sealed record FeatureLayout
{
    /// <summary>Shape of the dense part of one row: [F] for a table, [C, H, W] for an image, [0] when there is none.</summary>
    public required IReadOnlyList<int> DenseShape { get; init; }

    /// <summary>Name of each dense feature (<c>age</c>, <c>sex=male</c>); empty for images.</summary>
    public IReadOnlyList<string> DenseNames { get; init; } = [];

    /// <summary>For each dense feature the index of its source column among the encoder's input columns; empty for images.</summary>
    public IReadOnlyList<int> DenseSources { get; init; } = [];

    /// <summary>For each dense feature under <see cref="FeatureStyle.Raw"/>: the number of category codes, or 0 when it is a number.</summary>
    public IReadOnlyList<int> Cardinalities { get; init; } = [];

    /// <summary>Number of sparse (hashed n-gram) features, 0 when there are none.</summary>
    public int SparseWidth { get; init; }

    /// <summary>Token ids per row, 0 when there are none. Id 0 is padding, 1 is unknown.</summary>
    public int TokenLength { get; init; }

    /// <summary>Number of token ids, counting padding and unknown.</summary>
    public int TokenVocabulary { get; init; }

    /// <summary>Texts per row, one of each text column, 0 when they are not given as they are.</summary>
    public int TextColumns { get; init; }

    /// <summary>Numbers in the dense part of one row.</summary>
    public int DenseWidth => DenseShape.Aggregate(1, (a, b) => checked(a * b));

    /// <summary>Rows per batch where the size does not change the result (scoring, counting): about 4 MB of dense features and tokens, 1 to 4,096 rows.</summary>
    public int ReadingRows => (int)Math.Clamp((1 << 20) / Math.Max(1L, (long)DenseWidth + TokenLength), 1, 4096);
}
