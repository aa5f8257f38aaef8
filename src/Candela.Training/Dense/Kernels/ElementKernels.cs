// Map of this file
//   IElementFunction          a function and its slope on 8 lanes; one struct per activation
//   ElementKernels.Apply      y = f(z)                over any length; the tail goes through a padded vector, so a number's result does not depend on where it lies
//   ElementKernels.Chain      dz = dy * f'(z or y)    the same
//   AddBias                   y[r, j] += b[j] (then max 0)
//   ColumnSums                b[j] = sum over r of y[r, j], rows in order
//   Multiply                  y = x * m
//   Softmax                   row by row, shifted by the row's maximum
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Candela.Training.DenseNets.Kernels;

internal interface IElementFunction
{
    static abstract Vector256<float> Value(Vector256<float> z);

    /// <summary>The derivative at z; <paramref name="y"/> is the value there. Functions that do not need z get y for both.</summary>
    static abstract Vector256<float> Slope(Vector256<float> z, Vector256<float> y);
}

internal readonly struct ReluFunction : IElementFunction
{
    public static Vector256<float> Value(Vector256<float> z) => Vector256.Max(z, Vector256<float>.Zero);

    public static Vector256<float> Slope(Vector256<float> z, Vector256<float> y) => Vector256.GreaterThan(y, Vector256<float>.Zero) & Vector256<float>.One;
}

internal readonly struct TanhFunction : IElementFunction
{
    // 1 - 2 / (e^(2|z|) + 1) with z's sign; absolute error below 1e-7. Below 0.125 the odd series keeps the relative error small too.
    public static Vector256<float> Value(Vector256<float> z)
    {
        Vector256<float> size = Vector256.Abs(z), square = z * z;
        Vector256<float> large = Vector256<float>.One - (Vector256.Create(2f) / (Vector256.Exp(size + size) + Vector256<float>.One));
        Vector256<float> small = size - (size * square * (Vector256.Create(1 / 3f) - (square * (Vector256.Create(2 / 15f) - (square * Vector256.Create(17 / 315f))))));
        Vector256<float> value = Vector256.ConditionalSelect(Vector256.LessThan(size, Vector256.Create(0.125f)), small, large);
        return Vector256.CopySign(value, z);
    }

    public static Vector256<float> Slope(Vector256<float> z, Vector256<float> y) => Vector256<float>.One - (y * y);
}

internal readonly struct SigmoidFunction : IElementFunction
{
    public static Vector256<float> Value(Vector256<float> z) => Vector256<float>.One / (Vector256<float>.One + Vector256.Exp(-z));

    public static Vector256<float> Slope(Vector256<float> z, Vector256<float> y) => y * (Vector256<float>.One - y);
}

internal readonly struct GeluFunction : IElementFunction
{
    public static Vector256<float> Value(Vector256<float> z) => z * Distribution(z);

    // Phi(z) + z phi(z)
    public static Vector256<float> Slope(Vector256<float> z, Vector256<float> y) =>
        Distribution(z) + (z * Vector256.Create(0.3989422804f) * Vector256.Exp(z * z * Vector256.Create(-0.5f)));

    // Phi(z) = (1 + erf(z / sqrt 2)) / 2; erf by Abramowitz and Stegun 7.1.26, absolute error 1.5e-7.
    private static Vector256<float> Distribution(Vector256<float> z)
    {
        Vector256<float> x = Vector256.Abs(z) * Vector256.Create(0.70710678f);
        Vector256<float> t = Vector256<float>.One / (Vector256<float>.One + (Vector256.Create(0.3275911f) * x));
        Vector256<float> poly = t * (Vector256.Create(0.254829592f) + (t * (Vector256.Create(-0.284496736f)
            + (t * (Vector256.Create(1.421413741f) + (t * (Vector256.Create(-1.453152027f) + (t * Vector256.Create(1.061405429f)))))))));
        Vector256<float> upper = Vector256.Create(0.5f) * poly * Vector256.Exp(-(x * x));
        return Vector256.ConditionalSelect(Vector256.LessThan(z, Vector256<float>.Zero), upper, Vector256<float>.One - upper);
    }
}

internal readonly struct SiluFunction : IElementFunction
{
    public static Vector256<float> Value(Vector256<float> z) => z * SigmoidFunction.Value(z);

    public static Vector256<float> Slope(Vector256<float> z, Vector256<float> y)
    {
        Vector256<float> s = SigmoidFunction.Value(z);
        return s * (Vector256<float>.One + (z * (Vector256<float>.One - s)));
    }
}

