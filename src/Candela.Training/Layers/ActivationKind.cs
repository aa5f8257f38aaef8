namespace Candela.Training;

/// <summary>Element-wise functions between layers (softmax: over the last axis).</summary>
public enum ActivationKind
{
    /// <summary>x.</summary>
    None,

    /// <summary>1 / (1 + e^-x).</summary>
    Sigmoid,

    /// <summary>Hyperbolic tangent.</summary>
    Tanh,

    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>e^x / sum e^x over the last axis.</summary>
    Softmax,

    /// <summary>x Phi(x) with the exact normal distribution function (erf).</summary>
    Gelu,

    /// <summary>x sigmoid(x), also called swish.</summary>
    Silu,

    /// <summary>x, or 0.01 x below zero.</summary>
    LeakyRelu,

    /// <summary>x, or e^x - 1 below zero.</summary>
    Elu,

    /// <summary>log(1 + e^x).</summary>
    Softplus,

    /// <summary>x, or a trained slope times x below zero; the slope begins at 0.25.</summary>
    PRelu,
}

/// <summary>Names of activations as recipes and config.json spell them.</summary>
public static class ActivationNames
{
    private static readonly string[] Ids = ["none", "sigmoid", "tanh", "relu", "softmax", "gelu", "silu", "leaky-relu", "elu", "softplus", "prelu"];

    /// <summary>All names, in the order of the enum.</summary>
    public static IReadOnlyList<string> All => Ids;

    /// <summary>The name of an activation.</summary>
    public static string Id(this ActivationKind kind) => Ids[(int)kind];

    /// <summary>The activation of a name.</summary>
    /// <exception cref="UsageException">There is none; the message names the nearest.</exception>
    public static ActivationKind Parse(string id)
    {
        int index = Array.IndexOf(Ids, id);
        return index >= 0 ? (ActivationKind)index : throw new UsageException($"Activation '{id}' is unknown; known are {string.Join(", ", Ids)}.{NearestName.Hint(id, Ids)}");
    }

    /// <summary>The initialiser that keeps variances steady under an activation: He for ReLU and its kin, Xavier otherwise.</summary>
    public static Initializer DefaultInitializer(this ActivationKind kind) => kind switch
    {
        ActivationKind.Relu or ActivationKind.LeakyRelu or ActivationKind.PRelu or ActivationKind.Elu or ActivationKind.Gelu or ActivationKind.Silu => Initializers.HeUniform,
        _ => Initializers.XavierUniform,
    };
}
