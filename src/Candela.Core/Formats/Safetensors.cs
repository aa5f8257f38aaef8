using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Candela.Formats;

/// <summary>The safetensors format: 8 bytes header length, a JSON header (name -> dtype, shape, data_offsets), then the tensors' bytes without gaps.
/// What Candela writes also carries <c>candela.sha256</c> in its <c>__metadata__</c>, over names, types, shapes, the other metadata and all bytes; it is
/// checked on opening, so that a flipped bit anywhere in the file is noticed. Files written by others have no such entry and open without that check.
/// Reference: the format description of huggingface/safetensors (header at most 100 MB, no gaps, no overlaps).</summary>
public static class Safetensors
{
    /// <summary>The metadata key of the checksum.</summary>
    public const string ChecksumKey = "candela.sha256";

    // A second mark, so that one damaged byte in either key cannot make the file look like one without a checksum.
    internal const string MarkKey = "candela.format";

    internal const int MaxHeader = 100_000_000;

    /// <summary>Writes tensors of singles.</summary>
    /// <param name="path">The file; replaced in one step (see <see cref="AtomicFile"/>).</param>
    /// <param name="tensors">In the order they are to be stored.</param>
    /// <param name="metadata">Free text entries for <c>__metadata__</c>.</param>
    /// <exception cref="ShapeException">Values do not fill the shape, or a name occurs twice or is <c>__metadata__</c>.</exception>
    public static void Write(string path, IEnumerable<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        Write(path, tensors.Select(t => new RawTensor(t.Name, TensorType.F32, t.Shape, new SingleBytes(t.Values).Memory)), metadata);

    /// <summary>Writes tensors of any type.</summary>
    /// <inheritdoc cref="Write(string, IEnumerable{NamedTensor}, IReadOnlyDictionary{string, string}?)"/>
    public static void Write(string path, IEnumerable<RawTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var list = tensors.ToList();
        var infos = Layout(list);
        var entries = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
            entries[key] = value;
        entries[MarkKey] = "1";
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Described(infos, 0, entries));
        foreach (var tensor in list)
            hash.AppendData(tensor.Bytes.Span);
        entries[ChecksumKey] = Convert.ToHexStringLower(hash.GetHashAndReset());

        byte[] header = Header(infos, entries);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var tensor in list)
                stream.Write(tensor.Bytes.Span);
        });
    }

    /// <summary>Opens a file: reads and checks its header and, when it has one, its checksum (one pass over the file). Tensors are read when asked for.</summary>
    /// <exception cref="FileFormatException">The file is missing, cut short, contradicts itself or its checksum, or has an unknown element type.</exception>
    public static SafetensorsFile Open(string path) => SafetensorsFile.Open(path);

    /// <summary>Bytes per element.</summary>
    public static int ElementBytes(TensorType type) => type switch
    {
        TensorType.F64 or TensorType.I64 or TensorType.U64 => 8,
        TensorType.F32 or TensorType.I32 or TensorType.U32 => 4,
        TensorType.F16 or TensorType.BF16 or TensorType.I16 or TensorType.U16 => 2,
        _ => 1,
    };

    // What the checksum covers of the header, in one canonical spelling; offsets are relative to the data section.
    internal static byte[] Described(IEnumerable<TensorInfo> tensors, long dataStart, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var text = new StringBuilder();
        foreach (var t in tensors)
            text.Append(t.Name).Append('\0').Append(t.Type).Append('\0').AppendJoin(',', t.Shape).Append('\0').Append(t.Offset - dataStart).Append('\0').Append(t.Bytes).Append('\n');
        foreach (var (key, value) in metadata.Where(e => e.Key != ChecksumKey).OrderBy(e => e.Key, StringComparer.Ordinal))
            text.Append(key).Append('\0').Append(value).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static List<TensorInfo> Layout(List<RawTensor> tensors)
    {
        var infos = new List<TensorInfo>(tensors.Count);
        var names = new HashSet<string>(StringComparer.Ordinal) { "__metadata__" };
        long offset = 0;
        foreach (var t in tensors)
        {
            if (!names.Add(t.Name))
                throw new ShapeException($"Two tensors are called '{t.Name}' (or the name is reserved); names in a safetensors file must be unique.");
            long bytes = t.Shape.Aggregate((long)ElementBytes(t.Type), (a, b) => checked(a * b));
            if (bytes != t.Bytes.Length)
                throw new ShapeException($"Tensor '{t.Name}' of shape [{string.Join(", ", t.Shape)}] and type {t.Type} needs {bytes} bytes; got {t.Bytes.Length}.");
            infos.Add(new TensorInfo(t.Name, t.Type, t.Shape, offset, bytes));
            offset += bytes;
        }

        return infos;
    }

    private static byte[] Header(List<TensorInfo> infos, SortedDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata)
                json.WriteString(key, value);
            json.WriteEndObject();
            foreach (var t in infos)
            {
                json.WriteStartObject(t.Name);
                json.WriteString("dtype", t.Type.ToString());
                json.WriteStartArray("shape");
                foreach (int length in t.Shape)
                    json.WriteNumberValue(length);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(t.Offset);
                json.WriteNumberValue(t.Offset + t.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' '); // tensors start on a multiple of 8, as the reference writer does
        return buffer.ToArray();
    }

    // A float[] seen as bytes without a copy.
    private sealed class SingleBytes(float[] values) : System.Buffers.MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(values.AsSpan());

        public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
