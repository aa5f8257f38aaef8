namespace Candela.Data;

/// <summary>Keeps garbage bounded where a large table is worked on. Arrays of 85,000 bytes and more are freed by full collections only, and the runtime makes those the rarer the more
/// memory is alive: beside a table of 256 MiB it lets several hundred megabytes of dead arrays pile up, how many depending on when it last collected.
/// A full collection costs some milliseconds here, because what is alive is mostly arrays without references.</summary>
internal static class GarbageBound
{
    private const long Bytes = 32L << 20;

    // Below this the runtime's own schedule is cheaper, and the peak low anyway.
    private const long SmallHeap = 128L << 20;

    private static long _seen;

    /// <summary>Collects when 32 MiB have been allocated since the last time and more than 128 MiB are in use. To be called between pieces of work, where what the last piece needed is dead.</summary>
    public static void Hold()
    {
        long allocated = GC.GetTotalAllocatedBytes(precise: false), seen = Interlocked.Read(ref _seen);
        if (allocated - seen < Bytes || Interlocked.CompareExchange(ref _seen, allocated, seen) != seen)
            return;
        if (GC.GetTotalMemory(forceFullCollection: false) > SmallHeap)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
    }
}
