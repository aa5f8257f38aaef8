namespace Candela.Decoding;

/// <summary>The order of tokens, falling by logit and of equals rising by id, as whole numbers that sort the same way: 32 bits of the logit, then the id.</summary>
internal static class TokenOrder
{
    /// <summary>Smaller is better. Minus zero equals zero.</summary>
    public static ulong Key(float logit, int id)
    {
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f);
        uint rising = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
        return ((ulong)~rising << 32) | (uint)id;
    }

    public static int IdOf(ulong key) => (int)(uint)key;

    public static float LogitOf(ulong key)
    {
        uint rising = ~(uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle((rising & 0x8000_0000) != 0 ? rising & 0x7FFF_FFFF : ~rising);
    }

    /// <summary>The best <c>best.Length</c> tokens, sorted. <paramref name="ids"/> empty means that an id is the index; <c>best</c> is not longer than the logits.</summary>
    public static void SelectTop(ReadOnlySpan<float> logits, ReadOnlySpan<int> ids, Span<ulong> best)
    {
        int k = best.Length;
        if (k == 0)
            return;
        for (int i = 0; i < k; i++)
            best[i] = Key(logits[i], ids.IsEmpty ? i : ids[i]);
        for (int i = (k / 2) - 1; i >= 0; i--)
            SiftDown(best, i); // the worst kept is on top
        float worst = LogitOf(best[0]);
        for (int i = k; i < logits.Length; i++)
        {
            if (logits[i] < worst)
                continue;
            ulong key = Key(logits[i], ids.IsEmpty ? i : ids[i]);
            if (key >= best[0])
                continue;
            best[0] = key;
            SiftDown(best, 0);
            worst = LogitOf(best[0]);
        }

        best.Sort();
    }

    private static void SiftDown(Span<ulong> heap, int i)
    {
        ulong moved = heap[i];
        while (true)
        {
            int child = (2 * i) + 1;
            if (child >= heap.Length)
                break;
            if (child + 1 < heap.Length && heap[child + 1] > heap[child])
                child++;
            if (heap[child] <= moved)
                break;
            heap[i] = heap[child];
            i = child;
        }

        heap[i] = moved;
    }
}
