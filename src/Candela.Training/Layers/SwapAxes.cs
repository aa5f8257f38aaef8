using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Swaps an example's last two axes: [length, channels] of an embedding -> [channels, length] of a 1-d convolution.</summary>
public sealed class SwapAxes : Layer
{
    /// <inheritdoc/>
    public override string TypeId => "swap-axes";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => input.Count >= 2
        ? Shape.Of([.. input.Take(input.Count - 2), input[^1], input[^2]])
        : throw new ShapeException($"SwapAxes needs examples of two axes or more; got {input}.");

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.transpose(-1, -2).contiguous();
}
