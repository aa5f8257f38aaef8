using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>All axes of an example as one, row-major: [C, H, W] -> [C H W].</summary>
public sealed class Flatten : Layer
{
    /// <inheritdoc/>
    public override string TypeId => "flatten";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => [checked((int)input.Elements)];

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.dim() == 1 ? input.unsqueeze(1) : input.flatten(1);
}
