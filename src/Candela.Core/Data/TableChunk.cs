namespace Candela.Data;

/// <summary>Some rows of a table, column by column: the unit in which data is read, encoded and scored.
/// Column i has the kind of <c>Schema.Columns[i]</c>: Number, Integer, Date are <see cref="NumberColumn"/>; Category and Boolean are
/// <see cref="CategoryColumn"/>; Text and Identifier are <see cref="TextColumn"/>; Image is <see cref="ImageColumn"/>; Constant is a <see cref="CategoryColumn"/>.</summary>
public sealed class TableChunk
{
    /// <summary>Creates a chunk over existing columns, all of the same length.</summary>
    public TableChunk(TableSchema schema, IReadOnlyList<TableColumn> columns, long firstRow = 0)
    {
        if (columns.Count != schema.Columns.Count)
            throw new ShapeException($"A chunk got {columns.Count} columns for a schema of {schema.Columns.Count}.");
        (Schema, Columns, FirstRow) = (schema, columns, firstRow);
        Rows = columns.Count == 0 ? 0 : columns[0].Count;
        for (int i = 1; i < columns.Count; i++)
            if (columns[i].Count != Rows)
                throw new ShapeException($"Column '{schema.Columns[i].Name}' has {columns[i].Count} rows where '{schema.Columns[0].Name}' has {Rows}.");
    }

    /// <summary>The columns' names and kinds.</summary>
    public TableSchema Schema { get; }

    /// <summary>One entry per schema column.</summary>
    public IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>The table's 0-based index of this chunk's first row.</summary>
    public long FirstRow { get; }

    /// <summary>The column called <paramref name="name"/>.</summary>
    /// <exception cref="DataException">There is no such column; the message names the nearest.</exception>
    public TableColumn Column(string name)
    {
        int index = Schema.IndexOf(name);
        return index >= 0 ? Columns[index]
            : throw new DataException($"There is no column '{name}'.{NearestName.Hint(name, Schema.Columns.Select(c => c.Name))} Columns: {string.Join(", ", Schema.Columns.Select(c => c.Name))}.");
    }

    /// <summary>A new chunk with the given rows (indices within this chunk), in the given order.</summary>
    public TableChunk Take(ReadOnlySpan<int> rows)
    {
        var taken = new TableColumn[Columns.Count];
        for (int i = 0; i < taken.Length; i++)
            taken[i] = Columns[i].Take(rows);
        return new TableChunk(Schema, taken, FirstRow);
    }

    /// <summary>The same rows with one column replaced.</summary>
    public TableChunk With(int column, TableColumn replacement)
    {
        var columns = Columns.ToArray();
        columns[column] = replacement;
        return new TableChunk(Schema, columns, FirstRow);
    }
}
