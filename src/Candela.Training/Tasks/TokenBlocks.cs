using Candela.Data;
using Candela.Language;

namespace Candela.Training.Tasks;

/// <summary>A long row of tokens as blocks of equal length. In order: block after block, the last one shorter, every token but the first predicted once. Shuffled: endless passes over
/// the text, each with its own seeded offset and order of blocks, dealt out <see cref="Count"/> at a time; which blocks an epoch has is a pure function of seed and epoch.</summary>
public sealed class TokenBlocks : IBatchSource<TokenBatch>
{
    private readonly TokenStore _tokens;
    private readonly int _block;
    private readonly long _perPass;
    private readonly bool _inOrder;
    private int[] _order = [];
    private long _orderPass = -1, _orderSeed;

    /// <summary>Cuts a row of tokens.</summary>
    /// <param name="tokens">The row; the caller disposes it.</param>
    /// <param name="block">Tokens per block, at least 1.</param>
    /// <param name="perEpoch">Blocks of an epoch, for shuffled batches only; null for one pass, in order only.</param>
    /// <exception cref="DataException">There are too few tokens for one block.</exception>
    public TokenBlocks(TokenStore tokens, int block, long? perEpoch = null)
    {
        (_tokens, _block, _inOrder) = (tokens, block, perEpoch is null);
        _perPass = perEpoch is null ? (tokens.Length - 1 + block - 1) / block : (tokens.Length - block) / block;
        if (tokens.Length < 2 || _perPass < 1)
            throw new DataException($"The text has {tokens.Length} tokens; one block of {block} needs {(perEpoch is null ? 2 : 2L * block)}. Give more text, or a smaller --block.");
        Count = perEpoch ?? _perPass;
    }

    /// <summary>Blocks of one pass over the text.</summary>
    public long BlocksPerPass => _perPass;

    /// <inheritdoc/>
    public long Count { get; }

    /// <inheritdoc/>
    /// <exception cref="UsageException">Shuffled batches of one pass in order were asked for, or the other way round.</exception>
    public IEnumerable<TokenBatch> Batches(BatchPlan plan) => plan.ShuffleSeed is null == _inOrder ? Blocks(plan)
        : throw new UsageException($"These blocks are cut to be read {(_inOrder ? "in order" : "shuffled")}; the plan asks for them {(_inOrder ? "shuffled" : "in order")}. Cut them {(_inOrder ? "with" : "without")} perEpoch.");

    private IEnumerable<TokenBatch> Blocks(BatchPlan plan)
    {
        var batch = new TokenBatch { Inputs = new long[plan.BatchSize * _block], Targets = new long[plan.BatchSize * _block] };
        var ids = new int[_block + 1];
        var learned = new bool[_block + 1];
        long first = plan.Skip * plan.BatchSize;
        for (long at = first; at < Count;)
        {
            (batch.Count, batch.Learned) = (0, 0);
            for (; at < Count && batch.Count < plan.BatchSize; at++)
            {
                long start = plan.ShuffleSeed is { } seed ? Start(seed, (plan.Epoch * Count) + at) : at * _block;
                int length = (int)Math.Min(_block, _tokens.Length - 1 - start);
                if (batch.Count > 0 && length != batch.Length)
                    break; // the short last block is a batch of its own
                batch.Length = length;
                _tokens.Read(start, ids.AsSpan(0, length + 1), learned.AsSpan(0, length + 1));
                int offset = batch.Count * length;
                for (int i = 0; i < length; i++)
                {
                    batch.Inputs[offset + i] = ids[i];
                    batch.Targets[offset + i] = learned[i + 1] ? ids[i + 1] : TokenBatch.Ignored;
                    batch.Learned += learned[i + 1] ? 1 : 0;
                }

                batch.Count++;
            }

            yield return batch;
        }
    }

    private long Start(long seed, long number)
    {
        long pass = number / _perPass;
        if (pass != _orderPass || seed != _orderSeed || _order.Length == 0)
        {
            var rng = new Rng(seed, pass);
            _order = new int[_perPass];
            for (int i = 0; i < _order.Length; i++)
                _order[i] = i;
            for (int i = _order.Length - 1; i > 0; i--)
            {
                int j = rng.Next(i + 1);
                (_order[i], _order[j]) = (_order[j], _order[i]);
            }

            (_orderPass, _orderSeed) = (pass, seed);
        }

        // The offset shifts block borders from pass to pass; perPass leaves room for it.
        return ((long)_order[number % _perPass] * _block) + new Rng(seed, -1 - pass).Next(_block);
    }
}
