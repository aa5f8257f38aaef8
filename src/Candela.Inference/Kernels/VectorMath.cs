using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace Candela.Inference.Kernels;

/// <summary>The small operations between products, over one vector each.</summary>
internal static class VectorMath
{
    /// <summary>x / sqrt(mean(x²) + epsilon) x weight.</summary>
    public static void RmsNorm(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> into)
    {
        float scale = 1 / MathF.Sqrt((TensorPrimitives.SumOfSquares(x) / x.Length) + epsilon);
        TensorPrimitives.Multiply(x, scale, into);
        TensorPrimitives.Multiply(into, weight, into);
    }

    /// <summary>silu(gate) x up.</summary>
    public static void SwiGlu(Span<float> gate, ReadOnlySpan<float> up, Span<float> scratch)
    {
        TensorPrimitives.Sigmoid(gate, scratch);
        TensorPrimitives.Multiply(scratch, gate, gate);
        TensorPrimitives.Multiply(gate, up, gate);
    }

    /// <summary>Turns the first pairs of a head: pair i is (x[i], x[i + d/2]), or (x[2i], x[2i + 1]) where pairs are adjacent.</summary>
    public static void Rotate(Span<float> head, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines, bool adjacent)
    {
        int half = cosines.Length;
        for (int i = 0; i < half; i++)
        {
            int first = adjacent ? 2 * i : i, second = adjacent ? first + 1 : i + half;
            (float a, float b) = (head[first], head[second]);
            (head[first], head[second]) = ((a * cosines[i]) - (b * sines[i]), (b * cosines[i]) + (a * sines[i]));
        }
    }

    /// <summary>Rounds to halves, at most 65,504 in size.</summary>
    public static void ToHalves(ReadOnlySpan<float> values, Span<Half> into)
    {
        Span<float> clamped = stackalloc float[256];
        for (int at = 0; at < values.Length; at += clamped.Length)
        {
            int count = Math.Min(clamped.Length, values.Length - at);
            TensorPrimitives.Clamp(values.Slice(at, count), -65504f, 65504f, clamped[..count]);
            TensorPrimitives.ConvertToHalf(clamped[..count], into.Slice(at, count));
        }
    }

    /// <summary>Sum of products of singles and singles, eight at a time in a fixed order.</summary>
    public static unsafe float Dot(float* a, float* b, int length)
    {
        Vector256<float> sum = Vector256<float>.Zero, sum2 = sum;
        int i = 0;
        for (; i + 16 <= length; i += 16)
        {
            sum = Vector256.FusedMultiplyAdd(Vector256.Load(a + i), Vector256.Load(b + i), sum);
            sum2 = Vector256.FusedMultiplyAdd(Vector256.Load(a + i + 8), Vector256.Load(b + i + 8), sum2);
        }

        float total = Vector256.Sum(sum + sum2);
        for (; i < length; i++)
            total = MathF.FusedMultiplyAdd(a[i], b[i], total);
        return total;
    }

    /// <summary>into += factor x values.</summary>
    public static unsafe void AddScaled(float* values, float factor, float* into, int length)
    {
        Vector256<float> f = Vector256.Create(factor);
        int i = 0;
        for (; i + 8 <= length; i += 8)
            Vector256.FusedMultiplyAdd(Vector256.Load(values + i), f, Vector256.Load(into + i)).Store(into + i);
        for (; i < length; i++)
            into[i] = MathF.FusedMultiplyAdd(values[i], factor, into[i]);
    }
}
