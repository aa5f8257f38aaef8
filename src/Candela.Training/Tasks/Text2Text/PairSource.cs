using Candela.Data;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>A pair of texts as ids, each side with its end.</summary>
internal sealed record TokenPair(int[] Source, int[] Target);

/// <summary>Pairs in batches of about as many tokens. Pairs are sorted by lengths; shuffled, those of equal lengths change places and the batches come in another order, a function of seed and epoch. So every
/// epoch has as many batches, and a batch little padding.</summary>
internal sealed class PairSource : IBatchSource<PairBatch>
{
    private const long OrderStream = 0x7a2;
    private readonly IReadOnlyList<TokenPair> _pairs;
    private readonly Seq2SeqConfig _config;
    private readonly int[] _sorted;
    private readonly List<(int First, int Count)> _batches = [];

    /// <summary>Lays out batches.</summary>
    /// <param name="pairs">At least one.</param>
    /// <param name="config">Has the ids of padding and begin.</param>
    /// <param name="tokens">Most tokens of a batch, padding included, on the side that has more; one pair may have more.</param>
    public PairSource(IReadOnlyList<TokenPair> pairs, Seq2SeqConfig config, int tokens)
    {
        (_pairs, _config) = (pairs, config);
        _sorted = [.. Enumerable.Range(0, pairs.Count).OrderBy(i => pairs[i].Source.Length).ThenBy(i => pairs[i].Target.Length)];
        for (int first = 0; first < _sorted.Length;)
        {
            int longest = 0, count = 0;
            for (; first + count < _sorted.Length; count++)
            {
                TokenPair pair = pairs[_sorted[first + count]];
                int steps = Math.Max(longest, Math.Max(pair.Source.Length, pair.Target.Length));
                if (count > 0 && steps * (count + 1) > tokens)
                    break;
                longest = steps;
            }

            _batches.Add((first, count));
            first += count;
        }
    }

    /// <inheritdoc/>
    public long Count => _batches.Count;

    /// <summary>Target tokens of all pairs.</summary>
    public long Tokens => _pairs.Sum(p => (long)p.Target.Length);

    /// <inheritdoc/>
    public IEnumerable<PairBatch> Batches(BatchPlan plan)
    {
        int[] order = _sorted;
        (int First, int Count)[] batches = [.. _batches];
        if (plan.ShuffleSeed is { } seed)
        {
            order = [.. _sorted];
            var rng = new Rng(seed, OrderStream + plan.Epoch);
            for (int first = 0; first < order.Length;)
            {
                int end = first + 1;
                while (end < order.Length && SameLengths(order[first], order[end]))
                    end++;
                rng.Shuffle(order.AsSpan(first, end - first));
                first = end;
            }

            rng.Shuffle(batches.AsSpan());
        }

        foreach ((int first, int count) in batches.Skip((int)Math.Min(plan.Skip, int.MaxValue)))
            yield return Batch(order.AsSpan(first, count));
    }

    private bool SameLengths(int a, int b) => _pairs[a].Source.Length == _pairs[b].Source.Length && _pairs[a].Target.Length == _pairs[b].Target.Length;

    private PairBatch Batch(ReadOnlySpan<int> rows)
    {
        int sourceSteps = 0, targetSteps = 0, tokens = 0;
        foreach (int row in rows)
        {
            sourceSteps = Math.Max(sourceSteps, _pairs[row].Source.Length);
            targetSteps = Math.Max(targetSteps, _pairs[row].Target.Length);
            tokens += _pairs[row].Target.Length;
        }

        var batch = new PairBatch
        {
            SourceSteps = sourceSteps,
            TargetSteps = targetSteps,
            Sources = new long[rows.Length * sourceSteps],
            Lengths = new int[rows.Length],
            Inputs = new long[rows.Length * targetSteps],
            Places = new long[tokens],
            Labels = new long[tokens],
        };
        Array.Fill(batch.Sources, _config.PadId);
        Array.Fill(batch.Inputs, _config.PadId);
        int at = 0;
        for (int n = 0; n < rows.Length; n++)
        {
            (int[] source, int[] target) = (_pairs[rows[n]].Source, _pairs[rows[n]].Target);
            batch.Lengths[n] = source.Length;
            for (int t = 0; t < source.Length; t++)
                batch.Sources[(n * sourceSteps) + t] = source[t];
            for (int t = 0; t < target.Length; t++)
            {
                int place = (n * targetSteps) + t;
                batch.Inputs[place] = t == 0 ? _config.BosId : target[t - 1];
                (batch.Places[at], batch.Labels[at]) = (place, target[t]);
                at++;
            }
        }

        return batch;
    }
}
