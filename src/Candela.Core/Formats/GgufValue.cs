namespace Candela.Formats;

/// <summary>Type of a GGUF metadata value; the number is the id that the file stores.</summary>
public enum GgufValueType
{
    /// <summary>Unsigned, 1 byte.</summary>
    UInt8 = 0,

    /// <summary>Signed, 1 byte.</summary>
    Int8 = 1,

    /// <summary>Unsigned, 2 bytes.</summary>
    UInt16 = 2,

    /// <summary>Signed, 2 bytes.</summary>
    Int16 = 3,

    /// <summary>Unsigned, 4 bytes.</summary>
    UInt32 = 4,

    /// <summary>Signed, 4 bytes.</summary>
    Int32 = 5,

    /// <summary>IEEE 754 single.</summary>
    Float32 = 6,

    /// <summary>0 or 1 in a byte.</summary>
    Bool = 7,

    /// <summary>UTF-8 with a 64-bit length.</summary>
    String = 8,

    /// <summary>Values of one type, perhaps arrays again.</summary>
    Array = 9,

    /// <summary>Unsigned, 8 bytes.</summary>
    UInt64 = 10,

    /// <summary>Signed, 8 bytes.</summary>
    Int64 = 11,

    /// <summary>IEEE 754 double.</summary>
    Float64 = 12,
}

/// <summary>One metadata value of a GGUF file.</summary>
public sealed class GgufValue
{
    internal GgufValue(GgufValueType type, GgufValueType? elementType, object value) => (Type, ElementType, Value) = (type, elementType, value);

    /// <summary>What it is.</summary>
    public GgufValueType Type { get; }

    /// <summary>What its elements are; null unless it is an array.</summary>
    public GgufValueType? ElementType { get; }

    /// <summary>The .NET value of that type: <c>byte</c> to <c>double</c>, <c>bool</c>, <c>string</c>; an array is a .NET array of them, an array of arrays a <c>GgufValue[]</c>.</summary>
    public object Value { get; }

    /// <summary>A text.</summary>
    public static GgufValue Of(string value) => new(GgufValueType.String, null, value);

    /// <summary>A flag.</summary>
    public static GgufValue Of(bool value) => new(GgufValueType.Bool, null, value);

    /// <summary>An unsigned 32-bit number, the type of most counts and ids.</summary>
    public static GgufValue Of(uint value) => new(GgufValueType.UInt32, null, value);

    /// <summary>A signed 32-bit number.</summary>
    public static GgufValue Of(int value) => new(GgufValueType.Int32, null, value);

    /// <summary>An unsigned 64-bit number.</summary>
    public static GgufValue Of(ulong value) => new(GgufValueType.UInt64, null, value);

    /// <summary>A signed 64-bit number.</summary>
    public static GgufValue Of(long value) => new(GgufValueType.Int64, null, value);

    /// <summary>A single.</summary>
    public static GgufValue Of(float value) => new(GgufValueType.Float32, null, value);

    /// <summary>A double.</summary>
    public static GgufValue Of(double value) => new(GgufValueType.Float64, null, value);

    /// <summary>An array of numbers, flags, texts or (nested) values, kept by reference.</summary>
    /// <exception cref="UsageException">An array of another type.</exception>
    public static GgufValue Of(Array values) => new(GgufValueType.Array, ElementOf(values), values);

    /// <inheritdoc/>
    public override string ToString() => Value is Array array ? $"{ElementType}[{array.Length}]" : FormattableString.Invariant($"{Value}");

    private static GgufValueType ElementOf(Array values) => values switch
    {
        // typed by element: the runtime treats sbyte[] and byte[] as assignable to each other
        _ when values.GetType().GetElementType() == typeof(byte) => GgufValueType.UInt8,
        _ when values.GetType().GetElementType() == typeof(sbyte) => GgufValueType.Int8,
        _ when values.GetType().GetElementType() == typeof(ushort) => GgufValueType.UInt16,
        _ when values.GetType().GetElementType() == typeof(short) => GgufValueType.Int16,
        _ when values.GetType().GetElementType() == typeof(uint) => GgufValueType.UInt32,
        _ when values.GetType().GetElementType() == typeof(int) => GgufValueType.Int32,
        _ when values.GetType().GetElementType() == typeof(ulong) => GgufValueType.UInt64,
        _ when values.GetType().GetElementType() == typeof(long) => GgufValueType.Int64,
        float[] => GgufValueType.Float32,
        double[] => GgufValueType.Float64,
        bool[] => GgufValueType.Bool,
        string[] => GgufValueType.String,
        GgufValue[] => GgufValueType.Array,
        _ => throw new UsageException($"a GGUF array cannot hold {values.GetType().Name}; numbers, bool, string and GgufValue can be stored."),
    };
}

/// <summary>What a GGUF file says of one tensor.</summary>
/// <param name="Name">Its key, unique in the file.</param>
/// <param name="Type">Element type.</param>
/// <param name="Dimensions">Lengths of its axes as ggml orders them, the contiguous axis first: the weight of a Linear(in, out) is [in, out].</param>
/// <param name="Offset">First byte, from the beginning of the file.</param>
/// <param name="Bytes">Length in bytes.</param>
public sealed record GgufTensor(string Name, GgmlType Type, IReadOnlyList<long> Dimensions, long Offset, long Bytes)
{
    /// <summary>Number of elements.</summary>
    public long Elements => Dimensions.Aggregate(1L, (product, length) => product * length);
}
