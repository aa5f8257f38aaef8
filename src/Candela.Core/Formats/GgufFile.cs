using Microsoft.Win32.SafeHandles;

namespace Candela.Formats;

/// <summary>An open GGUF file, versions 2 and 3, little-endian: metadata in memory, tensors on disk with their absolute offsets, so that they can be memory-mapped.
/// Source: the GGUF specification of ggml. Reading is safe from several threads.</summary>
public sealed class GgufFile : IDisposable
{
    internal const uint Magic = 0x46554747; // "GGUF"
    internal const int DefaultAlignment = 32;

    private readonly SafeFileHandle _handle;
    private readonly Dictionary<string, GgufTensor> _byName;

    private GgufFile(string path, SafeFileHandle handle, GgufReader header)
    {
        (Path, _handle, Version, Alignment, Metadata, Tensors) = (path, handle, (int)header.Version, (int)header.Alignment, header.Metadata, header.Tensors);
        DataOffset = header.DataOffset;
        _byName = header.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>2 or 3.</summary>
    public int Version { get; }

    /// <summary>Every tensor begins at a multiple of so many bytes from <see cref="DataOffset"/>; 32 unless the file says otherwise.</summary>
    public int Alignment { get; }

    /// <summary>Where tensor data begins, from the beginning of the file.</summary>
    public long DataOffset { get; }

    /// <summary>All key-value pairs.</summary>
    public IReadOnlyDictionary<string, GgufValue> Metadata { get; }

    /// <summary>All tensors, in the order of the header; none in a file that holds only a vocabulary.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>Opens a file and reads its header. Cost: one pass over the header; tensor data is not touched.</summary>
    /// <exception cref="FileFormatException">Missing, truncated, damaged, another format, version 1, big-endian, or an element type that is not known.</exception>
    public static GgufFile Open(string path)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, options: FileOptions.RandomAccess);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileFormatException(path, Fault.Missing, "the file does not exist.", error);
        }

        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            var header = new GgufReader(path, stream, stream.Length);
            header.Read();
            return new GgufFile(path, handle, header);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor called <paramref name="name"/>.</summary>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>The header's entry of a tensor.</summary>
    /// <exception cref="FileFormatException">There is no such tensor; the message names the nearest.</exception>
    public GgufTensor Info(string name) => _byName.TryGetValue(name, out var info) ? info
        : throw new FileFormatException(Path, Fault.Corrupt, $"there is no tensor '{name}'.{NearestName.Hint(name, _byName.Keys)} The file holds {Tensors.Count} tensors.");

    /// <summary>The stored bytes of a tensor.</summary>
    public byte[] ReadBytes(string name)
    {
        var info = Info(name);
        if (info.Bytes > Array.MaxLength)
            throw new FileFormatException(Path, Fault.Unsupported, $"tensor '{name}' has {info.Bytes} bytes, more than one array can hold ({Array.MaxLength}).");
        var bytes = new byte[info.Bytes];
        ReadAt(info.Offset, bytes);
        return bytes;
    }

    /// <summary>Fills <paramref name="into"/> from byte <paramref name="offset"/> of the file.</summary>
    /// <exception cref="FileFormatException">The file ends before.</exception>
    public void ReadAt(long offset, Span<byte> into)
    {
        while (into.Length > 0)
        {
            int read = RandomAccess.Read(_handle, into, offset);
            if (read == 0)
                throw new FileFormatException(Path, Fault.Truncated, $"the file ended at byte {offset}; something shortened it after it was opened.");
            into = into[read..];
            offset += read;
        }
    }

    /// <summary>A text of the metadata, or null when there is no such key.</summary>
    /// <exception cref="FileFormatException">It is something else.</exception>
    public string? Text(string key) => Metadata.TryGetValue(key, out var value) ? value.Value as string ?? throw Wrong(key, value, "a text") : null;

    /// <summary>A flag of the metadata, or null when there is no such key.</summary>
    /// <exception cref="FileFormatException">It is something else.</exception>
    public bool? Flag(string key) => Metadata.TryGetValue(key, out var value) ? value.Value as bool? ?? throw Wrong(key, value, "a flag") : null;

    /// <summary>An integer of the metadata, of any width, or null when there is no such key.</summary>
    /// <exception cref="FileFormatException">It is something else, or larger than a signed 64-bit number.</exception>
    public long? Integer(string key) => !Metadata.TryGetValue(key, out var value) ? null : value.Value switch
    {
        byte n => n,
        sbyte n => n,
        ushort n => n,
        short n => n,
        uint n => n,
        int n => n,
        long n => n,
        ulong n when n <= long.MaxValue => (long)n,
        _ => throw Wrong(key, value, "an integer"),
    };

    /// <summary>A number of the metadata, or null when there is no such key.</summary>
    /// <exception cref="FileFormatException">It is something else.</exception>
    public double? Number(string key) => !Metadata.TryGetValue(key, out var value) ? null : value.Value switch
    {
        float n => n,
        double n => n,
        _ => Integer(key),
    };

    /// <summary>An array of texts of the metadata, or null when there is no such key.</summary>
    /// <exception cref="FileFormatException">It is something else.</exception>
    public string[]? Texts(string key) => ArrayOf<string>(key, "an array of texts");

    /// <summary>An array of singles of the metadata, or null when there is no such key.</summary>
    /// <exception cref="FileFormatException">It is something else.</exception>
    public float[]? Singles(string key) => ArrayOf<float>(key, "an array of singles");

    /// <summary>An array of 32-bit integers of the metadata, or null when there is no such key.</summary>
    /// <exception cref="FileFormatException">It is something else.</exception>
    public int[]? Integers(string key) => Metadata.TryGetValue(key, out var value) && value.ElementType == GgufValueType.UInt32
        ? Array.ConvertAll((uint[])value.Value, n => unchecked((int)n))
        : ArrayOf<int>(key, "an array of 32-bit integers");

    /// <summary>Closes the file.</summary>
    public void Dispose() => _handle.Dispose();

    private T[]? ArrayOf<T>(string key, string needed) => !Metadata.TryGetValue(key, out var value) ? null
        : value.Value.GetType() == typeof(T[]) ? (T[])value.Value : throw Wrong(key, value, needed);

    private FileFormatException Wrong(string key, GgufValue value, string needed) =>
        new(Path, Fault.Corrupt, $"metadata '{key}' is {(value.ElementType is { } element ? $"an array of {element}" : $"a {value.Type}")}; {needed} was needed. Convert the model again.");
}
