using Candela.Training.Transformers;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>The gated feed-forward block of the Llama family, down(act(gate(x)) * up(x)): [..., width] -> [..., width]. Keys <c>gate_proj</c>, <c>up_proj</c>, <c>down_proj</c>. Source: Shazeer 2020.</summary>
public sealed class SwiGlu : Layer
{
    private readonly int _hidden;
    private readonly bool _bias;
    private readonly Initializer _initializer;
    private readonly TransformerActivation _activation;
    private readonly Dense _gate, _up;
    private Dense? _down;

    /// <summary>Creates it.</summary>
    /// <param name="hidden">Width between the projections, at least 1.</param>
    /// <param name="bias">Offsets of all three. Default none.</param>
    /// <param name="activation">Of the gate. Default SiLU.</param>
    /// <param name="initializer">How weights begin. Default normal with deviation 0.02.</param>
    public SwiGlu(int hidden, bool bias = false, TransformerActivation activation = TransformerActivation.Silu, Initializer? initializer = null)
    {
        (_hidden, _bias, _activation, _initializer) = (hidden, bias, activation, initializer ?? Initializers.Normal(0, 0.02));
        _gate = Child("gate_proj", new Dense(hidden, bias: bias, initializer: _initializer));
        _up = Child("up_proj", new Dense(hidden, bias: bias, initializer: _initializer));
    }

    /// <inheritdoc/>
    public override string TypeId => "swiglu";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        _ = _gate.OutputShape(input);
        return input;
    }

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        _down ??= Child("down_proj", new Dense(input.Last, bias: _bias, initializer: _initializer));
        BuildChild(_gate, input);
        BuildChild(_up, input);
        BuildChild(_down, input.WithLast(_hidden));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        using Tensor gate = _gate.call(input), open = _activation.Apply(gate), up = _up.call(input), gated = open.mul(up);
        return _down!.call(gated);
    }

    /// <summary>What it is made of.</summary>
    internal FeedForwardParts Parts => new(_gate, _up, _down!, _activation);

    internal override bool TakesOwnInput(string child) => child != "down_proj";

    internal override Shape? InnerInput(string child, Shape input) => child == "down_proj" ? input.WithLast(_hidden) : null;
}
