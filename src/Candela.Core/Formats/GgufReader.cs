using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Candela.Formats;

/// <summary>Reads the header of a GGUF file from a stream. Trusts nothing: every count and length is checked against what is left of the file before
/// anything is allocated for it.</summary>
internal sealed class GgufReader(string path, Stream stream, long length)
{
    // GGUF names no limit; real files nest not at all.
    private const int MaxNesting = 4;

    // ggml's own bound on axes.
    private const int MaxDimensions = 4;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _word = new byte[8];
    private long _at;

    public uint Version { get; private set; }

    public long Alignment { get; private set; } = GgufFile.DefaultAlignment;

    public long DataOffset { get; private set; }

    public Dictionary<string, GgufValue> Metadata { get; } = new(StringComparer.Ordinal);

    public List<GgufTensor> Tensors { get; } = [];

    public void Read()
    {
        if (length < 4 || Word(4, "the magic number") != GgufFile.Magic)
            throw new FileFormatException(path, Fault.WrongFormat, $"the first 4 bytes are not 'GGUF'. {(length == 0 ? "The file is empty." : "This is not a GGUF file.")}");
        Version = (uint)Word(4, "the version");
        if (Version == 1)
            throw new FileFormatException(path, Fault.Unsupported, "the file is GGUF version 1, which was replaced in August 2023; versions 2 and 3 are read. Convert the model again with a current converter.");
        if (Version is not (2 or 3))
        {
            bool bigEndian = BinaryPrimitives.ReverseEndianness(Version) is >= 1 and <= 3;
            throw new FileFormatException(path, Fault.Unsupported, bigEndian
                ? "the file is GGUF in big-endian byte order; little-endian files are read. Convert it on, or for, a little-endian machine."
                : $"the file is GGUF version {Version}; versions 2 and 3 are read.");
        }

        // a tensor entry takes at least 8 (name) + 4 (axes) + 4 (type) + 8 (offset) bytes, a metadata entry 8 + 4 + 1
        long tensors = Count(24, "tensors");
        long entries = Count(13, "metadata entries");
        for (long i = 0; i < entries; i++)
            ReadEntry(i);
        ReadAlignment();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (long i = 0; i < tensors; i++)
        {
            var tensor = ReadTensor(i);
            if (!names.Add(tensor.Name))
                throw Bad($"tensor '{tensor.Name}' is named twice");
            Tensors.Add(tensor);
        }

        DataOffset = (_at + Alignment - 1) / Alignment * Alignment;
        Place();
    }

    private void ReadEntry(long index)
    {
        string key = Text($"the key of metadata entry {index}", strict: true);
        if (Metadata.ContainsKey(key))
            throw Bad($"the metadata names '{key}' twice");
        var type = Type($"metadata '{key}'");
        Metadata.Add(key, type == GgufValueType.Array ? ReadArray(key, 1) : new GgufValue(type, null, Scalar(type, key)));
    }

    private void ReadAlignment()
    {
        if (!Metadata.TryGetValue("general.alignment", out var value))
            return;
        if (value.Value is not uint alignment || alignment < 8 || alignment > 1 << 20 || !System.Numerics.BitOperations.IsPow2(alignment))
            throw Bad($"general.alignment is {value} ({value.Type}); a power of two from 8 to {1 << 20} as UInt32 was needed");
        Alignment = alignment;
    }

    private GgufTensor ReadTensor(long index)
    {
        string name = Text($"the name of tensor {index}", strict: true);
        ulong axes = Word(4, $"the number of axes of tensor '{name}'");
        if (axes > MaxDimensions)
            throw new FileFormatException(path, Fault.Unsupported, $"tensor '{name}' has {axes} axes; up to {MaxDimensions} are supported.");
        var dimensions = new long[axes];
        long elements = 1;
        for (int i = 0; i < dimensions.Length; i++)
        {
            ulong size = Word(8, $"axis {i} of tensor '{name}'");
            if (size > long.MaxValue || (size != 0 && elements > long.MaxValue / (long)size))
                throw Bad($"tensor '{name}' has an axis of {size}; it would be larger than any file");
            dimensions[i] = (long)size;
            elements *= (long)size;
        }

        uint id = (uint)Word(4, $"the type of tensor '{name}'");
        if (!GgmlTypes.Known(id))
            throw new FileFormatException(path, Fault.Unsupported, $"tensor '{name}' has the ggml type {id}, which is not known here or was withdrawn. Convert the model to another type.");
        var type = (GgmlType)id;
        int block = GgmlTypes.BlockElements(type);
        if ((dimensions.Length == 0 ? 1 : dimensions[0]) % block != 0)
            throw Bad($"tensor '{name}' of type {type} has rows of {(dimensions.Length == 0 ? 1 : dimensions[0])} elements; the type needs multiples of {block}");
        if (elements / block > long.MaxValue / GgmlTypes.BlockBytes(type))
            throw Bad($"tensor '{name}' of [{string.Join(", ", dimensions)}] elements is larger than any file");
        ulong offset = Word(8, $"the offset of tensor '{name}'");
        if (offset > long.MaxValue || (long)offset % Alignment != 0)
            throw Bad($"tensor '{name}' begins at {offset} in the data; a multiple of the alignment {Alignment} was needed");
        return new GgufTensor(name, type, dimensions, (long)offset, GgmlTypes.Bytes(type, elements));
    }

