using Candela.Data;

namespace Candela.Training.Tasks;

/// <summary>Blocks of a long row of tokens with tokens hidden. In order, the same tokens are hidden every time; shuffled, others in every epoch, a pure function of seed and epoch.</summary>
/// <param name="blocks">The row, cut.</param>
/// <param name="frames">Frames and hides.</param>
/// <param name="seed">Of what is hidden in order.</param>
internal sealed class MaskedBlocks(TokenBlocks blocks, MaskedFrames frames, long seed) : IBatchSource<MaskedBatch>
{
    public long Count => blocks.Count;

    public IEnumerable<MaskedBatch> Batches(BatchPlan plan)
    {
        long row = plan.Skip * plan.BatchSize;
        foreach (TokenBatch batch in blocks.Batches(plan))
        {
            var examples = new MaskedExample[batch.Count];
            var rngs = new Rng[batch.Count];
            for (int i = 0; i < batch.Count; i++, row++)
            {
                examples[i] = frames.Of(Array.ConvertAll(batch.Inputs[(i * batch.Length)..((i + 1) * batch.Length)], id => (int)id));
                rngs[i] = MasksOf(plan, Count, row, seed);
            }

            yield return frames.Batch(examples, rngs);
        }
    }

    /// <summary>The generator of a row's masks.</summary>
    public static Rng MasksOf(BatchPlan plan, long count, long row, long seed) =>
        plan.ShuffleSeed is { } shuffle ? new Rng(unchecked((long)Rng.Mix((ulong)shuffle ^ 0x6D61736B)), (plan.Epoch * count) + row) : new Rng(seed, row);
}
