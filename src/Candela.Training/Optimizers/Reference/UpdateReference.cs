namespace Candela.Training.Reference;

/// <summary>Plain scalar twins of the fused optimiser kernels: one number at a time, in the order of the formulas. Slow; for checking and reading.
/// Each changes <c>p</c> (parameters) and its moments in place; <c>g</c> are scaled gradients. All spans have equal length.</summary>
public static class UpdateReference
{
    /// <summary>p -= rate (g + l2 p).</summary>
    public static void Plain(Span<float> p, ReadOnlySpan<float> g, float rate, float l2)
    {
        for (int i = 0; i < p.Length; i++)
            p[i] -= rate * (g[i] + (l2 * p[i]));
    }

    /// <summary>v = momentum v + take d with d = g + l2 p; p -= rate v, or rate (d + momentum v) with <paramref name="nesterov"/>.</summary>
    public static void Momentum(Span<float> p, ReadOnlySpan<float> g, Span<float> velocity, float rate, float momentum, float take, bool nesterov, float l2)
    {
        for (int i = 0; i < p.Length; i++)
        {
            float d = g[i] + (l2 * p[i]);
            velocity[i] = (momentum * velocity[i]) + (take * d);
            p[i] -= rate * (nesterov ? d + (momentum * velocity[i]) : velocity[i]);
        }
    }

    /// <summary>s += d^2; p -= rate d / (sqrt(s) + epsilon).</summary>
    public static void Adagrad(Span<float> p, ReadOnlySpan<float> g, Span<float> sum, float rate, float epsilon, float l2)
    {
        for (int i = 0; i < p.Length; i++)
        {
            float d = g[i] + (l2 * p[i]);
            sum[i] += d * d;
            p[i] -= rate * d / (MathF.Sqrt(sum[i]) + epsilon);
        }
    }

    /// <summary>s = alpha s + rest d^2, centred m = alpha m + rest d and s - m^2; u = d / (sqrt(s) + epsilon); p -= rate u, or v = momentum v + u and p -= rate v.</summary>
    public static void Rmsprop(Span<float> p, ReadOnlySpan<float> g, Span<float> square, Span<float> mean, Span<float> velocity, float rate, float alpha, float rest, float epsilon, float momentum, bool centered, float l2)
    {
        for (int i = 0; i < p.Length; i++)
        {
            float d = g[i] + (l2 * p[i]);
            square[i] = (alpha * square[i]) + (rest * d * d);
            float s = square[i];
            if (centered)
            {
                mean[i] = (alpha * mean[i]) + (rest * d);
                s = MathF.Max(s - (mean[i] * mean[i]), 0);
            }

            float u = d / (MathF.Sqrt(s) + epsilon);
            if (momentum > 0)
                u = velocity[i] = (momentum * velocity[i]) + u;
            p[i] -= rate * u;
        }
    }

    /// <summary>m = beta1 m + rest1 d; v = beta2 v + rest2 d^2; p = p - decay p - rate m / (sqrt(v) unbias + epsilon). With <paramref name="largest"/> not empty, v is replaced by its largest so far (AMSGrad).</summary>
    public static void Adam(Span<float> p, ReadOnlySpan<float> g, Span<float> first, Span<float> second, Span<float> largest, float rate, float unbias, float beta1, float rest1, float beta2, float rest2, float epsilon, float l2, float decay)
    {
        for (int i = 0; i < p.Length; i++)
        {
            float d = g[i] + (l2 * p[i]);
            first[i] = (beta1 * first[i]) + (rest1 * d);
            second[i] = (beta2 * second[i]) + (rest2 * d * d);
            float v = second[i];
            if (!largest.IsEmpty)
                v = largest[i] = MathF.Max(largest[i], v);
            p[i] = p[i] - (decay * p[i]) - (rate * first[i] / ((MathF.Sqrt(v) * unbias) + epsilon));
        }
    }

    /// <summary>u = beta1 m + rest1 g; p = p - decay p - rate sign(u); m = beta2 m + rest2 g.</summary>
    public static void Lion(Span<float> p, ReadOnlySpan<float> g, Span<float> moment, float rate, float beta1, float rest1, float beta2, float rest2, float decay)
    {
        for (int i = 0; i < p.Length; i++)
        {
            float u = (beta1 * moment[i]) + (rest1 * g[i]);
            moment[i] = (beta2 * moment[i]) + (rest2 * g[i]);
            p[i] = p[i] - (decay * p[i]) - (rate * Math.Sign(u));
        }
    }

    /// <summary>Soft threshold of each number by rate / (sqrt(square - mean^2) unbias + epsilon); an empty mean counts as 0.</summary>
    public static void ScaledSoftThreshold(Span<float> values, ReadOnlySpan<float> square, ReadOnlySpan<float> mean, float rate, float unbias, float epsilon)
    {
        for (int i = 0; i < values.Length; i++)
        {
            float m = mean.IsEmpty ? 0 : mean[i], threshold = rate / ((MathF.Sqrt(MathF.Max(square[i] - (m * m), 0)) * unbias) + epsilon);
            values[i] = MathF.Abs(values[i]) - threshold > 0 ? MathF.CopySign(MathF.Abs(values[i]) - threshold, values[i]) : 0;
        }
    }

    /// <summary>sign(x) max(|x| - threshold, 0).</summary>
    public static void SoftThreshold(Span<float> values, float threshold)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = MathF.Abs(values[i]) - threshold > 0 ? MathF.CopySign(MathF.Abs(values[i]) - threshold, values[i]) : 0;
    }
}
