using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Candela.Language;

namespace Candela.Tests.Language;

[Trait("Kind", "analytic")]
public sealed class TextPairsTests
{
    [Theory]
    [Trait("Kind", "golden")]
    [InlineData("a.jsonl", "{\"summary\":\"short\",\"body\":\"long text\"}\n")]
    [InlineData("a.csv", "summary,body\nshort,long text\n")]
    public void Read_UsualTargetBeforeAnUnusualSource_TakesItAsTarget(string name, string content)
    {
        string folder = Directory.CreateTempSubdirectory("candela-").FullName;
        try
        {
            string path = Path.Combine(folder, name);
            File.WriteAllText(path, content);
            Assert.Equal(new TextPair("long text", "short"), Assert.Single(TextPairs.Read(path, cancellation: TestContext.Current.CancellationToken).Pairs));
            Assert.Equal(["long text"], TextPairs.ReadSources(path, cancellation: TestContext.Current.CancellationToken));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("a.tsv", "source\ttarget\nein Haus\ta house\ndas Buch\tthe book\n")]
    [InlineData("a.tsv", "ein Haus\ta house\tCC-BY 2.0\ndas Buch\tthe book\tCC-BY 2.0\n")]
    [InlineData("a.tsv", "de\ten\nein Haus\ta house\ndas Buch\tthe book\n")]
    [InlineData("a.csv", "target,note,source\na house,x,ein Haus\nthe book,y,das Buch\n")]
    [InlineData("a.jsonl", "{\"source\":\"ein Haus\",\"target\":\"a house\"}\n\n{\"target\":\"the book\",\"source\":\"das Buch\"}\n")]
    [InlineData("a.jsonl", "{\"id\":1,\"tags\":[2],\"dialogue\":\"ein Haus\",\"summary\":\"a house\",\"topic\":\"z\"}\n{\"id\":2,\"tags\":[],\"dialogue\":\"das Buch\",\"summary\":\"the book\",\"topic\":\"z\"}\n")]
    [InlineData("a.jsonl", "{\"q\":\"ein Haus\",\"r\":\"a house\"}\n{\"q\":\"das Buch\",\"r\":\"the book\"}\n")]
    public void Read_WithoutColumnNames_FindsTheUsualColumns(string name, string text)
    {
        using var folder = new TemporaryFolder();
        foreach (string file in new[] { Write(folder, name, text), Write(folder, name + ".gz", text) })
        {
            TextPairs pairs = Read(file);
            Assert.Equal([new TextPair("ein Haus", "a house"), new TextPair("das Buch", "the book")], pairs.Pairs);
            Assert.Equal(0, pairs.Skipped);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))), pairs.DataHash);
            Assert.Equal(["ein Haus", "das Buch"], ReadSources(file));
        }
    }

    [Theory]
    [InlineData("a.tsv", "id\tdeutsch\tenglish\n1\tein Haus\ta house\n", "english", "deutsch")]
    [InlineData("a.tsv", "x\tein Haus\ta house\n", "#2", "#1")]
    [InlineData("a.jsonl", "{\"id\":1,\"translation\":{\"de\":\"ein Haus\",\"en\":\"a house\"}}\n", "translation.en", "translation.de")]
    public void Read_WithColumnNames_TakesThoseColumns(string name, string text, string source, string target)
    {
        using var folder = new TemporaryFolder();
        TextPairs pairs = Read(Write(folder, name, text), source, target);
        Assert.Equal([new TextPair("a house", "ein Haus")], pairs.Pairs);
        Assert.Equal((source, target), (pairs.SourceColumn, pairs.TargetColumn));
    }

    [Fact]
    public void Read_AnEmptySide_IsLeftOutAndCounted()
    {
        using var folder = new TemporaryFolder();
        TextPairs lines = Read(Write(folder, "t.de", "\n  \neins\nzwei\n") + "," + Write(folder, "t.en.gz", "\none\n \ntwo"));
        Assert.Equal([new TextPair("zwei", "two")], lines.Pairs);
        Assert.Equal(3, lines.Skipped);
        TextPairs json = Read(Write(folder, "t.jsonl", "{\"source\":\"a\",\"target\":null}\n{\"source\":\"a\",\"target\":\"b\"}\n{\"source\":\" \",\"target\":\"b\"}\n"));
        Assert.Equal((1, 2), (json.Pairs.Count, json.Skipped));
        Assert.Equal(["a", "a", " "], ReadSources(Write(folder, "t.jsonl", "{\"source\":\"a\"}\n{\"source\":\"a\"}\n{\"source\":\" \"}\n")));
    }

    [Fact]
    public void Read_TwoFiles_AreAlignedAndHashedTogether()
    {
        using var folder = new TemporaryFolder();
        string first = Write(folder, "a,b.de", "eins\r\nzwei\r\n"), second = Write(folder, "b.en", "one\ntwo\n\n\n");
        TextPairs pairs = Read(first + "," + second);
        Assert.Equal([new TextPair("eins", "one"), new TextPair("zwei", "two")], pairs.Pairs);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData([.. File.ReadAllBytes(first), .. File.ReadAllBytes(second)])), pairs.DataHash);
        Assert.Equal(["eins", "zwei"], ReadSources(first + "," + second));
        Assert.Equal(["one", "two", "", ""], ReadSources(second));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Read_WhatIsNoSetOfPairs_IsRefusedByName()
    {
        using var folder = new TemporaryFolder();
        string Error<T>(string path, string? source = null, string? target = null)
            where T : Exception => Assert.Throws<T>(() => Read(path, source, target)).Message;

        string two = Write(folder, "2.de", "a\nb\n");
        Assert.Contains("has 2 lines and", Error<DataException>(two + "," + Write(folder, "3.en", "a\nb\nc\n")), StringComparison.Ordinal);
        Assert.Contains("does not exist", Error<FileFormatException>(two + "," + folder.File("none.en")), StringComparison.Ordinal);
        Assert.Contains("have no columns", Error<UsageException>(two + "," + two, "source"), StringComparison.Ordinal);
        string table = Write(folder, "t.tsv", "german\tenglish\neins\tone\n"), json = Write(folder, "t.jsonl", "{\"source\":\"a\",\"target\":\"b\"}\n{\"sourse\":\"a\",\"target\":\"b\"}\n");
        Assert.Contains("no column 'englisch' for the targets. Did you mean 'english'?", Error<DataException>(table, "german", "englisch"), StringComparison.Ordinal);
        Assert.Contains("column of the sources and of the targets", Error<UsageException>(table, "german", "german"), StringComparison.Ordinal);
        Assert.Contains("line 2: there is no key 'source'. Did you mean 'sourse'?", Error<DataException>(json), StringComparison.Ordinal);
        Assert.Contains("line 1: not JSON", Error<DataException>(Write(folder, "u.jsonl", "{\"source\":")), StringComparison.Ordinal);
        Assert.Contains("line 1: not a JSON object", Error<DataException>(Write(folder, "v.jsonl", "[1]")), StringComparison.Ordinal);
        Assert.Contains("'target' is a JSON number", Error<DataException>(Write(folder, "w.jsonl", "{\"source\":\"a\",\"target\":1}"), "source", "target"), StringComparison.Ordinal);
        Assert.Contains("cannot be told", Error<DataException>(Write(folder, "x.jsonl", "{\"a\":\"a\",\"b\":\"b\",\"c\":\"c\"}")), StringComparison.Ordinal);
        Assert.Contains("have one cell", Error<DataException>(Write(folder, "y.tsv", "alone\nhere\n")), StringComparison.Ordinal);
        Assert.Contains("no pair with text on both sides (1 with an empty side", Error<DataException>(Write(folder, "z.jsonl", "{\"source\":\"a\",\"target\":\"\"}")), StringComparison.Ordinal);
        byte[] whole = File.ReadAllBytes(Write(folder, "g.en.gz", string.Join('\n', Enumerable.Range(0, 500))));
        File.WriteAllBytes(folder.File("cut.en.gz"), whole[..(whole.Length / 2)]);
        Assert.Throws<FileFormatException>(() => TextPairs.ReadAligned(two, folder.File("cut.en.gz"), TestContext.Current.CancellationToken));
    }

    private static TextPairs Read(string path, string? source = null, string? target = null) => TextPairs.Read(path, source, target, TestContext.Current.CancellationToken);

    private static IReadOnlyList<string> ReadSources(string path) => TextPairs.ReadSources(path, null, TestContext.Current.CancellationToken);

    private static string Write(TemporaryFolder folder, string name, string text)
    {
        string path = folder.File(name);
        using Stream file = File.Create(path);
        using Stream stream = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : file;
        stream.Write(Encoding.UTF8.GetBytes(text));
        return path;
    }
}
