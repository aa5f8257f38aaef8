using System.Text.Json.Nodes;

namespace Candela.Graphs;

/// <summary>One layer of a network as config.json stores it.</summary>
/// <param name="Type">dense, conv1d, conv2d, max-pool2d, flatten, dropout, batch-norm, layer-norm, embedding, activation, residual, ...</param>
/// <param name="Name">Unique among its siblings; the first part of its weights' keys (<c>name.weight</c>, <c>name.bias</c>).</param>
/// <param name="Options">The layer's own numbers and names, for example <c>{"units": 64, "activation": "relu"}</c>.</param>
public sealed record LayerSpec(string Type, string Name, JsonObject Options)
{
    /// <summary>Layers inside this one (residual blocks); their keys are <c>name.child.weight</c>.</summary>
    public IReadOnlyList<LayerSpec> Children { get; init; } = [];
}

/// <summary>How the network's last outputs become scores.</summary>
public enum HeadKind
{
    /// <summary>Regression: score = output * Scale + Offset.</summary>
    Linear,

    /// <summary>Binary from one logit: probabilities (1 - p, p) with p = sigmoid(output).</summary>
    Sigmoid,

    /// <summary>Classes from one logit each.</summary>
    Softmax,

    /// <summary>Binary from a sign (perceptron): 1 or 0.</summary>
    Step,
}

/// <summary>A feed-forward network as data: what config.json of a run folder holds. Weights are in model.safetensors:
/// dense <c>weight</c> [out, in] and <c>bias</c> [out]; convolutions [out, in, k...], as PyTorch stores them.</summary>
/// <param name="Family">The family that trained it.</param>
/// <param name="InputShape">Shape of one input row without the batch axis, for example [30] or [1, 28, 28].</param>
/// <param name="Layers">In order.</param>
/// <param name="Head">Outputs to scores.</param>
public sealed record LayerGraph(string Family, IReadOnlyList<int> InputShape, IReadOnlyList<LayerSpec> Layers, HeadKind Head)
{
    /// <summary>Factor of a <see cref="HeadKind.Linear"/> head (the training targets' standard deviation). Default 1.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Offset of a <see cref="HeadKind.Linear"/> head (the training targets' mean). Default 0.</summary>
    public double Offset { get; init; }
}
