// Map of this file
//   Rows                       a matrix in native memory, row by row
//   NormForward, NormApply     layer norm (centred) and RMS norm; mean and 1/deviation of each row are kept
//   NormBackward               g += d x, and the sums over rows for weight and bias
//   Activate, ActivateBack     h = f(u + bias), or f(gate) * up; their gradients, with h made anew
//   AddRow, ColumnSums, Add, Multiply
//   Turn, TurnBack             rotary positions of the heads of a row
//   CrossEntropy               loss of a row of logits, which become their gradient
// Lanes: 8; what is left of a row goes through a padded vector or plain code.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Candela.Training.Transformers.Kernels;

/// <summary>A matrix in native memory.</summary>
/// <param name="at">First number.</param>
/// <param name="stride">Numbers from row to row.</param>
internal readonly unsafe struct Rows(float* at, nint stride)
{
    public float* At { get; } = at;

    public nint Stride { get; } = stride;

    public bool IsNone => At == null;

    public Rows Skip(int rows) => new(At + (rows * Stride), Stride);

    public Rows From(int column) => new(At + column, Stride);

    public float* this[int row] => At + (row * Stride);
}

/// <summary>Passes over rows of a transformer, one thread each.</summary>
internal static unsafe class RowKernels
{
    private const int Lanes = 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NormForward(Rows x, float* weight, float* bias, Rows y, float* stats, int rows, int width, float epsilon, bool centred)
    {
        for (int r = 0; r < rows; r++)
        {
            float* row = x[r];
            float mean = centred ? Sum(row, width) / width : 0;
            float scale = 1 / MathF.Sqrt((SquaresAround(row, mean, width) / width) + epsilon);
            (stats[2 * r], stats[(2 * r) + 1]) = (mean, scale);
            ApplyRow(row, weight, bias, y[r], mean, scale, width);
        }
    }

    /// <summary>The norm again, from the kept statistics.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NormApply(Rows x, float* weight, float* bias, Rows y, float* stats, int rows, int width)
    {
        for (int r = 0; r < rows; r++)
            ApplyRow(x[r], weight, bias, y[r], stats[2 * r], stats[(2 * r) + 1], width);
    }

    /// <summary>g (+)= the gradient of x; sums of dy * normal and dy over the rows are added to <paramref name="dWeight"/> and <paramref name="dBias"/>, which may be null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NormBackward(Rows x, float* weight, float* stats, Rows dy, Rows g, float* dWeight, float* dBias, int rows, int width, bool centred, bool add)
    {
        for (int r = 0; r < rows; r++)
        {
            float* from = x[r], dRow = dy[r], to = g[r];
            float mean = stats[2 * r], scale = stats[(2 * r) + 1];
            Vector256<float> means = Vector256.Create(mean), scales = Vector256.Create(scale), sums = default, products = default;
            int i = 0;
            for (; i + Lanes <= width; i += Lanes)
            {
                Vector256<float> d = Vector256.Load(dRow + i), normal = (Vector256.Load(from + i) - means) * scales, dn = d * Vector256.Load(weight + i);
                sums += dn;
                products = Vector256.FusedMultiplyAdd(dn, normal, products);
                if (dWeight != null)
                    Vector256.FusedMultiplyAdd(d, normal, Vector256.Load(dWeight + i)).Store(dWeight + i);
                if (dBias != null)
                    (Vector256.Load(dBias + i) + d).Store(dBias + i);
            }

            float sum = Vector256.Sum(sums), product = Vector256.Sum(products);
            for (; i < width; i++)
            {
                float normal = (from[i] - mean) * scale;
                sum += dRow[i] * weight[i];
                product += dRow[i] * weight[i] * normal;
                if (dWeight != null)
                    dWeight[i] += dRow[i] * normal;
                if (dBias != null)
                    dBias[i] += dRow[i];
            }

            float a = centred ? sum / width : 0, b = product / width;
            Vector256<float> va = Vector256.Create(a), vb = Vector256.Create(b);
            for (i = 0; i + Lanes <= width; i += Lanes)
            {
                Vector256<float> normal = (Vector256.Load(from + i) - means) * scales;
                Vector256<float> d = scales * ((Vector256.Load(dRow + i) * Vector256.Load(weight + i)) - va - (normal * vb));
                (add ? Vector256.Load(to + i) + d : d).Store(to + i);
            }

            for (; i < width; i++)
            {
                float d = scale * ((dRow[i] * weight[i]) - a - ((from[i] - mean) * scale * b));
                to[i] = add ? to[i] + d : d;
            }
        }
    }

