namespace Candela.Formats;

#pragma warning disable CA1707 // the names ggml gives them
/// <summary>Element type of a GGUF tensor; the number is the id that the file stores. Quantised types hold blocks of elements that share scales.
/// Source: the public GGUF specification and ggml's block layouts.</summary>
public enum GgmlType
{
    /// <summary>IEEE 754 single.</summary>
    F32 = 0,

    /// <summary>IEEE 754 half.</summary>
    F16 = 1,

    /// <summary>4-bit, one half scale for 32 elements.</summary>
    Q4_0 = 2,

    /// <summary>4-bit, half scale and minimum for 32 elements.</summary>
    Q4_1 = 3,

    /// <summary>5-bit, one half scale for 32 elements.</summary>
    Q5_0 = 6,

    /// <summary>5-bit, half scale and minimum for 32 elements.</summary>
    Q5_1 = 7,

    /// <summary>8-bit, one half scale for 32 elements.</summary>
    Q8_0 = 8,

    /// <summary>8-bit with the block's sum, for products.</summary>
    Q8_1 = 9,

    /// <summary>2-bit K-quant, 256 elements.</summary>
    Q2_K = 10,

    /// <summary>3-bit K-quant, 256 elements.</summary>
    Q3_K = 11,

    /// <summary>4-bit K-quant, 256 elements.</summary>
    Q4_K = 12,

    /// <summary>5-bit K-quant, 256 elements.</summary>
    Q5_K = 13,

    /// <summary>6-bit K-quant, 256 elements.</summary>
    Q6_K = 14,

    /// <summary>8-bit K-quant, 256 elements, single scale; for products.</summary>
    Q8_K = 15,

    /// <summary>2.06 bits an element, codebook.</summary>
    IQ2_XXS = 16,

    /// <summary>2.31 bits an element, codebook.</summary>
    IQ2_XS = 17,

    /// <summary>3.06 bits an element, codebook.</summary>
    IQ3_XXS = 18,

    /// <summary>1.56 bits an element, codebook.</summary>
    IQ1_S = 19,

    /// <summary>4-bit non-linear, 32 elements.</summary>
    IQ4_NL = 20,

    /// <summary>3.44 bits an element, codebook.</summary>
    IQ3_S = 21,

    /// <summary>2.56 bits an element, codebook.</summary>
    IQ2_S = 22,

    /// <summary>4-bit non-linear, 256 elements.</summary>
    IQ4_XS = 23,

    /// <summary>Signed, 1 byte.</summary>
    I8 = 24,

    /// <summary>Signed, 2 bytes.</summary>
    I16 = 25,

    /// <summary>Signed, 4 bytes.</summary>
    I32 = 26,

    /// <summary>Signed, 8 bytes.</summary>
    I64 = 27,

    /// <summary>IEEE 754 double.</summary>
    F64 = 28,

    /// <summary>1.75 bits an element, codebook.</summary>
    IQ1_M = 29,

    /// <summary>The upper half of a single.</summary>
    BF16 = 30,

    /// <summary>Ternary, 1.69 bits an element.</summary>
    TQ1_0 = 34,

    /// <summary>Ternary, 2.06 bits an element.</summary>
    TQ2_0 = 35,

    /// <summary>4-bit floating point with a shared 8-bit exponent for 32 elements (OCP Microscaling).</summary>
    MXFP4 = 39,
}
#pragma warning restore CA1707

/// <summary>How the elements of a <see cref="GgmlType"/> are laid out.</summary>
public static class GgmlTypes
{
    // [id] = elements of a block, bytes of a block; 0 where the id was never used or was withdrawn.
    private static readonly (int Elements, int Bytes)[] Blocks = Layout();

    /// <summary>Elements that share one block: 1 for plain types, 32 or 256 for quantised ones.</summary>
    public static int BlockElements(GgmlType type) => Blocks[(int)type].Elements;

    /// <summary>Bytes of one block.</summary>
    public static int BlockBytes(GgmlType type) => Blocks[(int)type].Bytes;

    /// <summary>Bytes of <paramref name="elements"/> elements, a multiple of <see cref="BlockElements"/>.</summary>
    /// <exception cref="ShapeException">The number is no multiple of the block.</exception>
    public static long Bytes(GgmlType type, long elements) => elements % BlockElements(type) == 0 ? elements / BlockElements(type) * BlockBytes(type)
        : throw new ShapeException($"{elements} elements of type {type} were asked for; it stores them in blocks of {BlockElements(type)}.");

    internal static bool Known(uint id) => id < Blocks.Length && Blocks[id].Elements > 0;

    private static (int, int)[] Layout()
    {
        var blocks = new (int, int)[40];
        void Set(GgmlType type, int elements, int bytes) => blocks[(int)type] = (elements, bytes);
        Set(GgmlType.F32, 1, 4);
        Set(GgmlType.F16, 1, 2);
        Set(GgmlType.BF16, 1, 2);
        Set(GgmlType.F64, 1, 8);
        Set(GgmlType.I8, 1, 1);
        Set(GgmlType.I16, 1, 2);
        Set(GgmlType.I32, 1, 4);
        Set(GgmlType.I64, 1, 8);
        Set(GgmlType.Q4_0, 32, 2 + 16);
        Set(GgmlType.Q4_1, 32, 4 + 16);
        Set(GgmlType.Q5_0, 32, 2 + 4 + 16);
        Set(GgmlType.Q5_1, 32, 4 + 4 + 16);
        Set(GgmlType.Q8_0, 32, 2 + 32);
        Set(GgmlType.Q8_1, 32, 4 + 32);
        Set(GgmlType.IQ4_NL, 32, 2 + 16);
        Set(GgmlType.MXFP4, 32, 1 + 16);
        Set(GgmlType.Q2_K, 256, 16 + 64 + 4);
        Set(GgmlType.Q3_K, 256, 32 + 64 + 12 + 2);
        Set(GgmlType.Q4_K, 256, 4 + 12 + 128);
        Set(GgmlType.Q5_K, 256, 4 + 12 + 32 + 128);
        Set(GgmlType.Q6_K, 256, 128 + 64 + 16 + 2);
        Set(GgmlType.Q8_K, 256, 4 + 256 + 32);
        Set(GgmlType.IQ2_XXS, 256, 2 + 64);
        Set(GgmlType.IQ2_XS, 256, 2 + 64 + 8);
        Set(GgmlType.IQ2_S, 256, 2 + 64 + 16);
        Set(GgmlType.IQ3_XXS, 256, 2 + 96);
        Set(GgmlType.IQ3_S, 256, 2 + 64 + 8 + 32 + 4);
        Set(GgmlType.IQ1_S, 256, 2 + 32 + 16);
        Set(GgmlType.IQ1_M, 256, 32 + 16 + 8);
        Set(GgmlType.IQ4_XS, 256, 2 + 2 + 4 + 128);
        Set(GgmlType.TQ1_0, 256, 48 + 4 + 2);
        Set(GgmlType.TQ2_0, 256, 64 + 2);
        return blocks;
    }
}
