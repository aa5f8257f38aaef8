namespace Candela.Training.Language.Reference;

/// <summary>The few functions the plain twins share.</summary>
internal static class PlainMath
{
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    public static double[] Add(double[] a, double[] b) => [.. a.Select((value, i) => value + b[i])];

    /// <summary>W x + b with W [out, in].</summary>
    public static double[] Linear(double[] x, double[] weight, double[]? bias)
    {
        var result = new double[weight.Length / x.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = Dot(weight.AsSpan(i * x.Length, x.Length), x) + (bias is null ? 0 : bias[i]);
        return result;
    }

    /// <summary>x W + b with W [in, out].</summary>
    public static double[] TransposedLinear(double[] x, double[] weight, double[] bias)
    {
        double[] result = [.. bias];
        for (int i = 0; i < x.Length; i++)
        {
            for (int j = 0; j < result.Length; j++)
                result[j] += x[i] * weight[(i * result.Length) + j];
        }

        return result;
    }

    public static double[] LayerNorm(double[] x, double[] weight, double[] bias, double epsilon)
    {
        double mean = x.Average(), variance = x.Sum(v => (v - mean) * (v - mean)) / x.Length, scale = 1 / Math.Sqrt(variance + epsilon);
        return [.. x.Select((v, i) => ((v - mean) * scale * weight[i]) + bias[i])];
    }

    public static void Softmax(double[] scores)
    {
        double most = scores.Max(), sum = 0;
        for (int i = 0; i < scores.Length; i++)
            sum += scores[i] = Math.Exp(scores[i] - most);
        for (int i = 0; i < scores.Length; i++)
            scores[i] /= sum;
    }

    public static double Activate(TransformerActivation activation, double x) => activation switch
    {
        TransformerActivation.Silu => x / (1 + Math.Exp(-x)),
        TransformerActivation.Gelu => 0.5 * x * (1 + Erf(x / Math.Sqrt(2))),
        TransformerActivation.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        TransformerActivation.Relu => Math.Max(0, x),
        _ => Math.Tanh(x),
    };

    // Maclaurin series for small arguments, the continued fraction of erfc (Abramowitz and Stegun 7.1.14) for others: 1e-14.
    private static double Erf(double x)
    {
        double size = Math.Abs(x);
        if (size < 3)
        {
            double term = x, sum = x;
            for (int n = 1; n < 100; n++)
            {
                term *= -x * x / n;
                sum += term / ((2 * n) + 1);
            }

            return 2 / Math.Sqrt(Math.PI) * sum;
        }

        double fraction = size;
        for (int n = 60; n >= 1; n--)
            fraction = size + (n / 2.0 / fraction);
        return Math.Sign(x) * (1 - (Math.Exp(-size * size) / (Math.Sqrt(Math.PI) * fraction)));
    }
}
