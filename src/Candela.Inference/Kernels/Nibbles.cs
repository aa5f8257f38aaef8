using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Candela.Formats;

namespace Candela.Inference.Kernels;

/// <summary>Products with 4-bit weights of one scale per 32 (Q4_0), eight rows interleaved.</summary>
/// <remarks>
/// A strip is eight rows. Of each group of 32 columns it holds 128 bytes of nibbles and then eight half scales: 18 bytes a row, as the file's own blocks.
/// Byte 4r + e of the v-th 32 bytes has column 4v + e of row r in its low half and column 16 + 4v + e in its high half, so that four columns of a vector, broadcast, meet eight rows in one multiply-add.
/// Weights stay unsigned, 0 to 15: eight products of two fit 16 bits (8 x 2 x 15 x 127 = 30,480), and the zero point 8 is taken off the group by its sum of activations.
/// </remarks>
internal readonly unsafe struct Nibbles : IStripKernel
{
    private const int Rows = IStripKernel.Rows, Group = Activations.Group, Bytes = (Rows * Group / 2) + (Rows * 2), Zero = 8;

    private const int ScalesAt = Rows * Group / 2, FileBlock = 18;

    public static GgmlType Type => GgmlType.Q4_0;

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
                for (int j = 0; j < Group / 2; j++)
                    into[(j / 4 * 32) + (4 * r) + (j % 4)] = block[2 + j];
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
                int dot = -Zero * vector.Sums[g];
                for (int j = 0; j < Group / 2; j++)
                {
                    int packed = block[(j / 4 * 32) + (4 * r) + (j % 4)];
                    dot += ((packed & 15) * vector.Quants[(g * Group) + j]) + ((packed >> 4) * vector.Quants[(g * Group) + 16 + j]);
                }

                total = MathF.FusedMultiplyAdd(dot, (float)((Half*)(block + ScalesAt))[r] * vector.Scales[g], total);
            }

            into[r] = total;
        }
    }

    public static void Multiply1(byte* strip, QuantVector vector, int groups, float* into)
    {
        sbyte* quants = vector.Quants;
        Vector256<byte> low = Vector256.Create((byte)15);
        Vector256<short> ones = Vector256.Create((short)1);
        Vector256<float> total = Vector256<float>.Zero;
        for (int g = 0; g < groups; g++, strip += Bytes, quants += Group)
        {
            Vector256<short> sum = Vector256<short>.Zero, sum2 = Vector256<short>.Zero;
            for (int v = 0; v < 4; v++)
            {
                Vector256<byte> packed = Avx.LoadVector256(strip + (32 * v));
                Vector256<sbyte> a = Avx2.BroadcastScalarToVector256((int*)(quants + (4 * v))).AsSByte(), b = Avx2.BroadcastScalarToVector256((int*)(quants + 16 + (4 * v))).AsSByte();
                sum = Avx2.Add(sum, Avx2.MultiplyAddAdjacent(Avx2.And(packed, low), a));
                sum2 = Avx2.Add(sum2, Avx2.MultiplyAddAdjacent(Avx2.And(Avx2.ShiftRightLogical(packed.AsUInt16(), 4).AsByte(), low), b));
            }

            Vector256<int> dot = Avx2.Subtract(Avx2.MultiplyAddAdjacent(Avx2.Add(sum, sum2), ones), Vector256.Create(Zero * vector.Sums[g]));
            total = Fma.MultiplyAdd(Avx.ConvertToVector256Single(dot), Avx.Multiply(HalfVectors.Load((Half*)(strip + ScalesAt)), Vector256.Create(vector.Scales[g])), total);
        }

        total.Store(into);
    }

    public static void Multiply4(byte* strip, QuantVector first, int groups, nint length, float* into, nint stride)
    {
        sbyte* quants = first.Quants;
        float* scales = first.Scales;
        int* sums = first.Sums;
        Vector256<byte> low = Vector256.Create((byte)15);
        Vector256<short> ones = Vector256.Create((short)1);
        Vector256<float> t0 = Vector256<float>.Zero, t1 = t0, t2 = t0, t3 = t0;
        for (int g = 0; g < groups; g++, strip += Bytes, quants += Group)
        {
            Vector256<short> s0 = Vector256<short>.Zero, s1 = s0, s2 = s0, s3 = s0;
            for (int v = 0; v < 4; v++)
            {
                Vector256<byte> packed = Avx.LoadVector256(strip + (32 * v));
                Vector256<byte> a = Avx2.And(packed, low), b = Avx2.And(Avx2.ShiftRightLogical(packed.AsUInt16(), 4).AsByte(), low);
                sbyte* q = quants + (4 * v);
                s0 = Avx2.Add(s0, Avx2.MultiplyAddAdjacent(a, Avx2.BroadcastScalarToVector256((int*)q).AsSByte()));
                s1 = Avx2.Add(s1, Avx2.MultiplyAddAdjacent(a, Avx2.BroadcastScalarToVector256((int*)(q + length)).AsSByte()));
                s2 = Avx2.Add(s2, Avx2.MultiplyAddAdjacent(a, Avx2.BroadcastScalarToVector256((int*)(q + (2 * length))).AsSByte()));
                s3 = Avx2.Add(s3, Avx2.MultiplyAddAdjacent(a, Avx2.BroadcastScalarToVector256((int*)(q + (3 * length))).AsSByte()));
                q += 16;
                s0 = Avx2.Add(s0, Avx2.MultiplyAddAdjacent(b, Avx2.BroadcastScalarToVector256((int*)q).AsSByte()));
                s1 = Avx2.Add(s1, Avx2.MultiplyAddAdjacent(b, Avx2.BroadcastScalarToVector256((int*)(q + length)).AsSByte()));
                s2 = Avx2.Add(s2, Avx2.MultiplyAddAdjacent(b, Avx2.BroadcastScalarToVector256((int*)(q + (2 * length))).AsSByte()));
                s3 = Avx2.Add(s3, Avx2.MultiplyAddAdjacent(b, Avx2.BroadcastScalarToVector256((int*)(q + (3 * length))).AsSByte()));
            }

            Vector256<float> weights = HalfVectors.Load((Half*)(strip + ScalesAt));
            t0 = Add(t0, s0, ones, sums[g], weights, scales[g]);
            t1 = Add(t1, s1, ones, sums[groups + g], weights, scales[groups + g]);
            t2 = Add(t2, s2, ones, sums[(2 * groups) + g], weights, scales[(2 * groups) + g]);
            t3 = Add(t3, s3, ones, sums[(3 * groups) + g], weights, scales[(3 * groups) + g]);
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
            for (int j = 0; j < Group / 2; j++)
            {
                int packed = strip[(j / 4 * 32) + (4 * row) + (j % 4)];
                (into[(g * Group) + j], into[(g * Group) + 16 + j]) = (scale * ((packed & 15) - Zero), scale * ((packed >> 4) - Zero));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add(Vector256<float> total, Vector256<short> sum, Vector256<short> ones, int offset, Vector256<float> weights, float scale) =>
        Fma.MultiplyAdd(Avx.ConvertToVector256Single(Avx2.Subtract(Avx2.MultiplyAddAdjacent(sum, ones), Vector256.Create(Zero * offset))), Avx.Multiply(weights, Vector256.Create(scale)), total);
}
