namespace Candela.Data;

/// <summary>Some examples a model is given at once.</summary>
public interface IBatch
{
    /// <summary>Number of examples: rows of a table, or sequences of tokens.</summary>
    int Count { get; }
}

/// <summary>Examples that can be read again and again, in any seeded order, without holding them all in memory.</summary>
/// <typeparam name="TBatch">What comes at once.</typeparam>
public interface IBatchSource<out TBatch>
    where TBatch : class, IBatch
{
    /// <summary>Number of examples of one epoch.</summary>
    long Count { get; }

    /// <summary>The batches of one epoch. The yielded batch object may be reused: it is valid until the next is asked for. Not for use from several threads at once.</summary>
    IEnumerable<TBatch> Batches(BatchPlan plan);
}
