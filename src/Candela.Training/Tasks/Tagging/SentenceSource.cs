using Candela.Data;
using Candela.Language;

namespace Candela.Training.Tasks;

/// <summary>Tagged sentences in batches of similar length. When shuffled, words are now and then hidden, rare ones more often, so that the net learns to do without them.</summary>
internal sealed class SentenceSource : IBatchSource<SentenceBatch>
{
    private const int Window = 40; // batches among which sentences are sorted by length
    private const double Hiding = 1; // a word seen n times in training is hidden with probability Hiding / (Hiding + n)
    private const long OrderStream = 0x5e, HideStream = 0x71;

    private readonly SentenceFeatures _features;
    private readonly double _dropout;
    private readonly long[][] _inputs, _tags;

    /// <summary>Encodes sentences; empty ones keep their place but are in no batch.</summary>
    /// <param name="sentences">Their tags are not looked at without <paramref name="needTags"/>; one that training had not becomes -1.</param>
    /// <param name="features">The numbers.</param>
    /// <param name="needTags">Whether there are tags.</param>
    /// <param name="featureDropout">Share of the written-down features left out of shuffled batches.</param>
    public SentenceSource(IReadOnlyList<TaggedSentence> sentences, SentenceFeatures features, bool needTags = true, double featureDropout = 0)
    {
        (_features, _dropout) = (features, featureDropout);
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < features.Tags.Count; i++)
            numbers[features.Tags[i]] = i;
        _inputs = new long[sentences.Count][];
        _tags = new long[sentences.Count][];
        for (int i = 0; i < sentences.Count; i++)
        {
            _inputs[i] = new long[sentences[i].Tokens.Count * features.Width];
            features.Write(sentences[i].Tokens, _inputs[i]);
            _tags[i] = [.. sentences[i].Tags.Select(tag => needTags ? numbers.GetValueOrDefault(tag, -1) : 0)];
        }
    }

    /// <inheritdoc/>
    public long Count => _tags.LongCount(t => t.Length > 0);

    /// <inheritdoc/>
    public IEnumerable<SentenceBatch> Batches(BatchPlan plan)
    {
        int[] order = [.. Enumerable.Range(0, _tags.Length).Where(i => _tags[i].Length > 0)];
        if (plan.ShuffleSeed is { } seed)
            new Rng(seed, OrderStream + (1000L * plan.Epoch)).Shuffle(order.AsSpan());
        int[][] batches = plan.ShuffleSeed is null
            ? [.. order.OrderBy(i => _tags[i].Length).Chunk(plan.BatchSize)]
            : [.. order.Chunk(Window * plan.BatchSize).SelectMany(window => window.OrderBy(i => _tags[i].Length).Chunk(plan.BatchSize))];
        if (plan.ShuffleSeed is { } again)
        {
            int full = batches.Length > 0 && batches[^1].Length < plan.BatchSize ? batches.Length - 1 : batches.Length; // the loop expects a short batch last
            new Rng(again, OrderStream + 1 + (1000L * plan.Epoch)).Shuffle(batches.AsSpan(0, full));
        }

        foreach (int[] rows in batches.Skip((int)Math.Min(plan.Skip, int.MaxValue)))
            yield return Batch(rows, plan);
    }

    private SentenceBatch Batch(int[] rows, BatchPlan plan)
    {
        int steps = rows.Max(r => _tags[r].Length), width = _features.Width;
        var batch = new SentenceBatch
        {
            Rows = rows,
            Lengths = [.. rows.Select(r => _tags[r].Length)],
            Steps = steps,
            Inputs = new long[rows.Length * steps * width],
            Tags = new long[rows.Length * steps],
        };
        for (int n = 0; n < rows.Length; n++)
        {
            Span<long> inputs = batch.Inputs.AsSpan(n * steps * width, steps * width);
            _inputs[rows[n]].CopyTo(inputs);
            _tags[rows[n]].CopyTo(batch.Tags.AsSpan(n * steps));
            if (plan.ShuffleSeed is { } seed)
                Hide(inputs, batch.Lengths[n], new Rng((long)Rng.Mix((ulong)seed ^ Rng.Mix((ulong)plan.Epoch)), HideStream + rows[n]));
        }

        return batch;
    }

    private void Hide(Span<long> inputs, int length, Rng rng)
    {
        for (int t = 0; t < length; t++)
        {
            ref long word = ref inputs[t * _features.Width];
            if (rng.NextDouble() < Hiding / (Hiding + _features.CountOf(word)))
                word = SentenceFeatures.Unknown;
            foreach (ref long feature in inputs.Slice((t * _features.Width) + _features.WideStart, TokenFeatures.Most))
            {
                if (feature != 0 && rng.NextDouble() < _dropout)
                    feature = 0;
            }
        }
    }
}
