using System.Buffers;
using System.Runtime.CompilerServices;

namespace Candela.Tokenization;

/// <summary>Which two neighbouring tokens merge into which, and in what order (Sennrich et al. 2016): a hash table over pairs, and the merge loop. Immutable once filled.</summary>
internal sealed class MergeTable
{
    /// <summary>Rank of a pair that does not merge.</summary>
    public const int None = int.MaxValue;

    // Longer pieces go through the heap: the scan for the lowest rank is quadratic.
    private const int ScanLimit = 64;

    private readonly Slot[] _slots;
    private readonly int _shift;

    private struct Slot
    {
        public ulong Key; // left << 32 | right, plus 1 so that 0 is free
        public int Rank, Result;
    }

    public MergeTable(int count)
    {
        int bits = 4;
        while (1L << bits < count * 2L)
            bits++;
        _slots = new Slot[1 << bits];
        _shift = 64 - bits;
    }

    /// <summary>Adds a merge; a pair that is there already takes the later rank, as in Hugging Face's loader.</summary>
    public void Add(int left, int right, int rank, int result)
    {
        ulong key = Key(left, right);
        int at = Find(key);
        _slots[at] = new Slot { Key = key, Rank = rank, Result = result };
    }

    /// <summary>The rank of a pair and the token it becomes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Rank(int left, int right, out int result)
    {
        ref Slot slot = ref _slots[Find(Key(left, right))];
        result = slot.Result;
        return slot.Key == 0 ? None : slot.Rank;
    }

    /// <summary>Merges in place, lowest rank first and leftmost among equals, until nothing merges. <paramref name="starts"/> holds the index of the first symbol of each token.
    /// Cost: n² cheap steps up to 64 symbols, n log n beyond.</summary>
    /// <returns>The number of tokens left, at the front of both spans.</returns>
    public int Merge(Span<int> ids, Span<int> starts)
    {
        for (int i = 0; i < ids.Length; i++)
            starts[i] = i;
        return ids.Length <= ScanLimit ? Scan(ids, starts) : ids.Length == 1 ? 1 : Heap(ids, starts);
    }

    private int Scan(Span<int> ids, Span<int> starts)
    {
        int count = ids.Length;
        Span<int> ranks = stackalloc int[ScanLimit];
        for (int i = 0; i + 1 < count; i++)
            ranks[i] = Rank(ids[i], ids[i + 1], out _);
        while (count > 1)
        {
            int best = 0, lowest = ranks[0];
            for (int i = 1; i < count - 1; i++)
            {
                if (ranks[i] >= lowest)
                    continue;
                lowest = ranks[i];
                best = i;
            }

            if (lowest == None)
                break;
            _ = Rank(ids[best], ids[best + 1], out int merged);
            ids[best] = merged;
            int tail = count - best - 2;
            ids.Slice(best + 2, tail).CopyTo(ids[(best + 1)..]);
            starts.Slice(best + 2, tail).CopyTo(starts[(best + 1)..]);
            if (tail > 0)
                ranks.Slice(best + 2, tail - 1).CopyTo(ranks[(best + 1)..]);
            count--;
            if (best > 0)
                ranks[best - 1] = Rank(ids[best - 1], merged, out _);
            if (best + 1 < count)
                ranks[best] = Rank(merged, ids[best + 1], out _);
        }

        return count;
    }

    private int Heap(Span<int> ids, Span<int> starts)
    {
        int count = ids.Length;
        int[] next = ArrayPool<int>.Shared.Rent(count), previous = ArrayPool<int>.Shared.Rent(count);
        var queue = new PriorityQueue<int, ulong>(count); // by rank, then position
        for (int i = 0; i < count; i++)
        {
            next[i] = i + 1;
            previous[i] = i - 1;
            if (i + 1 < count && Rank(ids[i], ids[i + 1], out _) is int rank && rank != None)
                queue.Enqueue(i, (ulong)rank << 32 | (uint)i);
        }

        // A merged-away symbol has next = -1. An entry is stale unless the pair now at its position has its rank: ranks are unique to pairs.
        while (queue.TryDequeue(out int at, out ulong priority))
        {
            int right = next[at];
            if (right < 0 || right >= count)
                continue;
            int rank = Rank(ids[at], ids[right], out int merged);
            if (rank != (int)(priority >> 32))
                continue;
            ids[at] = merged;
            next[at] = next[right];
            next[right] = -1;
            if (next[at] < count)
            {
                previous[next[at]] = at;
                if (Rank(merged, ids[next[at]], out _) is int following && following != None)
                    queue.Enqueue(at, (ulong)following << 32 | (uint)at);
            }

            if (previous[at] >= 0 && Rank(ids[previous[at]], merged, out _) is int preceding && preceding != None)
                queue.Enqueue(previous[at], (ulong)preceding << 32 | (uint)previous[at]);
        }

        int kept = 0;
        for (int i = 0; i < count; i = next[i])
        {
            ids[kept] = ids[i];
            starts[kept++] = i;
        }

        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
        return kept;
    }

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32 | (uint)right) + 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(ulong key)
    {
        Slot[] slots = _slots;
        int at = (int)(key * 0x9E3779B97F4A7C15UL >> _shift);
        while (slots[at].Key != key && slots[at].Key != 0)
            at = (at + 1) & (slots.Length - 1);
        return at;
    }
}
