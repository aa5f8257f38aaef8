using Candela.Formats;
using Candela.Inference.Kernels;
using Candela.Inference.Quantization;
using Candela.Inference.Weights;

namespace Candela.Inference.Tests;

public sealed unsafe class MatrixTests
{
    public static TheoryData<GgmlType> Types => new(GgmlType.F32, GgmlType.F16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_K);

    [Theory]
    [MemberData(nameof(Types))]
    [Trait("Kind", "conformance")]
    public void Multiply_AnyRowsAndVectors_EqualsDoubleProductsOfDecodedWeights(GgmlType type)
    {
        Rng rng = new(3);
        foreach ((int rows, int columns, int vectors) in new[] { (1, 256, 1), (8, 512, 4), (13, 256, 7), (40, 768, 5) })
        {
            var (file, decoded) = Weights(type, rows, columns, rng);
            using Matrix matrix = Open(type, rows, columns, file);
            float[] x = Values(vectors * columns, rng);
            using var quants = new Activations(vectors, columns);
            float[] seen = Seen(matrix, x, vectors, columns, quants);
            float[] result = Multiply(matrix, x, vectors, quants);
            for (int v = 0; v < vectors; v++)
            {
                for (int r = 0; r < rows; r++)
                {
                    double expected = 0, size = 0;
                    for (int c = 0; c < columns; c++)
                    {
                        double product = (double)decoded[(r * columns) + c] * seen[(v * columns) + c];
                        (expected, size) = (expected + product, size + Math.Abs(product));
                    }

                    Assert.True(Math.Abs(expected - result[(v * Padded(rows)) + r]) <= 2e-6 * size, $"{type} {rows}x{columns} row {r} vector {v}: {result[(v * Padded(rows)) + r]} for {expected}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    [Trait("Kind", "property")]
    public void Multiply_VectorsTogether_AreTheSameBitsAsAlone(GgmlType type)
    {
        Rng rng = new(4);
        const int Rows = 21, Columns = 512, Vectors = 6;
        using Matrix matrix = Open(type, Rows, Columns, Weights(type, Rows, Columns, rng).File);
        float[] x = Values(Vectors * Columns, rng);
        using var quants = new Activations(Vectors, Columns);
        _ = Seen(matrix, x, Vectors, Columns, quants);
        float[] together = Multiply(matrix, x, Vectors, quants);
        for (int v = 0; v < Vectors; v++)
        {
            using var one = new Activations(1, Columns);
            float[] own = x[(v * Columns)..((v + 1) * Columns)];
            _ = Seen(matrix, own, 1, Columns, one);
            Assert.Equal(Multiply(matrix, own, 1, one)[..Rows], together[(v * Padded(Rows))..((v * Padded(Rows)) + Rows)]);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    [Trait("Kind", "property")]
    public void Row_IsWhatTheFileHolds(GgmlType type)
    {
        Rng rng = new(5);
        var (file, decoded) = Weights(type, 11, 256, rng);
        using Matrix matrix = Open(type, 11, 256, file);
        var row = new float[256];
        for (int r = 0; r < 11; r++)
        {
            matrix.Row(r, row);
            Assert.Equal(decoded[(r * 256)..((r + 1) * 256)], row);
        }
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void Multiply_WithVectors_EqualsThePlainTwin()
    {
        Compare<Nibbles>();
        Compare<Octets>();
        Compare<SuperNibbles>();
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void Quantize_WithVectors_EqualsThePlainTwin()
    {
        Rng rng = new(6);
        float[] x = Values(128, rng);
        x.AsSpan(32, 32).Clear();
        using Activations fast = new(1, 128), plain = new(1, 128);
        fast.Quantize(0, x);
        fixed (float* source = x)
            Activations.QuantizePlain(source, plain.Quants, plain.Scales, plain.Sums, plain.Groups);
        Assert.Equal(new ReadOnlySpan<sbyte>(plain.Quants, 128).ToArray(), new ReadOnlySpan<sbyte>(fast.Quants, 128).ToArray());
        Assert.Equal(new ReadOnlySpan<float>(plain.Scales, 4).ToArray(), new ReadOnlySpan<float>(fast.Scales, 4).ToArray());
        Assert.Equal(new ReadOnlySpan<int>(plain.Sums, 4).ToArray(), new ReadOnlySpan<int>(fast.Sums, 4).ToArray());
    }

    // The same sums of integers, and single-precision sums in the same order: equal up to the fused steps' rounding.
    private static void Compare<TKernel>()
        where TKernel : struct, IStripKernel
    {
        Rng rng = new(8);
        foreach (int columns in new[] { 256, 768 })
        {
            int blocks = columns / GgmlTypes.BlockElements(TKernel.Type);
            byte[] file = Weights(TKernel.Type, 8, columns, rng).File, strip = new byte[blocks * TKernel.StripBytes];
            TKernel.Pack(file, 8, blocks, strip);
            using var x = new Activations(1, columns);
            x.Quantize(0, Values(columns, rng));
            float[] plain = new float[8], fast = new float[8];
            fixed (byte* s = strip)
            {
                fixed (float* p = plain, f = fast)
                {
                    TKernel.MultiplyPlain(s, x.At(0), blocks, p);
                    TKernel.Multiply1(s, x.At(0), blocks, f);
                }
            }

            for (int r = 0; r < 8; r++)
                Assert.True(Math.Abs(plain[r] - fast[r]) <= 1e-5 * plain.Max(Math.Abs), $"{TKernel.Type} row {r}: {fast[r]} for {plain[r]}");
        }
    }

    private static int Padded(int rows) => (rows + 7) / 8 * 8;

    private static float[] Values(int count, Rng rng)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (float)rng.NextGaussian();
        return values;
    }

    private static (byte[] File, float[] Decoded) Weights(GgmlType type, int rows, int columns, Rng rng)
    {
        float[] values = Values(rows * columns, rng);
        var file = new byte[GgmlTypes.Bytes(type, values.Length)];
        BlockEncoder.Encode(type, values, file);
        var decoded = new float[values.Length];
        BlockDecoder.Decode(type, file, decoded);
        return (file, decoded);
    }

    private static Matrix Open(GgmlType type, int rows, int columns, byte[] file)
    {
        int rowBytes = (int)GgmlTypes.Bytes(type, columns);
        return Matrix.Create(type, rows, columns, (row, into) => file.AsSpan(row * rowBytes, into.Length).CopyTo(into));
    }

    // What the product sees of the vectors: themselves, or their quants.
    private static float[] Seen(Matrix matrix, float[] x, int vectors, int columns, Activations quants)
    {
        if (!matrix.TakesQuants)
            return x;
        var seen = new float[x.Length];
        for (int v = 0; v < vectors; v++)
        {
            quants.Quantize(v, x.AsSpan(v * columns, columns));
            for (int c = 0; c < columns; c++)
                seen[(v * columns) + c] = quants.Quants[(v * columns) + c] * quants.Scales[(v * quants.Groups) + (c / 32)];
        }

        return seen;
    }

    private static float[] Multiply(Matrix matrix, float[] x, int vectors, Activations quants)
    {
        var result = new float[vectors * Padded(matrix.Rows)];
        fixed (float* source = x, into = result)
            matrix.Multiply(0, matrix.Strips, new Inputs((nint)source, matrix.Columns, quants), vectors, into, Padded(matrix.Rows));
        return result;
    }
}
