using Candela.Training.DenseNets;
using Candela.Training.DenseNets.Kernels;

namespace Candela.Training.Tests.DenseNets;

/// <summary>Every fast kernel against its plain twin, over sizes that meet all tails.</summary>
public sealed unsafe class KernelTests
{
    public static TheoryData<int, int, int> Sizes()
    {
        var sizes = new TheoryData<int, int, int>();
        foreach (int m in new[] { 1, 5, 6, 7, 13, 150 })
            foreach (int n in new[] { 1, 8, 15, 16, 17, 33 })
                foreach (int k in new[] { 1, 7, 8, 9, 31 })
                    sizes.Add(m, n, k);
        sizes.Add(37, 1050, 11);
        sizes.Add(19, 21, 700);
        sizes.Add(160, 64, 321);
        sizes.Add(3, 4, 0);
        return sizes;
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    [Trait("Kind", "conformance")]
    public void Gemm_AnySizeAndLayout_EqualsReference(int m, int n, int k)
    {
        var rng = new Rng((m * 1_000_003L) + (n * 1009) + k);
        using AlignedFloats a = Random(rng, m * k), b = Random(rng, n * k), c = Random(rng, m * n);
        using var panels = new GemmPanels();
        float[] expected = new float[m * n], start = c.Span.ToArray();
        foreach (bool portable in new[] { false, true })
        {
            foreach (bool add in new[] { false, true })
            {
                for (int layout = 0; layout < 4; layout++)
                {
                    (int rowA, int colA) = layout % 2 == 0 ? (k, 1) : (1, m);
                    (int rowB, int colB) = layout / 2 == 0 ? (n, 1) : (1, k);
                    start.CopyTo(expected, 0);
                    start.CopyTo(c.Span);
                    DenseReference.Multiply(m, n, k, a.Span, rowA, colA, b.Span, rowB, colB, expected, add);
                    Gemm.Serial(
                        new GemmProblem
                        {
                            M = m,
                            N = n,
                            K = k,
                            A = a.Pointer,
                            RowA = rowA,
                            ColA = colA,
                            B = b.Pointer,
                            RowB = rowB,
                            ColB = colB,
                            C = c.Pointer,
                            RowC = n,
                            Accumulate = add,
                            Portable = portable,
                        },
                        panels);
                    AssertClose(expected, c.Span, 2e-6 * Math.Sqrt(k + 1) * 4);
                }
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [Trait("Kind", "property")]
    public void Gemm_AnyThreadCount_GivesTheSameBits(int threads)
    {
        var rng = new Rng(5);
        foreach ((int m, int n, int k) in new[] { (128, 200, 130), (300, 40, 333), (64, 2048, 64) })
        {
            using AlignedFloats a = Random(rng, m * k), b = Random(rng, n * k), one = new(m * n), many = new(m * n);
            using var single = new WorkPool(1);
            using var pool = new WorkPool(threads);
            for (int round = 0; round < 20; round++)
            {
                Gemm.Forward(single, a.Pointer, b.Pointer, one.Pointer, m, k, n);
                many.Span.Clear();
                Gemm.Forward(pool, a.Pointer, b.Pointer, many.Pointer, m, k, n);
                Assert.True(one.Span.SequenceEqual(many.Span));
            }
        }
    }

    [Theory]
    [InlineData(ActivationKind.None)]
    [InlineData(ActivationKind.Relu)]
    [InlineData(ActivationKind.Tanh)]
    [InlineData(ActivationKind.Sigmoid)]
    [InlineData(ActivationKind.Gelu)]
    [InlineData(ActivationKind.Silu)]
    [InlineData(ActivationKind.LeakyRelu)]
    [InlineData(ActivationKind.Elu)]
    [InlineData(ActivationKind.Softplus)]
    [Trait("Kind", "conformance")]
    public void Activation_ValuesAndSlopes_EqualReference(ActivationKind activation)
    {
        for (int count = 1; count <= 41; count += 4)
        {
            using AlignedFloats z = new(count), y = new(count), dy = new(count), dz = new(count);
            for (int i = 0; i < count; i++)
            {
                z.Span[i] = i switch { 0 => -0.3f, 1 => 1000, 2 => -1000, 3 => 0.02f, _ => (float)((i - 20) * 0.37) };
                dy.Span[i] = 1 + (i * 0.1f);
            }

            ElementKernels.Apply(activation, z.Pointer, y.Pointer, count);
            ElementKernels.Chain(activation, z.Pointer, y.Pointer, dy.Pointer, dz.Pointer, count);
            for (int i = 0; i < count; i++)
            {
                double value = DenseReference.Value(activation, z.Span[i]), slope = DenseReference.Slope(activation, z.Span[i]) * dy.Span[i];
                Assert.Equal(value, y.Span[i], 1e-6 * Math.Max(1, Math.Abs(value)));
                Assert.Equal(slope, dz.Span[i], 2e-6 * Math.Max(1, Math.Abs(dy.Span[i])));
            }
        }
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void RowKernels_AllTails_EqualReference()
    {
        var rng = new Rng(9);
        for (int units = 1; units <= 75; units++)
        {
            int rows = 1 + (units % 7);
            using AlignedFloats y = Random(rng, rows * units), bias = Random(rng, units), sums = Random(rng, units);
            foreach (bool relu in new[] { false, true })
            {
                float[] expected = y.Span.ToArray(), total = sums.Span.ToArray();
                DenseReference.AddBias(expected, bias.Span, relu);
                ElementKernels.AddBias(y.Pointer, bias.Pointer, rows, units, relu);
                AssertClose(expected, y.Span, 0);
                DenseReference.ColumnSums(y.Span, total, relu);
                ElementKernels.ColumnSums(y.Pointer, rows, units, sums.Pointer, relu);
                AssertClose(total, sums.Span, 1e-5);
            }

            float[] softmax = new float[rows * units];
            for (int i = 0; i < y.Length; i += 5)
                y.Span[i] *= 1000;
            DenseReference.Softmax(y.Span, softmax, units);
            using var to = new AlignedFloats(rows * units);
            ElementKernels.Softmax(y.Pointer, to.Pointer, rows, units);
            AssertClose(softmax, to.Span, 1e-6);
        }
    }

    private static AlignedFloats Random(Rng rng, int length)
    {
        var floats = new AlignedFloats(length);
        foreach (ref float f in floats.Span)
            f = (float)rng.NextGaussian();
        return floats;
    }

    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance)
    {
        for (int i = 0; i < expected.Length; i++)
            if (!(Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i]))))
                Assert.Fail($"element {i}: expected {expected[i]}, got {actual[i]}");
    }
}
