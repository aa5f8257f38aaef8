using Candela.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>A forecasting net as <see cref="TrainingLoop"/> trains it: the loss is Huber's (quadratic up to one spread of the window, linear beyond), the mean over the steps of the horizon.</summary>
/// <param name="network">Built; it stays the caller's.</param>
/// <param name="shape">Its window and horizon.</param>
/// <param name="seed">Of dropout.</param>
internal sealed class ForecastTrainable(ForecastNetwork network, ForecastShape shape, long seed) : LayerTrainable<WindowBatch>(network, seed)
{
    /// <summary>Windows of a batch that is not trained on.</summary>
    public const int EvaluationBatch = 256;

    /// <inheritdoc/>
    public override ValidationResult Evaluate(IBatchSource<WindowBatch> rows)
    {
        BeginEvaluation();
        BatchLoss total = default;
        using IDisposable quiet = no_grad();
        foreach (WindowBatch batch in rows.Batches(new BatchPlan(EvaluationBatch)))
        {
            using TensorScope scope = TensorScope.Begin();
            total += new BatchLoss((double)MeanLoss(batch).ToSingle() * batch.Count, batch.Count);
        }

        return new ValidationResult(total.Mean, null);
    }

    /// <summary>What the net gives for a batch, [N, horizon]. Call it within a <see cref="TensorScope"/>.</summary>
    /// <remarks>The inputs are copied: a tensor laid over a managed array begins at any address, and kernels that mind alignment then round differently from run to run.</remarks>
    public static Tensor Outputs(ForecastNetwork network, ForecastShape shape, WindowBatch batch, Device device) =>
        network.call(TensorMemory.FromSingles(batch.Inputs.AsSpan(0, batch.Count * shape.Window * (1 + shape.Inputs)), batch.Count, shape.Window, 1 + shape.Inputs).to(device));

    /// <inheritdoc/>
    protected override Tensor MeanLoss(WindowBatch batch) => nn.functional.huber_loss(Outputs(network, shape, batch, Device),
        TensorMemory.FromSingles(batch.Targets.AsSpan(0, batch.Count * shape.Horizon), batch.Count, shape.Horizon).to(Device));
}