    /// <summary>u += bias (if there is one), h = f(u).</summary>
    public static void Activate(TransformerActivation f, float* u, float* bias, float* h, int rows, int width)
    {
        switch (f)
        {
            case TransformerActivation.Silu: Activate<Silu>(u, bias, h, rows, width); break;
            case TransformerActivation.Gelu: Activate<GeluByErf>(u, bias, h, rows, width); break;
            case TransformerActivation.Relu: Activate<ReluOf>(u, bias, h, rows, width); break;
            case TransformerActivation.Tanh: Activate<TanhOf>(u, bias, h, rows, width); break;
            default: Activate<GeluByTanh>(u, bias, h, rows, width); break;
        }
    }

    /// <summary>h = f(u), d = d * f'(u).</summary>
    public static void ActivateBack(TransformerActivation f, float* u, float* h, float* d, nint count)
    {
        switch (f)
        {
            case TransformerActivation.Silu: ActivateBack<Silu>(u, h, d, count); break;
            case TransformerActivation.Gelu: ActivateBack<GeluByErf>(u, h, d, count); break;
            case TransformerActivation.Relu: ActivateBack<ReluOf>(u, h, d, count); break;
            case TransformerActivation.Tanh: ActivateBack<TanhOf>(u, h, d, count); break;
            default: ActivateBack<GeluByTanh>(u, h, d, count); break;
        }
    }

    /// <summary>h = f(gate) * up.</summary>
    public static void Gate(TransformerActivation f, float* gate, float* up, float* h, nint count)
    {
        switch (f)
        {
            case TransformerActivation.Silu: Gate<Silu>(gate, up, h, count); break;
            case TransformerActivation.Gelu: Gate<GeluByErf>(gate, up, h, count); break;
            case TransformerActivation.Relu: Gate<ReluOf>(gate, up, h, count); break;
            case TransformerActivation.Tanh: Gate<TanhOf>(gate, up, h, count); break;
            default: Gate<GeluByTanh>(gate, up, h, count); break;
        }
    }

    /// <summary>h = f(gate) * up; from d, the gradient of h: dUp = d * f(gate), and d becomes that of the gate, d * up * f'(gate).</summary>
    public static void GateBack(TransformerActivation f, float* gate, float* up, float* h, float* dUp, float* d, nint count)
    {
        switch (f)
        {
            case TransformerActivation.Silu: GateBack<Silu>(gate, up, h, dUp, d, count); break;
            case TransformerActivation.Gelu: GateBack<GeluByErf>(gate, up, h, dUp, d, count); break;
            case TransformerActivation.Relu: GateBack<ReluOf>(gate, up, h, dUp, d, count); break;
            case TransformerActivation.Tanh: GateBack<TanhOf>(gate, up, h, dUp, d, count); break;
            default: GateBack<GeluByTanh>(gate, up, h, dUp, d, count); break;
        }
    }

    /// <summary>y = x + b, row by row; b may be null, y may be x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRow(Rows x, float* b, Rows y, int rows, int width)
    {
        for (int r = 0; r < rows; r++)
        {
            float* from = x[r], to = y[r];
            int i = 0;
            for (; i + Lanes <= width; i += Lanes)
                (b == null ? Vector256.Load(from + i) : Vector256.Load(from + i) + Vector256.Load(b + i)).Store(to + i);
            for (; i < width; i++)
                to[i] = b == null ? from[i] : from[i] + b[i];
        }
    }

