using Candela.Data;
using MathNet.Numerics.Statistics;

namespace Candela.Tests.Data;

public class ProfilerTests
{
    private static readonly Problem Binary = new(TaskKind.Binary, "y", ["no", "yes"]), Regression = new(TaskKind.Regression, "y", []);
    private static readonly int[] Rows = [.. Enumerable.Range(0, 300)];

    [Fact, Trait("Kind", "analytic")]
    public void Profile_Columns_HaveTheStatisticsOfAnIndependentCount()
    {
        var rng = new Rng(1);
        float[] x = [.. Rows.Select(i => i % 6 == 0 ? float.NaN : (float)Math.Round(10 * rng.NextGaussian()))];
        double[] present = [.. x.Where(v => !float.IsNaN(v)).Select(v => (double)v)];
        using Table table = new SmallTables().Numbers("y", Rows.Select(i => (float)(i * i))).Numbers("x", x)
            .Categories("c", Rows.Select(i => i % 10 == 0 ? null : $"k{i % 3}")).Texts("t", Rows.Select(i => $"text {i % 40}")).Table(77);
        DataProfile profile = Profiler.Profile(table, Regression, ["x", "c"]);

        ColumnProfile number = Column(profile, "x");
        Assert.Equal(50, number.Missing);
        Assert.Equal(present.Distinct().Count(), number.Distinct);
        Assert.Equal(present.Mean(), number.Mean!.Value, 1e-9);
        Assert.Equal(present.PopulationStandardDeviation(), number.Deviation!.Value, 1e-9);
        Assert.Equal(present.Median(), number.Median!.Value, 1e-6);
        Assert.Equal((present.Min(), present.Max()), (number.Min!.Value, number.Max!.Value));
        Assert.Equal((20, 250), (number.Histogram!.Count, number.Histogram.Sum()));
        double width = (present.Max() - present.Min()) / 20;
        Assert.Equal(present.Count(v => v < present.Min() + width), number.Histogram[0]);

        ColumnProfile category = Column(profile, "c");
        Assert.Equal((30, 3), (category.Missing, category.Distinct));
        Assert.Equal([new NameCount("k0", 90), new NameCount("k1", 90), new NameCount("k2", 90)], category.Top!);
        Assert.Equal(40, Column(profile, "t").Distinct);
        Assert.Equal(["target", "input", "input", "excluded"], profile.Columns.Select(c => c.Role));
    }

    [Fact, Trait("Kind", "leak")]
    public void Profile_CopyOfTheClass_IsExcludedAndItsLookalikesAreNot()
    {
        var rng = new Rng(2);
        int[] rows = [.. Enumerable.Range(0, 1000)];
        bool[] yes = [.. rows.Select(_ => rng.NextDouble() < 0.4)];
        using Table table = new SmallTables().Categories("y", yes.Select(v => v ? "yes" : "no"))
            .Categories("alive", yes.Select(v => v ? "A" : "D"))
            .Numbers("coded", yes.Select(v => v ? 7f : 3f), ColumnKind.Integer)
            .Categories("holes", yes.Select((v, i) => i % 5 == 0 ? null : v ? "A" : "D"))          // a fifth is missing, at random
            .Categories("onlyWhenYes", yes.Select(v => v ? "filled" : null))                       // empty exactly for one class
            .Categories("oneWrong", yes.Select((v, i) => (v ^ (i == 11)) ? "A" : "D"))              // 1 of 1000 differs
            .Categories("strong", yes.Select((v, i) => (v ^ (i % 20 == 0)) ? "A" : "D"))            // 95 % agree
            .Categories("finer", yes.Select((v, i) => (v ? "A" : "D") + (i % 2)))                   // determines the class, but is no copy
            .Categories("key", rows.Select(i => $"id{i}"))                                          // every value pure, for it occurs once
            .Numbers("separates", yes.Select((v, i) => (v ? 1000f : 0f) + i)).Table(64);
        DataProfile profile = Profiler.Profile(table, Binary, [.. table.Schema.Columns.Skip(1).Select(c => c.Name)]);

        string[] leaks = [.. profile.Findings.Where(f => f.Code == "leak-copy-of-target").SelectMany(f => f.Columns)];
        Assert.Equal(["alive", "coded", "holes", "onlyWhenYes", "oneWrong"], leaks);
        Assert.All(profile.Findings.Where(f => f.Code == "leak-copy-of-target"), f => Assert.True(f.Excluded));
        Assert.Equal(leaks, profile.Columns.Where(c => c.Role == "excluded").Select(c => c.Name));
    }