internal readonly struct LeakyReluFunction : IElementFunction
{
    public static Vector256<float> Value(Vector256<float> z) => Vector256.Max(z, z * Vector256.Create(0.01f));

    public static Vector256<float> Slope(Vector256<float> z, Vector256<float> y) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(y, Vector256<float>.Zero), Vector256<float>.One, Vector256.Create(0.01f));
}

internal readonly struct EluFunction : IElementFunction
{
    public static Vector256<float> Value(Vector256<float> z) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(z, Vector256<float>.Zero), z, Vector256.Exp(Vector256.Min(z, Vector256<float>.Zero)) - Vector256<float>.One);

    public static Vector256<float> Slope(Vector256<float> z, Vector256<float> y) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(y, Vector256<float>.Zero), Vector256<float>.One, y + Vector256<float>.One);
}

internal readonly struct SoftplusFunction : IElementFunction
{
    public static Vector256<float> Value(Vector256<float> z) =>
        Vector256.Max(z, Vector256<float>.Zero) + Vector256.Log(Vector256<float>.One + Vector256.Exp(-Vector256.Abs(z)));

    public static Vector256<float> Slope(Vector256<float> z, Vector256<float> y) => Vector256<float>.One - Vector256.Exp(-y);
}

/// <summary>Elementwise and row-wise passes. Twins: <see cref="DenseReference"/>.</summary>
internal static unsafe class ElementKernels
{
    private const int Lanes = 8;

    /// <summary>True when the slope cannot be computed from the value alone, so that the input is kept.</summary>
    public static bool NeedsInput(this ActivationKind activation) => activation is ActivationKind.Gelu or ActivationKind.Silu;

    public static void Apply(ActivationKind activation, float* z, float* y, int count)
    {
        switch (activation)
        {
            case ActivationKind.Relu: Apply<ReluFunction>(z, y, count); break;
            case ActivationKind.Tanh: Apply<TanhFunction>(z, y, count); break;
            case ActivationKind.Sigmoid: Apply<SigmoidFunction>(z, y, count); break;
            case ActivationKind.Gelu: Apply<GeluFunction>(z, y, count); break;
            case ActivationKind.Silu: Apply<SiluFunction>(z, y, count); break;
            case ActivationKind.LeakyRelu: Apply<LeakyReluFunction>(z, y, count); break;
            case ActivationKind.Elu: Apply<EluFunction>(z, y, count); break;
            case ActivationKind.Softplus: Apply<SoftplusFunction>(z, y, count); break;
            default:
                if (z != y)
                    new ReadOnlySpan<float>(z, count).CopyTo(new Span<float>(y, count));
                break;
        }
    }

