using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Candela.Formats;

namespace Candela.Inference.Quantization;

/// <summary>Values of GGUF's plain and quantised types, one block after the other: the plain reference that every kernel is compared with.</summary>
/// <remarks>Source: ggml's block layouts (public format). A block of 32 holds element j in the low half of byte j and element j + 16 in the high half; a K-block of 256 holds 8 or 16 groups whose scales are quantised too.</remarks>
public static class BlockDecoder
{
    private const int Group = 32, Super = 256;

    /// <summary>The types that can be decoded.</summary>
    public static IReadOnlyList<GgmlType> Types { get; } =
    [
        GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q5_0, GgmlType.Q5_1, GgmlType.Q2_K, GgmlType.Q3_K, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K,
    ];

    /// <summary>Decodes whole blocks.</summary>
    /// <param name="type">One of <see cref="Types"/>.</param>
    /// <param name="blocks">As stored.</param>
    /// <param name="into">As many values as the blocks hold.</param>
    /// <exception cref="ShapeException">The two do not fit.</exception>
    /// <exception cref="UsageException">The type is not among those.</exception>
    public static void Decode(GgmlType type, ReadOnlySpan<byte> blocks, Span<float> into)
    {
        if (!Types.Contains(type))
            throw new UsageException($"Tensors of the type {type} cannot be read. Types: {string.Join(", ", Types)}. Convert the model to one of these.");
        int elements = GgmlTypes.BlockElements(type), bytes = GgmlTypes.BlockBytes(type);
        if (into.Length % elements != 0 || blocks.Length != into.Length / elements * (long)bytes)
            throw new ShapeException($"{into.Length} values of type {type} were asked for from {blocks.Length} bytes; blocks of {elements} values take {bytes} bytes each.");
        switch (type)
        {
            case GgmlType.F32:
                blocks.CopyTo(MemoryMarshal.AsBytes(into));
                return;
            case GgmlType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(blocks), into);
                return;
            case GgmlType.BF16:
                for (int i = 0; i < into.Length; i++)
                    into[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(blocks[(2 * i)..]) << 16);
                return;
        }

