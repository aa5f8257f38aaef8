using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Candela.Formats;

namespace Candela.Inference.Kernels;

/// <summary>Products with 4-bit weights whose scales and minima are 6 bits per 32 columns below half scales per 256 (Q4_K), eight rows interleaved.</summary>
/// <remarks>Of each 256 columns a strip of eight rows holds 8 x 128 bytes of nibbles (as <see cref="Nibbles"/>), 8 x 8 bytes of scales, 8 x 8 of minima, eight half scales and eight half minima: 148 bytes a row.
/// The group's scale is multiplied in where 16-bit sums become 32-bit ones, so it costs nothing; the minimum meets the sum of activations once per group.</remarks>
internal readonly unsafe struct SuperNibbles : IStripKernel
{
    private const int Rows = IStripKernel.Rows, Super = 256, Groups = 8, Bytes = ScalesAt + (2 * Rows * Groups) + (4 * Rows);

    private const int ScalesAt = Rows * Super / 2, MinimaAt = ScalesAt + (Rows * Groups), HalvesAt = MinimaAt + (Rows * Groups), FileBlock = 144;

    public static GgmlType Type => GgmlType.Q4_K;

    public static int StripBytes => Bytes;

    public static void Pack(ReadOnlySpan<byte> rows, int count, int supers, Span<byte> strip)
    {
        for (int s = 0; s < supers; s++)
        {
            Span<byte> into = strip.Slice(s * Bytes, Bytes);
            into.Clear();
            for (int r = 0; r < count; r++)
            {
                ReadOnlySpan<byte> block = rows.Slice(((r * supers) + s) * FileBlock, FileBlock), packed = block[16..];
                block[..2].CopyTo(into[(HalvesAt + (2 * r))..]);
                block.Slice(2, 2).CopyTo(into[(HalvesAt + (2 * Rows) + (2 * r))..]);
                for (int g = 0; g < Groups; g++)
                {
                    (int scale, int minimum) = Quantization.BlockDecoder.SixBits(block.Slice(4, 12), g);
                    into[ScalesAt + (Rows * g) + r] = (byte)scale;
                    into[MinimaAt + (Rows * g) + r] = (byte)minimum;
                    for (int j = 0; j < 16; j++)
                    {
                        int low = packed[(g / 2 * 32) + j] >> (g % 2 * 4) & 15, high = packed[(g / 2 * 32) + 16 + j] >> (g % 2 * 4) & 15;
                        into[(g * 128) + (j / 4 * 32) + (4 * r) + (j % 4)] = (byte)(low | high << 4);
                    }
                }
            }
        }
    }

    public static void MultiplyPlain(byte* strip, QuantVector vector, int supers, float* into)
    {
        for (int r = 0; r < Rows; r++)
        {
            float total = 0;
            for (int s = 0; s < supers; s++)
            {
                byte* block = strip + ((nint)s * Bytes);
                float inner = 0, minimum = 0;
                for (int g = 0; g < Groups; g++)
                {
                    int dot = 0, at = (s * Super) + (g * 32);
                    for (int j = 0; j < 16; j++)
                    {
                        int packed = block[(g * 128) + (j / 4 * 32) + (4 * r) + (j % 4)];
                        dot += ((packed & 15) * vector.Quants[at + j]) + ((packed >> 4) * vector.Quants[at + 16 + j]);
                    }

                    float scale = vector.Scales[(s * Groups) + g];
                    inner = MathF.FusedMultiplyAdd(dot * block[ScalesAt + (Rows * g) + r], scale, inner);
                    minimum = MathF.FusedMultiplyAdd(block[MinimaAt + (Rows * g) + r], scale * vector.Sums[(s * Groups) + g], minimum);
                }

                Half* halves = (Half*)(block + HalvesAt);
                total = MathF.FusedMultiplyAdd((float)halves[r], inner, total);
                total = MathF.FusedMultiplyAdd(-(float)halves[Rows + r], minimum, total);
            }

            into[r] = total;
        }
    }

    public static void Multiply1(byte* strip, QuantVector vector, int supers, float* into)
    {
        sbyte* quants = vector.Quants;
        float* scales = vector.Scales;
        int* sums = vector.Sums;
        Vector256<byte> low = Vector256.Create((byte)15);
        Vector256<float> total = Vector256<float>.Zero;
        for (int s = 0; s < supers; s++, strip += Bytes, scales += Groups, sums += Groups)
        {
            Vector256<float> inner = Vector256<float>.Zero, minimum = inner;
            byte* nibbles = strip;
            for (int g = 0; g < Groups; g++, nibbles += 128, quants += 32)
            {
                Vector256<short> sum = Vector256<short>.Zero, sum2 = sum;
                for (int v = 0; v < 4; v++)
                {
                    Vector256<byte> packed = Avx.LoadVector256(nibbles + (32 * v));
                    Vector256<sbyte> a = Avx2.BroadcastScalarToVector256((int*)(quants + (4 * v))).AsSByte(), b = Avx2.BroadcastScalarToVector256((int*)(quants + 16 + (4 * v))).AsSByte();
                    sum = Avx2.Add(sum, Avx2.MultiplyAddAdjacent(Avx2.And(packed, low), a));
                    sum2 = Avx2.Add(sum2, Avx2.MultiplyAddAdjacent(Avx2.And(Avx2.ShiftRightLogical(packed.AsUInt16(), 4).AsByte(), low), b));
                }

                Vector256<int> dot = Avx2.MultiplyAddAdjacent(Avx2.Add(sum, sum2), Pairs(strip + ScalesAt + (Rows * g)));
                inner = Fma.MultiplyAdd(Avx.ConvertToVector256Single(dot), Vector256.Create(scales[g]), inner);
                minimum = Fma.MultiplyAdd(Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(strip + MinimaAt + (Rows * g))), Vector256.Create(scales[g] * sums[g]), minimum);
            }

            total = Fma.MultiplyAdd(HalfVectors.Load((Half*)(strip + HalvesAt)), inner, total);
            total = Fma.MultiplyAddNegated(HalfVectors.Load((Half*)(strip + HalvesAt) + Rows), minimum, total);
        }

        total.Store(into);
    }

    public static void Multiply4(byte* strip, QuantVector first, int supers, nint length, float* into, nint stride)
    {
        sbyte* quants = first.Quants;
        float* scales = first.Scales;
        int* sums = first.Sums;
        Vector256<byte> low = Vector256.Create((byte)15);
        nint groups = length / 32;
        Vector256<float> t0 = Vector256<float>.Zero, t1 = t0, t2 = t0, t3 = t0;
        for (int s = 0; s < supers; s++, strip += Bytes, scales += Groups, sums += Groups)
        {
            Vector256<float> i0 = Vector256<float>.Zero, i1 = i0, i2 = i0, i3 = i0, m0 = i0, m1 = i0, m2 = i0, m3 = i0;
            byte* nibbles = strip;
            for (int g = 0; g < Groups; g++, nibbles += 128, quants += 32)
            {
                Vector256<short> s0 = Vector256<short>.Zero, s1 = s0, s2 = s0, s3 = s0;
                for (int v = 0; v < 4; v++)
                {
                    Vector256<byte> packed = Avx.LoadVector256(nibbles + (32 * v));
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

                Vector256<short> pairs = Pairs(strip + ScalesAt + (Rows * g));
                Vector256<float> offsets = Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(strip + MinimaAt + (Rows * g)));
                float* f = scales + g;
                int* n = sums + g;
                i0 = Fma.MultiplyAdd(Avx.ConvertToVector256Single(Avx2.MultiplyAddAdjacent(s0, pairs)), Vector256.Create(f[0]), i0);
                m0 = Fma.MultiplyAdd(offsets, Vector256.Create(f[0] * n[0]), m0);
                i1 = Fma.MultiplyAdd(Avx.ConvertToVector256Single(Avx2.MultiplyAddAdjacent(s1, pairs)), Vector256.Create(f[groups]), i1);
                m1 = Fma.MultiplyAdd(offsets, Vector256.Create(f[groups] * n[groups]), m1);
                i2 = Fma.MultiplyAdd(Avx.ConvertToVector256Single(Avx2.MultiplyAddAdjacent(s2, pairs)), Vector256.Create(f[2 * groups]), i2);
                m2 = Fma.MultiplyAdd(offsets, Vector256.Create(f[2 * groups] * n[2 * groups]), m2);
                i3 = Fma.MultiplyAdd(Avx.ConvertToVector256Single(Avx2.MultiplyAddAdjacent(s3, pairs)), Vector256.Create(f[3 * groups]), i3);
                m3 = Fma.MultiplyAdd(offsets, Vector256.Create(f[3 * groups] * n[3 * groups]), m3);
            }

            Vector256<float> scale = HalfVectors.Load((Half*)(strip + HalvesAt)), offset = HalfVectors.Load((Half*)(strip + HalvesAt) + Rows);
            t0 = Fma.MultiplyAddNegated(offset, m0, Fma.MultiplyAdd(scale, i0, t0));
            t1 = Fma.MultiplyAddNegated(offset, m1, Fma.MultiplyAdd(scale, i1, t1));
            t2 = Fma.MultiplyAddNegated(offset, m2, Fma.MultiplyAdd(scale, i2, t2));
            t3 = Fma.MultiplyAddNegated(offset, m3, Fma.MultiplyAdd(scale, i3, t3));
        }

        t0.Store(into);
        t1.Store(into + stride);
        t2.Store(into + (2 * stride));
        t3.Store(into + (3 * stride));
    }

    public static void Row(byte* strip, int row, int supers, Span<float> into)
    {
        for (int s = 0; s < supers; s++, strip += Bytes)
        {
            Half* halves = (Half*)(strip + HalvesAt);
            for (int g = 0; g < Groups; g++)
            {
                float step = (float)halves[row] * strip[ScalesAt + (Rows * g) + row], offset = (float)halves[Rows + row] * strip[MinimaAt + (Rows * g) + row];
                for (int j = 0; j < 16; j++)
                {
                    int packed = strip[(g * 128) + (j / 4 * 32) + (4 * row) + (j % 4)], at = (s * Super) + (g * 32) + j;
                    (into[at], into[at + 16]) = ((step * (packed & 15)) - offset, (step * (packed >> 4)) - offset);
                }
            }
        }
    }

    // Eight bytes, each as a pair of 16-bit numbers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Pairs(byte* scales)
    {
        Vector256<int> wide = Avx2.ConvertToVector256Int32(scales);
        return Avx2.Or(wide, Avx2.ShiftLeftLogical(wide, 16)).AsInt16();
    }
}
