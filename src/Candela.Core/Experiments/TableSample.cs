using Candela.Data;

namespace Candela.Experiments;

/// <summary>Rows of some parts of a split as a table of their own, in memory and in the same order: all of them, or a seeded uniform sample when there are too many.</summary>
internal static class TableSample
{
    /// <summary>Rows a sample holds at the most, unless asked otherwise.</summary>
    public const long DefaultRows = 200_000;

    private const long ByteBound = 128L << 20;

    /// <summary>Takes them. Every row has the same chance (selection sampling: Knuth, TAOCP 2, Algorithm 3.4.2S).</summary>
    public static Table Take(Table table, TableSplit split, IReadOnlyList<Part> parts, long seed, long maxRows = DefaultRows)
    {
        long left = parts.Sum(split.Count);
        long needed = Math.Min(Math.Min(left, maxRows), Math.Max(1, ByteBound / BytesPerRow(table.Schema)));
        var rng = new Rng(seed, stream: 21);
        var chunks = new List<TableChunk>();
        var buffers = new ChunkBuffers();
        for (int c = 0; c < table.ChunkCount && needed > 0; c++)
        {
            var chosen = new List<int>();
            long first = table.FirstRow(c);
            for (int row = 0, rows = table.RowsIn(c); row < rows; row++)
            {
                if (!parts.Contains(split[first + row]))
                    continue;
                if (needed == left || (long)Math.BigMul(rng.NextUInt64(), (ulong)left, out _) < needed)
                {
                    chosen.Add(row);
                    needed--;
                }

                left--;
            }

            if (chosen.Count > 0)
                chunks.Add(table.ReadChunk(c, buffers).Take(chosen.ToArray()));
        }

        return Table.FromChunks(table.Schema, chunks.Count > 1 && chunks.Sum(c => c.Rows) <= Table.ChunkRows ? [Join(table.Schema, chunks)] : chunks);
    }

    private static TableChunk Join(TableSchema schema, List<TableChunk> chunks)
    {
        var columns = new TableColumn[schema.Columns.Count];
        for (int i = 0; i < columns.Length; i++)
        {
            columns[i] = chunks[^1].Columns[i] switch
            {
                NumberColumn => new NumberColumn([.. chunks.SelectMany(c => ((NumberColumn)c.Columns[i]).Values)]),
                CategoryColumn last => new CategoryColumn([.. chunks.SelectMany(c => ((CategoryColumn)c.Columns[i]).Codes)], last.Names),
                TextColumn => new TextColumn([.. chunks.SelectMany(c => ((TextColumn)c.Columns[i]).Values)]),
                ImageColumn last => new ImageColumn([.. chunks.SelectMany(c => ((ImageColumn)c.Columns[i]).Pixels)], last.Shape),
                var other => throw new DataException($"Column '{schema.Columns[i].Name}' is a {other.GetType().Name}, which cannot be sampled."),
            };
        }

        return new TableChunk(schema, columns);
    }

    private static long BytesPerRow(TableSchema schema) => 1 + schema.Columns.Sum(c => c.Kind switch
    {
        ColumnKind.Image => (long)c.Image!.Length,
        ColumnKind.Text or ColumnKind.Identifier => 200,
        _ => 4,
    });
}
