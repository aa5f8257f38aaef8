using TorchSharp.Modules;

namespace Candela.Training;

/// <summary>A trained tensor of a layer, with what the trainer must know of it.</summary>
public sealed class LayerParameter
{
    internal LayerParameter(string name, Shape shape, Initializer initializer, bool decays, Parameter value) =>
        (Name, Shape, Initializer, Decays, Value) = (name, shape, initializer, decays, value);

    /// <summary>Key within its layer: <c>weight</c>, <c>bias</c>.</summary>
    public string Name { get; }

    /// <summary>Sizes.</summary>
    public Shape Shape { get; }

    /// <summary>How it begins.</summary>
    public Initializer Initializer { get; }

    /// <summary>False for biases and norms, which weight decay and the L1 and L2 penalties leave alone.</summary>
    public bool Decays { get; }

    /// <summary>The tensor. The layer owns it; <c>layer.to(...)</c> may replace it.</summary>
    public Parameter Value { get; internal set; }
}
