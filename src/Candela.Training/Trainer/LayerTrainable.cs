using Candela.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A network with a loss of its own over batches of any kind, as <see cref="TrainingLoop"/> trains it.</summary>
internal abstract class LayerTrainable<TBatch> : ITrainable<TBatch>, IDisposable
    where TBatch : class, IBatch
{
    private readonly Layer _network;
    private readonly FlatParameters _flat;
    private readonly long _seed;
    private bool? _training;

    /// <summary>Moves the network's trained parameters into flat buffers.</summary>
    /// <param name="network">Built; it stays the caller's.</param>
    /// <param name="seed">Of dropout.</param>
    protected LayerTrainable(Layer network, long seed)
    {
        (_network, _seed) = (network, seed);
        _flat = new FlatParameters(network);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ParameterSegment> Segments => _flat.Segments;

    /// <inheritdoc/>
    public Span<float> Parameters => _flat.Values;

    /// <inheritdoc/>
    public Span<float> Gradients => _flat.Gradients;

    /// <summary>Whether the network drops numbers while it is trained; default yes.</summary>
    protected virtual bool Drops => true;

    /// <summary>The network.</summary>
    protected Layer Network => _network;

    /// <summary>Where the network is.</summary>
    protected Device Device => _flat.Device;

    /// <inheritdoc/>
    public virtual double WeightOf(TBatch batch) => batch.Count;

    /// <inheritdoc/>
    public BatchLoss Differentiate(TBatch batch, long step, bool accumulate, double gradientScale)
    {
        using TensorScope scope = TensorScope.Begin();
        Mode(Drops);
        _flat.Upload();
        if (!accumulate)
            _flat.ZeroGradients();
        double weight = WeightOf(batch);
        if (weight == 0)
            return default;
        _network.BeginStep(_seed, step);
        double sum = Backward(batch, weight, gradientScale);
        _flat.Download();
        return new BatchLoss(sum, weight);
    }

    /// <inheritdoc/>
    public abstract ValidationResult Evaluate(IBatchSource<TBatch> rows);

    /// <summary>Leaves the network in evaluation mode with the final values.</summary>
    public void Dispose()
    {
        _flat.Upload();
        _network.eval();
        _flat.Dispose();
    }

    /// <summary>The loss of a batch divided by its weight, recorded for the gradient.</summary>
    protected abstract Tensor MeanLoss(TBatch batch);

    /// <summary>Adds the gradient of the mean loss times <paramref name="gradientScale"/> and gives the loss times <paramref name="weight"/>.</summary>
    protected virtual double Backward(TBatch batch, double weight, double gradientScale)
    {
        Tensor loss = MeanLoss(batch);
        (gradientScale == 1 ? loss : loss * gradientScale).backward();
        return loss.ToDouble() * weight;
    }

    /// <summary>Puts the network with its present values into evaluation mode.</summary>
    protected void BeginEvaluation()
    {
        Mode(training: false);
        _flat.Upload();
    }

    private void Mode(bool training)
    {
        if (_training == training)
            return;
        _network.train(training);
        _training = training;
    }
}
