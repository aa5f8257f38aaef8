using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Scaled dot-product attention over heads, softmax(Q K^T / sqrt(D)) V (Vaswani et al. 2017), causal or with a mask, with fewer key-value heads than query heads (Ainslie et al. 2023).</summary>
internal static class AttentionOp
{
    /// <summary>[B, H, T, D] queries over [B, G, S, D] keys and values, H a multiple of G -> [B, T, H x D]. Uses the fused native kernel unless <paramref name="dropout"/> acts.</summary>
    /// <param name="queries">Every head's.</param>
    /// <param name="keys">Of the G key-value heads.</param>
    /// <param name="values">As many.</param>
    /// <param name="mask">Added to scores; null for none.</param>
    /// <param name="causal">Token t sees keys up to t; needs no mask and T = S.</param>
    /// <param name="dropout">Of attention weights; acts in training mode only.</param>
    public static Tensor Attend(Tensor queries, Tensor keys, Tensor values, Tensor? mask, bool causal, Dropout? dropout = null)
    {
        long b = queries.size(0), h = queries.size(1), t = queries.size(2), d = queries.size(3), g = keys.size(1);
        if (t == 1 && h != g && mask is null && dropout is not { Probability: > 0, training: true })
        {
            // One token: the heads that share keys stand as rows of one query matrix, so nothing is repeated.
            using Tensor rows = queries.reshape(b, g, h / g, d), seen = nn.functional.scaled_dot_product_attention(rows, keys, values);
            return seen.reshape(b, 1, h * d);
        }

        using Tensor k = Repeated(keys, h), v = Repeated(values, h);
        using Tensor mixed = dropout is { Probability: > 0, training: true }
            ? Plain(queries, k, v, mask, causal, dropout)
            : Bfloat16Products.Attention(queries, k, v, mask, causal);
        using Tensor turned = mixed.transpose(1, 2);
        return turned.reshape(b, t, h * d); // [B, H, T, D] -> [B, T, H*D]
    }

    /// <summary>[B, T, H x D] -> [B, H, T, D], a view.</summary>
    public static Tensor Split(Tensor x, int heads)
    {
        using Tensor split = x.view(x.size(0), x.size(1), heads, x.size(2) / heads);
        return split.transpose(1, 2);
    }

    // [B, G, S, D] -> [B, H, S, D], each key-value head standing H / G times in a row.
    private static Tensor Repeated(Tensor x, long heads)
    {
        long g = x.size(1);
        if (g == heads)
            return x.alias();
        using Tensor wide = x.unsqueeze(2), spread = wide.expand(x.size(0), g, heads / g, x.size(2), x.size(3));
        return spread.reshape(x.size(0), heads, x.size(2), x.size(3));
    }

    private static Tensor Plain(Tensor q, Tensor k, Tensor v, Tensor? mask, bool causal, Dropout dropout)
    {
        long t = q.size(2);
        using Tensor columns = k.transpose(-2, -1), product = Ops.MatMul(q, columns), scaled = product.mul(1 / Math.Sqrt(q.size(3)));
        using Tensor? later = causal ? ones([t, t], ScalarType.Bool, q.device).triu(1) : null;
        using Tensor masked = later is not null ? scaled.masked_fill(later, float.NegativeInfinity) : mask is not null ? scaled.add(mask) : scaled.alias();
        using Tensor weights = nn.functional.softmax(masked, -1), kept = dropout.call(weights);
        return Ops.MatMul(kept, v);
    }
}
