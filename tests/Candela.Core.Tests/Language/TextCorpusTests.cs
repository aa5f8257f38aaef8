using System.IO.Compression;
using System.Text;
using Candela.Data;
using Candela.Language;
using Candela.Tests;
using CsCheck;

namespace Candela.Core.Tests.Language;

public sealed class TextCorpusTests
{
    [Fact, Trait("Kind", "property")]
    public void Read_OneText_PartsCoverEveryCharacterOnceInOrder()
    {
        using var folder = new TemporaryFolder();
        string[] kinds = ["a", "word ", "行", "\n", "é", "👩", "\r\n"];
        Gen.Select(Gen.Int[0, kinds.Length - 1].Select(i => kinds[i]).Array[1, 200], Gen.Double[0, 0.4], Gen.Double[0, 0.4]).Sample((pieces, valid, test) =>
        {
            string path = folder.File("t.txt"), text = string.Concat(pieces);
            File.WriteAllText(path, text);
            TextCorpus corpus = TextCorpus.Open(path);
            Assert.Equal(text.Length, corpus.Length);
            Assert.Equal(text, Of(corpus, Part.Train) + Of(corpus, Part.Test) + Of(corpus, Part.Valid));

            string Of(TextCorpus from, Part part) => string.Concat(from.Read(part, valid, test, 5).Select(p => p.Text));
        }, iter: 200, threads: 1, seed: "0000KTbmuH31");
    }

    [Fact, Trait("Kind", "analytic")]
    public void Read_LongTextWithAndWithoutLines_IsWhole()
    {
        using var folder = new TemporaryFolder();
        string lines = string.Concat(Enumerable.Range(0, 60_000).Select(i => $"line {i}\n")), one = new('x', 700_001);
        foreach (string text in new[] { lines, one, one + "\n" + lines })
        {
            File.WriteAllText(folder.File("t.txt"), text);
            TextCorpus corpus = TextCorpus.Open(folder.File("t.txt"), TestContext.Current.CancellationToken);
            Assert.Equal(text, string.Concat(corpus.Read(Part.Train, 0.1, 0.1, 0).Concat(corpus.Read(Part.Test, 0.1, 0.1, 0)).Concat(corpus.Read(Part.Valid, 0.1, 0.1, 0)).Select(p => p.Text)));
            Assert.InRange(corpus.Read(Part.Valid, 0.1, 0.1, 0).Sum(p => p.Text.Length), (0.1 * text.Length) - 2, (0.1 * text.Length) + 2);
        }
    }

    [Fact, Trait("Kind", "analytic")]
    public void Read_Documents_EachIsInOnePartAndTheSeedDealsThem()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("d.jsonl.gz");
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1000).Select(i => $"{{\"text\":\"document {i}\"}}\n"))));
        TextCorpus corpus = TextCorpus.Open(path, TestContext.Current.CancellationToken);
        Assert.Equal((1000, false), ((int)corpus.Length, corpus.IsOneText));
        string[][] parts = [.. new[] { Part.Train, Part.Valid, Part.Test }.Select(p => corpus.Read(p, 0.2, 0.1, 7).Select(d => d.Text).ToArray())];
        Assert.Equal(1000, parts.SelectMany(p => p).Distinct().Count());
        Assert.Equal(1000, parts.Sum(p => p.Length));
        Assert.InRange(parts[1].Length, 150, 250);
        Assert.InRange(parts[2].Length, 60, 140);
        Assert.NotEqual(parts[1], corpus.Read(Part.Valid, 0.2, 0.1, 8).Select(d => d.Text));
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("t.txt", "", "no text in it")]
    [InlineData("t.jsonl", "\n\n", "no text in it")]
    [InlineData("t.jsonl", "{\"text\":\"fine\"}\n{\"txt\":\"no\"}", "line 2")]
    [InlineData("t.jsonl", "{\"text\":", "line 1: this is no JSON object")]
    [InlineData("t.jsonl", "{\"messages\":[{\"role\":\"user\"}]}", "wrong type")]
    [InlineData("t.jsonl", "{\"prompt\":1,\"completion\":\"x\"}", "wrong type")]
    public void Open_WhatIsNoText_IsRefusedWithItsPlace(string name, string text, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(name), text);
        DataException error = Assert.Throws<DataException>(() => TextCorpus.Open(folder.File(name), TestContext.Current.CancellationToken));
        Assert.Contains(expected, error.Message);
    }

    [Fact, Trait("Kind", "fault")]
    public void Open_BytesThatAreNoUtf8_IsRefused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("t.txt"), [.. "caf"u8, 0xE9, .. " au lait\n"u8]);
        Assert.Contains("UTF-8", Assert.Throws<DataException>(() => TextCorpus.Open(folder.File("t.txt"), TestContext.Current.CancellationToken)).Message);
        Assert.Throws<FileFormatException>(() => TextCorpus.Open(folder.File("absent.txt"), TestContext.Current.CancellationToken));
    }
}
