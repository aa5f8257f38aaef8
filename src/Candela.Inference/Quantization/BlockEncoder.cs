using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Candela.Formats;

namespace Candela.Inference.Quantization;

/// <summary>Quantises values into GGUF's blocks, so that <see cref="BlockDecoder"/> and llama.cpp read them.</summary>
/// <remarks>Q8_0 and Q4_0 round to the grid that the largest value spans. Q4_K fits scale and minimum of each group by weighted least squares, larger values counting more, over a few grids, and then quantises both to six bits.</remarks>
public static class BlockEncoder
{
    private const int Group = 32, Super = 256, MostNibble = 15, MostSixBits = 63, Grids = 9;
    private const double FirstGrid = 0.92, GridStep = 0.02;

    /// <summary>The types that can be written.</summary>
    public static IReadOnlyList<GgmlType> Types { get; } = [GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_K];

    /// <summary>Quantises whole blocks.</summary>
    /// <param name="type">One of <see cref="Types"/>.</param>
    /// <param name="values">A multiple of the type's block; finite.</param>
    /// <param name="blocks">Receives the blocks.</param>
    /// <exception cref="ShapeException">The two do not fit.</exception>
    /// <exception cref="DataException">A value is not finite.</exception>
    /// <exception cref="UsageException">The type is not among those.</exception>
    public static void Encode(GgmlType type, ReadOnlySpan<float> values, Span<byte> blocks)
    {
        if (!Types.Contains(type))
            throw new UsageException($"Tensors cannot be written as {type}. Types: {string.Join(", ", Types)}.");
        int elements = GgmlTypes.BlockElements(type), bytes = GgmlTypes.BlockBytes(type);
        if (values.Length % elements != 0 || blocks.Length != values.Length / elements * (long)bytes)
            throw new ShapeException($"{values.Length} values were to be written as {type} into {blocks.Length} bytes; blocks of {elements} values take {bytes} bytes each.");
        if (!float.IsFinite(TensorPrimitives.Sum(values)) && IndexOfNonFinite(values) is >= 0 and var bad)
            throw new DataException($"Value {bad} of the tensor is {values[bad]}; only finite values can be quantised.");
        switch (type)
        {
            case GgmlType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(blocks);
                return;
            case GgmlType.F16:
                TensorPrimitives.ConvertToHalf(values, MemoryMarshal.Cast<byte, Half>(blocks));
                return;
            case GgmlType.BF16:
                for (int i = 0; i < values.Length; i++)
                    BinaryPrimitives.WriteUInt16LittleEndian(blocks[(2 * i)..], Upper(values[i]));
                return;
        }

        for (int at = 0; at < values.Length; at += elements, blocks = blocks[bytes..])
        {
            ReadOnlySpan<float> part = values.Slice(at, elements);
            if (type == GgmlType.Q8_0)
                Bytes(part, blocks);
            else if (type == GgmlType.Q4_0)
                Nibbles(part, blocks);
            else
                SuperBlock(part, blocks);
        }
    }

    private static int IndexOfNonFinite(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return i;
        }

