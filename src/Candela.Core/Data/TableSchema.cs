namespace Candela.Data;

/// <summary>One column: its name, kind and how sure we are of it.</summary>
/// <param name="Name">The header's name, or <c>#0</c>, <c>#1</c>, ... when the file has no header. Unique in a table.</param>
/// <param name="Kind">Inferred, or given by the user.</param>
/// <param name="Note">Why this kind was chosen, in a few words, for people.</param>
public sealed record ColumnSchema(string Name, ColumnKind Kind, string Note = "")
{
    /// <summary>For <see cref="ColumnKind.Image"/>: its shape; else null.</summary>
    public ImageShape? Image { get; init; }

    /// <summary>For <see cref="ColumnKind.Date"/> read from text: how the dates are written; else null.</summary>
    internal DateForm? Date { get; init; }
}

/// <summary>The shape of every image of a column.</summary>
/// <param name="Channels">1 (grey) or 3 (RGB).</param>
/// <param name="Height">Pixels.</param>
/// <param name="Width">Pixels.</param>
public sealed record ImageShape(int Channels, int Height, int Width)
{
    /// <summary>Numbers per image.</summary>
    public int Length => Channels * Height * Width;
}

/// <summary>The columns of a table in file order.</summary>
public sealed record TableSchema(IReadOnlyList<ColumnSchema> Columns)
{
    /// <summary>How the file the schema was found in named its columns; null when there was none.</summary>
    internal TableReading? Reading { get; init; }

    private NameIndex? _index; // made at the first search; one reference, replaced whole: safe to race on

    /// <summary>The index of the column called <paramref name="name"/> (exact case), or -1. Constant time but for the first call.</summary>
    public int IndexOf(string name)
    {
        if (_index is not { } index || !ReferenceEquals(index.Columns, Columns))
            _index = index = new NameIndex(Columns);
        return index.Places.TryGetValue(name, out int place) ? place : -1;
    }

    /// <summary>Equal when the columns are, one by one.</summary>
    public bool Equals(TableSchema? other) => other is not null && Columns.SequenceEqual(other.Columns);

    /// <inheritdoc/>
    public override int GetHashCode() => Columns.Count == 0 ? 0 : HashCode.Combine(Columns.Count, Columns[0]);

    // Knows its columns: a copy by `with` may have others.
    private sealed class NameIndex
    {
        public NameIndex(IReadOnlyList<ColumnSchema> columns)
        {
            Columns = columns;
            for (int i = 0; i < columns.Count; i++)
                Places.TryAdd(columns[i].Name, i);
        }

        public IReadOnlyList<ColumnSchema> Columns { get; }

        public Dictionary<string, int> Places { get; } = new(StringComparer.Ordinal);
    }
}
