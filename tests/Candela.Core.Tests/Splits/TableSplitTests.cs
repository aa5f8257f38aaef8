using Candela.Data;
using CsCheck;

namespace Candela.Tests.Data;

public class TableSplitTests
{
    private static readonly Problem Regression = new(TaskKind.Regression, "y", []);

    [Fact, Trait("Kind", "property")]
    public void Create_AnyClassesAndFractions_CountsAreExactAndNoClassLeavesTrain()
    {
        Gen.Select(Gen.Int[1, 40].Array[2, 6], Gen.Double[0.05, 0.4], Gen.Double[0.05, 0.4], Gen.Long).Sample((sizes, valid, test, seed) =>
        {
            int rows = sizes.Sum();
            string[] y = [.. sizes.SelectMany((n, c) => Enumerable.Repeat($"c{c}", n))];
            new Rng(seed, 9).Shuffle(y.AsSpan());
            using Table table = new SmallTables().Categories("y", y).Table(chunkRows: 17);
            long wantTest = Round(rows * test), wantValid = Round(rows * valid);
            // What every class can give while keeping one row to train on.
            if (wantTest == 0 || wantValid == 0 || wantTest + wantValid > rows - sizes.Length)
                return;
            var split = TableSplit.Create(table, Problem(sizes.Length), new SplitOptions { ValidFraction = valid, TestFraction = test, Seed = seed });

            Assert.Equal((wantTest, wantValid, rows - wantTest - wantValid), (split.Count(Part.Test), split.Count(Part.Valid), split.Count(Part.Train)));
            Part[] parts = Parts(table, split);
            Assert.Equal(split.Count(Part.Test), parts.Count(p => p == Part.Test));
            for (int c = 0; c < sizes.Length; c++)
            {
                int inTest = Enumerable.Range(0, rows).Count(i => y[i] == $"c{c}" && parts[i] == Part.Test);
                Assert.Contains(Enumerable.Range(0, rows), i => y[i] == $"c{c}" && parts[i] == Part.Train);
                if (sizes.All(n => n >= 20))
                    Assert.InRange(inTest, Math.Floor(sizes[c] * test), Math.Ceiling(sizes[c] * test));
            }
        }, iter: 300);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Create_SameSeed_SameRowsWhateverTheChunks_OtherSeedOtherRows()
    {
        string[] y = [.. Enumerable.Range(0, 500).Select(i => i % 3 == 0 ? "a" : "b")];
        using Table one = new SmallTables().Categories("y", y).Table(500), many = new SmallTables().Categories("y", y).Table(7);
        Part[] first = Parts(one, Split(one, 5)), again = Parts(many, Split(many, 5)), other = Parts(one, Split(one, 6));
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);

        static TableSplit Split(Table table, long seed) => TableSplit.Create(table, new Problem(TaskKind.Binary, "y", ["a", "b"]), new SplitOptions { Seed = seed });
    }

    [Fact, Trait("Kind", "property")]
    public void Create_ManySeeds_EachRowIsTestedEquallyOften()
    {
        // Selection sampling gives every row the same chance: 4 of 20 rows test, so 0.2 of 4000 seeds = 800, deviation sqrt(4000 * 0.16) = 25.3; bounds are 5 of them.
        string[] y = [.. Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? "a" : "b")];
        using Table table = new SmallTables().Categories("y", y).Table();
        var counts = new int[20];
        for (int seed = 0; seed < 4000; seed++)
        {
            Part[] parts = Parts(table, TableSplit.Create(table, new Problem(TaskKind.Binary, "y", ["a", "b"]), new SplitOptions { ValidFraction = 0, TestFraction = 0.2, Seed = seed }));
            for (int i = 0; i < 20; i++)
                counts[i] += parts[i] == Part.Test ? 1 : 0;
        }

        Assert.All(counts, count => Assert.InRange(count, 800 - 127, 800 + 127));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Create_Regression_TakesEqualSharesOfEachTenth()
    {
        float[] y = [.. Enumerable.Range(0, 1000).Select(i => (float)i)];
        new Rng(3).Shuffle(y.AsSpan());
        using Table table = new SmallTables().Numbers("y", y).Table(128);
        Part[] parts = Parts(table, TableSplit.Create(table, Regression, new SplitOptions { TestFraction = 0.2, ValidFraction = 0.1 }));
        for (int tenth = 0; tenth < 10; tenth++)
            Assert.Equal(20, Enumerable.Range(0, 1000).Count(i => (int)y[i] / 100 == tenth && parts[i] == Part.Test));
    }

