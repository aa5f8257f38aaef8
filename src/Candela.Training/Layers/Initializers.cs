namespace Candela.Training;

/// <summary>How weights begin. Fans are counted as PyTorch counts them: fan-in is the second size times the kernel's, fan-out the first times the kernel's.
/// Sources: Glorot and Bengio 2010 (Xavier), He et al. 2015, Saxe et al. 2014 (orthogonal).</summary>
public static class Initializers
{
    /// <summary>All zero.</summary>
    public static Initializer Zeros { get; } = (values, _, _) => values.Clear();

    /// <summary>All one.</summary>
    public static Initializer Ones { get; } = Constant(1);

    /// <summary>He with normal numbers: standard deviation sqrt(2 / fan-in). For ReLU and its kin.</summary>
    public static Initializer HeNormal { get; } = (values, shape, rng) => FillNormal(values, 0, Math.Sqrt(2 / FanIn(shape)), rng);

    /// <summary>He with uniform numbers of the same variance, 2 / fan-in.</summary>
    public static Initializer HeUniform { get; } = (values, shape, rng) => FillUniform(values, Math.Sqrt(6 / FanIn(shape)), rng);

    /// <summary>Xavier with normal numbers: standard deviation sqrt(2 / (fan-in + fan-out)). For tanh, sigmoid and linear layers.</summary>
    public static Initializer XavierNormal { get; } = (values, shape, rng) => FillNormal(values, 0, Math.Sqrt(2 / (FanIn(shape) + FanOut(shape))), rng);

    /// <summary>Xavier with uniform numbers of the same variance (Keras' default).</summary>
    public static Initializer XavierUniform { get; } = (values, shape, rng) => FillUniform(values, Math.Sqrt(6 / (FanIn(shape) + FanOut(shape))), rng);

    /// <summary>The same value everywhere.</summary>
    public static Initializer Constant(double value) => (values, _, _) => values.Fill((float)value);

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public static Initializer Uniform(double low, double high) => (values, _, rng) =>
    {
        foreach (ref float value in values)
            value = (float)(low + ((high - low) * rng.NextDouble()));
    };

    /// <summary>Normal with this mean and standard deviation.</summary>
    public static Initializer Normal(double mean, double deviation) => (values, _, rng) => FillNormal(values, mean, deviation, rng);

    /// <summary>Normal around 0, redrawn beyond two <paramref name="deviation"/>s (so its standard deviation is 0.88 of that), as in Keras.</summary>
    public static Initializer TruncatedNormal(double deviation) => (values, _, rng) =>
    {
        foreach (ref float value in values)
        {
            double z;
            do
            {
                z = rng.NextGaussian();
            }
            while (Math.Abs(z) > 2);
            value = (float)(z * deviation);
        }
    };

    /// <summary>Rows (or columns, whichever are fewer) of the flattened matrix [out, rest] orthonormal, times <paramref name="gain"/>.
    /// Gram-Schmidt, twice, on normal numbers, in double precision; O(rows x columns x min(rows, columns)).</summary>
    public static Initializer Orthogonal(double gain = 1) => (values, shape, rng) =>
    {
        int rows = shape.Count == 0 ? 1 : shape[0], columns = (int)(shape.Elements / rows);
        int vectors = Math.Min(rows, columns), length = Math.Max(rows, columns);
        var basis = new double[vectors][];
        for (int i = 0; i < vectors; i++)
            basis[i] = NextOrthonormal(basis.AsSpan(0, i), length, rng);
        for (int i = 0; i < vectors; i++)
        {
            for (int j = 0; j < length; j++)
                values[rows <= columns ? (i * columns) + j : (j * columns) + i] = (float)(gain * basis[i][j]);
        }
    };

    /// <summary>Inputs that reach one output: the product of all sizes but the first.</summary>
    public static double FanIn(Shape shape) => shape.Count < 2 ? shape.Elements : shape.Elements / (double)shape[0];

    /// <summary>Outputs that one input reaches: the first size times the kernel's.</summary>
    public static double FanOut(Shape shape) => shape.Count < 2 ? shape.Elements : shape.Elements / (double)shape[1];

    private static double[] NextOrthonormal(ReadOnlySpan<double[]> earlier, int length, Rng rng)
    {
        var vector = new double[length];
        while (true)
        {
            for (int j = 0; j < length; j++)
                vector[j] = rng.NextGaussian();
            for (int pass = 0; pass < 2; pass++) // the second pass removes what rounding left of the first
            {
                foreach (double[] other in earlier)
                {
                    double overlap = System.Numerics.Tensors.TensorPrimitives.Dot<double>(vector, other);
                    for (int j = 0; j < length; j++)
                        vector[j] -= overlap * other[j];
                }
            }

            double norm = System.Numerics.Tensors.TensorPrimitives.Norm<double>(vector);
            if (norm > 1e-6)
            {
                for (int j = 0; j < length; j++)
                    vector[j] /= norm;
                return vector;
            }
        }
    }

    private static void FillNormal(Span<float> values, double mean, double deviation, Rng rng)
    {
        foreach (ref float value in values)
            value = (float)(mean + (deviation * rng.NextGaussian()));
    }

    private static void FillUniform(Span<float> values, double bound, Rng rng)
    {
        foreach (ref float value in values)
            value = (float)(bound * ((2 * rng.NextDouble()) - 1));
    }
}
