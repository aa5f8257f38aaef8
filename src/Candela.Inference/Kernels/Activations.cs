using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Candela.Inference.Kernels;

/// <summary>Vectors quantised to 8 bits for products with quantised weights: per group of 32 one scale, and the sum of its quants, by which the weights' zero points are taken off at once.</summary>
internal sealed unsafe class Activations : IDisposable
{
    public const int Group = 32;

    private void* _memory;

    /// <summary>Room for vectors of a length.</summary>
    /// <param name="vectors">How many.</param>
    /// <param name="length">A multiple of 32.</param>
    public Activations(int vectors, int length)
    {
        (Vectors, Length, Groups) = (vectors, length, length / Group);
        nuint quants = (nuint)vectors * (nuint)length, scales = (nuint)vectors * (nuint)Groups * sizeof(float);
        _memory = NativeMemory.AlignedAlloc(quants + (2 * scales) + 64, 64);
        Quants = (sbyte*)_memory;
        Scales = (float*)(Quants + quants);
        Sums = (int*)(Scales + ((nuint)vectors * (nuint)Groups));
    }

    public int Vectors { get; }

    public int Length { get; }

    public int Groups { get; }

    /// <summary>[vectors, length].</summary>
    public sbyte* Quants { get; }

    /// <summary>[vectors, groups].</summary>
    public float* Scales { get; }

    /// <summary>[vectors, groups].</summary>
    public int* Sums { get; }

    /// <summary>A vector.</summary>
    public QuantVector At(int vector) => new(Quants + ((nint)vector * Length), Scales + ((nint)vector * Groups), Sums + ((nint)vector * Groups));

    /// <summary>Quantises one vector: the largest value of each group by size becomes 127.</summary>
    public void Quantize(int vector, ReadOnlySpan<float> values)
    {
        if (values.Length != Length || (uint)vector >= (uint)Vectors)
            throw new ShapeException($"Vector {vector} of {values.Length} values was to be quantised; there is room for {Vectors} of {Length}.");
        sbyte* quants = Quants + ((nint)vector * Length);
        float* scales = Scales + ((nint)vector * Groups);
        int* sums = Sums + ((nint)vector * Groups);
        fixed (float* source = values)
        {
            if (Avx2.IsSupported)
                QuantizeAvx2(source, quants, scales, sums, Groups);
            else
                QuantizePlain(source, quants, scales, sums, Groups);
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    internal static void QuantizePlain(float* source, sbyte* quants, float* scales, int* sums, int groups)
    {
        for (int g = 0; g < groups; g++, source += Group, quants += Group)
        {
            float most = 0;
            for (int i = 0; i < Group; i++)
                most = MathF.Max(most, MathF.Abs(source[i]));
            float scale = most / 127, inverse = most == 0 ? 0 : 127 / most;
            int sum = 0;
            for (int i = 0; i < Group; i++)
            {
                int quant = (int)MathF.Round(source[i] * inverse);
                quants[i] = (sbyte)quant;
                sum += quant;
            }

            (scales[g], sums[g]) = (scale, sum);
        }
    }

    private static void QuantizeAvx2(float* source, sbyte* quants, float* scales, int* sums, int groups)
    {
        Vector256<float> sign = Vector256.Create(-0.0f);
        Vector256<int> order = Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7);
        for (int g = 0; g < groups; g++, source += Group, quants += Group)
        {
            Vector256<float> a = Avx.LoadVector256(source), b = Avx.LoadVector256(source + 8), c = Avx.LoadVector256(source + 16), d = Avx.LoadVector256(source + 24);
            Vector256<float> most = Avx.Max(Avx.Max(Avx.AndNot(sign, a), Avx.AndNot(sign, b)), Avx.Max(Avx.AndNot(sign, c), Avx.AndNot(sign, d)));
            Vector128<float> half = Sse.Max(most.GetLower(), most.GetUpper());
            half = Sse.Max(half, Sse.MoveHighToLow(half, half));
            float largest = Sse.MaxScalar(half, Sse3.MoveHighAndDuplicate(half)).ToScalar();
            Vector256<float> inverse = Vector256.Create(largest == 0 ? 0 : 127 / largest);
            Vector256<int> ia = Avx.ConvertToVector256Int32(Avx.Multiply(a, inverse)), ib = Avx.ConvertToVector256Int32(Avx.Multiply(b, inverse));
            Vector256<int> ic = Avx.ConvertToVector256Int32(Avx.Multiply(c, inverse)), id = Avx.ConvertToVector256Int32(Avx.Multiply(d, inverse));
            scales[g] = largest / 127;
            sums[g] = Vector256.Sum(Avx2.Add(Avx2.Add(ia, ib), Avx2.Add(ic, id)));
            Vector256<sbyte> packed = Avx2.PackSignedSaturate(Avx2.PackSignedSaturate(ia, ib), Avx2.PackSignedSaturate(ic, id));
            Avx2.PermuteVar8x32(packed.AsInt32(), order).AsSByte().Store(quants);
        }
    }
}
