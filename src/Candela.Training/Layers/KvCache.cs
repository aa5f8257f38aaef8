using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Keys and values of the tokens one sequence has read, for every layer: [1, heads, capacity, width] each, allocated ahead and doubled when full.</summary>
internal sealed class KvCache : IDisposable
{
    private readonly Tensor?[] _keys, _values;
    private readonly int _limit;

    public KvCache(int layers, int limit) => (_keys, _values, _limit) = (new Tensor?[layers], new Tensor?[layers], limit);

    /// <summary>Tokens all layers have.</summary>
    public int Length { get; private set; }

    /// <summary>Writes a layer's new keys and values [1, H, T, D] behind the present ones.</summary>
    public void Write(int layer, Tensor keys, Tensor values)
    {
        Put(ref _keys[layer], keys);
        Put(ref _values[layer], values);
    }

    /// <summary>A view of a layer's keys from a position on, those of this pass included: [1, H, count, D].</summary>
    public Tensor Keys(int layer, int from, int count) => _keys[layer]!.narrow(2, from, count);

    /// <summary>A view of a layer's values.</summary>
    public Tensor Values(int layer, int from, int count) => _values[layer]!.narrow(2, from, count);

    /// <summary>Counts the tokens all layers have written.</summary>
    public void Advance(int count) => Length += count;

    /// <summary>Forgets tokens; what is written next replaces them.</summary>
    public void RollBack(int length) => Length = length;

    /// <summary>A copy of the filled part.</summary>
    public KvCache Fork()
    {
        var copy = new KvCache(_keys.Length, _limit) { Length = Length };
        if (Length == 0)
            return copy;
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        for (int i = 0; i < _keys.Length; i++)
        {
            copy._keys[i] = scope.Release(Enlarged(_keys[i]!, Capacity(Length + 1)));
            copy._values[i] = scope.Release(Enlarged(_values[i]!, Capacity(Length + 1)));
        }

        return copy;
    }

    public void Dispose()
    {
        for (int i = 0; i < _keys.Length; i++)
        {
            _keys[i]?.Dispose();
            _values[i]?.Dispose();
            (_keys[i], _values[i]) = (null, null);
        }
    }

    private void Put(ref Tensor? store, Tensor fresh)
    {
        int needed = Length + (int)fresh.size(2);
        if (store is null || store.size(2) < needed)
        {
            Tensor larger = store is null
                ? empty([fresh.size(0), fresh.size(1), Capacity(needed), fresh.size(3)], fresh.dtype, fresh.device)
                : Enlarged(store, Capacity(needed));
            store?.Dispose();
            store = larger.DetachFromDisposeScope();
        }

        using Tensor place = store.narrow(2, Length, fresh.size(2));
        place.copy_(fresh).Dispose();
    }

    private Tensor Enlarged(Tensor from, int capacity)
    {
        Tensor larger = empty([from.size(0), from.size(1), capacity, from.size(3)], from.dtype, from.device);
        if (Length > 0)
        {
            using Tensor source = from.narrow(2, 0, Length), place = larger.narrow(2, 0, Length);
            place.copy_(source).Dispose();
        }

        return larger;
    }

    private int Capacity(int needed) => Math.Min(_limit, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(needed, 64)));
}
