using Candela.Data;
using MathNet.Numerics.Statistics;

namespace Candela.Tests.Data;

public class FeatureEncoderTests
{
    private static readonly Problem Regression = new(TaskKind.Regression, "y", []);
    private static readonly FeatureRequest Scaled = new(FeatureStyle.Scaled), Raw = new(FeatureStyle.Raw);

    [Fact, Trait("Kind", "analytic")]
    public void Encode_NumberWithMissingCells_IsImputedByMedianStandardisedAndFlagged()
    {
        var rng = new Rng(1);
        float[] x = [.. Enumerable.Range(0, 201).Select(i => i % 10 == 3 ? float.NaN : (float)(5 + (2 * rng.NextGaussian())))];
        double[] present = [.. x.Where(v => !float.IsNaN(v)).Select(v => (double)v)];
        using Table table = Table(t => t.Numbers("x", x), x.Length);
        (FeatureEncoder encoder, FeatureBatch batch) = Encode(table, Scaled, "x");

        Assert.Equal(["x", "x=missing"], encoder.Layout.DenseNames);
        // MathNet as the independent check.
        double mean = present.Mean(), deviation = present.PopulationStandardDeviation(), median = present.Median();
        for (int i = 0; i < x.Length; i++)
        {
            Assert.Equal(((float.IsNaN(x[i]) ? median : x[i]) - mean) / deviation, batch.Dense[2 * i], 1e-5);
            Assert.Equal(float.IsNaN(x[i]) ? 1 : 0, batch.Dense[(2 * i) + 1]);
        }

        Assert.Equal(Enumerable.Range(0, x.Length).Average(), encoder.TargetMean, 1e-9);
    }

