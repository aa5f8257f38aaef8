using System.Runtime.Intrinsics;
using Candela.Training.Transformers.Kernels;

namespace Candela.Training.Tests.Transformers;

public sealed class FloatMathTests
{
    [Fact]
    [Trait("Kind", "conformance")]
    public void Exp_WholeRange_IsWithinThreeUnitsOfTheLastPlace()
    {
        for (double x = -87; x < 88; x += 0.0137)
        {
            double exact = Math.Exp((float)x);
            Assert.Equal(exact, FloatMath.Exp(Vector256.Create((float)x))[0], 3.6e-7 * exact);
        }

        Assert.Equal(0, FloatMath.Exp(Vector256.Create(float.NegativeInfinity))[0]);
        Assert.Equal(0, FloatMath.Exp(Vector256.Create(-1e30f))[0]);
        Assert.True(float.IsFinite(FloatMath.Exp(Vector256.Create(1e30f))[0]));
        Assert.True(float.IsNaN(FloatMath.Exp(Vector256.Create(float.NaN))[0]), "what is not a number must not be hidden");
    }

    [Theory]
    [InlineData(TransformerActivation.Silu)]
    [InlineData(TransformerActivation.Gelu)]
    [InlineData(TransformerActivation.GeluTanh)]
    [InlineData(TransformerActivation.Relu)]
    [InlineData(TransformerActivation.Tanh)]
    [Trait("Kind", "conformance")]
    public unsafe void Activate_AndItsSlope_EqualDoublePrecision(TransformerActivation activation)
    {
        const int Count = 603; // a tail of three
        float[] u = [.. Enumerable.Range(0, Count).Select(i => (i - 301.5f) / 40)], value = new float[Count], again = new float[Count], slope = new float[Count];
        Array.Fill(slope, 1);
        fixed (float* from = u, to = value, twice = again, d = slope)
        {
            RowKernels.Activate(activation, from, null, to, 1, Count);
            RowKernels.ActivateBack(activation, from, twice, d, Count);
        }

        Assert.Equal(value, again);
        for (int i = 0; i < Count; i++)
        {
            const double H = 1e-5;
            Assert.Equal(Exact(activation, u[i]), value[i], 1e-6 * Math.Max(1, Math.Abs(u[i])));
            Assert.Equal((Exact(activation, u[i] + H) - Exact(activation, u[i] - H)) / (2 * H), slope[i], 2e-6);
        }
    }

    private static double Exact(TransformerActivation activation, double x) => activation switch
    {
        TransformerActivation.Silu => x / (1 + Math.Exp(-x)),
        TransformerActivation.Gelu => x * Normal(x),
        TransformerActivation.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        TransformerActivation.Relu => Math.Max(0, x),
        _ => Math.Tanh(x),
    };

    // The normal distribution function by Simpson's rule from 0.
    private static double Normal(double x)
    {
        const int Steps = 400;
        double h = x / Steps, sum = 0;
        for (int i = 0; i <= Steps; i++)
            sum += (i == 0 || i == Steps ? 1 : i % 2 == 1 ? 4 : 2) * Math.Exp(-0.5 * i * h * i * h);
        return 0.5 + (sum * h / 3 / Math.Sqrt(2 * Math.PI));
    }
}