    [Fact, Trait("Kind", "leak")]
    public void Profile_RareClass_IsNotMistakenForACopy()
    {
        // With 1 % yes, "always no" agrees with the target in 99 % of the rows and says nothing.
        bool[] yes = [.. Enumerable.Range(0, 2000).Select(i => i % 100 == 0)];
        using Table table = new SmallTables().Categories("y", yes.Select(v => v ? "yes" : "no")).Categories("c", yes.Select((_, i) => i % 100 == 50 ? "A" : "B")).Numbers("x", yes.Select((_, i) => (float)i)).Table();
        DataProfile profile = Profiler.Profile(table, Binary, ["c", "x"]);
        Assert.DoesNotContain(profile.Findings, f => f.Code == "leak-copy-of-target");
        Finding imbalance = Assert.Single(profile.Findings, f => f.Code == "class-imbalance");
        Assert.Contains("no 99 %, yes 1 %", imbalance.Message);
        Assert.Equal([new NameCount("no", 1980), new NameCount("yes", 20)], Column(profile, "y").Top!);
    }

    [Fact, Trait("Kind", "leak")]
    public void Profile_AffineCopyOfANumber_IsExcludedAndAStrongPredictorIsNot()
    {
        var rng = new Rng(3);
        float[] y = [.. Rows.Select(_ => (float)(50 + (10 * rng.NextGaussian())))];
        using Table table = new SmallTables().Numbers("y", y).Numbers("fahrenheit", y.Select(v => (1.8f * v) + 32)).Numbers("negative", y.Select(v => -v))
            .Numbers("rounded", y.Select(v => MathF.Round(v, 1))).Numbers("strong", y.Select(v => v + (float)(0.3 * rng.NextGaussian())))
            .Numbers("near", y.Select(v => v + (float)(0.08 * rng.NextGaussian()))).Numbers("noise", y.Select(_ => (float)rng.NextGaussian())).Table(50);
        DataProfile profile = Profiler.Profile(table, Regression, [.. table.Schema.Columns.Skip(1).Select(c => c.Name)]);
        Assert.Equal(["fahrenheit", "negative", "rounded"], profile.Findings.Where(f => f.Code == "leak-copy-of-target").SelectMany(f => f.Columns));
        // 1 - r^2 = (0.08 / 10)^2 = 6.4e-5: named, kept.
        Assert.Equal(["near"], profile.Findings.Where(f => f.Code == "near-copy-of-target").SelectMany(f => f.Columns));
    }

    [Fact, Trait("Kind", "leak")]
    public void Profile_CopyThatIsTheOnlyInput_IsKeptAndSaid()
    {
        using Table line = new SmallTables().Numbers("y", Rows.Select(i => (2f * i) + 1)).Numbers("x", Rows.Select(i => (float)i)).Table();
        Finding finding = Assert.Single(Profiler.Profile(line, Regression, ["x"]).Findings, f => f.Code == "leak-copy-of-target");
        Assert.False(finding.Excluded);
        Assert.Contains("kept", finding.Message);
    }