        return -1;
    }

    // Round to nearest, ties to even.
    private static ushort Upper(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }

    private static void Bytes(ReadOnlySpan<float> values, Span<byte> block)
    {
        float scale = TensorPrimitives.MaxMagnitude(values);
        scale = Math.Abs(scale) / 127;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        float inverse = scale == 0 ? 0 : 1 / scale;
        for (int i = 0; i < Group; i++)
            block[2 + i] = (byte)(sbyte)MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero);
    }

    // The largest value by size becomes -8, the end of the range that reaches farther.
    private static void Nibbles(ReadOnlySpan<float> values, Span<byte> block)
    {
        float scale = TensorPrimitives.MaxMagnitude(values) / -8;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        float inverse = scale == 0 ? 0 : 1 / scale;
        for (int i = 0; i < Group / 2; i++)
            block[2 + i] = (byte)(Quant(values[i]) | Quant(values[i + 16]) << 4);

        int Quant(float value) => Math.Min(MostNibble, (int)((value * inverse) + 8.5f));
    }

    private static void SuperBlock(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<float> scales = stackalloc float[Super / Group], minima = stackalloc float[Super / Group];
        for (int g = 0; g < scales.Length; g++)
            Fit(values.Slice(g * Group, Group), out scales[g], out minima[g]);
        float mostScale = TensorPrimitives.Max(scales), mostMinimum = TensorPrimitives.Max(minima);
        var scale = (Half)(mostScale / MostSixBits);
        var minimum = (Half)(mostMinimum / MostSixBits);
        BinaryPrimitives.WriteHalfLittleEndian(block, scale);
        BinaryPrimitives.WriteHalfLittleEndian(block[2..], minimum);
        Span<byte> packed = block.Slice(4, 12), quants = block.Slice(16, Super / 2);
        packed.Clear();
        quants.Clear();
        for (int g = 0; g < scales.Length; g++)
        {
            int sixScale = SixBits(scales[g], mostScale), sixMinimum = SixBits(minima[g], mostMinimum);
            Pack(packed, g, sixScale, sixMinimum);
            float step = (float)scale * sixScale, offset = (float)minimum * sixMinimum;
            for (int i = 0; i < Group; i++)
            {
                int quant = step == 0 ? 0 : Math.Clamp((int)MathF.Round((values[(g * Group) + i] + offset) / step), 0, MostNibble);
                quants[(g / 2 * 32) + i] |= (byte)(quant << (g % 2 * 4));
            }
        }

        static int SixBits(float value, float most) => most == 0 ? 0 : Math.Clamp((int)MathF.Round(MostSixBits * value / most), 0, MostSixBits);
    }

    private static void Pack(Span<byte> packed, int group, int scale, int minimum)
    {
        if (group < 4)
        {
            packed[group] |= (byte)scale;
            packed[group + 4] |= (byte)minimum;
            return;
        }

        packed[group + 4] = (byte)((scale & 15) | (minimum & 15) << 4);
        packed[group - 4] |= (byte)(scale >> 4 << 6);
        packed[group] |= (byte)(minimum >> 4 << 6);
    }

    // value = scale x quant - minimum with both at least 0: for each of some grids the quants are rounded, then scale and minimum solved for.
    private static void Fit(ReadOnlySpan<float> values, out float scale, out float minimum)
    {
        double low = Math.Min(0, TensorPrimitives.Min(values)), high = TensorPrimitives.Max(values);
        (scale, minimum) = (0, (float)-low);
        if (high <= low)
            return;
        double size = Math.Sqrt(TensorPrimitives.SumOfSquares(values) / Group), best = double.PositiveInfinity;
        Span<double> quants = stackalloc double[Group];
        for (int grid = 0; grid < Grids; grid++)
        {
            double inverse = MostNibble / (high - low) * (FirstGrid + (GridStep * grid)), w = 0, wq = 0, wqq = 0, wx = 0, wqx = 0;
            for (int i = 0; i < Group; i++)
            {
                double x = values[i], weight = size + Math.Abs(x), q = Math.Clamp(Math.Round((x - low) * inverse), 0, MostNibble);
                quants[i] = q;
                (w, wq, wqq, wx, wqx) = (w + weight, wq + (weight * q), wqq + (weight * q * q), wx + (weight * x), wqx + (weight * q * x));
            }

            double determinant = (w * wqq) - (wq * wq);
            if (determinant <= 0)
                continue;
            double step = ((w * wqx) - (wq * wx)) / determinant, offset = ((wqq * wx) - (wq * wqx)) / determinant;
            if (offset > 0)
                (step, offset) = (wqx / wqq, 0);
            double error = 0;
            for (int i = 0; i < Group; i++)
            {
                double miss = (step * quants[i]) + offset - values[i];
                error += (size + Math.Abs(values[i])) * miss * miss;
            }

            if (error < best && step > 0)
                (best, scale, minimum) = (error, (float)step, (float)-offset);
        }
    }
}
