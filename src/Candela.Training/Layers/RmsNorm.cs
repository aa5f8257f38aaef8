using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Root-mean-square normalisation over the last axis, y = w x / sqrt(mean(x^2) + epsilon): [..., width] -> the same. Key <c>weight</c> [width]. Source: Zhang and Sennrich 2019.</summary>
public sealed class RmsNorm : Layer
{
    private LayerParameter? _weight;

    /// <summary>Creates it.</summary>
    /// <param name="epsilon">Added to the mean square. Default 1e-6.</param>
    public RmsNorm(double epsilon = 1e-6) =>
        Epsilon = epsilon > 0 ? epsilon : throw new UsageException($"RMS norm needs an epsilon above 0; got {epsilon}.");

    /// <summary>Added to the mean square.</summary>
    public double Epsilon { get; }

    internal LayerParameter Weight => _weight!;

    /// <inheritdoc/>
    public override string TypeId => "rms-norm";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        if (input.Count == 0)
            throw new ShapeException("RmsNorm needs examples of one axis or more; got single numbers.");
        if (InputShape is { } built && built.Last != input.Last)
            throw new ShapeException($"RmsNorm was built for examples of width {built.Last}; got {input}.");
        return input;
    }

    /// <inheritdoc/>
    public override double Flops(Shape input) => 4.0 * input.Elements;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input) => _weight = Parameter("weight", [input.Last], Initializers.Ones, decays: false);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        using Tensor square = input.square();
        using Tensor mean = square.mean([-1L], keepdim: true);
        using Tensor shifted = mean.add(Epsilon);
        using Tensor scale = shifted.rsqrt();
        using Tensor normal = input.mul(scale);
        return normal.mul(_weight!.Value);
    }

    internal override void WriteOptions(JsonObject options) => options["epsilon"] = Epsilon;
}
