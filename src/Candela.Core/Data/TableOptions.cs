namespace Candela.Data;

/// <summary>Whether the first line holds names.</summary>
public enum HeaderMode
{
    /// <summary>Decided from the first rows.</summary>
    Auto,

    /// <summary>It does.</summary>
    Yes,

    /// <summary>It does not; columns are called #0, #1, ...</summary>
    No,
}

/// <summary>How a data file is read.</summary>
public sealed record TableOptions
{
    /// <summary>Default: auto.</summary>
    public HeaderMode Header { get; init; } = HeaderMode.Auto;

    /// <summary>Lines to leave out at the start. Default 0.</summary>
    public int SkipLines { get; init; }

    /// <summary>Names to use instead of the header's; null uses the header.</summary>
    public IReadOnlyList<string>? ColumnNames { get; init; }

    /// <summary>Cells (after trimming) that mean "missing", besides the empty cell. Default: NA, N/A, NaN, null, None and ? (upper or lower case).</summary>
    public IReadOnlyList<string> MissingMarks { get; init; } = ["NA", "N/A", "NaN", "null", "None", "?"];

    /// <summary>Kinds given by the user, by column name; the others are inferred.</summary>
    public IReadOnlyDictionary<string, ColumnKind> Kinds { get; init; } = new Dictionary<string, ColumnKind>();

    /// <summary>The columns, of those of the file, whose cells do not matter: one that does not fit makes its column a text instead of stopping the reading. Null: all matter.</summary>
    internal Func<IReadOnlyList<string>, IReadOnlySet<string>>? Unused { get; init; }

    /// <summary>For an IDX images file: its labels file.</summary>
    public string? LabelsFile { get; init; }

    /// <summary>Cell data held in memory at the most; beyond that a temporary file is used. Default 256 MiB.</summary>
    public long MemoryBudget { get; init; } = 256L << 20;
}