    [Fact, Trait("Kind", "leak")]
    public void Fit_TestAndValidRowsChanged_EncoderIsTheSame()
    {
        const int Rows = 400;
        TableSplit? split = null;
        var saved = new List<string>();
        for (int variant = 0; variant < 2; variant++)
        {
            var rng = new Rng(7);
            float[] y = [.. Enumerable.Range(0, Rows).Select(i => (float)i)], x = new float[Rows], days = new float[Rows];
            string?[] c = new string?[Rows], text = new string?[Rows];
            for (int i = 0; i < Rows; i++)
            {
                bool other = variant == 1 && split![i] != Part.Train;
                x[i] = (float)Math.Exp(2 * rng.NextGaussian()) * (other ? 1000 : 1);
                (int name, int day, int word, int next) = (rng.Next(5), rng.Next(3000), rng.Next(30), rng.Next(30));
                c[i] = other ? "never in train" : $"k{name}";
                days[i] = other ? float.NaN : 15_000 + day;
                text[i] = other ? "words of the test part only" : $"word{word} word{next}";
            }

            using Table table = new SmallTables().Numbers("y", y).Numbers("x", x).Categories("c", c).Numbers("d", days, ColumnKind.Date).Texts("t", text).Table(64);
            split ??= TableSplit.Create(table, Regression, new SplitOptions { Seed = 3 });
            using var folder = new TemporaryFolder();
            FeatureEncoder.Fit(table, split, Regression, ["x", "c", "d", "t"], Scaled with { TextAsTokens = true, QuantileBins = 8 }).Save(folder.Path);
            saved.Add(File.ReadAllText(folder.File("preprocessing.json")));
        }

        Assert.Equal(saved[0], saved[1]);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Encode_SkewedNumber_GivesTheSignedLogarithmAsAsked()
    {
        var rng = new Rng(2);
        float[] x = [.. Enumerable.Range(0, 999).Select(_ => (float)Math.Exp(2 * rng.NextGaussian()))];
        Assert.True(x.Select(v => (double)v).Skewness() > 2);
        double[] ordered = [.. x.Select(v => (double)v).Order()];
        double median = ordered.Median(), spread = (ordered.QuantileCustom(0.75, QuantileDefinition.R7) - ordered.QuantileCustom(0.25, QuantileDefinition.R7)) / 1.349;
        double[] logs = [.. x.Select(v => Math.Sign(v - median) * Math.Log(1 + (Math.Abs(v - median) / spread)))];
        using Table table = Table(t => t.Numbers("x", x), x.Length);

        (FeatureEncoder both, FeatureBatch batch) = Encode(table, Scaled, "x");
        Assert.Equal(["x", "x~log"], both.Layout.DenseNames);
        for (int i = 0; i < x.Length; i++)
            Assert.Equal((logs[i] - logs.Mean()) / logs.PopulationStandardDeviation(), batch.Dense[(2 * i) + 1], 1e-4);
        Assert.Equal(["x~log"], Encode(table, Scaled with { Skewed = SkewedNumbers.LogOnly }, "x").Encoder.Layout.DenseNames);
        Assert.Equal(["x"], Encode(table, Scaled with { Skewed = SkewedNumbers.Plain }, "x").Encoder.Layout.DenseNames);

        // A rare event coded 0/1 is skewed too, but a curve through two values is a line.
        float[] rare = [.. Enumerable.Range(0, 100).Select(i => i == 50 ? 1f : 0f)];
        using Table two = Table(t => t.Numbers("x", rare), 100);
        Assert.Equal(["x"], Encode(two, Scaled, "x").Encoder.Layout.DenseNames);
    }

    [Fact, Trait("Kind", "golden")]
    public void Encode_QuantileBins_AreThePiecewiseLinearCode()
    {
        // 0, 1, ..., 100 in 4 bins: edges 0, 25, 50, 75, 100. By hand after Gorishniy et al. 2022, eq. 1.
        float[] x = [.. Enumerable.Range(0, 101).Select(i => (float)i)];
        using Table table = Table(t => t.Numbers("x", x), 101);
        FeatureEncoder encoder = Encode(table, Scaled with { QuantileBins = 4 }, "x").Encoder;
        Assert.Equal(["x", "x[0,25]", "x[25,50]", "x[50,75]", "x[75,100]"], encoder.Layout.DenseNames);
        var batch = new FeatureBatch();
        encoder.Encode(new SmallTables().Numbers("x", [60, 0, 100, -5, 200, 25]).Chunk(), batch, withTargets: false);
        float[][] rows = [.. Enumerable.Range(0, 6).Select(i => batch.Dense.AsSpan((5 * i) + 1, 4).ToArray())];
        Assert.Equal([[1, 1, 0.4f, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]], rows);
    }

    [Fact, Trait("Kind", "golden")]
    public void Encode_Category_OneFeaturePerFrequentNameAndTheRestShared()
    {
        // 2,000 rows: a name needs 10.
        string?[] c = [.. Enumerable.Repeat("a", 1200), .. Enumerable.Repeat("b", 700), .. Enumerable.Repeat("rare", 9), .. Enumerable.Repeat<string?>(null, 91)];
        using Table table = Table(t => t.Categories("c", c), c.Length);
        FeatureEncoder encoder = Encode(table, Scaled, "c").Encoder;
        Assert.Equal(["c=a", "c=b", "c=(other)", "c=(missing)"], encoder.Layout.DenseNames);
        Assert.Equal([0, 0, 0, 0], encoder.Layout.DenseSources);
        var batch = new FeatureBatch();
        encoder.Encode(new SmallTables().Categories("c", ["b", "rare", null, "unseen", "a"]).Chunk(), batch, withTargets: false);
        Assert.Equal([0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0], batch.Dense.AsSpan(0, 20).ToArray());

        FeatureEncoder raw = Encode(table, Raw, "c").Encoder;
        Assert.Equal(["c"], raw.Layout.DenseNames);
        Assert.Equal([3], raw.Layout.Cardinalities);
        raw.Encode(new SmallTables().Categories("c", ["b", "rare", null, "unseen", "a"]).Chunk(), batch, withTargets: false);
        Assert.Equal([1, 2, float.NaN, float.NaN, 0], batch.Dense.AsSpan(0, 5).ToArray());
    }

    [Fact, Trait("Kind", "golden")]
    public void Encode_UnseenCategoryWithoutRareOrMissing_IsAllZeros()
    {
        using Table table = Table(t => t.Categories("c", Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? "a" : "b")), 40);
        FeatureEncoder encoder = Encode(table, Scaled, "c").Encoder;
        var batch = new FeatureBatch();
        encoder.Encode(new SmallTables().Categories("c", ["z", null, "b"]).Chunk(), batch, withTargets: false);
        Assert.Equal([0, 0, 0, 0, 0, 1], batch.Dense.AsSpan(0, 6).ToArray());
    }

    [Fact, Trait("Kind", "analytic")]
    public void Fit_ManyNames_KeepsTheSixtyFourMostFrequent()
    {
        // Name i occurs i + 1 times, i = 0..99.
        string[] c = [.. Enumerable.Range(0, 100).SelectMany(i => Enumerable.Repeat($"n{i:00}", i + 1))];
        using Table table = Table(t => t.Categories("c", c), c.Length);
        IReadOnlyList<string> names = Encode(table, Scaled, "c").Encoder.Layout.DenseNames;
        Assert.Equal([.. Enumerable.Range(0, 64).Select(i => $"c=n{99 - i:00}"), "c=(other)"], names);
    }

