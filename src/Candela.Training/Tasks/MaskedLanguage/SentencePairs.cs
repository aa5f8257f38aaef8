using Candela.Data;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>Pairs of texts from documents with tokens hidden: half of the seconds follow the first, half are from another document. In order: the same pairs and masks every time.
/// Shuffled: endless passes, each with pairs of its own, dealt out <see cref="Count"/> at a time; a pure function of seed and epoch.</summary>
internal sealed class SentencePairs : IBatchSource<MaskedBatch>
{
    private readonly IReadOnlyList<IReadOnlyList<int[]>> _documents;
    private readonly MaskedFrames _frames;
    private readonly int _most;
    private readonly long _seed;
    private readonly SentencePair[] _inOrder;
    private SentencePair[] _pass = [];
    private long _passNumber = -1, _passSeed;

    /// <summary>Takes documents.</summary>
    /// <param name="documents">Each a list of sentences of ids.</param>
    /// <param name="frames">Frames and hides.</param>
    /// <param name="block">Tokens of a pair at the most, its frame included.</param>
    /// <param name="seed">Of the pairs in order.</param>
    /// <param name="perEpoch">Pairs of an epoch, for shuffled batches; null for all of one pass, in order.</param>
    /// <exception cref="DataException">The documents give no pair.</exception>
    public SentencePairs(IReadOnlyList<IReadOnlyList<int[]>> documents, MaskedFrames frames, int block, long seed, long? perEpoch = null)
    {
        (_documents, _frames, _most, _seed) = (documents, frames, block - MaskedFrames.OfTwo, seed);
        _inOrder = [.. SentencePair.Make(documents, _most, seed)];
        if (_inOrder.Length == 0)
            throw new DataException("The documents give no pair of sentences. Give documents of two sentences or more, or --nsp no.");
        Count = perEpoch ?? _inOrder.Length;
    }

    /// <summary>Pairs of one pass over the documents, about.</summary>
    public long PairsPerPass => _inOrder.Length;

    public long Count { get; }

    public IEnumerable<MaskedBatch> Batches(BatchPlan plan)
    {
        for (long at = plan.Skip * plan.BatchSize; at < Count; at += plan.BatchSize)
        {
            int count = (int)Math.Min(plan.BatchSize, Count - at);
            var examples = new MaskedExample[count];
            var rngs = new Rng[count];
            for (int i = 0; i < count; i++)
            {
                examples[i] = _frames.Of(plan.ShuffleSeed is { } shuffle ? Dealt(shuffle, (plan.Epoch * Count) + at + i) : _inOrder[at + i]);
                rngs[i] = MaskedBlocks.MasksOf(plan, Count, at + i, _seed);
            }

            yield return _frames.Batch(examples, rngs);
        }
    }

    private SentencePair Dealt(long seed, long number)
    {
        long pass = number / PairsPerPass;
        if (pass != _passNumber || seed != _passSeed)
        {
            var rng = new Rng(seed, pass);
            _pass = [.. SentencePair.Make(_documents, _most, unchecked((long)rng.NextUInt64()))];
            rng.Shuffle(_pass.AsSpan());
            (_passNumber, _passSeed) = (pass, seed);
        }

        return _pass[number % PairsPerPass % _pass.Length]; // passes differ by a few pairs
    }
}
