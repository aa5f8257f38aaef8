using Candela.Data;
using CsCheck;

namespace Candela.Tests.Data;

public class EncodedTableTests
{
    private static readonly Problem Regression = new(TaskKind.Regression, "y", []);

    [Theory, Trait("Kind", "property")]
    [InlineData(EncodedTable.DefaultMemoryBudget)]
    [InlineData(0)]
    public void Batches_AnyPlan_GiveEveryRowOnceInFullBatchesAndTheSameOrderAgain(long budget)
    {
        Gen.Select(Gen.Int[1, 300], Gen.Int[1, 40], Gen.Int[1, 50], Gen.Long, Gen.Int[0, 5], Gen.Bool).Sample((rows, chunkRows, size, seed, epoch, shuffle) =>
        {
            using Table table = Rows(rows, chunkRows);
            TableSplit split = rows < 20 ? TableSplit.Whole(table, Part.Train) : TableSplit.Create(table, Regression, new SplitOptions { Seed = seed });
            var source = new EncodedTable(table, split, Part.Train, Fit(table, split), memoryBudget: budget);
            Assert.Equal(budget > 0, source.InMemory);
            var plan = new BatchPlan(size) { ShuffleSeed = shuffle ? seed : null, Epoch = epoch };
            List<float[]> batches = Read(source, plan);

            float[] expected = [.. Enumerable.Range(0, rows).Where(i => split[i] == Part.Train).Select(i => (float)i)];
            Assert.Equal(expected, batches.SelectMany(b => b).Order());
            if (!shuffle)
                Assert.Equal(expected, batches.SelectMany(b => b));
            Assert.All(batches.SkipLast(1), batch => Assert.Equal(size, batch.Length));
            Assert.NotEmpty(batches[^1]);
            Assert.Equal(batches.SelectMany(b => b), Read(source, plan).SelectMany(b => b));
            for (int skip = 0; skip <= batches.Count; skip++)
                Assert.Equal(batches.Skip(skip), Read(source, plan with { Skip = skip }));
        }, iter: 60);
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData(EncodedTable.DefaultMemoryBudget)]
    [InlineData(0)]
    public void Batches_OtherSeedOrEpoch_OtherOrder(long budget)
    {
        using Table table = Rows(200, 16);
        TableSplit split = TableSplit.Whole(table, Part.Train);
        var source = new EncodedTable(table, split, Part.Train, Fit(table, split), memoryBudget: budget);
        float[][] orders = [.. new[] { (1L, 0), (1L, 1), (2L, 0) }.Select(o => Read(source, new BatchPlan(200) { ShuffleSeed = o.Item1, Epoch = o.Item2 }).Single())];
        Assert.Equal(3, orders.Select(o => string.Join(',', o)).Distinct().Count());
    }

    [Fact, Trait("Kind", "conformance")]
    public void Batches_MixedTable_KeptAndStreamedRowsAreEqual()
    {
        int[] numbers = [.. Enumerable.Range(0, 120)];
        using Table table = new SmallTables().Numbers("y", numbers.Select(i => (float)i)).Numbers("x", numbers.Select(i => i % 5 == 0 ? float.NaN : i))
            .Categories("c", numbers.Select(i => $"{i % 3}")).Texts("t", numbers.Select(i => i % 8 == 0 ? null : $"word{i % 10} word{i % 4} {i}")).Table(25);
        var split = TableSplit.Create(table, Regression, new SplitOptions());
        var encoder = FeatureEncoder.Fit(table, split, Regression, ["x", "c", "t"], new FeatureRequest(FeatureStyle.Scaled) { TextAsTokens = true });
        var kept = Described(new EncodedTable(table, split, Part.Train, encoder), new BatchPlan(13));
        var streamed = Described(new EncodedTable(table, split, Part.Train, encoder, memoryBudget: 0), new BatchPlan(13) { ShuffleSeed = 3 });
        Assert.Equal(kept.Order(StringComparer.Ordinal), streamed.Order(StringComparer.Ordinal));
        Assert.NotEqual(kept, streamed);

        // A text table whose n-grams outgrow the budget is found out while encoding and streamed.
        var found = new EncodedTable(table, split, Part.Train, encoder, memoryBudget: 4L * (encoder.Layout.DenseWidth + encoder.Layout.TokenLength + 2) * 120);
        Assert.False(found.InMemory);
        Assert.Equal(kept, Described(found, new BatchPlan(7)));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Batches_StreamedShuffle_MixesTheRowsOfAGroup()
    {
        // 16 chunks of 100 rows in groups of 4: a batch of 40 from one group holds about 10 of each of its chunks.
        using Table table = Rows(1600, 100);
        TableSplit split = TableSplit.Whole(table, Part.Train);
        var source = new EncodedTable(table, split, Part.Train, Fit(table, split), memoryBudget: 0);
        float[] first = Read(source, new BatchPlan(40) { ShuffleSeed = 8 })[0];
        Assert.Equal(4, first.Select(v => (int)v / 100).Distinct().Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    public void Batches_TargetsOnly_GiveEveryRowsTargetInOrder(long budget)
    {
        using Table table = Rows(1000, 64);
        TableSplit split = TableSplit.Create(table, Regression, new SplitOptions { ValidFraction = 0.2 });
        var source = new EncodedTable(table, split, Part.Train, Fit(table, split), memoryBudget: budget);
        float[] Targets(bool only) => [.. source.Batches(new BatchPlan(50) { TargetsOnly = only }).SelectMany(batch => batch.Targets.AsSpan(0, batch.Count).ToArray())];
        Assert.Equal(source.Count, Targets(true).Length);
        Assert.Equal(Targets(false), Targets(true));
    }

    private static Table Rows(int rows, int chunkRows) =>
        new SmallTables().Numbers("x", Enumerable.Range(0, rows).Select(i => (float)i)).Numbers("y", Enumerable.Range(0, rows).Select(i => (float)i)).Table(chunkRows);

    private static FeatureEncoder Fit(Table table, TableSplit split) => FeatureEncoder.Fit(table, split, Regression, ["x"], new FeatureRequest(FeatureStyle.Raw));

    private static List<float[]> Read(EncodedTable source, BatchPlan plan)
    {
        List<float[]> batches = [];
        foreach (FeatureBatch batch in source.Batches(plan))
        {
            Assert.Equal(batch.Targets.AsSpan(0, batch.Count).ToArray(), batch.Dense.AsSpan(0, batch.Count).ToArray());
            batches.Add(batch.Targets.AsSpan(0, batch.Count).ToArray());
        }

        return batches;
    }

    private static List<string> Described(EncodedTable source, BatchPlan plan)
    {
        List<string> rows = [];
        int width = source.Layout.DenseWidth, length = source.Layout.TokenLength;
        foreach (FeatureBatch batch in source.Batches(plan))
            for (int i = 0; i < batch.Count; i++)
                rows.Add($"{batch.Targets[i]}: {string.Join(' ', batch.Dense[(i * width)..((i + 1) * width)])}; {string.Join(' ', batch.Tokens[(i * length)..((i + 1) * length)])}; "
                    + string.Join(' ', Enumerable.Range(batch.SparseStarts[i], batch.SparseStarts[i + 1] - batch.SparseStarts[i]).Select(e => $"{batch.SparseIndices[e]}={batch.SparseValues[e]}")));
        return rows;
    }
}