    [Fact, Trait("Kind", "golden")]
    public void Encode_Date_GivesTheCalendarAndTheClock()
    {
        // 2024-02-29 was a Thursday, the 60th day of its year; 19782 days after 1970-01-01 (date -d 2024-02-29 +%s / 86400). Noon.
        float[] days = [.. Enumerable.Range(0, 100).Select(i => 19782.5f - i - (i % 2 == 0 ? 0 : 0.25f))];
        using Table table = Table(t => t.Numbers("d", days, ColumnKind.Date), 100);
        (FeatureEncoder encoder, FeatureBatch batch) = Encode(table, Scaled, "d");
        string[] names = [.. encoder.Layout.DenseNames];
        float At(string name) => batch.Dense[Array.IndexOf(names, name)];
        Assert.Equal(1, At("d=Thursday"));
        Assert.Equal(1, batch.Dense.AsSpan(4, 7).ToArray().Sum());
        Assert.Equal(Math.Sin(2 * Math.PI * 59 / 365.25), At("d=season-sin"), 1e-6);
        Assert.Equal(Math.Cos(2 * Math.PI * 59 / 365.25), At("d=season-cos"), 1e-6);
        Assert.Equal(-1, At("d=clock-cos"), 1e-6);
        double[] all = [.. days.Select(d => (double)d)];
        Assert.Equal((days[0] - all.Mean()) / all.PopulationStandardDeviation(), At("d"), 1e-4);

        (FeatureEncoder raw, FeatureBatch rawBatch) = Encode(table, Raw, "d");
        Assert.Equal(["d", "d=month", "d=weekday", "d=hour"], raw.Layout.DenseNames);
        Assert.Equal([19782.5f, 2, 3, 12], rawBatch.Dense.AsSpan(0, 4).ToArray());
    }

    [Fact, Trait("Kind", "analytic")]
    public void Encode_Image_IsStandardisedPerChannel()
    {
        var rng = new Rng(4);
        var shape = new ImageShape(3, 4, 5);
        byte[] pixels = [.. Enumerable.Range(0, 30 * shape.Length).Select(i => (byte)rng.Next(1 + (80 * (1 + (i / 20 % 3)))))];
        using Table table = Table(t => t.Images("image", pixels, shape), 30);
        (FeatureEncoder encoder, FeatureBatch batch) = Encode(table, Scaled, "image");
        Assert.Equal([3, 4, 5], encoder.Layout.DenseShape);
        for (int channel = 0; channel < 3; channel++)
        {
            int[] places = [.. Enumerable.Range(0, pixels.Length).Where(i => i / 20 % 3 == channel)];
            double[] values = [.. places.Select(i => pixels[i] / 255.0)];
            double mean = values.Mean(), deviation = values.PopulationStandardDeviation();
            Assert.All(places, i => Assert.Equal(((pixels[i] / 255.0) - mean) / deviation, batch.Dense[i], 1e-5));
        }

        var wrong = new SmallTables().Images("image", new byte[60], new ImageShape(3, 5, 4)).Chunk();
        Assert.Contains("3 x 5 x 4", Assert.Throws<DataException>(() => encoder.Encode(wrong, batch, false)).Message);
    }

