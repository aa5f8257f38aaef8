namespace Candela.Training.DenseNets;

/// <summary>The plain twins of the fast kernels, in loops that can be read: what the tests compare with. Sums are in double precision.</summary>
public static class DenseReference
{
    /// <summary>c[m, n] = (add ? c : 0) + a[m, k] * b[k, n]; element (i, j) of a is a[i * rowA + j * colA], and so for b.</summary>
    public static void Multiply(int m, int n, int k, ReadOnlySpan<float> a, int rowA, int colA, ReadOnlySpan<float> b, int rowB, int colB, Span<float> c, bool add)
    {
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = add ? c[(i * n) + j] : 0;
                for (int p = 0; p < k; p++)
                    sum += (double)a[(i * rowA) + (p * colA)] * b[(p * rowB) + (j * colB)];
                c[(i * n) + j] = (float)sum;
            }
        }
    }

    /// <summary>The activation's value at <paramref name="z"/>; gelu with erf by its series and continued fraction in double precision.</summary>
    public static double Value(ActivationKind activation, double z) => activation switch
    {
        ActivationKind.Relu => Math.Max(z, 0),
        ActivationKind.Tanh => Math.Tanh(z),
        ActivationKind.Sigmoid => 1 / (1 + Math.Exp(-z)),
        ActivationKind.Gelu => z * NormalDistribution(z),
        ActivationKind.Silu => z / (1 + Math.Exp(-z)),
        ActivationKind.LeakyRelu => z > 0 ? z : 0.01 * z,
        ActivationKind.Elu => z > 0 ? z : Math.Exp(z) - 1,
        ActivationKind.Softplus => Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z))),
        _ => z,
    };

    /// <summary>The activation's derivative at <paramref name="z"/>; 0 for relu at 0.</summary>
    public static double Slope(ActivationKind activation, double z)
    {
        double s = 1 / (1 + Math.Exp(-z));
        return activation switch
        {
            ActivationKind.Relu => z > 0 ? 1 : 0,
            ActivationKind.Tanh => 1 - (Math.Tanh(z) * Math.Tanh(z)),
            ActivationKind.Sigmoid => s * (1 - s),
            ActivationKind.Gelu => NormalDistribution(z) + (z * Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI)),
            ActivationKind.Silu => s * (1 + (z * (1 - s))),
            ActivationKind.LeakyRelu => z > 0 ? 1 : 0.01,
            ActivationKind.Elu => z > 0 ? 1 : Math.Exp(z),
            ActivationKind.Softplus => s,
            _ => 1,
        };
    }

    /// <summary>Softmax of each row.</summary>
    public static void Softmax(ReadOnlySpan<float> logits, Span<float> to, int classes)
    {
        for (int start = 0; start < logits.Length; start += classes)
        {
            double max = double.NegativeInfinity, sum = 0;
            for (int c = 0; c < classes; c++)
                max = Math.Max(max, logits[start + c]);
            for (int c = 0; c < classes; c++)
                sum += Math.Exp(logits[start + c] - max);
            for (int c = 0; c < classes; c++)
                to[start + c] = (float)(Math.Exp(logits[start + c] - max) / sum);
        }
    }

    /// <summary>y[r, j] += bias[j], then max 0 when <paramref name="relu"/>.</summary>
    public static void AddBias(Span<float> y, ReadOnlySpan<float> bias, bool relu)
    {
        for (int i = 0; i < y.Length; i++)
            y[i] = relu ? MathF.Max(y[i] + bias[i % bias.Length], 0) : y[i] + bias[i % bias.Length];
    }

    /// <summary>sums[j] = (add ? sums[j] : 0) + the sum of column j of y[rows, sums.Length].</summary>
    public static void ColumnSums(ReadOnlySpan<float> y, Span<float> sums, bool add)
    {
        for (int j = 0; j < sums.Length; j++)
        {
            double sum = add ? sums[j] : 0;
            for (int i = j; i < y.Length; i += sums.Length)
                sum += y[i];
            sums[j] = (float)sum;
        }
    }

    // Phi(z): series of Marsaglia (2004) for |z| < 6, else the tail's leading terms.
    private static double NormalDistribution(double z)
    {
        if (Math.Abs(z) >= 6)
        {
            double tail = Math.Exp(-z * z / 2) / (Math.Abs(z) * Math.Sqrt(2 * Math.PI)) * (1 - (1 / (z * z)));
            return z < 0 ? tail : 1 - tail;
        }

        double term = z, sum = z;
        for (int i = 3; Math.Abs(term) > 1e-18 && i < 400; i += 2)
        {
            term *= z * z / i;
            sum += term;
        }

        return 0.5 + (sum * Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI));
    }
}
