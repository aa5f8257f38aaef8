using Candela.Data;
using Candela.Language;
using Candela.Training.Tasks;
using CsCheck;

namespace Candela.Training.Tests.Tasks;

public sealed class TokenBlocksTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-blocks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact, Trait("Kind", "property")]
    public void Batches_InOrder_PredictEveryTokenButTheFirstOnce()
    {
        Gen.Select(Gen.Int[2, 200], Gen.Int[1, 20], Gen.Int[1, 7], Gen.Bool.Array[200]).Sample((length, block, batch, learned) =>
        {
            using TokenStore store = Store(length, learned);
            var blocks = new TokenBlocks(store, block);
            var seen = new List<(long Input, long Target)>();
            long sequences = 0;
            foreach (TokenBatch b in blocks.Batches(new BatchPlan(batch)))
            {
                Assert.InRange(b.Count, 1, batch);
                Assert.Equal(b.Learned, b.Targets.Take(b.Count * b.Length).Count(t => t != TokenBatch.Ignored));
                for (int i = 0; i < b.Count * b.Length; i++)
                    seen.Add((b.Inputs[i], b.Targets[i]));
                sequences += b.Count;
            }

            Assert.Equal(blocks.Count, sequences);
            Assert.Equal(Enumerable.Range(0, length - 1).Select(i => ((long)i, learned[i + 1] ? (long)i + 1 : TokenBatch.Ignored)), seen);
        }, iter: 150, threads: 1, seed: "0000KTbmuH31");
    }

    [Fact, Trait("Kind", "property")]
    public void Batches_ShuffledPass_HasEachBlockOnceAndPassesDiffer()
    {
        Gen.Select(Gen.Int[40, 400], Gen.Int[2, 15], Gen.Long[0, 50]).Sample((length, block, seed) =>
        {
            using TokenStore store = Store(length, null);
            long perPass = new TokenBlocks(store, block, perEpoch: 1).BlocksPerPass;
            var blocks = new TokenBlocks(store, block, perEpoch: 2 * perPass);
            long[] starts = [.. Starts(blocks, new BatchPlan(1) { ShuffleSeed = seed, Epoch = 3 }, block)];
            Assert.Equal(2 * perPass, starts.Length);
            foreach (long[] pass in starts.Chunk((int)perPass))
            {
                // Equally spaced blocks from the pass's own offset: no token is learned twice, and fewer than two blocks' worth are left out.
                long[] sorted = [.. pass.Order()];
                Assert.InRange(sorted[0], 0, block - 1);
                Assert.Equal(Enumerable.Range(0, (int)perPass).Select(i => sorted[0] + ((long)i * block)), sorted);
                Assert.InRange(sorted[^1] + block, length - (2 * block), length - 1);
            }

            Assert.True(perPass < 6 || !starts.AsSpan(0, (int)perPass).SequenceEqual(starts.AsSpan((int)perPass)), "two passes in one order");
        }, iter: 100, threads: 1, seed: "0000KTbmuH31");
    }

    [Fact, Trait("Kind", "property")]
    public void Batches_Skip_GivesTheTail()
    {
        using TokenStore store = Store(500, null);
        var blocks = new TokenBlocks(store, 8, perEpoch: 100);
        foreach (int batch in new[] { 1, 4, 6 })
        {
            var plan = new BatchPlan(batch) { ShuffleSeed = 9, Epoch = 2 };
            long[] whole = [.. Starts(blocks, plan, 8)];
            foreach (int skip in new[] { 1, 3, 10 })
                Assert.Equal(whole[(skip * batch)..], Starts(new TokenBlocks(store, 8, perEpoch: 100), plan with { Skip = skip }, 8));
        }
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData(1, 4, false)]
    [InlineData(7, 4, true)]
    public void Constructor_TooFewTokens_IsRefused(int length, int block, bool shuffled)
    {
        using TokenStore store = Store(length, null);
        Assert.Contains($"{length} tokens", Assert.Throws<DataException>(() => new TokenBlocks(store, block, shuffled ? 10 : null)).Message);
    }

    // Tokens 0, 1, 2, ..., so that an id says where it stands.
    private TokenStore Store(int length, bool[]? learned)
    {
        string path = Path.Combine(_folder, Path.GetRandomFileName());
        using (var writer = new TokenStore.Writer(path))
            for (int i = 0; i < length; i++)
                writer.Add([i], learned?[i] ?? true);
        return TokenStore.Open(path);
    }

    private static IEnumerable<long> Starts(TokenBlocks blocks, BatchPlan plan, int block)
    {
        foreach (TokenBatch b in blocks.Batches(plan))
        {
            for (int i = 0; i < b.Count; i++)
            {
                long start = b.Inputs[i * block];
                for (int t = 0; t < block; t++)
                    Assert.Equal((start + t, start + t + 1), (b.Inputs[(i * block) + t], b.Targets[(i * block) + t]));
                yield return start;
            }
        }
    }
}