    [Fact, Trait("Kind", "property")]
    public void Fold_AllFoldsOfASeed_PartTheRowsEvenlyAndKeepClassShares()
    {
        Gen.Select(Gen.Int[5, 30].Array[2, 5], Gen.Int[2, 5], Gen.Long).Sample((sizes, folds, seed) =>
        {
            int rows = sizes.Sum();
            string[] y = [.. sizes.SelectMany((n, c) => Enumerable.Repeat($"c{c}", n))];
            using Table table = new SmallTables().Categories("y", y).Table(11);
            var tested = new int[rows];
            var counts = new List<long>();
            for (int fold = 0; fold < folds; fold++)
            {
                var split = TableSplit.Fold(table, Problem(sizes.Length), folds, fold, 0.1, seed);
                Part[] parts = Parts(table, split);
                for (int i = 0; i < rows; i++)
                    tested[i] += parts[i] == Part.Test ? 1 : 0;
                counts.Add(split.Count(Part.Test));
                Assert.InRange(split.Count(Part.Valid), Math.Floor(0.1 * rows), Math.Ceiling(0.1 * rows)); // a share of x.5 rows may go either way
                for (int c = 0; c < sizes.Length; c++)
                {
                    int inTest = Enumerable.Range(0, rows).Count(i => y[i] == $"c{c}" && parts[i] == Part.Test);
                    Assert.InRange(inTest, sizes[c] / folds, (sizes[c] + folds - 1) / folds);
                }
            }

            Assert.All(tested, n => Assert.Equal(1, n));
            Assert.InRange(counts.Max() - counts.Min(), 0, 1);
        }, iter: 100);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Create_BeyondTheExactBound_SharesAreCloseAndRareClassesExact()
    {
        // 40 rows of a rare class among 100,000; the bound is lowered to reach the hash without four million rows.
        string[] y = [.. Enumerable.Range(0, 100_000).Select(i => i % 2500 == 0 ? "rare" : i % 2 == 0 ? "a" : "b")];
        using Table table = new SmallTables().Categories("y", y).Table(4096);
        var problem = new Problem(TaskKind.Multiclass, "y", ["a", "b", "rare"]);
        var split = TableSplit.Create(table, problem, new SplitOptions { TestFraction = 0.2, ValidFraction = 0.1, Seed = 4 }, exactRows: 1000);
        // Binomial(100000, 0.2): deviation 126.
        Assert.InRange(split.Count(Part.Test), 20_000 - 640, 20_000 + 640);
        Part[] parts = Parts(table, split);
        Assert.Equal(parts.Count(p => p == Part.Valid), split.Count(Part.Valid));
        Assert.Equal(8, Enumerable.Range(0, y.Length).Count(i => y[i] == "rare" && parts[i] == Part.Test));

        var tested = new int[y.Length];
        for (int fold = 0; fold < 3; fold++)
        {
            parts = Parts(table, TableSplit.Fold(table, problem, 3, fold, 0.1, 4, exactRows: 1000));
            for (int i = 0; i < y.Length; i++)
                tested[i] += parts[i] == Part.Test ? 1 : 0;
            Assert.InRange(parts.Count(p => p == Part.Valid), 10_000 - 500, 10_000 + 500);
        }

        Assert.All(tested, n => Assert.Equal(1, n));
    }

    [Fact, Trait("Kind", "analytic")]
    public void RowsIn_EveryPart_ListsItsRowsAscending()
    {
        using Table table = new SmallTables().Numbers("y", Enumerable.Range(0, 50).Select(i => (float)i)).Table(8);
        var split = TableSplit.Create(table, Regression, new SplitOptions());
        List<long> seen = [];
        foreach (TableChunk chunk in table.Chunks())
            foreach (Part part in new[] { Part.Train, Part.Valid, Part.Test })
            {
                int[] rows = split.RowsIn(chunk, part);
                Assert.Equal(rows.Order(), rows);
                Assert.All(rows, row => Assert.Equal(part, split[chunk.FirstRow + row]));
                seen.AddRange(rows.Select(row => chunk.FirstRow + row));
            }

        Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), seen.Order());
        Assert.Equal(50, TableSplit.Whole(table, Part.Test).Count(Part.Test));
        Assert.Equal(Enumerable.Range(0, 8), TableSplit.Whole(table, Part.Test).RowsIn(table.ReadChunk(0), Part.Test));
        Assert.Empty(TableSplit.Whole(table, Part.Test).RowsIn(table.ReadChunk(0), Part.Train));
    }

    /// <summary>A class keeps a row to train on; a tenth of a number need not.</summary>
    [Fact, Trait("Kind", "analytic")]
    public void Create_RegressionOfFewerRowsThanStrata_StillTestsAndValidates()
    {
        using Table ten = new SmallTables().Numbers("y", [.. Enumerable.Range(0, 10).Select(i => (float)i)]).Table();
        var split = TableSplit.Create(ten, Regression, new SplitOptions { ValidFraction = 0.15, TestFraction = 0.2 });
        Assert.Equal((6, 2, 2), (split.Count(Part.Train), split.Count(Part.Valid), split.Count(Part.Test)));
    }

    [Fact, Trait("Kind", "fault")]
    public void Create_PartWithoutRowsOrBadFractions_IsRefused()
    {
        using Table three = new SmallTables().Numbers("y", [1, 2, 3]).Table();
        string message = Assert.Throws<DataException>(() => TableSplit.Create(three, Regression, new SplitOptions { ValidFraction = 0.1 })).Message;
        Assert.Contains("leave none for the validation part", message);
        Assert.Contains("3 rows", message);
        Assert.Contains("at least 5 are needed", message); // half a row of 0.1
        Assert.Throws<UsageException>(() => TableSplit.Create(three, Regression, new SplitOptions { ValidFraction = 0.5, TestFraction = 0.5 }));
        Assert.Throws<UsageException>(() => TableSplit.Create(three, Regression, new SplitOptions { TestFraction = double.NaN }));
        Assert.Throws<UsageException>(() => TableSplit.Create(three, Regression, new SplitOptions { TestFraction = -0.1 }));
        Assert.Throws<UsageException>(() => TableSplit.Fold(three, Regression, 1, 0, 0, 0));
        Assert.Throws<UsageException>(() => TableSplit.Fold(three, Regression, 3, 3, 0, 0));
        Assert.Throws<DataException>(() => TableSplit.Fold(three, Regression, 4, 0, 0, 0));
    }

    private static Problem Problem(int classes) => new(classes == 2 ? TaskKind.Binary : TaskKind.Multiclass, "y", [.. Enumerable.Range(0, classes).Select(c => $"c{c}")]);

    private static long Round(double value) => (long)Math.Round(value, MidpointRounding.AwayFromZero);

    private static Part[] Parts(Table table, TableSplit split) => [.. Enumerable.Range(0, (int)table.Rows).Select(i => split[i])];
}
