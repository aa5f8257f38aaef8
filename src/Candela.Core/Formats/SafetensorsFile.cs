using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Candela.Formats;

/// <summary>An open safetensors file. The header is in memory, tensors are read from disk when asked for. Reading is safe from several threads.</summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly Dictionary<string, TensorInfo> _byName;

    private SafetensorsFile(string path, SafeFileHandle handle, List<TensorInfo> tensors, Dictionary<string, string> metadata)
    {
        (Path, _handle, Tensors, Metadata) = (path, handle, tensors, metadata);
        _byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>All tensors, in the order they are stored.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The <c>__metadata__</c> entries.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    internal static SafetensorsFile Open(string path)
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
            long length = RandomAccess.GetLength(handle);
            Span<byte> prefix = stackalloc byte[8];
            if (length < 10 || !Fill(handle, prefix, 0))
                throw new FileFormatException(path, Fault.Truncated, $"the file has {length} bytes; a safetensors file has at least 10.");
            ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            if (headerLength is < 2 or > Safetensors.MaxHeader)
                throw new FileFormatException(path, Fault.WrongFormat, $"the first 8 bytes give a header of {headerLength} bytes; a safetensors header has 2 to {Safetensors.MaxHeader}. This is not a safetensors file, or it is damaged.");
            if ((long)headerLength > length - 8)
                throw new FileFormatException(path, Fault.Truncated, $"the file has {length} bytes, its header alone needs {headerLength + 8}. It was cut short: copy it again.");
            var header = new byte[headerLength];
            _ = Fill(handle, header, 8);
            long dataStart = 8 + header.Length;
            var (tensors, metadata) = SafetensorsHeader.Parse(path, header, dataStart, length);
            if (metadata.TryGetValue(Safetensors.ChecksumKey, out string? expected))
                Verify(path, handle, tensors, metadata, dataStart, length, expected);
            else if (metadata.ContainsKey(Safetensors.MarkKey))
                throw new FileFormatException(path, Fault.Corrupt, $"the file was written by Candela but has lost its checksum '{Safetensors.ChecksumKey}'. It was damaged: restore it from where it came, or train again.");
            return new SafetensorsFile(path, handle, tensors, metadata);
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
    public TensorInfo Info(string name) => _byName.TryGetValue(name, out var info) ? info
        : throw new FileFormatException(Path, Fault.Corrupt, $"there is no tensor '{name}'.{NearestName.Hint(name, _byName.Keys)} The file holds {Tensors.Count} tensors{(Tensors.Count is > 0 and <= 12 ? ": " + string.Join(", ", _byName.Keys) : "")}.");

    /// <summary>The stored bytes of a tensor.</summary>
    public byte[] ReadBytes(string name)
    {
        var info = Info(name);
        if (info.Bytes > Array.MaxLength)
            throw new FileFormatException(Path, Fault.Unsupported, $"tensor '{name}' has {info.Bytes} bytes, more than one array can hold ({Array.MaxLength}).");
        var bytes = new byte[info.Bytes];
        if (!Fill(_handle, bytes, info.Offset))
            throw new FileFormatException(Path, Fault.Truncated, $"the file ended inside tensor '{name}'; something shortened it after it was opened.");
        return bytes;
    }

    /// <summary>The values of a tensor as singles; other types are converted (64-bit values may lose digits).</summary>
    public float[] ReadSingles(string name) => ReadRaw(name).ToSingles();

    /// <summary>Reads a tensor's values as singles into memory of one's own, converting piece by piece: no second copy of it is held.</summary>
    /// <exception cref="ShapeException"><paramref name="into"/> has another length than the tensor.</exception>
    public void ReadSingles(string name, Span<float> into)
    {
        var info = Info(name);
        int size = Safetensors.ElementBytes(info.Type);
        if (into.Length != info.Bytes / size)
            throw new ShapeException($"Tensor '{name}' of shape [{string.Join(", ", info.Shape)}] has {info.Bytes / size} values; got room for {into.Length}.");
        if (info.Type == TensorType.F32)
        {
            for (int at = 0; at < into.Length;)
            {
                int count = Math.Min(into.Length - at, 1 << 28);
                Need(MemoryMarshal.AsBytes(into.Slice(at, count)), info.Offset + (4L * at), name);
                at += count;
            }

            return;
        }

        var piece = new byte[Math.Min(info.Bytes, 1 << 20)];
        for (int at = 0; at < into.Length;)
        {
            int count = Math.Min(into.Length - at, piece.Length / size);
            Need(piece.AsSpan(0, count * size), info.Offset + ((long)size * at), name);
            new RawTensor(name, info.Type, [count], piece.AsMemory(0, count * size)).ToSingles().CopyTo(into[at..]);
            at += count;
        }
    }

    /// <summary>A tensor of any type as it is stored.</summary>
    public RawTensor ReadRaw(string name)
    {
        var info = Info(name);
        return new RawTensor(name, info.Type, info.Shape, ReadBytes(name));
    }

    /// <summary>A tensor as singles with its name and shape.</summary>
    public NamedTensor Read(string name) => new(name, [.. Info(name).Shape], ReadSingles(name));

    /// <summary>The values of a tensor that must have the given shape, as singles.</summary>
    /// <exception cref="FileFormatException">There is no such tensor or it has another shape.</exception>
    public float[] ReadSingles(string name, params ReadOnlySpan<int> shape)
    {
        var info = Info(name);
        return info.Shape.ToArray().AsSpan().SequenceEqual(shape) ? ReadSingles(name)
            : throw new FileFormatException(Path, Fault.Corrupt, $"tensor '{name}' has the shape [{string.Join(", ", info.Shape)}]; the model in config.json needs [{string.Join(", ", shape.ToArray())}].");
    }

    /// <summary>The values of a tensor of type I64, exactly.</summary>
    public long[] ReadInt64(string name) => Exact<long>(name, TensorType.I64);

    /// <summary>The values of a tensor of type I32, exactly.</summary>
    public int[] ReadInt32(string name) => Exact<int>(name, TensorType.I32);

    /// <summary>The values of a tensor of type F64, exactly.</summary>
    public double[] ReadDoubles(string name) => Exact<double>(name, TensorType.F64);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _handle.Dispose();

    private void Need(Span<byte> into, long at, string name)
    {
        if (!Fill(_handle, into, at))
            throw new FileFormatException(Path, Fault.Truncated, $"the file ended inside tensor '{name}'; something shortened it after it was opened.");
    }

    private static void Verify(string path, SafeFileHandle handle, List<TensorInfo> tensors, Dictionary<string, string> metadata, long dataStart, long length, string expected)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Safetensors.Described(tensors, dataStart, metadata));
        var buffer = new byte[1 << 18];
        for (long at = dataStart; at < length;)
        {
            int read = RandomAccess.Read(handle, buffer, at);
            if (read == 0)
                break;
            hash.AppendData(buffer, 0, read);
            at += read;
        }

        if (!string.Equals(Convert.ToHexStringLower(hash.GetHashAndReset()), expected, StringComparison.Ordinal))
            throw new FileFormatException(path, Fault.Corrupt, "the content does not match the checksum stored in it. The file was damaged after it was written: restore it from where it came, or train again.");
    }

    private static bool Fill(SafeFileHandle handle, Span<byte> into, long at)
    {
        while (into.Length > 0)
        {
            int read = RandomAccess.Read(handle, into, at);
            if (read == 0)
                return false;
            into = into[read..];
            at += read;
        }

        return true;
    }

    private T[] Exact<T>(string name, TensorType type)
        where T : unmanaged
    {
        var info = Info(name);
        return info.Type == type ? MemoryMarshal.Cast<byte, T>(ReadBytes(name)).ToArray()
            : throw new FileFormatException(Path, Fault.Corrupt, $"tensor '{name}' has the element type {info.Type}; {type} was needed.");
    }
}