        for (int at = 0; at < into.Length; at += elements, blocks = blocks[bytes..])
        {
            Span<float> values = into.Slice(at, elements);
            switch (type)
            {
                case GgmlType.Q8_0:
                    Bytes(blocks, values);
                    break;
                case GgmlType.Q4_0:
                    Nibbles(HalfAt(blocks, 0), -8 * HalfAt(blocks, 0), 0, blocks[2..], values);
                    break;
                case GgmlType.Q4_1:
                    Nibbles(HalfAt(blocks, 0), HalfAt(blocks, 2), 0, blocks[4..], values);
                    break;
                case GgmlType.Q5_0:
                    Nibbles(HalfAt(blocks, 0), -16 * HalfAt(blocks, 0), BinaryPrimitives.ReadUInt32LittleEndian(blocks[2..]), blocks[6..], values);
                    break;
                case GgmlType.Q5_1:
                    Nibbles(HalfAt(blocks, 0), HalfAt(blocks, 2), BinaryPrimitives.ReadUInt32LittleEndian(blocks[4..]), blocks[8..], values);
                    break;
                case GgmlType.Q2_K:
                    Two(blocks, values);
                    break;
                case GgmlType.Q3_K:
                    Three(blocks, values);
                    break;
                case GgmlType.Q4_K:
                    FourOrFive(blocks, [], blocks[16..], values);
                    break;
                case GgmlType.Q5_K:
                    FourOrFive(blocks, blocks.Slice(16, 32), blocks[48..], values);
                    break;
                default:
                    Six(blocks, values);
                    break;
            }
        }
    }

    /// <summary>Scale and minimum of group <paramref name="group"/> (0 to 7) in the 12 bytes of a Q4_K or Q5_K block: six bits each, the last four groups' upper two bits beside the first four.</summary>
    internal static (int Scale, int Minimum) SixBits(ReadOnlySpan<byte> packed, int group) => group < 4
        ? (packed[group] & 63, packed[group + 4] & 63)
        : ((packed[group + 4] & 15) | (packed[group - 4] >> 6 << 4), (packed[group + 4] >> 4) | (packed[group] >> 6 << 4));

    private static float HalfAt(ReadOnlySpan<byte> bytes, int at) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[at..]);

    private static void Bytes(ReadOnlySpan<byte> block, Span<float> values)
    {
        float scale = HalfAt(block, 0);
        for (int i = 0; i < Group; i++)
            values[i] = scale * (sbyte)block[2 + i];
    }

    // high holds the fifth bits: bit j of element j.
    private static void Nibbles(float scale, float offset, uint high, ReadOnlySpan<byte> packed, Span<float> values)
    {
        for (int i = 0; i < Group / 2; i++)
        {
            int low = (packed[i] & 15) | (int)(high >> i & 1) << 4, upper = packed[i] >> 4 | (int)(high >> (i + 16) & 1) << 4;
            (values[i], values[i + 16]) = ((scale * low) + offset, (scale * upper) + offset);
        }
    }

    private static void Two(ReadOnlySpan<byte> block, Span<float> values)
    {
        ReadOnlySpan<byte> scales = block[..16], packed = block.Slice(16, 64);
        float scale = HalfAt(block, 80), minimum = HalfAt(block, 82);
        for (int i = 0; i < Super; i++)
        {
            int half = i / 128, shift = i % 128 / 32 * 2, group = i / 16;
            values[i] = (scale * (scales[group] & 15) * (packed[(32 * half) + (i % 32)] >> shift & 3)) - (minimum * (scales[group] >> 4));
        }
    }

    private static void Three(ReadOnlySpan<byte> block, Span<float> values)
    {
        ReadOnlySpan<byte> high = block[..32], packed = block.Slice(32, 64), scales = block.Slice(96, 12);
        float scale = HalfAt(block, 108);
        for (int i = 0; i < Super; i++)
        {
            int half = i / 128, quarter = i % 128 / 32, group = i / 16;
            int low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4, upper = scales[8 + (group % 4)] >> (group / 4 * 2) & 3;
            int quant = (packed[(32 * half) + (i % 32)] >> (2 * quarter) & 3) - ((high[i % 32] >> ((4 * half) + quarter) & 1) == 0 ? 4 : 0);
            values[i] = scale * ((low | upper << 4) - 32) * quant;
        }
    }

    private static void FourOrFive(ReadOnlySpan<byte> block, ReadOnlySpan<byte> high, ReadOnlySpan<byte> packed, Span<float> values)
    {
        float scale = HalfAt(block, 0), minimum = HalfAt(block, 2);
        for (int group = 0; group < Super / Group; group++)
        {
            (int groupScale, int groupMinimum) = SixBits(block.Slice(4, 12), group);
            float step = scale * groupScale, offset = minimum * groupMinimum;
            for (int i = 0; i < Group; i++)
            {
                int quant = packed[(group / 2 * 32) + i] >> (group % 2 * 4) & 15;
                if (high.Length > 0)
                    quant |= (high[i] >> group & 1) << 4;
                values[(group * Group) + i] = (step * quant) - offset;
            }
        }
    }

    private static void Six(ReadOnlySpan<byte> block, Span<float> values)
    {
        ReadOnlySpan<byte> low = block[..128], high = block.Slice(128, 64), scales = block.Slice(192, 16);
        float scale = HalfAt(block, 208);
        for (int i = 0; i < Super; i++)
        {
            int half = i / 128, quarter = i % 128 / 32, l = i % 32;
            int nibble = low[(64 * half) + (32 * (quarter % 2)) + l] >> (quarter / 2 * 4) & 15, upper = high[(32 * half) + l] >> (2 * quarter) & 3;
            values[i] = scale * (sbyte)scales[i / 16] * ((nibble | upper << 4) - 32);
        }
    }
}
