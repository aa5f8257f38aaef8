namespace Candela.Metrics;

/// <summary>What all text metrics have in common: how the 95 % interval over segments is drawn.</summary>
public abstract record TextMetricOptions
{
    /// <summary>Bootstrap resamples of the segments. Default 1000; 0 leaves the interval empty (low = high = value).</summary>
    public int Resamples { get; init; } = 1000;

    /// <summary>Seed of the resamples. Default 0.</summary>
    public long Seed { get; init; }
}
