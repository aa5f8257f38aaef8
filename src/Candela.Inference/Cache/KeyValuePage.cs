using System.Runtime.InteropServices;

namespace Candela.Inference.Cache;

/// <summary>Keys and values of 64 positions in every layer, as halves. Pages are counted: states that share a beginning share its pages, and one is copied when a state that is not its only holder writes into it.</summary>
internal sealed unsafe class KeyValuePage
{
    /// <summary>Positions of a page.</summary>
    public const int Positions = 64;

    private readonly Half* _memory;
    private readonly nint _layer, _group;
    private int _holders = 1;

    /// <summary>A page for a model's layers, groups (heads of keys) and numbers of a head.</summary>
    public KeyValuePage(int layers, int groups, int width)
    {
        _group = (nint)Positions * width;
        _layer = 2 * groups * _group;
        Halves = layers * _layer;
        (Groups, Width) = (groups, width);
        _memory = (Half*)NativeMemory.AlignedAlloc((nuint)Halves * 2, 64);
        GC.AddMemoryPressure(Halves * 2);
    }

    public nint Halves { get; }

    public bool IsShared => Volatile.Read(ref _holders) > 1;

    private int Groups { get; }

    private int Width { get; }

    /// <summary>Keys of a layer and group: [positions, width].</summary>
    public Half* Keys(int layer, int group) => _memory + (layer * _layer) + (group * _group);

    /// <summary>Values of a layer and group: [positions, width].</summary>
    public Half* Values(int layer, int group) => _memory + (layer * _layer) + ((Groups + group) * _group);

    public KeyValuePage Hold()
    {
        _ = Interlocked.Increment(ref _holders);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) > 0)
            return;
        NativeMemory.AlignedFree(_memory);
        GC.RemoveMemoryPressure(Halves * 2);
    }

    public KeyValuePage Copy(int layers)
    {
        var copy = new KeyValuePage(layers, Groups, Width);
        Buffer.MemoryCopy(_memory, copy._memory, Halves * 2, Halves * 2);
        return copy;
    }
}