    [Fact, Trait("Kind", "fault")]
    public void Encode_MissingOrUnfitColumns_AreNamed()
    {
        using Table table = Table(t => t.Numbers("width", [1, 2, 3, 4]).Numbers("height", [1, 2, 3, 5]), 4);
        FeatureEncoder encoder = Encode(table, Scaled, "width", "height").Encoder;
        var batch = new FeatureBatch();
        string message = Assert.Throws<DataException>(() => encoder.Encode(new SmallTables().Numbers("widht", [1]).Numbers("height", [1]).Chunk(), batch, false)).Message;
        Assert.Contains("no column 'width'", message);
        Assert.Contains("Did you mean 'widht'?", message);
        message = Assert.Throws<DataException>(() => encoder.Encode(new SmallTables().Categories("width", ["1", "wide"]).Numbers("height", [1, 2]).Chunk(), batch, false)).Message;
        Assert.Contains("'width', row 2", message);
        Assert.Contains("'wide'", message);
        message = Assert.Throws<DataException>(() => encoder.Encode(new SmallTables().Numbers("width", [1]).Numbers("height", [1]).Numbers("y", [float.NaN]).Chunk(), batch, true)).Message;
        Assert.Contains("'y', data row 1", message);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Encode_ColumnReadAsAnotherKind_GivesTheSameNumbers()
    {
        using Table table = Table(t => t.Numbers("x", Enumerable.Range(0, 40).Select(i => (float)(i % 4))).Categories("c", Enumerable.Range(0, 40).Select(i => $"{i % 2}")).Texts("t", Enumerable.Repeat("7 7", 40)), 40);
        FeatureEncoder encoder = Encode(table, Scaled, "x", "c", "t").Encoder;
        FeatureBatch asTrained = new(), asFound = new();
        encoder.Encode(new SmallTables().Numbers("x", [3, 3]).Categories("c", ["1", "1"]).Texts("t", ["7", "7"]).Chunk(), asTrained, false);
        encoder.Encode(new SmallTables().Categories("x", ["3", "3"], ColumnKind.Constant).Numbers("c", [1, 1]).Numbers("t", [7, 7]).Chunk(), asFound, false);
        Assert.Equal(asTrained.Dense, asFound.Dense);
        Assert.Equal(asTrained.SparseIndices, asFound.SparseIndices);
        Assert.Equal(1, asFound.SparseStarts[1]);
    }

    [Fact, Trait("Kind", "fault")]
    public void Fit_UnusableInputs_AreRefused()
    {
        using Table table = Table(t => t.Numbers("a", [1, 2, 3]).Categories("k", ["z", "z", "z"], ColumnKind.Constant).Images("i", new byte[3], new ImageShape(1, 1, 1)), 3);
        Assert.Contains("Did you mean 'a'?", Refusal("A"));
        Assert.Contains("is the target", Refusal("a", "y"));
        Assert.Contains("No input column is left", Refusal("k"));
        Assert.Contains("must be the only input", Refusal("a", "i"));

        string Refusal(params string[] inputs) => Assert.Throws<DataException>(() => FeatureEncoder.Fit(table, TableSplit.Whole(table, Part.Train), Regression, inputs, Scaled)).Message;
    }

    [Fact, Trait("Kind", "analytic")]
    public void Encode_Labels_FollowTheClassOrderAndRefuseUnknownOnes()
    {
        using Table table = new SmallTables().Numbers("x", [1, 2, 3, 4]).Categories("y", ["10", "9", "10", "9"]).Table();
        var problem = new Problem(TaskKind.Binary, "y", ["9", "10"]);
        var encoder = FeatureEncoder.Fit(table, TableSplit.Whole(table, Part.Train), problem, ["x"], Scaled);
        Assert.Equal([2, 2], encoder.ClassCounts);
        var batch = new FeatureBatch();
        encoder.Encode(table.ReadChunk(0), batch, true);
        Assert.Equal([1, 0, 1, 0], batch.Labels.AsSpan(0, 4).ToArray());
        encoder.Encode(new SmallTables().Numbers("x", [1, 2]).Numbers("y", [9, 10]).Chunk(), batch, true);
        Assert.Equal([0, 1], batch.Labels.AsSpan(0, 2).ToArray());
        string message = Assert.Throws<DataException>(() => encoder.Encode(new SmallTables().Numbers("x", [1, 2]).Categories("y", ["9", "11"]).Chunk(), batch, true)).Message;
        Assert.Contains("data row 2", message);
        Assert.Contains("'11'", message);
        encoder.Encode(table.ReadChunk(0), batch, false);
        Assert.Empty(batch.Labels);
    }

    [Fact, Trait("Kind", "leak")]
    public void Encode_Again_AllocatesNothingPerRow()
    {
        const int Rows = 4000;
        using Table table = Table(t => t.Numbers("x", Enumerable.Range(0, Rows).Select(i => (float)i)).Categories("c", Enumerable.Range(0, Rows).Select(i => $"{i % 7}"))
            .Texts("t", Enumerable.Range(0, Rows).Select(i => $"some words {i % 50} and 中文字 {i % 3}")), Rows);
        FeatureEncoder encoder = Encode(table, Scaled with { TextAsTokens = true }, "x", "c", "t").Encoder;
        TableChunk chunk = table.ReadChunk(0);
        var batch = new FeatureBatch();
        encoder.Encode(chunk, batch, true);
        long before = GC.GetAllocatedBytesForCurrentThread();
        encoder.Encode(chunk, batch, true);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000); // the allocator hands out blocks of 8 KB
    }

    private static Table Table(Func<SmallTables, SmallTables> columns, int rows) => columns(new SmallTables()).Numbers("y", Enumerable.Range(0, rows).Select(i => (float)i)).Table(50_000);

    private static (FeatureEncoder Encoder, FeatureBatch Batch) Encode(Table table, FeatureRequest request, params string[] inputs)
    {
        var encoder = FeatureEncoder.Fit(table, TableSplit.Whole(table, Part.Train), Regression, inputs, request);
        var batch = new FeatureBatch();
        encoder.Encode(table.ReadChunk(0), batch, withTargets: true);
        return (encoder, batch);
    }
}