    // Offsets become absolute; no tensor may leave the file or lie on another.
    private void Place()
    {
        for (int i = 0; i < Tensors.Count; i++)
        {
            var t = Tensors[i];
            if (t.Bytes > 0 && (DataOffset > length || t.Offset > length - DataOffset || t.Bytes > length - DataOffset - t.Offset))
                throw new FileFormatException(path, Fault.Truncated, $"tensor '{t.Name}' has {t.Bytes} bytes from byte {DataOffset} + {t.Offset}, the file has {length}. It was cut short: copy it again.");
            Tensors[i] = t with { Offset = t.Bytes == 0 ? Math.Min(DataOffset, length) : DataOffset + t.Offset };
        }

        GgufTensor? before = null;
        foreach (var t in Tensors.Where(t => t.Bytes > 0).OrderBy(t => t.Offset))
        {
            if (before is not null && t.Offset < before.Offset + before.Bytes)
                throw Bad($"tensors '{before.Name}' and '{t.Name}' overlap at byte {t.Offset}");
            before = t;
        }
    }

    private GgufValue ReadArray(string key, int depth)
    {
        if (depth > MaxNesting)
            throw Bad($"metadata '{key}' nests arrays deeper than {MaxNesting}");
        var type = Type($"the elements of metadata '{key}'");
        string what = $"elements of metadata '{key}'";
        object values = type switch
        {
            GgufValueType.UInt8 => Numbers<byte>(what),
            GgufValueType.Int8 => Numbers<sbyte>(what),
            GgufValueType.UInt16 => Numbers<ushort>(what),
            GgufValueType.Int16 => Numbers<short>(what),
            GgufValueType.UInt32 => Numbers<uint>(what),
            GgufValueType.Int32 => Numbers<int>(what),
            GgufValueType.UInt64 => Numbers<ulong>(what),
            GgufValueType.Int64 => Numbers<long>(what),
            GgufValueType.Float32 => Numbers<float>(what),
            GgufValueType.Float64 => Numbers<double>(what),
            GgufValueType.Bool => Array.ConvertAll(Numbers<byte>(what), b => b != 0),
            GgufValueType.String => Repeat(8, what, () => Text(what, strict: false)),
            _ => Repeat(12, what, () => ReadArray(key, depth + 1)),
        };
        return new GgufValue(GgufValueType.Array, type, values);
    }

    private object Scalar(GgufValueType type, string key)
    {
        string what = $"metadata '{key}'";
        return type switch
        {
            GgufValueType.UInt8 => (byte)Word(1, what),
            GgufValueType.Int8 => (sbyte)Word(1, what),
            GgufValueType.UInt16 => (ushort)Word(2, what),
            GgufValueType.Int16 => (short)Word(2, what),
            GgufValueType.UInt32 => (uint)Word(4, what),
            GgufValueType.Int32 => (int)Word(4, what),
            GgufValueType.UInt64 => Word(8, what),
            GgufValueType.Int64 => (long)Word(8, what),
            GgufValueType.Float32 => BitConverter.UInt32BitsToSingle((uint)Word(4, what)),
            GgufValueType.Float64 => BitConverter.UInt64BitsToDouble(Word(8, what)),
            GgufValueType.Bool => Word(1, what) != 0,
            _ => Text(what, strict: false),
        };
    }

    private T[] Numbers<T>(string what)
        where T : unmanaged
    {
        var values = new T[ArrayLength(Marshal.SizeOf<T>(), what)];
        Fill(MemoryMarshal.AsBytes(values.AsSpan()), what);
        return values;
    }

    private T[] Repeat<T>(int least, string what, Func<T> read)
    {
        var values = new T[ArrayLength(least, what)];
        for (int i = 0; i < values.Length; i++)
            values[i] = read();
        return values;
    }

    private int ArrayLength(int least, string what) => Count(least, what) is var count && count <= Array.MaxLength ? (int)count
        : throw new FileFormatException(path, Fault.Unsupported, $"there are {count} {what}, more than one array can hold.");

    // A count of things that take at least `least` bytes each.
    private long Count(int least, string what)
    {
        ulong count = Word(8, $"the number of {what}");
        return count <= (ulong)((length - _at) / least) ? (long)count
            : throw new FileFormatException(path, Fault.Truncated, $"the header says there are {count} {what}, which need at least {least} bytes each; {length - _at} bytes are left at byte {_at}. The file was cut short or damaged: copy it again.");
    }

    private string Text(string what, bool strict)
    {
        ulong size = Word(8, $"the length of {what}");
        if (size > (ulong)(length - _at) || size > (ulong)Array.MaxLength)
            throw new FileFormatException(path, Fault.Truncated, $"{what} is said to have {size} bytes; {length - _at} are left at byte {_at}. The file was cut short or damaged: copy it again.");
        var bytes = new byte[size];
        Fill(bytes, what);
        try
        {
            return (strict ? Strict : Encoding.UTF8).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Bad($"{what} is not valid UTF-8");
        }
    }

    private GgufValueType Type(string what) => Word(4, $"the type of {what}") is var id && id <= (ulong)GgufValueType.Float64 ? (GgufValueType)id
        : throw new FileFormatException(path, Fault.Unsupported, $"{what} has the type {id}; types 0 to {(int)GgufValueType.Float64} are known.");

    // `size` bytes, little-endian
    private ulong Word(int size, string what)
    {
        _word.AsSpan().Clear();
        Fill(_word.AsSpan(0, size), what);
        return BinaryPrimitives.ReadUInt64LittleEndian(_word);
    }

    private void Fill(Span<byte> into, string what)
    {
        if (into.Length > length - _at || stream.ReadAtLeast(into, into.Length, throwOnEndOfStream: false) < into.Length)
            throw new FileFormatException(path, Fault.Truncated, $"the file ends at byte {length}, inside {what}. It was cut short: copy it again.");
        _at += into.Length;
    }

    private FileFormatException Bad(string what) => new(path, Fault.Corrupt, what + ". The file is damaged: restore it from where it came.");
}
