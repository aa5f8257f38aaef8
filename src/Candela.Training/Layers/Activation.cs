using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>An activation as a layer: any shape in, the same shape out. Finite for inputs up to +-1e4 and beyond.</summary>
public sealed class Activation : Layer
{
    private LayerParameter? _slope;

    /// <summary>Creates it. <see cref="ActivationKind.PRelu"/> has one trained slope, key <c>weight</c>, shape [1].</summary>
    public Activation(ActivationKind kind) => Kind = kind;

    /// <summary>The function.</summary>
    public ActivationKind Kind { get; }

    /// <inheritdoc/>
    public override string TypeId => "activation";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) =>
        Kind == ActivationKind.Softmax && input.Count == 0 ? throw new ShapeException("Softmax needs examples of one axis or more; got single numbers.") : input;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        if (Kind == ActivationKind.PRelu)
            _slope = Parameter("weight", [1], Initializers.Constant(0.25), decays: false);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => Apply(input);

    /// <summary>Applies to a tensor that nobody else uses and whose making does not need it for its gradient: in place if it is a ReLU, whose gradient follows from its result, else freed.</summary>
    internal Tensor Consume(Tensor x)
    {
        if (Kind == ActivationKind.Relu)
            return x.relu_();
        Tensor result = Apply(x);
        x.Dispose();
        return result;
    }

    internal Tensor Apply(Tensor x) => Kind switch
    {
        ActivationKind.None => x.alias(),
        ActivationKind.Sigmoid => x.sigmoid(),
        ActivationKind.Tanh => x.tanh(),
        ActivationKind.Relu => x.relu(),
        ActivationKind.Softmax => nn.functional.softmax(x, -1),
        ActivationKind.Gelu => nn.functional.gelu(x),
        ActivationKind.Silu => nn.functional.silu(x),
        ActivationKind.LeakyRelu => nn.functional.leaky_relu(x, 0.01),
        ActivationKind.Elu => nn.functional.elu(x, 1.0),
        ActivationKind.Softplus => nn.functional.softplus(x, 1, 20),
        ActivationKind.PRelu => nn.functional.prelu(x, _slope!.Value),
        _ => throw new UsageException($"Activation {Kind} is unknown."),
    };

    internal override void WriteOptions(JsonObject options) => options["activation"] = Kind.Id();
}
