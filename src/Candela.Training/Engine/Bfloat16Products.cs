using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Matrix products of float32 tensors computed in bfloat16 within a scope: weights, sums and everything between the products stay float32, so that no scaling of the loss is needed. Of this thread only.</summary>
internal static class Bfloat16Products
{
    [ThreadStatic]
    private static bool _active;

    /// <summary>Whether products are in bfloat16 now.</summary>
    public static bool Active => _active;

    /// <summary>Whether this processor multiplies bfloat16 itself (AVX512-BF16 or AMX); where it does not, libtorch imitates it slowly. Unknown, so false, on other than x86.</summary>
    public static bool Native => X86Base.IsSupported && ((X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0 || (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0);

    /// <summary>Opens a scope.</summary>
    public static Scope Begin(bool active)
    {
        var scope = new Scope(_active);
        _active = active;
        return scope;
    }

    /// <summary>x W^T + b: [..., in] -> [..., out], float32 in and out.</summary>
    public static Tensor Linear(Tensor input, Tensor weight, Tensor? bias)
    {
        if (!_active || input.dtype != ScalarType.Float32)
            return nn.functional.linear(input, weight, bias);
        using Tensor x = input.to(ScalarType.BFloat16), w = weight.to(ScalarType.BFloat16), product = nn.functional.linear(x, w);
        Tensor wide = product.to(ScalarType.Float32);
        if (bias is null)
            return wide;
        Tensor sum = wide.add(bias);
        wide.Dispose();
        return sum;
    }

    /// <summary>Fused attention, float32 in and out.</summary>
    public static Tensor Attention(Tensor queries, Tensor keys, Tensor values, Tensor? mask, bool causal)
    {
        if (!_active || queries.dtype != ScalarType.Float32)
            return nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask: mask, is_casual: causal);
        using Tensor q = queries.to(ScalarType.BFloat16), k = keys.to(ScalarType.BFloat16), v = values.to(ScalarType.BFloat16);
        using Tensor? m = mask?.to(ScalarType.BFloat16);
        using Tensor mixed = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask: m, is_casual: causal);
        return mixed.to(ScalarType.Float32);
    }

    /// <summary>Puts back what was before.</summary>
    internal readonly ref struct Scope(bool before)
    {
        public void Dispose() => _active = before;
    }
}