    [Fact, Trait("Kind", "leak")]
    public void Profile_FewRows_NeverAccuseAColumn()
    {
        // Three points on a line, and the four rows of XOR's cousin "y is a".
        using Table three = new SmallTables().Numbers("y", [2, 3, 4]).Numbers("a", [1, 2, 3]).Numbers("b", [9, 2, 3]).Table();
        Assert.DoesNotContain(Profiler.Profile(three, Regression, ["a", "b"]).Findings, f => f.Code.Contains("copy"));
        using Table four = new SmallTables().Categories("y", ["no", "yes", "no", "yes"]).Categories("a", ["0", "1", "0", "1"]).Numbers("b", [1, 2, 3, 4]).Table();
        Assert.DoesNotContain(Profiler.Profile(four, Binary, ["a", "b"]).Findings, f => f.Code.Contains("copy"));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Profile_UselessAndRedundantColumns_AreFound()
    {
        var rng = new Rng(4);
        int[] group = [.. Rows.Select(_ => rng.Next(4))];
        float[] x = [.. Rows.Select(_ => (float)rng.NextGaussian())];
        using Table table = new SmallTables().Numbers("y", Rows.Select(_ => (float)rng.NextGaussian()))
            .Categories("same", Rows.Select(_ => "s"), ColumnKind.Constant).Texts("key", Rows.Select(i => $"k{i}"), ColumnKind.Identifier)
            .Numbers("sparse", Rows.Select(i => i % 3 == 0 ? (float)rng.NextGaussian() : float.NaN))
            .Categories("class", group.Select(g => $"g{g}")).Numbers("pclass", group.Select(g => 3f - g)).Categories("almost", group.Select((g, i) => $"h{(i == 7 ? (g + 1) % 4 : g)}"))
            .Numbers("metres", x).Numbers("feet", x.Select(v => 3.28084f * v)).Numbers("wild", Rows.Select(i => i == 5 ? 1e6f : (float)rng.NextGaussian())).Table(100);
        DataProfile profile = Profiler.Profile(table, Regression, [.. table.Schema.Columns.Skip(1).Select(c => c.Name)]);

        Assert.Equal((new[] { "same" }, true), One("constant-column"), Same);
        Assert.Equal((new[] { "key" }, true), One("identifier-column"), Same);
        Assert.Equal((new[] { "sparse" }, false), One("mostly-missing"), Same);
        Assert.Equal((new[] { "wild" }, false), One("outliers"), Same);
        string[][] pairs = [["class", "pclass"], ["metres", "feet"]];
        Assert.Equal(pairs, profile.Findings.Where(f => f.Code == "redundant-columns").Select(f => f.Columns));

        (string[] Columns, bool Excluded) One(string code)
        {
            Finding finding = Assert.Single(profile.Findings, f => f.Code == code);
            return ([.. finding.Columns], finding.Excluded);
        }

        static bool Same((string[] Columns, bool Excluded) a, (string[] Columns, bool Excluded) b) => a.Columns.SequenceEqual(b.Columns) && a.Excluded == b.Excluded;
    }

    [Fact, Trait("Kind", "analytic")]
    public void Profile_Duplicates_AreCountedWithoutTheKey()
    {
        // Rows 0..99 three times over; the key differs.
        using Table table = new SmallTables().Numbers("y", Rows.Select(i => (float)(i % 100))).Texts("key", Rows.Select(i => $"{i}"), ColumnKind.Identifier)
            .Numbers("x", Rows.Select(i => i % 100 == 0 ? float.NaN : i % 100)).Categories("c", Rows.Select(i => $"{i % 5}")).Table(33);
        DataProfile profile = Profiler.Profile(table, Regression, ["x", "c"]);
        Assert.Equal(200, profile.DuplicateRows);
        Assert.Contains("66.67 %", Assert.Single(profile.Findings, f => f.Code == "duplicate-rows").Message);
    }

    [Fact, Trait("Kind", "leak")]
    public void CountSharedRows_RowsInBothParts_AreCountedAcrossTables()
    {
        using Table table = new SmallTables().Numbers("y", Rows.Select(i => (float)(i / 2))).Categories("c", Rows.Select(i => $"{i / 2 % 7}")).Table(41);
        var split = TableSplit.Create(table, Regression, new SplitOptions());
        // Rows 2k and 2k + 1 are twins.
        long expected = Rows.Count(i => split[i] == Part.Test && split[i ^ 1] == Part.Train);
        Assert.Equal(expected, Profiler.CountSharedRows(table, split, table, split, Part.Test, ["y", "c"]));
        Assert.Equal("split-leakage", Profiler.SplitLeakage(table, split, table, split, ["c"], "y")!.Code);

        // Another file, whose names come in another order, so that codes differ.
        using Table other = new SmallTables().Numbers("y", [149, 0, 500]).Categories("c", [$"{149 % 7}", "0", "3"]).Table();
        Assert.Equal(2, Profiler.CountSharedRows(table, TableSplit.Whole(table, Part.Train), other, TableSplit.Whole(other, Part.Test), Part.Test, ["y", "c"]));
        using Table apart = new SmallTables().Numbers("y", [-1]).Categories("c", ["0"]).Table();
        Assert.Null(Profiler.SplitLeakage(table, TableSplit.Whole(table, Part.Train), apart, TableSplit.Whole(apart, Part.Test), ["c"], "y"));
    }

    private static ColumnProfile Column(DataProfile profile, string name) => profile.Columns.Single(c => c.Name == name);
}
