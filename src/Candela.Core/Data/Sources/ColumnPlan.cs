namespace Candela.Data;

/// <summary>How one column is read.</summary>
/// <param name="Name">The column's name.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Note">Why.</param>
internal sealed record ColumnPlan(string Name, ColumnKind Kind, string Note)
{
    /// <summary>The user said so: a cell that does not fit is an error.</summary>
    public bool Given { get; init; }

    /// <summary>Rows to be scored: names without end are taken.</summary>
    public bool Open { get; init; }

    /// <summary>For dates: how they are written.</summary>
    public DateForm Date { get; init; }

    /// <summary>For dates: day and month could not be told apart so far.</summary>
    public bool DateAmbiguous { get; init; }

    /// <summary>For booleans: the cells are numbers.</summary>
    public bool Numeric { get; init; }

    /// <summary>For identifiers: whole numbers in sequence, whose end would show that they are something else.</summary>
    public bool Sequence { get; init; }

    /// <summary>For constants: the looked-at rows had no value at all.</summary>
    public bool AllMissing { get; init; }
}
