using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Layer normalisation over the last axis: [..., width] -> the same. Keys <c>weight</c> and <c>bias</c>, [width], as torch.nn.LayerNorm. Source: Ba et al. 2016.</summary>
public sealed class LayerNorm : Layer
{
    private LayerParameter? _weight, _bias;

    /// <summary>Creates it.</summary>
    /// <param name="epsilon">Added to the variance. Default 1e-5.</param>
    public LayerNorm(double epsilon = 1e-5) =>
        Epsilon = epsilon > 0 ? epsilon : throw new UsageException($"Layer norm needs an epsilon above 0; got {epsilon}.");

    /// <summary>Added to the variance.</summary>
    public double Epsilon { get; }

    internal LayerParameter Weight => _weight!;

    internal LayerParameter Bias => _bias!;

    /// <inheritdoc/>
    public override string TypeId => "layer-norm";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        if (input.Count == 0)
            throw new ShapeException("LayerNorm needs examples of one axis or more; got single numbers.");
        if (InputShape is { } built && built.Last != input.Last)
            throw new ShapeException($"LayerNorm was built for examples of width {built.Last}; got {input}.");
        return input;
    }

    /// <inheritdoc/>
    public override double Flops(Shape input) => 2.0 * input.Elements;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        _weight = Parameter("weight", [input.Last], Initializers.Ones, decays: false);
        _bias = Parameter("bias", [input.Last], Initializers.Zeros, decays: false);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => nn.functional.layer_norm(input, [input.size(-1)], _weight!.Value, _bias!.Value, Epsilon);

    internal override void WriteOptions(JsonObject options) => options["epsilon"] = Epsilon;
}
