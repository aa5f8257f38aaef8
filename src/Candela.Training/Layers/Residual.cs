using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A residual block: act(body(x) + shortcut(x)), the shortcut being x itself or a projection (a 1x1 convolution, say) where shapes differ. Source: He et al. 2016.</summary>
public sealed class Residual : Layer
{
    private readonly List<Layer> _body = [];
    private readonly Layer? _projection;
    private readonly Activation? _activation;

    /// <summary>Creates it; it owns the layers from then on.</summary>
    /// <param name="body">Layers of the body, in order.</param>
    /// <param name="projection">Applied to x on the shortcut, key <c>projection</c>; null (default) adds x itself, whose shape must equal the body's output.</param>
    /// <param name="activation">Applied to the sum. Default none.</param>
    public Residual(IReadOnlyList<Layer> body, Layer? projection = null, ActivationKind activation = ActivationKind.None)
    {
        if (body.Count == 0)
            throw new UsageException("Residual needs at least one layer in its body.");
        foreach ((string name, Layer layer) in LayerNames.Assign(body))
        {
            if (name is "projection" or "activation")
                throw new UsageException($"A layer in a residual block's body can not be called '{name}'; that name is the block's own.");
            _body.Add(Child(name, layer));
        }

        if (projection is not null)
            _projection = Child("projection", projection);
        ActivationKind = activation;
        if (activation != ActivationKind.None)
            _activation = Child("activation", new Activation(activation));
    }

    /// <summary>Applied to the sum.</summary>
    public ActivationKind ActivationKind { get; }

    /// <inheritdoc/>
    public override string TypeId => "residual";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        Shape body = LayerNames.OutputOf(Children.Take(_body.Count), input);
        Shape shortcut = _projection?.OutputShape(input) ?? input;
        return body.Equals(shortcut)
            ? body
            : throw new ShapeException($"Residual: the body gives {body} and the shortcut {shortcut} for examples of {input}; they must be equal. Add or change the projection.");
    }

    /// <inheritdoc/>
    public override double Flops(Shape input) => OutputShape(input).Elements;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        Shape at = input;
        foreach (Layer layer in _body)
        {
            BuildChild(layer, at);
            at = layer.OutputShape(at);
        }

        if (_projection is not null)
            BuildChild(_projection, input);
        if (_activation is not null)
            BuildChild(_activation, at);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        Tensor sum = Chain(_body, input) + (_projection is null ? input : _projection.call(input));
        return _activation is null ? sum : _activation.Consume(sum);
    }

    internal override bool TakesOwnInput(string child) => child == "projection";

    internal override void WriteOptions(JsonObject options) => options["activation"] = ActivationKind.Id();
}
