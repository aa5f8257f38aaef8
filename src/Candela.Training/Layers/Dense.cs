using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A fully connected layer, y = act(x W^T + b): [..., in] -> [..., units]. Keys <c>weight</c> [units, in] and <c>bias</c> [units], as torch.nn.Linear has them.</summary>
public sealed class Dense : Layer, IAffineLayer, ILowRankHost
{
    private readonly Initializer _initializer;
    private readonly Activation? _activation;
    private LayerParameter? _weight, _bias;

    /// <summary>Creates it; the input's width is found out when it is built.</summary>
    /// <param name="units">Outputs, at least 1.</param>
    /// <param name="activation">Applied to the outputs. Default none.</param>
    /// <param name="bias">Whether a trained offset is added. Default true.</param>
    /// <param name="initializer">How the weight begins; the default fits the activation.</param>
    public Dense(int units, ActivationKind activation = ActivationKind.None, bool bias = true, Initializer? initializer = null)
    {
        if (units < 1)
            throw new UsageException($"Dense needs units of 1 or more; got {units}.");
        (Units, ActivationKind, HasBias, _initializer) = (units, activation, bias, initializer ?? activation.DefaultInitializer());
        if (activation != ActivationKind.None)
            _activation = Child("activation", new Activation(activation));
    }

    /// <summary>Outputs.</summary>
    public int Units { get; }

    /// <summary>Applied to the outputs.</summary>
    public ActivationKind ActivationKind { get; }

    /// <summary>Whether a trained offset is added.</summary>
    public bool HasBias { get; }

    /// <inheritdoc/>
    public override string TypeId => "dense";

    LayerParameter IAffineLayer.Weight => _weight!;

    LayerParameter ILowRankHost.Weight => _weight!;

    LayerParameter? ILowRankHost.Bias => _bias;

    bool ILowRankHost.IsTransposed => false;

    LowRankUpdate? ILowRankHost.Update { get; set; }

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        if (input.Count == 0)
            throw new ShapeException($"Dense({Units}) needs examples of one axis or more, [..., width]; got single numbers.");
        if (InputShape is { } built && built.Last != input.Last)
            throw new ShapeException($"Dense({Units}) was built for examples of width {built.Last}; got {input}.");
        return input.WithLast(Units);
    }

    /// <inheritdoc/>
    public override double Flops(Shape input) => 2.0 * input.Elements * Units;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        _weight = Parameter("weight", [Units, input.Last], _initializer, decays: true);
        if (HasBias)
            _bias = Parameter("bias", [Units], Initializers.Zeros, decays: false);
        if (_activation is not null)
            BuildChild(_activation, OutputShape(input));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        Tensor output = ((IAffineLayer)this).Affine(input);
        return _activation is null ? output : _activation.Consume(output);
    }

    Tensor IAffineLayer.Affine(Tensor input)
    {
        Tensor output = Bfloat16Products.Linear(input, _weight!.Value, _bias?.Value);
        ((ILowRankHost)this).Update?.AddTo(output, input);
        return output;
    }

    internal override void WriteOptions(JsonObject options)
    {
        options["units"] = Units;
        options["activation"] = ActivationKind.Id();
        options["bias"] = HasBias;
    }
}
