using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Activations of transformer blocks, by what <c>hidden_act</c> and <c>activation_function</c> call them.</summary>
public enum TransformerActivation
{
    /// <summary><c>silu</c>, <c>swish</c>: x sigmoid(x).</summary>
    Silu,

    /// <summary><c>gelu</c>: x Phi(x), with erf.</summary>
    Gelu,

    /// <summary><c>gelu_new</c>, <c>gelu_pytorch_tanh</c>, <c>gelu_fast</c>: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).</summary>
    GeluTanh,

    /// <summary><c>relu</c>.</summary>
    Relu,

    /// <summary><c>tanh</c>.</summary>
    Tanh,
}

internal static class TransformerActivations
{
    private static readonly KeyValuePair<string, TransformerActivation>[] Names =
    [
        new("silu", TransformerActivation.Silu), new("swish", TransformerActivation.Silu), new("gelu", TransformerActivation.Gelu),
        new("gelu_new", TransformerActivation.GeluTanh), new("gelu_pytorch_tanh", TransformerActivation.GeluTanh), new("gelu_fast", TransformerActivation.GeluTanh),
        new("relu", TransformerActivation.Relu), new("tanh", TransformerActivation.Tanh),
    ];

    public static IEnumerable<string> All => Names.Select(n => n.Key);

    public static TransformerActivation? Find(string name) => Names.Where(n => n.Key == name).Select(n => (TransformerActivation?)n.Value).FirstOrDefault();

    public static string Id(this TransformerActivation activation) => Names.First(n => n.Value == activation).Key;

    public static Tensor Apply(this TransformerActivation activation, Tensor x)
    {
        switch (activation)
        {
            case TransformerActivation.Silu: return nn.functional.silu(x);
            case TransformerActivation.Gelu: return nn.functional.gelu(x);
            case TransformerActivation.Relu: return x.relu();
            case TransformerActivation.Tanh: return x.tanh();
            default: return x.gelu(TorchSharp.Modules.GELU.Approximate.tanh);
        }
    }
}
