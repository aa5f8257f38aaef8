using System.Security.Cryptography;
using Candela.Data;

namespace Candela.Tests.Data;

public class PreprocessingFileTests
{
    private static readonly Problem Problem = new(TaskKind.Binary, "y", ["no", "yes"]);

    [Theory, Trait("Kind", "conformance")]
    [InlineData(FeatureStyle.Scaled)]
    [InlineData(FeatureStyle.Raw)]
    public void Open_SavedEncoder_EncodesBitForBitTheSame(FeatureStyle style)
    {
        using var folder = new TemporaryFolder();
        using Table table = Mixed();
        var encoder = FeatureEncoder.Fit(table, TableSplit.Create(table, Problem, new SplitOptions()), Problem, ["x", "skewed", "c", "d", "t"], new FeatureRequest(style) { TextAsTokens = true, QuantileBins = 16 });
        encoder.Save(folder.Path);
        FeatureEncoder opened = FeatureEncoder.Open(folder.Path);
        FeatureBatch a = new(), b = new();
        encoder.Encode(table.ReadChunk(0), a, true);
        opened.Encode(table.ReadChunk(0), b, true);

        Assert.Equal(a.Dense.Select(BitConverter.SingleToInt32Bits), b.Dense.Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(a.SparseValues.Select(BitConverter.SingleToInt32Bits), b.SparseValues.Select(BitConverter.SingleToInt32Bits));
        Assert.Equal((a.SparseIndices, a.SparseStarts, a.Tokens, a.Labels), (b.SparseIndices, b.SparseStarts, b.Tokens, b.Labels), (l, r) =>
            l.SparseIndices.SequenceEqual(r.SparseIndices) && l.SparseStarts.SequenceEqual(r.SparseStarts) && l.Tokens.SequenceEqual(r.Tokens) && l.Labels.SequenceEqual(r.Labels));
        Assert.Equal(encoder.Layout.DenseNames, opened.Layout.DenseNames);
        Assert.Equal(encoder.Layout.DenseSources, opened.Layout.DenseSources);
        Assert.Equal(encoder.Layout.Cardinalities, opened.Layout.Cardinalities);
        Assert.Equal(encoder.Inputs.Columns.Select(c => (c.Name, c.Kind)), opened.Inputs.Columns.Select(c => (c.Name, c.Kind)));
        Assert.Equal(encoder.ClassCounts, opened.ClassCounts);
        Assert.Equal(Problem.Classes, opened.Problem.Classes);

        // Saved again it is the same file.
        string first = File.ReadAllText(folder.File("preprocessing.json"));
        opened.Save(folder.Path);
        Assert.Equal(first, File.ReadAllText(folder.File("preprocessing.json")));
    }

    [Fact, Trait("Kind", "fault")]
    public void Open_TruncatedAnywhereOrAnyByteFlipped_NamesTheFile()
    {
        using var folder = new TemporaryFolder();
        string path = Saved(folder);
        byte[] good = File.ReadAllBytes(path);
        for (int i = 0; i < 40; i++)
            Refused(good[..(good.Length * i / 40)]);
        Refused(good[..^1]);
        Refused([.. good, 0]);
        var rng = new Rng(5);
        for (int i = 0; i < 400; i++)
        {
            byte[] bad = [.. good];
            bad[rng.Next(bad.Length)] ^= (byte)(1 << rng.Next(8));
            Refused(bad);
        }

        void Refused(byte[] bytes)
        {
            File.WriteAllBytes(path, bytes);
            var error = Assert.Throws<FileFormatException>(() => FeatureEncoder.Open(folder.Path));
            Assert.Equal(path, error.Path);
            Assert.Contains("preprocessing.json", error.Message);
        }
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("\"formatVersion\": 1", "\"formatVersion\": 2", Fault.Unsupported)]
    [InlineData("\"formatVersion\": 1", "\"formatVersion\": 1,\n  \"formatVersion\": 1", Fault.Corrupt)]
    [InlineData("\"trainingRows\": 39", "\"trainingRows\": -1", Fault.Corrupt)]
    [InlineData("\"buckets\": 262144", "\"buckets\": 2147483647", Fault.Corrupt)]
    [InlineData("\"buckets\": 262144", "\"buckets\": 131072", Fault.Corrupt)]
    [InlineData("\"frequencies\": \"", "\"frequencies\": \"AAAA", Fault.Corrupt)]
    [InlineData("\"kind\": \"Category\"", "\"kind\": \"Image\"", Fault.Corrupt)]
    [InlineData("\"kind\": \"Category\"", "\"kind\": 99", Fault.Corrupt)]
    [InlineData("\"no\"", "\"yes\"", Fault.Corrupt)]
    [InlineData("\"k0\"", "\"k1\"", Fault.Corrupt)]
    [InlineData("\"k0\"", "null", Fault.Corrupt)]
    [InlineData("\"length\": 4", "\"length\": 2000000000", Fault.Corrupt)]
    [InlineData("\"style\": \"Scaled\"", "\"style\": \"Scaled\", \"more\": 1", Fault.Corrupt)]
    public void Open_ForgedContentWithAMatchingHash_IsRefused(string found, string replacement, Fault fault)
    {
        using var folder = new TemporaryFolder();
        string path = Saved(folder), text = File.ReadAllText(path), body = text[..text.LastIndexOf(",\n  \"sha256\"", StringComparison.Ordinal)];
        Assert.Contains(found, body);
        body = body.Replace(found, replacement);
        string hash = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(body)));
        File.WriteAllText(path, body + ",\n  \"sha256\": \"" + hash + "\"\n}\n");
        Assert.Equal(fault, Assert.Throws<FileFormatException>(() => FeatureEncoder.Open(folder.Path)).Fault);
    }

    [Fact, Trait("Kind", "fault")]
    public void Open_NoFile_SaysSo()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(Fault.Missing, Assert.Throws<FileFormatException>(() => FeatureEncoder.Open(folder.Path)).Fault);
    }

    private static string Saved(TemporaryFolder folder)
    {
        using Table table = Mixed();
        FeatureEncoder.Fit(table, TableSplit.Create(table, Problem, new SplitOptions()), Problem, ["x", "skewed", "c", "d", "t"], new FeatureRequest(FeatureStyle.Scaled) { TextAsTokens = true, QuantileBins = 4 }).Save(folder.Path);
        return folder.File("preprocessing.json");
    }

    private static Table Mixed()
    {
        var rng = new Rng(6);
        int[] rows = [.. Enumerable.Range(0, 60)];
        return new SmallTables().Categories("y", rows.Select(i => i % 2 == 0 ? "no" : "yes"))
            .Numbers("x", rows.Select(i => i % 9 == 0 ? float.NaN : (float)rng.NextGaussian())).Numbers("skewed", rows.Select(_ => (float)Math.Exp(3 * rng.NextGaussian())))
            .Categories("c", rows.Select(i => i % 11 == 0 ? null : $"k{i % 4}")).Numbers("d", rows.Select(i => i % 13 == 0 ? float.NaN : 12_000.25f + (i * 1.5f)), ColumnKind.Date)
            .Texts("t", rows.Select(i => i % 7 == 0 ? null : $"word{i % 5} 中文 !")).Table();
    }
}