    /// <summary>dz = dy * f'; <paramref name="dz"/> may be <paramref name="dy"/>.</summary>
    public static void Chain(ActivationKind activation, float* z, float* y, float* dy, float* dz, int count)
    {
        switch (activation)
        {
            case ActivationKind.Relu: Chain<ReluFunction>(y, y, dy, dz, count); break;
            case ActivationKind.Tanh: Chain<TanhFunction>(y, y, dy, dz, count); break;
            case ActivationKind.Sigmoid: Chain<SigmoidFunction>(y, y, dy, dz, count); break;
            case ActivationKind.Gelu: Chain<GeluFunction>(z, y, dy, dz, count); break;
            case ActivationKind.Silu: Chain<SiluFunction>(z, y, dy, dz, count); break;
            case ActivationKind.LeakyRelu: Chain<LeakyReluFunction>(y, y, dy, dz, count); break;
            case ActivationKind.Elu: Chain<EluFunction>(y, y, dy, dz, count); break;
            case ActivationKind.Softplus: Chain<SoftplusFunction>(y, y, dy, dz, count); break;
            default:
                if (dz != dy)
                    new ReadOnlySpan<float>(dy, count).CopyTo(new Span<float>(dz, count));
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddBias(float* y, float* bias, int rows, int units, bool relu)
    {
        Vector256<float> floor = relu ? Vector256<float>.Zero : Vector256.Create(float.NegativeInfinity);
        float scalarFloor = floor[0];
        for (int r = 0; r < rows; r++, y += units)
        {
            int j = 0;
            for (; j + Lanes <= units; j += Lanes)
                Vector256.Max(Vector256.Load(y + j) + Vector256.Load(bias + j), floor).Store(y + j);
            for (; j < units; j++)
                y[j] = MathF.Max(y[j] + bias[j], scalarFloor);
        }
    }

    /// <summary>sums[j] = (add ? sums[j] : 0) + y[0, j] + y[1, j] + ...</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ColumnSums(float* y, int rows, int units, float* sums, bool add)
    {
        int j = 0;
        for (; j + (4 * Lanes) <= units; j += 4 * Lanes)
        {
            Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
            float* p = y + j;
            for (int r = 0; r < rows; r++, p += units)
            {
                s0 += Vector256.Load(p);
                s1 += Vector256.Load(p + Lanes);
                s2 += Vector256.Load(p + (2 * Lanes));
                s3 += Vector256.Load(p + (3 * Lanes));
            }

            if (add)
            {
                s0 += Vector256.Load(sums + j);
                s1 += Vector256.Load(sums + j + Lanes);
                s2 += Vector256.Load(sums + j + (2 * Lanes));
                s3 += Vector256.Load(sums + j + (3 * Lanes));
            }

            s0.Store(sums + j);
            s1.Store(sums + j + Lanes);
            s2.Store(sums + j + (2 * Lanes));
            s3.Store(sums + j + (3 * Lanes));
        }

        for (; j + Lanes <= units; j += Lanes)
        {
            Vector256<float> s = default;
            float* p = y + j;
            for (int r = 0; r < rows; r++, p += units)
                s += Vector256.Load(p);
            (add ? s + Vector256.Load(sums + j) : s).Store(sums + j);
        }

        for (; j < units; j++)
        {
            float s = 0;
            for (int r = 0; r < rows; r++)
                s += y[(r * units) + j];
            sums[j] = add ? sums[j] + s : s;
        }
    }

    /// <summary>y = x * m.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* x, float* m, float* y, int count)
    {
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
            (Vector256.Load(x + i) * Vector256.Load(m + i)).Store(y + i);
        for (; i < count; i++)
            y[i] = x[i] * m[i];
    }

    /// <summary>The softmax of each row, shifted by its maximum: finite for any finite logits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Softmax(float* logits, float* to, int rows, int classes)
    {
        Vector256<float>* padded = stackalloc Vector256<float>[1];
        for (int r = 0; r < rows; r++, logits += classes, to += classes)
        {
            float max = float.NegativeInfinity;
            for (int j = 0; j < classes; j++)
                max = MathF.Max(max, logits[j]);
            Vector256<float> shift = Vector256.Create(max), sum = default;
            int i = 0;
            for (; i + Lanes <= classes; i += Lanes)
            {
                Vector256<float> e = Vector256.Exp(Vector256.Load(logits + i) - shift);
                e.Store(to + i);
                sum += e;
            }

            if (i < classes)
            {
                *padded = Vector256.Create(float.NegativeInfinity);
                for (int j = i; j < classes; j++)
                    ((float*)padded)[j - i] = logits[j];
                *padded = Vector256.Exp(*padded - shift);
                for (int j = i; j < classes; j++)
                    to[j] = ((float*)padded)[j - i];
                for (int j = classes - i; j < Lanes; j++)
                    ((float*)padded)[j] = 0;
                sum += *padded;
            }

            float scale = 1 / Vector256.Sum(sum);
            for (i = 0; i < classes; i++)
                to[i] *= scale;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<T>(float* z, float* y, int count)
        where T : struct, IElementFunction
    {
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
            T.Value(Vector256.Load(z + i)).Store(y + i);
        if (i < count)
        {
            float* tail = stackalloc float[Lanes];
            new Span<float>(tail, Lanes).Clear();
            new ReadOnlySpan<float>(z + i, count - i).CopyTo(new Span<float>(tail, Lanes));
            T.Value(Vector256.Load(tail)).Store(tail);
            new ReadOnlySpan<float>(tail, count - i).CopyTo(new Span<float>(y + i, count - i));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Chain<T>(float* z, float* y, float* dy, float* dz, int count)
        where T : struct, IElementFunction
    {
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
            (Vector256.Load(dy + i) * T.Slope(Vector256.Load(z + i), Vector256.Load(y + i))).Store(dz + i);
        if (i < count)
        {
            int left = count - i;
            float* tail = stackalloc float[3 * Lanes];
            new Span<float>(tail, 3 * Lanes).Clear();
            new ReadOnlySpan<float>(z + i, left).CopyTo(new Span<float>(tail, Lanes));
            new ReadOnlySpan<float>(y + i, left).CopyTo(new Span<float>(tail + Lanes, Lanes));
            new ReadOnlySpan<float>(dy + i, left).CopyTo(new Span<float>(tail + (2 * Lanes), Lanes));
            (Vector256.Load(tail + (2 * Lanes)) * T.Slope(Vector256.Load(tail), Vector256.Load(tail + Lanes))).Store(tail);
            new ReadOnlySpan<float>(tail, left).CopyTo(new Span<float>(dz + i, left));
        }
    }
}
