namespace Candela.Formats;

/// <summary>Element type of a stored tensor, by the name safetensors gives it. All are little-endian.</summary>
public enum TensorType
{
    /// <summary>IEEE 754 double, 8 bytes.</summary>
    F64,

    /// <summary>IEEE 754 single, 4 bytes.</summary>
    F32,

    /// <summary>IEEE 754 half, 2 bytes.</summary>
    F16,

    /// <summary>The upper half of a single, 2 bytes.</summary>
    BF16,

    /// <summary>Signed, 8 bytes.</summary>
    I64,

    /// <summary>Signed, 4 bytes.</summary>
    I32,

    /// <summary>Signed, 2 bytes.</summary>
    I16,

    /// <summary>Signed, 1 byte.</summary>
    I8,

    /// <summary>Unsigned, 8 bytes.</summary>
    U64,

    /// <summary>Unsigned, 4 bytes.</summary>
    U32,

    /// <summary>Unsigned, 2 bytes.</summary>
    U16,

    /// <summary>Unsigned, 1 byte.</summary>
    U8,

#pragma warning disable CA1707 // the names safetensors gives them
    /// <summary>4 bits of exponent (bias 7), 3 of mantissa, no infinity; 1 byte. Source: OCP 8-bit Floating Point Specification, E4M3.</summary>
    F8_E4M3,

    /// <summary>The upper half of an IEEE 754 half, 1 byte (OCP E5M2).</summary>
    F8_E5M2,
#pragma warning restore CA1707

    /// <summary>0 or 1 in a byte.</summary>
    BOOL,
}

/// <summary>What the header says of one tensor.</summary>
/// <param name="Name">Its key, unique in the file.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Lengths of its axes; empty for a scalar.</param>
/// <param name="Offset">First byte, from the beginning of the file.</param>
/// <param name="Bytes">Length in bytes.</param>
public sealed record TensorInfo(string Name, TensorType Type, IReadOnlyList<int> Shape, long Offset, long Bytes);

/// <summary>A tensor of singles with its name.</summary>
/// <param name="Name">Its key, for example <c>dense1.weight</c>.</param>
/// <param name="Shape">Lengths of its axes; their product is the number of values.</param>
/// <param name="Values">Row-major; taken by reference.</param>
public sealed record NamedTensor(string Name, int[] Shape, float[] Values);
