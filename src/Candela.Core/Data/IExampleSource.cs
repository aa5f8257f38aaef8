namespace Candela.Data;

/// <summary>In which order and in what size batches come.</summary>
/// <param name="BatchSize">Rows per batch; the last one may be smaller.</param>
public sealed record BatchPlan(int BatchSize)
{
    /// <summary>Null (the default) reads rows in order; otherwise the order is a pure function of the seed and <see cref="Epoch"/>.</summary>
    public long? ShuffleSeed { get; init; }

    /// <summary>The epoch, from 0.</summary>
    public int Epoch { get; init; }

    /// <summary>Batches to leave out at the start (resuming in the middle of an epoch).</summary>
    public long Skip { get; init; }

    /// <summary>Only labels or targets are wanted: the source may leave features out and give smaller batches. For one pass in order (no seed, no skip). Default false.</summary>
    public bool TargetsOnly { get; init; }
}

/// <summary>Encoded rows that can be read again and again, in any seeded order, without holding them all in memory.</summary>
public interface IExampleSource : IBatchSource<FeatureBatch>
{
    /// <summary>What each row holds.</summary>
    FeatureLayout Layout { get; }
}
