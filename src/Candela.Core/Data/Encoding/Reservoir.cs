namespace Candela.Data;

/// <summary>A uniform sample of bounded size from a stream of unknown length: Algorithm L (Li 1994, ACM TOMS 20(4)), which draws random numbers only
/// for the values it takes. Holds every value while there are no more than the capacity, so that quantiles are then exact.</summary>
internal sealed class Reservoir(int capacity, long seed)
{
    private readonly Rng _rng = new(seed, 0x5A3D);
    private float[] _values = new float[Math.Min(capacity, 256)];
    private double _weight = 1;
    private long _next = -1;

    /// <summary>Values offered.</summary>
    public long Seen { get; private set; }

    /// <summary>Values held.</summary>
    public int Count { get; private set; }

    public void Add(float value)
    {
        Seen++;
        if (Count < capacity)
        {
            if (Count == _values.Length)
                Array.Resize(ref _values, Math.Min(capacity, 2 * Count));
            _values[Count++] = value;
        }
        else
        {
            if (_next < 0)
                _next = capacity + Skip();
            if (Seen - 1 != _next)
                return;
            _values[_rng.Next(capacity)] = value;
            _next += 1 + Skip();
        }
    }

    /// <summary>The sample in ascending order.</summary>
    public float[] Sorted()
    {
        float[] sorted = _values.AsSpan(0, Count).ToArray();
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996, NumPy's default).</summary>
    public static double Quantile(ReadOnlySpan<float> sorted, double share)
    {
        if (sorted.IsEmpty)
            return double.NaN;
        double position = share * (sorted.Length - 1);
        int below = (int)position;
        return below + 1 >= sorted.Length ? sorted[^1] : sorted[below] + ((position - below) * ((double)sorted[below + 1] - sorted[below]));
    }

    private long Skip()
    {
        _weight *= Math.Exp(Math.Log(1 - _rng.NextDouble()) / capacity);
        return (long)Math.Floor(Math.Log(1 - _rng.NextDouble()) / Math.Log(1 - _weight));
    }
}
