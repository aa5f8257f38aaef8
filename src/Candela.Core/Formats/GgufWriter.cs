using System.Buffers.Binary;
using System.Text;

namespace Candela.Formats;

/// <summary>Builds a GGUF version 3 file: metadata in the order it is set, then tensors in the order they are added, each aligned. Nothing is written before <see cref="Save"/>.</summary>
public sealed class GgufWriter
{
    private readonly List<KeyValuePair<string, GgufValue>> _metadata = [];
    private readonly List<Entry> _tensors = [];
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal), _names = new(StringComparer.Ordinal);
    private readonly int _alignment;

    /// <summary>Starts a file.</summary>
    /// <param name="alignment">Tensors begin at multiples of so many bytes: a power of two from 8 to 2^20. Default 32; any other is written as <c>general.alignment</c>.</param>
    /// <exception cref="UsageException">The alignment is none of these.</exception>
    public GgufWriter(int alignment = GgufFile.DefaultAlignment)
    {
        if (alignment is < 8 or > 1 << 20 || !int.IsPow2(alignment))
            throw new UsageException($"a GGUF alignment of {alignment} bytes was asked for; a power of two from 8 to {1 << 20} was needed.");
        _alignment = alignment;
        if (alignment != GgufFile.DefaultAlignment)
            Set("general.alignment", GgufValue.Of((uint)alignment));
    }

    /// <summary>Adds a metadata entry.</summary>
    /// <exception cref="UsageException">The key was set before.</exception>
    public GgufWriter Set(string key, GgufValue value)
    {
        if (!_keys.Add(key))
            throw new UsageException($"the GGUF metadata key '{key}' was set before.");
        _metadata.Add(new(key, value));
        return this;
    }

    /// <summary>Adds a tensor whose bytes are at hand; they are kept by reference.</summary>
    /// <inheritdoc cref="Add(string, GgmlType, IReadOnlyList{long}, Action{Stream})"/>
    public GgufWriter Add(string name, GgmlType type, IReadOnlyList<long> dimensions, ReadOnlyMemory<byte> data) =>
        Add(name, type, dimensions, stream => stream.Write(data.Span));

    /// <summary>Adds a tensor whose bytes are written when the file is.</summary>
    /// <param name="name">Unique in the file.</param>
    /// <param name="type">Element type.</param>
    /// <param name="dimensions">Up to 4 axes, the contiguous one first.</param>
    /// <param name="data">Writes exactly the bytes that type and dimensions give.</param>
    /// <exception cref="UsageException">The name was added before, or the dimensions do not fit the type.</exception>
    public GgufWriter Add(string name, GgmlType type, IReadOnlyList<long> dimensions, Action<Stream> data)
    {
        if (!_names.Add(name))
            throw new UsageException($"a tensor '{name}' was added to the GGUF file before.");
        long row = dimensions.Count == 0 ? 1 : dimensions[0];
        if (dimensions.Count > 4 || dimensions.Any(n => n < 0) || row % GgmlTypes.BlockElements(type) != 0)
            throw new UsageException($"tensor '{name}' of type {type} has the dimensions [{string.Join(", ", dimensions)}]; up to 4 axes were needed, the first a multiple of {GgmlTypes.BlockElements(type)}.");
        _tensors.Add(new Entry(name, type, [.. dimensions], GgmlTypes.Bytes(type, dimensions.Aggregate(1L, (product, n) => checked(product * n))), data));
        return this;
    }

    /// <summary>Writes the file, atomically.</summary>
    /// <exception cref="UsageException">A tensor's writer wrote more or fewer bytes than it should.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream =>
    {
        using var header = new MemoryStream();
        WriteHeader(header);
        stream.Write(header.GetBuffer().AsSpan(0, (int)header.Length));
        long position = header.Length;
        foreach (var tensor in _tensors)
        {
            position += Pad(stream, position);
            var body = new CountingStream(stream);
            tensor.Data(body);
            if (body.Position != tensor.Bytes)
                throw new UsageException($"tensor '{tensor.Name}' wrote {body.Position} bytes; {tensor.Bytes} were needed for [{string.Join(", ", tensor.Dimensions)}] of type {tensor.Type}.");
            position += tensor.Bytes;
        }

        Pad(stream, position);
    });

    private int Pad(Stream stream, long position)
    {
        int gap = (int)((_alignment - (position % _alignment)) % _alignment);
        stream.Write(new byte[gap]);
        return gap;
    }

    private void WriteHeader(Stream stream)
    {
        Word(stream, GgufFile.Magic, 4);
        Word(stream, 3, 4);
        Word(stream, (ulong)_tensors.Count, 8);
        Word(stream, (ulong)_metadata.Count, 8);
        foreach (var (key, value) in _metadata)
        {
            Text(stream, key);
            Word(stream, (ulong)value.Type, 4);
            Value(stream, value.Type, value.Value, value.ElementType);
        }

        long offset = 0;
        foreach (var tensor in _tensors)
        {
            Text(stream, tensor.Name);
            Word(stream, (ulong)tensor.Dimensions.Length, 4);
            foreach (long length in tensor.Dimensions)
                Word(stream, (ulong)length, 8);
            Word(stream, (ulong)tensor.Type, 4);
            Word(stream, (ulong)offset, 8);
            offset = (offset + tensor.Bytes + _alignment - 1) / _alignment * _alignment;
        }
    }

    private static void Value(Stream stream, GgufValueType type, object value, GgufValueType? elementType)
    {
        switch (value)
        {
            case string text:
                Text(stream, text);
                break;
            case bool flag:
                stream.WriteByte(flag ? (byte)1 : (byte)0);
                break;
            case Array array:
                Word(stream, (ulong)elementType!.Value, 4);
                Word(stream, (ulong)array.Length, 8);
                foreach (object item in array)
                {
                    if (item is GgufValue nested)
                        Value(stream, nested.Type, nested.Value, nested.ElementType);
                    else
                        Value(stream, elementType.Value, item, null);
                }

                break;
            default:
                Number(stream, type, value);
                break;
        }
    }

    private static void Number(Stream stream, GgufValueType type, object value)
    {
        switch (type)
        {
            case GgufValueType.UInt8: Word(stream, (byte)value, 1); break;
            case GgufValueType.Int8: Word(stream, unchecked((ulong)(sbyte)value), 1); break;
            case GgufValueType.UInt16: Word(stream, (ushort)value, 2); break;
            case GgufValueType.Int16: Word(stream, unchecked((ulong)(short)value), 2); break;
            case GgufValueType.UInt32: Word(stream, (uint)value, 4); break;
            case GgufValueType.Int32: Word(stream, unchecked((ulong)(int)value), 4); break;
            case GgufValueType.UInt64: Word(stream, (ulong)value, 8); break;
            case GgufValueType.Int64: Word(stream, unchecked((ulong)(long)value), 8); break;
            case GgufValueType.Float32: Word(stream, BitConverter.SingleToUInt32Bits((float)value), 4); break;
            default: Word(stream, BitConverter.DoubleToUInt64Bits((double)value), 8); break;
        }
    }

    private static void Text(Stream stream, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Word(stream, (ulong)bytes.Length, 8);
        stream.Write(bytes);
    }

    private static void Word(Stream stream, ulong value, int size)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        stream.Write(bytes[..size]);
    }

    private sealed record Entry(string Name, GgmlType Type, long[] Dimensions, long Bytes, Action<Stream> Data);

    // Passes writes on and counts them.
    private sealed class CountingStream(Stream inner) : Stream
    {
        private long _count;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _count;

        public override long Position { get => _count; set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            inner.Write(buffer);
            _count += buffer.Length;
        }
    }
}
