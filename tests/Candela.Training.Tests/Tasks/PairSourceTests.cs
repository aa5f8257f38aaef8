using Candela.Data;
using Candela.Training.Language;
using Candela.Training.Tasks;

namespace Candela.Training.Tests.Tasks;

public sealed class PairSourceTests
{
    private const int Budget = 60;
    private static readonly Seq2SeqConfig Config = new() { Architecture = "gru", VocabularySize = 1000, Width = 8, Layers = 1 };

    [Fact]
    [Trait("Kind", "property")]
    public void Batches_OfEveryEpoch_HoldEachPairOnceWithinTheBudget()
    {
        TokenPair[] pairs = Pairs(200);
        var source = new PairSource(pairs, Config, Budget);
        var orders = new HashSet<string>();
        for (int epoch = 0; epoch < 3; epoch++)
        {
            PairBatch[] batches = [.. source.Batches(new BatchPlan(1) { ShuffleSeed = 4, Epoch = epoch })];
            Assert.Equal(source.Count, batches.Length);
            Assert.Equal(source.Tokens, batches.Sum(b => (long)b.Tokens));
            Assert.All(batches, b => Assert.True(b.Pairs == 1 || b.Pairs * Math.Max(b.SourceSteps, b.TargetSteps) <= Budget, $"{b.Pairs} pairs of {b.SourceSteps} and {b.TargetSteps} tokens"));
            string[] seen = [.. batches.SelectMany(b => Enumerable.Range(0, b.Pairs).Select(n => Text(b, n)))];
            Assert.Equal(pairs.Select(p => $"{string.Join(' ', p.Source)} -> {string.Join(' ', p.Target)}").Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
            orders.Add(string.Join('\n', seen));
            Assert.Equal(seen.TakeLast(batches[^1].Pairs), source.Batches(new BatchPlan(1) { ShuffleSeed = 4, Epoch = epoch, Skip = batches.Length - 1 }).SelectMany(b => Enumerable.Range(0, b.Pairs).Select(n => Text(b, n))));
        }

        Assert.Equal(3, orders.Count);
        Assert.Equal(source.Count, source.Batches(new BatchPlan(1)).Count());
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Batches_OfTwoPairs_AreLaidOutAsTheNetReadsThem()
    {
        var source = new PairSource([new TokenPair([7, 8, 2], [9, 2]), new TokenPair([5, 2], [3, 4, 6, 2])], Config, Budget);
        PairBatch batch = Assert.Single(source.Batches(new BatchPlan(1)));
        Assert.Equal([5, 2, 0, 7, 8, 2], batch.Sources);
        Assert.Equal([2, 3], batch.Lengths);
        Assert.Equal([1, 3, 4, 6, 1, 9, 0, 0], batch.Inputs);
        Assert.Equal([0, 1, 2, 3, 4, 5], batch.Places);
        Assert.Equal([3, 4, 6, 2, 9, 2], batch.Labels);
    }

    private static string Text(PairBatch batch, int row)
    {
        IEnumerable<long> source = batch.Sources.Skip(row * batch.SourceSteps).Take(batch.Lengths[row]);
        IEnumerable<long> target = batch.Places.Zip(batch.Labels).Where(p => p.First / batch.TargetSteps == row).Select(p => p.Second);
        return $"{string.Join(' ', source)} -> {string.Join(' ', target)}";
    }

    private static TokenPair[] Pairs(int count)
    {
        var rng = new Rng(8);
        int[] Side() => [.. Enumerable.Range(0, rng.Next(9)).Select(_ => 4 + rng.Next(900)), 2];
        return [.. Enumerable.Range(0, count - 1).Select(_ => new TokenPair(Side(), Side())), new TokenPair([.. Enumerable.Repeat(9, 80), 2], [2])];
    }
}
