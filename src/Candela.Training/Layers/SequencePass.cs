using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>What all layers of one pass over a sequence share: where it starts, its cache, the rotation of its positions, and its masks. Disposed with the pass.</summary>
internal sealed class SequencePass : IDisposable
{
    private readonly Dictionary<int, Tensor> _masks = [];
    private readonly ScalarType _type;
    private readonly Device _device;

    /// <summary>Prepares a pass of <paramref name="count"/> tokens behind those in the cache.</summary>
    public SequencePass(int count, Tensor like, RotaryEmbedding? rotary = null, KvCache? cache = null)
    {
        (Count, Cache, Start, _type, _device) = (count, cache, cache?.Length ?? 0, like.dtype, like.device);
        if (rotary is null)
            return;
        Tensor[] tables = rotary.Tables(Start, count, like.dtype, like.device);
        (Cosines, Sines) = (tables[0], tables[1]);
    }

    public int Count { get; }

    public int Start { get; }

    public KvCache? Cache { get; }

    public Tensor? Cosines { get; }

    public Tensor? Sines { get; }

    /// <summary>The mask added to scores [T, keys] (0 or minus infinity) for keys beginning at position <paramref name="from"/>, or null where the plain causal rule (or none, for one token) does.</summary>
    /// <param name="window">How far back a token sees, itself included; 0 for all.</param>
    /// <param name="from">Position of the first key.</param>
    public Tensor? Mask(int window, int from)
    {
        int end = Start + Count;
        bool narrow = window > 0 && window < end - from;
        if (!narrow && (Start == 0 || Count == 1))
            return null;
        if (_masks.TryGetValue(window, out Tensor? mask))
            return mask;
        int keys = end - from;
        var values = new float[Count * keys];
        for (int t = 0; t < Count; t++)
        {
            for (int k = 0; k < keys; k++)
            {
                int back = Start + t - (from + k);
                values[(t * keys) + k] = back >= 0 && (window == 0 || back < window) ? 0 : float.NegativeInfinity;
            }
        }

        Tensor made = TensorMemory.FromSingles(values, Count, keys);
        return _masks[window] = _type == ScalarType.Float32 && _device.type == TorchSharp.DeviceType.CPU ? made : made.to(_type, _device, disposeAfter: true);
    }

    public void Dispose()
    {
        Cosines?.Dispose();
        Sines?.Dispose();
        foreach (Tensor mask in _masks.Values)
            mask.Dispose();
    }
}
