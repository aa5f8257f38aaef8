namespace Candela.Data;

/// <summary>What the table looks like, for the report and for the leak check.</summary>
/// <param name="Rows">Rows in the file.</param>
/// <param name="DuplicateRows">Rows equal to an earlier one (on at most the first million rows).</param>
/// <param name="Columns">Per column.</param>
/// <param name="Findings">What deserves attention.</param>
public sealed record DataProfile(long Rows, long DuplicateRows, IReadOnlyList<ColumnProfile> Columns, IReadOnlyList<Finding> Findings);

/// <summary>Statistics of one column over all rows; numbers are null when they do not apply.</summary>
public sealed record ColumnProfile(string Name, ColumnKind Kind, long Missing)
{
    /// <summary>input, target or excluded.</summary>
    public string Role { get; init; } = "input";

    /// <summary>Distinct values, counted up to a bound.</summary>
    public long Distinct { get; init; }

    /// <summary>Mean.</summary>
    public double? Mean { get; init; }

    /// <summary>Standard deviation.</summary>
    public double? Deviation { get; init; }

    /// <summary>Smallest.</summary>
    public double? Min { get; init; }

    /// <summary>Median (exact on up to 100,000 rows, else of a seeded sample).</summary>
    public double? Median { get; init; }

    /// <summary>Largest.</summary>
    public double? Max { get; init; }

    /// <summary>Counts of 20 equal bins from Min to Max.</summary>
    public IReadOnlyList<long>? Histogram { get; init; }

    /// <summary>The most frequent names and their counts, at most 12.</summary>
    public IReadOnlyList<NameCount>? Top { get; init; }

    /// <summary>Why the column is excluded or of its kind.</summary>
    public string Note { get; init; } = "";
}

/// <summary>A name and how often it occurs.</summary>
public sealed record NameCount(string Name, long Count);

/// <summary>Something noticed in the data.</summary>
/// <param name="Code">Stable id: leak-copy-of-target, duplicate-rows, class-imbalance, constant-column, identifier-column, mostly-missing, outliers, ...</param>
/// <param name="Message">One or two lines, naming the columns.</param>
/// <param name="Columns">The columns meant.</param>
/// <param name="Excluded">True when the columns were left out of the inputs because of it.</param>
public sealed record Finding(string Code, string Message, IReadOnlyList<string> Columns, bool Excluded);