    /// <summary>sums[j] += the column's numbers, rows in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ColumnSums(Rows x, float* sums, int rows, int width)
    {
        int i = 0;
        for (; i + (4 * Lanes) <= width; i += 4 * Lanes)
        {
            Vector256<float> a = Vector256.Load(sums + i), b = Vector256.Load(sums + i + 8), c = Vector256.Load(sums + i + 16), d = Vector256.Load(sums + i + 24);
            float* at = x.At + i;
            for (int r = 0; r < rows; r++, at += x.Stride)
            {
                a += Vector256.Load(at);
                b += Vector256.Load(at + 8);
                c += Vector256.Load(at + 16);
                d += Vector256.Load(at + 24);
            }

            a.Store(sums + i);
            b.Store(sums + i + 8);
            c.Store(sums + i + 16);
            d.Store(sums + i + 24);
        }

        for (; i < width; i++)
        {
            float sum = sums[i];
            for (int r = 0; r < rows; r++)
                sum += x[r][i];
            sums[i] = sum;
        }
    }

    /// <summary>y += x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* x, float* y, nint count)
    {
        nint i = 0;
        for (; i + Lanes <= count; i += Lanes)
            (Vector256.Load(y + i) + Vector256.Load(x + i)).Store(y + i);
        for (; i < count; i++)
            y[i] += x[i];
    }

    /// <summary>y = (y +) (x + bias) * m; the bias may be null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Masked(float* x, float* m, float* bias, float* y, int count, bool add)
    {
        for (int i = 0; i < count; i++)
        {
            float value = (bias == null ? x[i] : x[i] + bias[i]) * m[i];
            y[i] = add ? y[i] + value : value;
        }
    }

    /// <summary>y = x * m.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* x, float* m, float* y, nint count)
    {
        nint i = 0;
        for (; i + Lanes <= count; i += Lanes)
            (Vector256.Load(x + i) * Vector256.Load(m + i)).Store(y + i);
        for (; i < count; i++)
            y[i] = x[i] * m[i];
    }

    /// <summary>Turns the first <paramref name="turning"/> numbers of each head of a row: x cos + (x with its halves swapped) sin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Turn(float* row, float* cosines, float* sines, int heads, int width, int turning)
    {
        int half = turning / 2;
        for (int h = 0; h < heads; h++, row += width)
        {
            for (int i = 0; i < half; i++)
            {
                float a = row[i], b = row[i + half];
                row[i] = (a * cosines[i]) + (b * sines[i]);
                row[i + half] = (b * cosines[i + half]) + (a * sines[i + half]);
            }
        }
    }

    /// <summary>The transpose of <see cref="Turn"/>: what it does to gradients.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TurnBack(float* row, float* cosines, float* sines, int heads, int width, int turning)
    {
        int half = turning / 2;
        for (int h = 0; h < heads; h++, row += width)
        {
            for (int i = 0; i < half; i++)
            {
                float a = row[i], b = row[i + half];
                row[i] = (a * cosines[i]) + (b * sines[i + half]);
                row[i + half] = (b * cosines[i + half]) + (a * sines[i]);
            }
        }
    }

    /// <summary>-log softmax(logits)[target] in nats; with a scale other than 0 the logits become scale x (softmax - one-hot).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float CrossEntropy(float* logits, int count, int target, float scale)
    {
        float wanted = logits[target], largest = Largest(logits, count);
        Vector256<float> shift = Vector256.Create(largest), sums = default;
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            Vector256<float> e = FloatMath.Exp(Vector256.Load(logits + i) - shift);
            sums += e;
            e.Store(logits + i);
        }

        double sum = Vector256.Sum(sums);
        for (; i < count; i++)
            sum += logits[i] = MathF.Exp(logits[i] - largest);
        if (scale != 0)
        {
            float factor = (float)(scale / sum);
            Vector256<float> factors = Vector256.Create(factor);
            for (i = 0; i + Lanes <= count; i += Lanes)
                (Vector256.Load(logits + i) * factors).Store(logits + i);
            for (; i < count; i++)
                logits[i] *= factor;
            logits[target] -= scale;
        }

