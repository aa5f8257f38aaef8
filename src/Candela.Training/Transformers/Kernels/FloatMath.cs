// Map of this file
//   FloatMath.Exp, Sigmoid     8 lanes, float arithmetic throughout
//   ITransformerFunction       an activation with its slope from one exponential; one struct per TransformerActivation
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Candela.Training.Transformers.Kernels;

/// <summary>Exponentials of 8 floats. The framework's own goes through double; here an error of 2 units in the last place is enough.</summary>
internal static class FloatMath
{
    /// <summary>e^x, relative error below 3e-7; 0 below -87.3, e^88 above 88; not a number stays so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        Vector256<float> below = Vector256.LessThan(x, Vector256.Create(-87.3f));
        x = Vector256.MinNative(Vector256.Create(88f), Vector256.MaxNative(Vector256.Create(-87.3f), x)); // in this order the second operand's NaN comes through
        // x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts, so that n ln 2 is exact enough
        Vector256<float> n = Vector256.Round(x * Vector256.Create(1.44269504f));
        Vector256<float> r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-0.693359375f), x);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(2.12194440e-4f), r);
        Vector256<float> p = Vector256.Create(1f / 5040);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 720));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 120));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 24));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 6));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(0.5f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256<float>.One);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256<float>.One);
        Vector256<float> power = ((Vector256.ConvertToInt32Native(n) + Vector256.Create(127)) << 23).AsSingle();
        return Vector256.AndNot(p * power, below);
    }

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sigmoid(Vector256<float> x) => Vector256<float>.One / (Vector256<float>.One + Exp(-x));
}

/// <summary>An activation and its slope.</summary>
internal interface ITransformerFunction
{
    /// <summary>f(x), and f'(x).</summary>
    static abstract Vector256<float> Both(Vector256<float> x, out Vector256<float> slope);
}

/// <summary>x sigmoid(x).</summary>
internal readonly struct Silu : ITransformerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Both(Vector256<float> x, out Vector256<float> slope)
    {
        Vector256<float> s = FloatMath.Sigmoid(x), y = x * s;
        slope = s + (y * (Vector256<float>.One - s));
        return y;
    }
}

/// <summary>0.5 x (1 + tanh z) = x sigmoid(2 z), z = sqrt(2/pi) (x + 0.044715 x^3).</summary>
internal readonly struct GeluByTanh : ITransformerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Both(Vector256<float> x, out Vector256<float> slope)
    {
        const float Twice = 1.5957691216f, Cubic = 0.044715f * Twice; // 2 sqrt(2/pi)
        Vector256<float> square = x * x;
        Vector256<float> s = FloatMath.Sigmoid(x * Vector256.FusedMultiplyAdd(square, Vector256.Create(Cubic), Vector256.Create(Twice))), y = x * s;
        slope = s + (y * (Vector256<float>.One - s) * Vector256.FusedMultiplyAdd(square, Vector256.Create(3 * Cubic), Vector256.Create(Twice)));
        return y;
    }
}

/// <summary>x Phi(x), Phi by Abramowitz and Stegun 7.1.26, absolute error 1.5e-7.</summary>
internal readonly struct GeluByErf : ITransformerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Both(Vector256<float> x, out Vector256<float> slope)
    {
        Vector256<float> bell = FloatMath.Exp(x * x * Vector256.Create(-0.5f));
        Vector256<float> t = Vector256<float>.One / (Vector256<float>.One + (Vector256.Create(0.3275911f * 0.70710678f) * Vector256.Abs(x)));
        Vector256<float> poly = t * (Vector256.Create(0.254829592f) + (t * (Vector256.Create(-0.284496736f)
            + (t * (Vector256.Create(1.421413741f) + (t * (Vector256.Create(-1.453152027f) + (t * Vector256.Create(1.061405429f)))))))));
        Vector256<float> upper = Vector256.Create(0.5f) * poly * bell;
        Vector256<float> phi = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256<float>.Zero), upper, Vector256<float>.One - upper);
        slope = phi + (x * Vector256.Create(0.3989422804f) * bell);
        return x * phi;
    }
}

/// <summary>max(0, x).</summary>
internal readonly struct ReluOf : ITransformerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Both(Vector256<float> x, out Vector256<float> slope)
    {
        slope = Vector256.GreaterThan(x, Vector256<float>.Zero) & Vector256<float>.One;
        return Vector256.Max(x, Vector256<float>.Zero);
    }
}

/// <summary>tanh x = 2 sigmoid(2 x) - 1, absolute error 2e-7.</summary>
internal readonly struct TanhOf : ITransformerFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Both(Vector256<float> x, out Vector256<float> slope)
    {
        Vector256<float> y = (Vector256.Create(2f) * FloatMath.Sigmoid(x + x)) - Vector256<float>.One;
        slope = Vector256<float>.One - (y * y);
        return y;
    }
}
