using Candela.Data;

namespace Candela.Tests.Data;

/// <summary>Builds tables from arrays.</summary>
internal sealed class SmallTables
{
    private readonly List<ColumnSchema> _schema = [];
    private readonly List<TableColumn> _columns = [];

    public static string[] Names(int count) => [.. Enumerable.Range(0, count).Select(i => $"name{i}")];

    public SmallTables Numbers(string name, IEnumerable<float> values, ColumnKind kind = ColumnKind.Number) => Add(new ColumnSchema(name, kind), new NumberColumn([.. values]));

    public SmallTables Categories(string name, IEnumerable<string?> values, ColumnKind kind = ColumnKind.Category)
    {
        List<string> names = [];
        int[] codes = [.. values.Select(value =>
        {
            if (value is null)
                return -1;
            if (!names.Contains(value))
                names.Add(value);
            return names.IndexOf(value);
        })];
        return Add(new ColumnSchema(name, kind), new CategoryColumn(codes, names));
    }

    public SmallTables Texts(string name, IEnumerable<string?> values, ColumnKind kind = ColumnKind.Text) => Add(new ColumnSchema(name, kind), new TextColumn([.. values]));

    public SmallTables Images(string name, byte[] pixels, ImageShape shape) => Add(new ColumnSchema(name, ColumnKind.Image) { Image = shape }, new ImageColumn(pixels, shape));

    public TableChunk Chunk() => new(new TableSchema(_schema), _columns);

    /// <summary>The table, in chunks of the given size.</summary>
    public Table Table(int chunkRows = 1 << 16)
    {
        TableChunk all = Chunk();
        int[] rows = [.. Enumerable.Range(0, all.Rows)];
        return global::Candela.Data.Table.FromChunks(all.Schema, rows.Chunk(chunkRows).Select(part => all.Take(part)));
    }

    private SmallTables Add(ColumnSchema schema, TableColumn column)
    {
        _schema.Add(schema);
        _columns.Add(column);
        return this;
    }
}