        return (float)(Math.Log(sum) + largest - wanted);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Largest(float* x, int count)
    {
        Vector256<float> most = Vector256.Create(float.NegativeInfinity);
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
            most = Vector256.Max(most, Vector256.Load(x + i));
        float result = float.NegativeInfinity;
        for (int lane = 0; lane < Lanes; lane++)
            result = Math.Max(result, most[lane]);
        for (; i < count; i++)
            result = Math.Max(result, x[i]);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(float* x, int count)
    {
        Vector256<float> sums = default;
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
            sums += Vector256.Load(x + i);
        float sum = Vector256.Sum(sums);
        for (; i < count; i++)
            sum += x[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SquaresAround(float* x, float mean, int count)
    {
        Vector256<float> sums = default, means = Vector256.Create(mean);
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            Vector256<float> d = Vector256.Load(x + i) - means;
            sums = Vector256.FusedMultiplyAdd(d, d, sums);
        }

        float sum = Vector256.Sum(sums);
        for (; i < count; i++)
            sum += (x[i] - mean) * (x[i] - mean);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ApplyRow(float* x, float* weight, float* bias, float* y, float mean, float scale, int width)
    {
        Vector256<float> means = Vector256.Create(mean), scales = Vector256.Create(scale);
        int i = 0;
        for (; i + Lanes <= width; i += Lanes)
        {
            Vector256<float> normal = (Vector256.Load(x + i) - means) * scales * Vector256.Load(weight + i);
            (bias == null ? normal : normal + Vector256.Load(bias + i)).Store(y + i);
        }

        for (; i < width; i++)
            y[i] = ((x[i] - mean) * scale * weight[i]) + (bias == null ? 0 : bias[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Activate<T>(float* u, float* bias, float* h, int rows, int width) where T : struct, ITransformerFunction
    {
        for (int r = 0; r < rows; r++, u += width, h += width)
        {
            for (int i = 0; i < width; i += Lanes)
            {
                int n = Math.Min(Lanes, width - i);
                Vector256<float> x = Read(u + i, n);
                if (bias != null)
                {
                    x += Read(bias + i, n);
                    Write(x, u + i, n);
                }

                Write(T.Both(x, out _), h + i, n);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ActivateBack<T>(float* u, float* h, float* d, nint count) where T : struct, ITransformerFunction
    {
        for (nint i = 0; i < count; i += Lanes)
        {
            int n = (int)Math.Min(Lanes, count - i);
            Vector256<float> y = T.Both(Read(u + i, n), out Vector256<float> slope);
            Write(y, h + i, n);
            Write(Read(d + i, n) * slope, d + i, n);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gate<T>(float* gate, float* up, float* h, nint count) where T : struct, ITransformerFunction
    {
        for (nint i = 0; i < count; i += Lanes)
        {
            int n = (int)Math.Min(Lanes, count - i);
            Write(T.Both(Read(gate + i, n), out _) * Read(up + i, n), h + i, n);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GateBack<T>(float* gate, float* up, float* h, float* dUp, float* d, nint count) where T : struct, ITransformerFunction
    {
        for (nint i = 0; i < count; i += Lanes)
        {
            int n = (int)Math.Min(Lanes, count - i);
            Vector256<float> y = T.Both(Read(gate + i, n), out Vector256<float> slope), upper = Read(d + i, n);
            Vector256<float> u = Read(up + i, n);
            Write(y * u, h + i, n);
            Write(upper * y, dUp + i, n);
            Write(upper * u * slope, d + i, n);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Read(float* at, int count) => count == Lanes ? Vector256.Load(at) : ReadPart(at, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(Vector256<float> value, float* at, int count)
    {
        if (count == Lanes)
            value.Store(at);
        else
            WritePart(value, at, count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector256<float> ReadPart(float* at, int count)
    {
        float* padded = stackalloc float[Lanes];
        for (int i = 0; i < Lanes; i++)
            padded[i] = i < count ? at[i] : 0;
        return Vector256.Load(padded);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WritePart(Vector256<float> value, float* at, int count)
    {
        for (int i = 0; i < count; i++)
            at[i] = value[i];
    }
}
