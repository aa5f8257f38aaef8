namespace Candela.Data;

/// <summary>Mean, variance and skewness of a stream in one pass (Welford 1962; third moment after Pébay 2008, SAND2008-6212, eq. 2.9). NaN and infinities are not finite cells: counted, not used.</summary>
internal struct NumberMoments
{
    private double _m2, _m3;

    public NumberMoments() => (Min, Max) = (float.PositiveInfinity, float.NegativeInfinity);

    public long Count { get; private set; }

    public long Missing { get; private set; }

    public double Mean { get; private set; }

    public float Min { get; private set; }

    public float Max { get; private set; }

    /// <summary>Population standard deviation.</summary>
    public readonly double Deviation => Count == 0 ? 0 : Math.Sqrt(_m2 / Count);

    /// <summary>Population skewness; 0 for a constant.</summary>
    public readonly double Skewness => _m2 > 0 ? Math.Sqrt(Count) * _m3 / Math.Pow(_m2, 1.5) : 0;

    /// <summary>True when the value was finite and counted.</summary>
    public bool Add(float value)
    {
        if (!float.IsFinite(value))
        {
            Missing++;
            return false;
        }

        double n = ++Count, delta = value - Mean, step = delta / n, term = delta * step * (n - 1);
        Mean += step;
        _m3 += (term * step * (n - 2)) - (3 * step * _m2);
        _m2 += term;
        (Min, Max) = (Math.Min(Min, value), Math.Max(Max, value));
        return true;
    }
}
