using Candela.Formats;

namespace Candela.Inference.Kernels;

/// <summary>One vector, quantised: its 8-bit numbers, and for each group of 32 the scale and the sum of the numbers.</summary>
internal readonly unsafe struct QuantVector(sbyte* quants, float* scales, int* sums)
{
    public readonly sbyte* Quants = quants;
    public readonly float* Scales = scales;
    public readonly int* Sums = sums;
}

/// <summary>A quantised type's products in strips of eight interleaved rows. Products of four vectors are the same to the last bit as those of one.</summary>
internal unsafe interface IStripKernel
{
    /// <summary>Rows of a strip.</summary>
    const int Rows = 8;

    /// <summary>The type of the file.</summary>
    static abstract GgmlType Type { get; }

    /// <summary>Bytes that a strip has for each of the type's blocks of columns.</summary>
    static abstract int StripBytes { get; }

    /// <summary>Puts up to eight rows together; rows that are not there are 0.</summary>
    /// <param name="rows">Row-major blocks as in the file.</param>
    /// <param name="count">Rows, 1 to 8.</param>
    /// <param name="blocks">Blocks of a row.</param>
    /// <param name="strip">Receives blocks x <see cref="StripBytes"/>.</param>
    static abstract void Pack(ReadOnlySpan<byte> rows, int count, int blocks, Span<byte> strip);

    /// <summary>Eight rows times one vector, without special instructions: what the fast ones are compared with.</summary>
    static abstract void MultiplyPlain(byte* strip, QuantVector vector, int blocks, float* into);

    /// <summary>Eight rows times one vector.</summary>
    static abstract void Multiply1(byte* strip, QuantVector vector, int blocks, float* into);

    /// <summary>Eight rows times four vectors that lie <paramref name="length"/> numbers apart; results <paramref name="stride"/> apart.</summary>
    static abstract void Multiply4(byte* strip, QuantVector first, int blocks, nint length, float* into, nint stride);

    /// <summary>The values of one row of a strip.</summary>
    static abstract void Row(byte* strip, int row, int blocks, Span<float> into);
}
