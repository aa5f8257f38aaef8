using System.Runtime.InteropServices;

namespace Candela.Formats;

/// <summary>A tensor of any type as bytes.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Lengths of its axes.</param>
/// <param name="Bytes">Row-major little-endian elements.</param>
public sealed record RawTensor(string Name, TensorType Type, IReadOnlyList<int> Shape, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>A tensor of 64-bit integers.</summary>
    public static RawTensor Of(string name, IReadOnlyList<int> shape, ReadOnlySpan<long> values) => new(name, TensorType.I64, shape, Copy(values));

    /// <summary>A tensor of 32-bit integers.</summary>
    public static RawTensor Of(string name, IReadOnlyList<int> shape, ReadOnlySpan<int> values) => new(name, TensorType.I32, shape, Copy(values));

    /// <summary>A tensor of doubles.</summary>
    public static RawTensor Of(string name, IReadOnlyList<int> shape, ReadOnlySpan<double> values) => new(name, TensorType.F64, shape, Copy(values));

    /// <summary>A tensor of singles.</summary>
    public static RawTensor Of(string name, IReadOnlyList<int> shape, ReadOnlySpan<float> values) => new(name, TensorType.F32, shape, Copy(values));

    /// <summary>A tensor of bytes.</summary>
    public static RawTensor Of(string name, IReadOnlyList<int> shape, ReadOnlySpan<byte> values) => new(name, TensorType.U8, shape, values.ToArray());

    /// <summary>The values as singles; other types are converted (64-bit values may lose digits).</summary>
    public float[] ToSingles()
    {
        var values = new float[Bytes.Length / Safetensors.ElementBytes(Type)];
        switch (Type)
        {
            case TensorType.F32: Convert<float>(values, x => x); break;
            case TensorType.F64: Convert<double>(values, x => (float)x); break;
            case TensorType.F16: Convert<Half>(values, x => (float)x); break;
            case TensorType.BF16: Convert<ushort>(values, x => BitConverter.UInt32BitsToSingle((uint)x << 16)); break;
            case TensorType.I64: Convert<long>(values, x => x); break;
            case TensorType.I32: Convert<int>(values, x => x); break;
            case TensorType.I16: Convert<short>(values, x => x); break;
            case TensorType.I8: Convert<sbyte>(values, x => x); break;
            case TensorType.U64: Convert<ulong>(values, x => x); break;
            case TensorType.U32: Convert<uint>(values, x => x); break;
            case TensorType.U16: Convert<ushort>(values, x => x); break;
            case TensorType.F8_E4M3: Convert<byte>(values, E4M3); break;
            case TensorType.F8_E5M2: Convert<byte>(values, x => (float)BitConverter.UInt16BitsToHalf((ushort)(x << 8))); break;
            default: Convert<byte>(values, x => x); break;
        }

        return values;
    }

    /// <summary>The values as 64-bit integers, exactly.</summary>
    /// <exception cref="ShapeException">The elements are not integers, or one is above 2^63 - 1.</exception>
    public long[] ToInt64() => Type switch
    {
        TensorType.I64 => MemoryMarshal.Cast<byte, long>(Bytes.Span).ToArray(),
        TensorType.I32 => Array.ConvertAll(MemoryMarshal.Cast<byte, int>(Bytes.Span).ToArray(), x => (long)x),
        TensorType.I16 => Array.ConvertAll(MemoryMarshal.Cast<byte, short>(Bytes.Span).ToArray(), x => (long)x),
        TensorType.I8 => Array.ConvertAll(MemoryMarshal.Cast<byte, sbyte>(Bytes.Span).ToArray(), x => (long)x),
        TensorType.U64 => Array.ConvertAll(MemoryMarshal.Cast<byte, ulong>(Bytes.Span).ToArray(), x => x <= long.MaxValue ? (long)x
            : throw new ShapeException($"Tensor '{Name}' holds {x}, which no signed 64-bit integer can be.")),
        TensorType.U32 => Array.ConvertAll(MemoryMarshal.Cast<byte, uint>(Bytes.Span).ToArray(), x => (long)x),
        TensorType.U16 => Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(Bytes.Span).ToArray(), x => (long)x),
        TensorType.U8 or TensorType.BOOL => Array.ConvertAll(Bytes.ToArray(), x => (long)x),
        _ => throw new ShapeException($"Tensor '{Name}' has the element type {Type}; integers were needed."),
    };

    private static float E4M3(byte bits)
    {
        int exponent = (bits >> 3) & 15, mantissa = bits & 7;
        float size = (exponent, mantissa) switch
        {
            (15, 7) => float.NaN,
            (0, _) => MathF.ScaleB(mantissa, -9),
            _ => MathF.ScaleB(8 + mantissa, exponent - 10),
        };
        return (bits & 0x80) == 0 ? size : -size;
    }

    private void Convert<T>(float[] into, Func<T, float> convert)
        where T : unmanaged
    {
        var values = MemoryMarshal.Cast<byte, T>(Bytes.Span);
        for (int i = 0; i < into.Length; i++)
            into[i] = convert(values[i]);
    }

    private static byte[] Copy<T>(ReadOnlySpan<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(values).ToArray();
}
