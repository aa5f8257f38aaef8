using System.Text;
using Candela.Data;

namespace Candela.Tests.Data;

/// <summary>Files that cannot be used: each error says where and what to do.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly DataFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Theory, Trait("Kind", "fault")]
    [InlineData("a,b\n1,2\n3,inf\n4,5\n", "line 3, column 'b': 'inf' is not a finite number")]
    [InlineData("a,b\n1,2\n3,1e99\n4,5\n", "line 3, column 'b': '1e99' is not a finite number")]
    [InlineData("a,b\n1,2\n3,4,5\n4,5\n", "line 3: 3 cells where the header has 2")]
    [InlineData("1,2\n3,4\n\n\n4\n5,6\n", "line 5: 1 cell where most rows have 2")]
    [InlineData("a,b\n1,\"x\ny\"\n3,\"open\n4,5\n", "line 4: a quoted cell is not closed")]
    [InlineData("a,b\n1,2\n3,\0\n", "line 3: a NUL character")]
    public void Load_BadText_NamesThePlace(string text, string expected)
    {
        string path = _files.Write("bad.csv", text);
        string message = Assert.Throws<DataException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken)).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(expected, message);
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_Windows1252_NamesLineByteAndRemedy()
    {
        byte[] head = Encoding.ASCII.GetBytes("name,n\n" + string.Concat(Enumerable.Repeat("abc,1\n", 50_000)));
        string path = _files.Write("latin.csv", [.. head, .. "caf"u8, 0xe9, .. ",2\n"u8]);
        string message = Assert.Throws<DataException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken)).Message;
        Assert.Contains($"line 50002: byte 0xe9 at byte offset {head.Length + 3} is not UTF-8", message);
        Assert.Contains("iconv", message);
    }

    [Theory, Trait("Kind", "golden")]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_Utf16WithMark_ReadsAsText(bool bigEndian)
    {
        var encoding = new UnicodeEncoding(bigEndian, true);
        string path = _files.Write("u.csv", [.. encoding.GetPreamble(), .. encoding.GetBytes("名,n\n好,1\n坏,2\n好,3\n坏,4\n")]);
        using Table table = Table.Load(path, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal("名", table.Schema.Columns[0].Name);
        Assert.Equal("坏", ((CategoryColumn)table.ReadChunk(0).Columns[0]).NameAt(1));
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_Utf16WithoutMark_IsRefusedAsBinary()
    {
        string path = _files.Write("u.csv", Encoding.Unicode.GetBytes("a,b\n1,2\n"));
        Assert.Contains("UTF-16", Assert.Throws<DataException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken)).Message);
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_TruncatedGzip_IsRefusedAtEveryLength()
    {
        byte[] whole = DataFiles.Gzip(Encoding.ASCII.GetBytes("a,b\n" + string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{i * 31 % 977},{i * 17 % 1013}.5\n"))));
        for (int part = 1; part < 20; part++)
        {
            string path = _files.Write("cut.csv.gz", whole[..(whole.Length * part / 20)]);
            var error = Assert.Throws<FileFormatException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken));
            Assert.Equal(path, error.Path);
        }
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_GzipWithABrokenByte_IsRefused()
    {
        byte[] whole = DataFiles.Gzip(Encoding.ASCII.GetBytes("a,b\n" + string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{i * 31 % 977},{i * 17 % 1013}.5\n"))));
        whole[whole.Length / 2] ^= 0x55;
        string path = _files.Write("flip.csv.gz", whole);
        Assert.ThrowsAny<CandelaException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken));
    }

    [Fact, Trait("Kind", "property")]
    public void Load_LineOfTenMegabytes_IsRead()
    {
        string big = new('x', 10_000_000);
        using Table table = _files.Load("big.csv", $"t,n\nsmall,1\n{big},2\nlast,3\n");
        Assert.Equal(10_000_000, ((TextColumn)table.WithKinds(new Dictionary<string, ColumnKind> { ["t"] = ColumnKind.Text }).ReadChunk(0).Columns[0]).Values[1]!.Length);
        Assert.Equal(3, table.Rows);
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_UnknownColumnInKinds_NamesTheNearest()
    {
        string path = _files.Write("k.csv", "age,sex\n1,m\n2,f\n");
        string message = Assert.Throws<DataException>(() => Table.Load(path, new TableOptions { Kinds = new Dictionary<string, ColumnKind> { ["agee"] = ColumnKind.Number } }, cancellation: TestContext.Current.CancellationToken)).Message;
        Assert.Contains("Did you mean 'age'?", message);
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("sex", ColumnKind.Number, "line 2, column 'sex': 'm' is not a number")]
    [InlineData("sex", ColumnKind.Date, "line 2, column 'sex': 'm' is not a date")]
    [InlineData("h", ColumnKind.Integer, "line 3, column 'h': '1.5' is not a whole number")]
    [InlineData("age", ColumnKind.Boolean, "line 4, column 'age': '3' is not one of two values")]
    [InlineData("sex", ColumnKind.Image, "images come from a folder")]
    public void Load_GivenKindThatDoesNotFit_NamesTheFirstBadCell(string column, ColumnKind kind, string expected)
    {
        string path = _files.Write("k.csv", "age,sex,h\n1,m,1\n2,f,1.5\n3,m,2\n");
        Assert.Contains(expected, Assert.Throws<DataException>(() => Table.Load(path, new TableOptions { Kinds = new Dictionary<string, ColumnKind> { [column] = kind } }, cancellation: TestContext.Current.CancellationToken)).Message);
    }

    [Fact, Trait("Kind", "golden")]
    public void Load_SkipLinesAndNames_AreObeyed()
    {
        string path = _files.Write("s.csv", "made by a program\non a day\n1,2\n3,4\n");
        using Table table = Table.Load(path, new TableOptions { SkipLines = 2, ColumnNames = ["left", "right"] }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(["left", "right"], table.Schema.Columns.Select(c => c.Name));
        Assert.Equal(2, table.Rows);
        Assert.Contains("3 column names were given for 2 columns", Assert.Throws<DataException>(() => Table.Load(path, new TableOptions { SkipLines = 2, ColumnNames = ["a", "b", "c"] }, cancellation: TestContext.Current.CancellationToken)).Message);
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("x.xlsx", "504b0304", "Excel")]
    [InlineData("x.png", "89504e470d0a1a0a", "one image")]
    [InlineData("x.parquet", "50415231aabb", "cut short")]
    [InlineData("x.parquet", "0102030405", "PAR1")]
    [InlineData("x.idx", "00000b03", "0x0b")]
    [InlineData("x.idx", "0000080100000003010203", "holds no images")]
    [InlineData("x.json", "5b7b7d5d", "JSON Lines")]
    public void Load_AnotherFormat_SaysWhatItIs(string name, string bytes, string expected)
    {
        string path = _files.Write(name, Convert.FromHexString(bytes));
        Assert.Contains(expected, Assert.Throws<FileFormatException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken)).Message);
    }

    [Fact, Trait("Kind", "golden")]
    public void Load_CommentLikeLines_AreData()
    {
        using Table table = _files.Load("c.csv", "#tag,n\n#a,1\n#b,2\n#a,3\n#b,4\n");
        Assert.Equal("#tag", table.Schema.Columns[0].Name);
        Assert.Equal("#b", ((CategoryColumn)table.ReadChunk(0).Columns[0]).NameAt(1));
    }

    [Fact, Trait("Kind", "golden")]
    public void Load_OldMacLineEnds_AreLineEnds()
    {
        using Table table = _files.Load("m.csv", "a,b\r1,2\r3,4\r");
        Assert.Equal([2f, 4f], ((NumberColumn)table.ReadChunk(0).Columns[1]).Values);
    }

    [Fact, Trait("Kind", "golden")]
    public void Load_StrayQuotesInTabbedText_AreCharacters()
    {
        using Table table = _files.Load("q.tsv", string.Concat(Enumerable.Range(0, 60).Select(i => $"\"quoted\" start {i} and more words\t{i % 2}\n")));
        Assert.Equal("\"quoted\" start 1 and more words", ((TextColumn)table.ReadChunk(0).Columns[0]).Values[1]);
        Assert.Contains(_files.Events.OfType<Candela.Models.Warned>(), w => w.Code == "quotes-literal");
    }
}
