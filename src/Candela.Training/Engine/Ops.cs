using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Tensor operations whose native versions end the process on wrong shapes. The shapes are checked here first.</summary>
public static class Ops
{
    /// <summary>Matrix product with broadcasting over leading axes: [..., n, k] x [..., k, m] -> [..., n, m]; vectors as in NumPy's matmul.</summary>
    /// <exception cref="ShapeException">The shapes do not fit; both are in the message.</exception>
    public static Tensor MatMul(Tensor left, Tensor right)
    {
        long[] a = left.shape, b = right.shape;
        if (a.Length == 0 || b.Length == 0)
            throw new ShapeException($"MatMul needs operands of one axis or more; got {Text(a)} and {Text(b)}.");
        long inner = b.Length == 1 ? b[0] : b[^2];
        if (a[^1] != inner)
            throw new ShapeException($"MatMul of {Text(a)} and {Text(b)}: the left operand's last size, {a[^1]}, must equal the right one's {(b.Length == 1 ? "only" : "second to last")} size, {inner}.");
        for (int i = 3; i <= Math.Min(a.Length, b.Length); i++)
        {
            if (a[^i] != b[^i] && a[^i] != 1 && b[^i] != 1)
                throw new ShapeException($"MatMul of {Text(a)} and {Text(b)}: the leading sizes {a[^i]} and {b[^i]} can not be broadcast.");
        }

        RequireSame("MatMul", left, right);
#pragma warning disable RS0030 // the one checked call
        return torch.matmul(left, right);
#pragma warning restore RS0030
    }

    /// <summary>x W^T + b: [..., in] with weight [out, in] and bias [out] or null -> [..., out].</summary>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Linear(Tensor input, Tensor weight, Tensor? bias)
    {
        if (input.dim() == 0 || weight.dim() != 2 || input.size(-1) != weight.size(1) || (bias is not null && (bias.dim() != 1 || bias.size(0) != weight.size(0))))
            throw new ShapeException($"Linear of input {Text(input.shape)}, weight {Text(weight.shape)} and bias {(bias is null ? "none" : Text(bias.shape))}: the input's last size must be the weight's second, and the bias's the weight's first.");
        RequireSame("Linear", input, weight);
        return nn.functional.linear(input, weight, bias);
    }

    private static void RequireSame(string operation, Tensor left, Tensor right)
    {
        if (left.dtype != right.dtype || left.device_type != right.device_type)
            throw new ShapeException($"{operation} needs operands of one type on one device; got {left.dtype} on {left.device} and {right.dtype} on {right.device}.");
    }

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";
}
