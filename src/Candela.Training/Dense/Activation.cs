namespace Candela.Training.DenseNets;

/// <summary>Elementwise functions of the dense engine, as PyTorch defines them by default.</summary>
public enum Activation
{
    /// <summary>x.</summary>
    Identity,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>tanh x.</summary>
    Tanh,

    /// <summary>1 / (1 + e^-x).</summary>
    Sigmoid,

    /// <summary>x * Phi(x), with the exact normal distribution function.</summary>
    Gelu,

    /// <summary>x * sigmoid x.</summary>
    Silu,

    /// <summary>x, or 0.01 x below 0.</summary>
    LeakyRelu,

    /// <summary>x, or e^x - 1 below 0.</summary>
    Elu,

    /// <summary>log(1 + e^x).</summary>
    Softplus,
}

/// <summary>Names of activations in config.json.</summary>
public static class Activations
{
    private static readonly string[] Known = ["identity", "relu", "tanh", "sigmoid", "gelu", "silu", "leaky-relu", "elu", "softplus"];

    /// <summary>The known names.</summary>
    public static IReadOnlyList<string> Names => Known;

    /// <summary>The name in config.json, for example <c>leaky-relu</c>.</summary>
    public static string NameOf(Activation activation) => Known[(int)activation];

    /// <summary>The activation called <paramref name="name"/>, or null when the dense engine has none of that name.</summary>
    public static Activation? Find(string name) => Array.IndexOf(Known, name) is >= 0 and var index ? (Activation)index : null;

    /// <summary>True when the slope cannot be computed from the value alone, so that the input is kept.</summary>
    internal static bool NeedsInput(this Activation activation) => activation is Activation.Gelu or Activation.Silu;
}
