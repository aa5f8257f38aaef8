using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>The mean of each channel over all positions: [C, ...] -> [C].</summary>
public sealed class GlobalAveragePool : Layer
{
    /// <inheritdoc/>
    public override string TypeId => "global-average-pool";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => GlobalPoolRules.Output("GlobalAveragePool", input);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.flatten(2).mean([2]);
}

/// <summary>The largest value of each channel over all positions: [C, ...] -> [C].</summary>
public sealed class GlobalMaxPool : Layer
{
    /// <inheritdoc/>
    public override string TypeId => "global-max-pool";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => GlobalPoolRules.Output("GlobalMaxPool", input);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        (Tensor values, Tensor indexes) = input.flatten(2).max(2);
        indexes.Dispose();
        return values;
    }
}

internal static class GlobalPoolRules
{
    public static Shape Output(string layer, Shape input) => input.Count >= 2
        ? [input[0]]
        : throw new ShapeException($"{layer} needs examples of shape [channels, positions...]; got {input}.");
}
