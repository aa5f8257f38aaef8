using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Layers one after the other. <code>var net = new Sequential(new Conv2d(32, 3, activation: ActivationKind.Relu), new MaxPool2d(2), new Flatten(), new Dense(10));</code>
/// Layers without a name are called by type and number: conv1, pool1, conv2, dense1.</summary>
public sealed class Sequential : Layer
{
    private readonly List<Layer> _layers = [];

    /// <summary>Creates it; it owns the layers from then on.</summary>
    public Sequential(params IReadOnlyList<Layer> layers)
    {
        if (layers.Count == 0)
            throw new UsageException("Sequential needs at least one layer.");
        foreach ((string name, Layer layer) in LayerNames.Assign(layers))
            _layers.Add(Child(name, layer));
    }

    /// <inheritdoc/>
    public override string TypeId => "sequential";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => LayerNames.OutputOf(Children, input);

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        foreach (Layer layer in _layers)
        {
            BuildChild(layer, input);
            input = layer.OutputShape(input);
        }
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => Chain(_layers, input);
}
