using Candela.Data;
using Candela.Models;

namespace Candela.Tests.Data;

public sealed class TableLoadTests : IDisposable
{
    private readonly DataFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact, Trait("Kind", "golden")]
    public void Load_SmallCsv_GivesEachColumnItsKindAndCells()
    {
        // Read by eye from the text.
        string text = "age,sex,score,when,note,smoker\n" + string.Concat(Enumerable.Range(0, 30).Select(i =>
            $"{20 + (i % 9)},{(i % 2 == 0 ? "male" : "female")},{i}.5,2024-01-{i + 1:00},\"note {i}, it has \"\"words\"\" in it\",{(i % 3 == 0 ? "yes" : "no")}\n"));
        using Table table = _files.Load("people.csv", text);

        Assert.Equal([ColumnKind.Integer, ColumnKind.Category, ColumnKind.Number, ColumnKind.Date, ColumnKind.Text, ColumnKind.Boolean], table.Schema.Columns.Select(c => c.Kind));
        Assert.Equal(30, table.Rows);
        TableChunk chunk = table.ReadChunk(0);
        Assert.Equal(21f, ((NumberColumn)chunk.Column("age")).Values[1]);
        Assert.Equal("female", ((CategoryColumn)chunk.Column("sex")).NameAt(1));
        Assert.Equal(1.5f, ((NumberColumn)chunk.Column("score")).Values[1]);
        Assert.Equal(19724f, ((NumberColumn)chunk.Column("when")).Values[1]); // date -d 2024-01-02 +%s / 86400
        Assert.Equal("note 1, it has \"words\" in it", ((TextColumn)chunk.Column("note")).Values[1]);
        Assert.Equal("no", ((CategoryColumn)chunk.Column("smoker")).NameAt(1));
    }

    [Fact, Trait("Kind", "golden")]
    public void Load_CountLine_IsLeftOutAndSaid()
    {
        string rows = string.Concat(Enumerable.Range(0, 6).Select(i => $"{i}.1,{i}.2,{i}.25,{i % 3}\n"));
        using Table table = _files.Load("iris.csv", "6,3,setosa,versicolor,virginica\n" + rows);

        Assert.Equal(6, table.Rows);
        Assert.Equal(["#0", "#1", "#2", "#3"], table.Schema.Columns.Select(c => c.Name));
        Assert.Contains(_files.Events.OfType<Warned>(), w => w.Code == "count-line-skipped" && w.Message.Contains("2=virginica"));
    }

    /// <summary>The second file is larger than the sample its dialect is found on.</summary>
    [Theory, Trait("Kind", "golden")]
    [InlineData(60)]
    [InlineData(60_000)]
    public void Load_FirstRowThatLooksLikeACount_IsDataUnlessItCountsTheRows(int rows)
    {
        string people = string.Concat(Enumerable.Range(0, rows - 1).Select(i => $"{20 + (i % 60)},{i % 5},{(i % 2 == 0 ? "male" : "female")},{(i % 3 == 0 ? "smoker" : "never")},{(i % 7 == 0 ? "yes" : "no")}\n"));
        using Table table = _files.Load("people.csv", "57,4,male,smoker,no\n" + people);
        Assert.Equal(rows, table.Rows);
        Assert.Empty(_files.Events.OfType<Warned>());
        string flowers = string.Concat(Enumerable.Range(0, rows).Select(i => $"{i % 9}.123456,{i % 8}.123456,{i % 7}.123456,{i % 2},\n"));
        using Table counted = _files.Load("flowers.csv", $"{rows},4,setosa,versicolor,\n" + flowers);
        Assert.Equal(rows, counted.Rows);
        Assert.Single(_files.Events.OfType<Warned>());
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_RaggedRow_NamesItsLineAndWidths()
    {
        string path = _files.Write("r.csv", "a,b,c\n1,2,3\n\"x\ny\",2,3\n4,5\n6,7,8\n");
        var error = Assert.Throws<DataException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("r.csv line 5: 2 cells where the header has 3", error.Message);
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_WordInNumericColumn_NamesLineColumnCellAndRemedies()
    {
        string path = _files.Write("n.csv", "a,b\n" + string.Concat(Enumerable.Range(0, 99).Select(i => $"{i}.5,{i % 7}\n")) + "oops,3\n");
        var error = Assert.Throws<DataException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("n.csv line 101, column 'a': 'oops' is not a number", error.Message);
        Assert.Contains("--na \"oops\"", error.Message);
        Assert.Contains("--type a=category", error.Message);
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("", "empty")]
    [InlineData("\n\n", "empty")]
    [InlineData("a,b\n", "no data row")]
    [InlineData("a,b\n,\n", "every cell")]
    [InlineData("a,b\nNA,?\n", "every cell")]
    [InlineData("a,b,a\n1,2,3\n", "both called 'a'")]
    public void Load_NothingToRead_SaysSo(string text, string expected)
    {
        string path = _files.Write("e.csv", text);
        Assert.Contains(expected, Assert.Throws<DataException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken)).Message);
    }
}
