using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Candela.Training;

/// <summary>(y - t)^2 of every number; the mean is over all numbers.</summary>
public sealed class MeanSquaredError : Loss
{
    /// <inheritdoc/>
    public override TargetForm Targets => TargetForm.Values;

    /// <inheritdoc/>
    public override Tensor Of(Tensor outputs, Tensor targets, Tensor? rowWeights = null)
    {
        RequireSameShape(outputs, targets);
        return rowWeights is null && Reduction == Reduction.Mean ? F.mse_loss(outputs, targets) : Reduce(F.mse_loss(outputs, targets, nn.Reduction.None), rowWeights);
    }
}

/// <summary>|y - t| of every number; the gradient at 0 is 0.</summary>
public sealed class MeanAbsoluteError : Loss
{
    /// <inheritdoc/>
    public override TargetForm Targets => TargetForm.Values;

    /// <inheritdoc/>
    public override Tensor Of(Tensor outputs, Tensor targets, Tensor? rowWeights = null)
    {
        RequireSameShape(outputs, targets);
        return Reduce(F.l1_loss(outputs, targets, nn.Reduction.None), rowWeights);
    }
}

/// <summary>d^2 / 2 where |d| = |y - t| is at most Delta, else Delta (|d| - Delta / 2) (Huber 1964; PyTorch's huber_loss).</summary>
public sealed class Huber : Loss
{
    /// <summary>The bound between square and line, above 0. Default 1.</summary>
    public double Delta { get; init; } = 1;

    /// <inheritdoc/>
    public override TargetForm Targets => TargetForm.Values;

    /// <inheritdoc/>
    public override Tensor Of(Tensor outputs, Tensor targets, Tensor? rowWeights = null)
    {
        if (!(Delta > 0))
            throw new UsageException($"Huber's Delta is {Delta}; it must be above 0.");
        RequireSameShape(outputs, targets);
        return Reduce(F.huber_loss(outputs, targets, delta: Delta, reduction: nn.Reduction.None), rowWeights);
    }
}
