using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A part of a key and nothing else: what stands between the dots of <c>attention.self.query</c>.</summary>
internal sealed class KeyGroup : Layer
{
    public override string TypeId => "group";

    public override Shape OutputShape(Shape input) => input;

    protected override Tensor Compute(Tensor input) => input.alias();
}
