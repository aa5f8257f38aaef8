using System.Numerics;

namespace Candela.Training;

/// <summary>Exponential moving average of the weights: average = d average + (1 - d) weights, with d = min(decay, (1 + t) / (10 + t)) at update t (from 1), so that the
/// first weights are soon forgotten.</summary>
public sealed class WeightAverage
{
    private readonly double _decay;

    /// <summary>Starts the average at the present weights.</summary>
    /// <param name="weights">Copied.</param>
    /// <param name="decay">In (0, 1), for example 0.999.</param>
    /// <exception cref="UsageException">The decay is out of range.</exception>
    public WeightAverage(ReadOnlySpan<float> weights, double decay)
    {
        if (decay is not (> 0 and < 1))
            throw new UsageException($"The decay of the weight average is {decay}; it must be between 0 and 1.");
        (Average, _decay) = (weights.ToArray(), decay);
    }

    /// <summary>The averaged weights, in the order of the flat buffer.</summary>
    public float[] Average { get; }

    /// <summary>Updates so far.</summary>
    public long Updates { get; private set; }

    /// <summary>Takes in the weights after a step. One vectorised pass.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization)]
    public void Update(ReadOnlySpan<float> weights)
    {
        if (weights.Length != Average.Length)
            throw new ShapeException($"The average is of {Average.Length} weights; it got {weights.Length}.");
        Updates++;
        double kept = Math.Min(_decay, (1.0 + Updates) / (10 + Updates));
        float keep = (float)kept, take = (float)(1 - kept);
        Vector<float> keeps = new(keep), takes = new(take);
        int i = 0;
        for (; i <= weights.Length - Vector<float>.Count; i += Vector<float>.Count)
            ((keeps * new Vector<float>(Average, i)) + (takes * new Vector<float>(weights[i..]))).CopyTo(Average, i);
        for (; i < weights.Length; i++)
            Average[i] = (keep * Average[i]) + (take * weights[i]);
    }

    /// <summary>Goes on from a saved average.</summary>
    public void Load(ReadOnlySpan<float> average, long updates)
    {
        if (average.Length != Average.Length)
            throw new ShapeException($"The average is of {Average.Length} weights; the saved one has {average.Length}.");
        average.CopyTo(Average);
        Updates = updates;
    }
}
