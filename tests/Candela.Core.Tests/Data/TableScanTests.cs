using Candela.Data;

namespace Candela.Tests.Data;

public sealed class TableScanTests : IDisposable
{
    private static readonly TableSchema Schema = new([new("age", ColumnKind.Number), new("sex", ColumnKind.Category), new("when", ColumnKind.Date), new("ok", ColumnKind.Boolean), new("note", ColumnKind.Text)]);

    private readonly DataFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact, Trait("Kind", "golden")]
    public void Read_OtherOrderAndMoreColumns_FindsColumnsByName()
    {
        string path = _files.Write("p.csv", "extra,note,ok,when,sex,age\n" + string.Concat(Enumerable.Range(0, 10).Select(i => $"x,\"none, {i}\",{i % 2}.0,{1 + i}.2.2024,{(i == 3 ? "?" : i % 2 == 0 ? "m" : "new")},{i}.5\n")));
        TableChunk[] chunks = [.. TableScan.Read(path, Schema, new TableOptions(), 4)];
        Assert.Equal([4, 4, 2], chunks.Select(c => c.Rows));
        Assert.Equal([0L, 4L, 8L], chunks.Select(c => c.FirstRow));
        Assert.Equal(5.5f, ((NumberColumn)chunks[1].Columns[0]).Values[1]);
        Assert.Null(((CategoryColumn)chunks[0].Columns[1]).NameAt(3));
        Assert.Equal("new", ((CategoryColumn)chunks[2].Columns[1]).NameAt(1));
        Assert.Equal(19755f, ((NumberColumn)chunks[0].Columns[2]).Values[1]); // 2024-02-02
        Assert.Equal("1", ((CategoryColumn)chunks[0].Columns[3]).NameAt(1));
        Assert.Equal("none, 2", ((TextColumn)chunks[0].Columns[4]).Values[2]);
    }

    [Fact, Trait("Kind", "fault")]
    public void Read_MissingColumn_NamesItAndTheNearest()
    {
        string path = _files.Write("p.csv", "Age,sex,when,ok,note\n1,m,2024-01-01,1,hello\n");
        string message = Assert.Throws<DataException>(() => TableScan.Read(path, Schema, new TableOptions())).Message;
        Assert.Contains("column 'age' is missing", message);
        Assert.Contains("Did you mean 'Age'?", message);
    }

    [Fact, Trait("Kind", "fault")]
    public void Read_BadCell_NamesIt()
    {
        string path = _files.Write("p.csv", "age,sex,when,ok,note\n1,m,2024-01-01,1,hello\nold,m,2024-01-01,1,hello\n");
        Assert.Contains("line 3, column 'age': 'old' is not a number", Assert.Throws<DataException>(() => TableScan.Read(path, Schema, new TableOptions()).ToList()).Message);
    }

    [Fact, Trait("Kind", "golden")]
    public void Read_OneRowUnderAHeader_IsNotTakenForData()
    {
        string path = _files.Write("p.csv", "age,sex,when,ok,note\n,,,,\n");
        Assert.Equal(1, TableScan.Read(path, Schema, new TableOptions()).Single().Rows);
    }

    [Fact, Trait("Kind", "golden")]
    public void Read_NoHeader_FindsColumnsByPlace()
    {
        var schema = new TableSchema([new("#2", ColumnKind.Number), new("#0", ColumnKind.Category)]);
        string path = _files.Write("p.csv", "a,1,2\nb,3,4\n");
        TableChunk chunk = TableScan.Read(path, schema, new TableOptions()).Single();
        Assert.Equal([2f, 4f], ((NumberColumn)chunk.Columns[0]).Values);
        Assert.Equal("b", ((CategoryColumn)chunk.Columns[1]).NameAt(1));
    }

    [Fact, Trait("Kind", "golden")]
    public void Read_OneRowOfWordsWithoutHeader_IsData()
    {
        var schema = new TableSchema([new("#0", ColumnKind.Text), new("#1", ColumnKind.Category)]);
        string path = _files.Write("p.tsv", "a fine film\tgood\n");
        Assert.Equal("a fine film", ((TextColumn)TableScan.Read(path, schema, new TableOptions()).Single().Columns[0]).Values[0]);
    }

    [Fact, Trait("Kind", "property")]
    public void SchemaText_WrittenAndRead_IsTheSame()
    {
        var schema = new TableSchema([new("plain", ColumnKind.Number, "why: because # of it"), new("with \"quotes\" and \\", ColumnKind.Text), new("#0", ColumnKind.Identifier), new("名: 字", ColumnKind.Category), new("a\nb\t", ColumnKind.Date), new("null", ColumnKind.Constant)]);
        string path = _files.PathOf("schema.yaml");
        SchemaText.Write(path, schema);
        Assert.Equal(schema.Columns.Select(c => (c.Name, c.Kind)), SchemaText.Read(path).Select(p => (p.Key, p.Value)));
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("age: numbr\n", "line 1, column 'age': There is no column kind 'numbr'. Did you mean 'number'?")]
    [InlineData("age: number\nage: text\n", "line 2: column 'age' occurs twice")]
    [InlineData("- age\n", "one 'column: kind' a line")]
    [InlineData("age: [number]\n", "one 'column: kind' a line")]
    [InlineData("age: \"number\n", "one 'column: kind' a line")]
    [InlineData("", "one 'column: kind' a line")]
    public void SchemaText_BadFile_NamesTheLine(string text, string expected)
    {
        string path = _files.Write("schema.yaml", text);
        Assert.Contains(expected, Assert.ThrowsAny<CandelaException>(() => SchemaText.Read(path)).Message);
    }

    [Fact, Trait("Kind", "golden")]
    public void Describe_Schema_IsAligned() => Assert.Equal(
        "column   kind        why\nage      integer     whole numbers 1 to 9\npicture  image       1 x 28 x 28; grey images\n",
        SchemaText.Describe(new TableSchema([new("age", ColumnKind.Integer, "whole numbers 1 to 9"), new("picture", ColumnKind.Image, "grey images") { Image = new ImageShape(1, 28, 28) }])));
}
