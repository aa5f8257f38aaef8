using Candela.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>A forecasting net as <see cref="TrainingLoop"/> trains it: the loss is Huber's (quadratic up to one spread of the window, linear beyond), the mean over the steps of the horizon.</summary>
internal sealed class ForecastTrainable : ITrainable<WindowBatch>, IDisposable
{
    /// <summary>Windows of a batch that is not trained on.</summary>
    public const int EvaluationBatch = 256;

    private readonly ForecastNetwork _network;
    private readonly ForecastShape _shape;
    private readonly FlatParameters _flat;
    private readonly long _seed;
    private bool _training;

    /// <summary>Moves the net's parameters into flat buffers.</summary>
    /// <param name="network">Built; it stays the caller's.</param>
    /// <param name="shape">Its window and horizon.</param>
    /// <param name="seed">Of dropout.</param>
    public ForecastTrainable(ForecastNetwork network, ForecastShape shape, long seed)
    {
        (_network, _shape, _seed) = (network, shape, seed);
        _flat = new FlatParameters(network);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ParameterSegment> Segments => _flat.Segments;

    /// <inheritdoc/>
    public Span<float> Parameters => _flat.Values;

    /// <inheritdoc/>
    public Span<float> Gradients => _flat.Gradients;

    /// <inheritdoc/>
    public BatchLoss Differentiate(WindowBatch batch, long step, bool accumulate, double gradientScale)
    {
        using TensorScope scope = TensorScope.Begin();
        Mode(training: true);
        _flat.Upload();
        if (!accumulate)
            _flat.ZeroGradients();
        _network.BeginStep(_seed, step);
        Tensor loss = Loss(batch);
        (gradientScale == 1 ? loss : loss * gradientScale).backward();
        _flat.Download();
        return new BatchLoss((double)loss.ToSingle() * batch.Count, batch.Count);
    }

    /// <inheritdoc/>
    public ValidationResult Evaluate(IBatchSource<WindowBatch> rows)
    {
        Mode(training: false);
        _flat.Upload();
        BatchLoss total = default;
        using IDisposable quiet = no_grad();
        foreach (WindowBatch batch in rows.Batches(new BatchPlan(EvaluationBatch)))
        {
            using TensorScope scope = TensorScope.Begin();
            total += new BatchLoss((double)Loss(batch).ToSingle() * batch.Count, batch.Count);
        }

        return new ValidationResult(total.Mean, null);
    }

    /// <summary>Leaves the net in evaluation mode with the final values.</summary>
    public void Dispose()
    {
        _flat.Upload();
        _network.eval();
        _flat.Dispose();
    }

    // Copied: a tensor laid over a managed array begins at any address, and kernels that mind alignment then round differently from run to run.
    /// <summary>What the net gives for a batch, [N, horizon]. Call it within a <see cref="TensorScope"/>.</summary>
    public static Tensor Outputs(ForecastNetwork network, ForecastShape shape, WindowBatch batch, Device device) =>
        network.call(TensorMemory.FromSingles(batch.Inputs.AsSpan(0, batch.Count * shape.Window * (1 + shape.Inputs)), batch.Count, shape.Window, 1 + shape.Inputs).to(device));

    private Tensor Loss(WindowBatch batch) => nn.functional.huber_loss(Outputs(_network, _shape, batch, _flat.Device),
        TensorMemory.FromSingles(batch.Targets.AsSpan(0, batch.Count * _shape.Horizon), batch.Count, _shape.Horizon).to(_flat.Device));

    private void Mode(bool training)
    {
        if (_training == training)
            return;
        _network.train(training);
        _training = training;
    }
}
