using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Candela.Formats;

namespace Candela.Inference.Kernels;

/// <summary>Products with 8-bit weights of one scale per 32 (Q8_0), eight rows interleaved.</summary>
/// <remarks>Of each group of 32 columns a strip of eight rows holds 256 bytes and then eight half scales: 34 bytes a row, as the file's own blocks. Byte 4r + e of the v-th 32 bytes is column 4v + e of row r.
/// The multiply-add takes one side unsigned: the weights' sizes, their signs moved to the activations. Two products of 128 x 127 fit 16 bits, more do not.</remarks>
internal readonly unsafe struct Octets : IStripKernel
{
    private const int Rows = IStripKernel.Rows, Group = Activations.Group, Bytes = (Rows * Group) + (Rows * 2);

    private const int ScalesAt = Rows * Group, FileBlock = 34;

    public static GgmlType Type => GgmlType.Q8_0;

    public static int StripBytes => Bytes;

    public static void Pack(ReadOnlySpan<byte> rows, int count, int groups, Span<byte> strip)
    {
        for (int g = 0; g < groups; g++)
        {
            Span<byte> into = strip.Slice(g * Bytes, Bytes);
            into.Clear();
            for (int r = 0; r < count; r++)
            {
                ReadOnlySpan<byte> block = rows.Slice(((r * groups) + g) * FileBlock, FileBlock);
                block[..2].CopyTo(into[(ScalesAt + (2 * r))..]);
                for (int j = 0; j < Group; j += 4)
                    block.Slice(2 + j, 4).CopyTo(into[((8 * j) + (4 * r))..]);
            }
        }
    }

    public static void MultiplyPlain(byte* strip, QuantVector vector, int groups, float* into)
    {
        for (int r = 0; r < Rows; r++)
        {
            float total = 0;
            for (int g = 0; g < groups; g++)
            {
                byte* block = strip + ((nint)g * Bytes);
                int dot = 0;
                for (int j = 0; j < Group; j++)
                    dot += (sbyte)block[(j / 4 * 32) + (4 * r) + (j % 4)] * vector.Quants[(g * Group) + j];
                total = MathF.FusedMultiplyAdd(dot, (float)((Half*)(block + ScalesAt))[r] * vector.Scales[g], total);
            }

            into[r] = total;
        }
    }

    public static void Multiply1(byte* strip, QuantVector vector, int groups, float* into)
    {
        sbyte* quants = vector.Quants;
        Vector256<short> ones = Vector256.Create((short)1);
        Vector256<float> total = Vector256<float>.Zero;
        for (int g = 0; g < groups; g++, strip += Bytes, quants += Group)
        {
            Vector256<int> sum = Vector256<int>.Zero, sum2 = Vector256<int>.Zero;
            for (int v = 0; v < 8; v += 2)
            {
                sum = Avx2.Add(sum, Dot(Avx.LoadVector256((sbyte*)strip + (32 * v)), quants + (4 * v), ones));
                sum2 = Avx2.Add(sum2, Dot(Avx.LoadVector256((sbyte*)strip + (32 * v) + 32), quants + (4 * v) + 4, ones));
            }

            total = Fma.MultiplyAdd(Avx.ConvertToVector256Single(Avx2.Add(sum, sum2)), Avx.Multiply(HalfVectors.Load((Half*)(strip + ScalesAt)), Vector256.Create(vector.Scales[g])), total);
        }

        total.Store(into);
    }

    public static void Multiply4(byte* strip, QuantVector first, int groups, nint length, float* into, nint stride)
    {
        sbyte* quants = first.Quants;
        float* scales = first.Scales;
        Vector256<short> ones = Vector256.Create((short)1);
        Vector256<float> t0 = Vector256<float>.Zero, t1 = t0, t2 = t0, t3 = t0;
        for (int g = 0; g < groups; g++, strip += Bytes, quants += Group)
        {
            Vector256<int> s0 = Vector256<int>.Zero, s1 = s0, s2 = s0, s3 = s0;
            for (int v = 0; v < 8; v++)
            {
                Vector256<sbyte> weights = Avx.LoadVector256((sbyte*)strip + (32 * v));
                Vector256<byte> size = Avx2.Abs(weights);
                sbyte* q = quants + (4 * v);
                s0 = Avx2.Add(s0, Dot(weights, size, q, ones));
                s1 = Avx2.Add(s1, Dot(weights, size, q + length, ones));
                s2 = Avx2.Add(s2, Dot(weights, size, q + (2 * length), ones));
                s3 = Avx2.Add(s3, Dot(weights, size, q + (3 * length), ones));
            }

            Vector256<float> scale = HalfVectors.Load((Half*)(strip + ScalesAt));
            t0 = Fma.MultiplyAdd(Avx.ConvertToVector256Single(s0), Avx.Multiply(scale, Vector256.Create(scales[g])), t0);
            t1 = Fma.MultiplyAdd(Avx.ConvertToVector256Single(s1), Avx.Multiply(scale, Vector256.Create(scales[groups + g])), t1);
            t2 = Fma.MultiplyAdd(Avx.ConvertToVector256Single(s2), Avx.Multiply(scale, Vector256.Create(scales[(2 * groups) + g])), t2);
            t3 = Fma.MultiplyAdd(Avx.ConvertToVector256Single(s3), Avx.Multiply(scale, Vector256.Create(scales[(3 * groups) + g])), t3);
        }

        t0.Store(into);
        t1.Store(into + stride);
        t2.Store(into + (2 * stride));
        t3.Store(into + (3 * stride));
    }

    public static void Row(byte* strip, int row, int groups, Span<float> into)
    {
        for (int g = 0; g < groups; g++, strip += Bytes)
        {
            float scale = (float)((Half*)(strip + ScalesAt))[row];
            for (int j = 0; j < Group; j++)
                into[(g * Group) + j] = scale * (sbyte)strip[(j / 4 * 32) + (4 * row) + (j % 4)];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Dot(Vector256<sbyte> weights, sbyte* quants, Vector256<short> ones) => Dot(weights, Avx2.Abs(weights), quants, ones);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Dot(Vector256<sbyte> weights, Vector256<byte> size, sbyte* quants, Vector256<short> ones) =>
        Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(size, Avx2.Sign(Avx2.BroadcastScalarToVector256((int*)quants).AsSByte(), weights)), ones);
}
