using Candela.Formats;
using Candela.Inference.Quantization;

namespace Candela.Inference.Tests;

public sealed class BlockCodecTests
{
    public static TheoryData<GgmlType> Written => new(BlockEncoder.Types);

    [Fact]
    [Trait("Kind", "golden")]
    public void Decode_BlocksMadeByHand_GivesWhatTheFormatSays()
    {
        // Q4_0: scale 0.5, every byte 0x2F: low half 15 - 8 = 7, high half 2 - 8 = -6.
        byte[] four = [0x00, 0x38, .. Enumerable.Repeat((byte)0x2F, 16)];
        var values = new float[32];
        BlockDecoder.Decode(GgmlType.Q4_0, four, values);
        Assert.All(values[..16], v => Assert.Equal(3.5f, v));
        Assert.All(values[16..], v => Assert.Equal(-3f, v));

        // Q5_1: scale 2, minimum 1, nibble 1 everywhere, fifth bit of element 0 and of element 31.
        byte[] five = [0x00, 0x40, 0x00, 0x3C, 0x01, 0x00, 0x00, 0x80, .. Enumerable.Repeat((byte)0x11, 16)];
        BlockDecoder.Decode(GgmlType.Q5_1, five, values);
        Assert.Equal(2 * 17 + 1, values[0]);
        Assert.Equal(2 * 17 + 1, values[31]);
        Assert.Equal(2 * 1 + 1, values[1]);

        // Q6_K: scale 1, group scales 1..16, all quants 0 - 32.
        byte[] six = [.. new byte[192], .. Enumerable.Range(1, 16).Select(i => (byte)i), 0x00, 0x3C];
        var super = new float[256];
        BlockDecoder.Decode(GgmlType.Q6_K, six, super);
        for (int i = 0; i < 256; i++)
            Assert.Equal(-32f * ((i / 16) + 1), super[i]);

        // Q4_K: group scales and minima 6 bits each; 1.0 and 0.5 above them, nibbles 3.
        byte[] scales = [1, 2, 3, 4, 5, 6, 7, 8, 0x21, 0x43, 0x65, 0x87];
        byte[] superFour = [0x00, 0x3C, 0x00, 0x38, .. scales, .. Enumerable.Repeat((byte)0x33, 128)];
        BlockDecoder.Decode(GgmlType.Q4_K, superFour, super);
        int[] scale = [1, 2, 3, 4, 1, 3, 5, 7], minimum = [5, 6, 7, 8, 2, 4, 6, 8];
        for (int i = 0; i < 256; i++)
            Assert.Equal((3f * scale[i / 32]) - (0.5f * minimum[i / 32]), super[i]);
    }

    [Theory]
    [MemberData(nameof(Written))]
    [Trait("Kind", "property")]
    public void Encode_ThenDecode_MissesByNoMoreThanTheGrid(GgmlType type)
    {
        Rng rng = new(7);
        var values = new float[1024];
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)rng.NextGaussian() * (1 + (i / 256));
        var blocks = new byte[GgmlTypes.Bytes(type, values.Length)];
        BlockEncoder.Encode(type, values, blocks);
        var back = new float[values.Length];
        BlockDecoder.Decode(type, blocks, back);
        double error = 0, size = 0;
        for (int i = 0; i < values.Length; i++)
            (error, size) = (error + Math.Pow(values[i] - back[i], 2), size + Math.Pow(values[i], 2));
        double relative = Math.Sqrt(error / size);
        // Uniform rounding of a normal variable over the range of 32 of them: range / 2^bits / sqrt(12), a range of about 4.1 deviations to each side of the larger end.
        double bound = type switch
        {
            GgmlType.F32 => 0,
            GgmlType.F16 => 5e-4,
            GgmlType.BF16 => 4e-3,
            GgmlType.Q8_0 => 0.008,
            GgmlType.Q4_0 => 0.11,
            _ => 0.08,
        };
        Assert.True(relative <= bound, $"{type}: {relative}");
        Assert.True(type == GgmlType.F32 || relative > bound / 10, $"{type}: {relative} is too good for so few bits");
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Encode_NotFinite_SaysWhich()
    {
        var values = new float[32];
        values[5] = float.NaN;
        Assert.Contains("Value 5", Assert.Throws<DataException>(() => BlockEncoder.Encode(GgmlType.Q8_0, values, new byte[34])).Message);
        Assert.Throws<ShapeException>(() => BlockEncoder.Encode(GgmlType.Q8_0, new float[32], new byte[33]));
        Assert.Throws<UsageException>(() => BlockDecoder.Decode(GgmlType.IQ2_S, [], []));
    }
}
