using Candela.Data;

namespace Candela.Training;

/// <summary>The moving average of a model: of its weights, and of the buffers that go with them (batch norm's running mean and variance), both by <see cref="WeightAverage"/>'s rule. Averaged
/// weights with the last step's statistics would be two models in one.</summary>
internal sealed class ModelAverage<TBatch>
    where TBatch : class, IBatch
{
    private readonly ITrainable<TBatch> _model;
    private readonly WeightAverage _weights;
    private readonly Dictionary<string, WeightAverage> _buffers;

    public ModelAverage(ITrainable<TBatch> model, double decay)
    {
        (_model, _weights) = (model, new WeightAverage(model.Parameters, decay));
        _buffers = model.SaveBuffers().Where(b => model.IsAveraged(b.Key)).ToDictionary(b => b.Key, b => new WeightAverage(b.Value, decay));
    }

    public float[] Weights => _weights.Average;

    public long Updates => _weights.Updates;

    /// <summary>The averaged buffers alone, for a checkpoint.</summary>
    public IReadOnlyDictionary<string, float[]> Averages => _buffers.ToDictionary(b => b.Key, b => b.Value.Average);

    /// <summary>All buffers of the averaged model; those that are not averaged (counters) as they are now. Copies.</summary>
    public IReadOnlyDictionary<string, float[]> Buffers() =>
        _model.SaveBuffers().ToDictionary(b => b.Key, b => _buffers.TryGetValue(b.Key, out WeightAverage? average) ? (float[])average.Average.Clone() : b.Value);

    /// <summary>Takes in the model after a step.</summary>
    public void Update()
    {
        _weights.Update(_model.Parameters);
        if (_buffers.Count == 0)
            return;
        foreach ((string name, float[] value) in _model.SaveBuffers())
            if (_buffers.TryGetValue(name, out WeightAverage? average))
                average.Update(value);
    }

    /// <summary>Goes on from a checkpoint.</summary>
    public void Load(float[] weights, IReadOnlyDictionary<string, float[]> buffers, long updates)
    {
        _weights.Load(weights, updates);
        foreach ((string name, WeightAverage average) in _buffers)
            average.Load(buffers[name], updates);
    }
}
