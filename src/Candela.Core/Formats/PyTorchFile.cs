using System.Buffers.Binary;
using System.IO.Compression;
using static Candela.Formats.PyTorchGlobals;

namespace Candela.Formats;

/// <summary>A tensor in a PyTorch file.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Lengths of its axes.</param>
public sealed record PyTorchTensor(string Name, TensorType Type, IReadOnlyList<int> Shape);

/// <summary>Reads the tensors of a <c>.bin</c>, <c>.pt</c> or <c>.pth</c> file that torch.save wrote from a state_dict: the zip format of PyTorch 1.6 and later, and the one before it.
/// Nothing in the file is executed: any Python name but the few that tensors need is refused by name. Not for several threads at once.
/// Reference: torch/serialization.py and torch/_utils.py.</summary>
public sealed class PyTorchFile : IDisposable
{
    private const int MostPickle = 64 << 20;
    private static readonly byte[] OldMagic = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19];

    private readonly FileStream _stream;
    private readonly Dictionary<string, TensorReference> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _oldStorages = new(StringComparer.Ordinal); // first byte of each, in the format before zip
    private ZipArchive? _zip;
    private string _prefix = "";

    private PyTorchFile(string path, FileStream stream) => (Path, _stream) = (path, stream);

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>All tensors, sorted by name. Of a checkpoint that holds a state_dict among other things, those of the state_dict.</summary>
    public IReadOnlyList<PyTorchTensor> Tensors { get; private set; } = [];

    /// <summary>Opens a file and reads what tensors it holds; their values are read when asked for.</summary>
    /// <exception cref="FileFormatException">It is missing, damaged, of another format, or wants something executed (which is named).</exception>
    public static PyTorchFile Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileFormatException(path, Fault.Missing, "the file does not exist.", error);
        }

        var file = new PyTorchFile(path, stream);
        try
        {
            Span<byte> start = stackalloc byte[4];
            int read = stream.ReadAtLeast(start, 4, throwOnEndOfStream: false);
            object? root = read == 4 && start.SequenceEqual("PK\x03\x04"u8) ? file.OpenZip() : file.OpenOld();
            file.Collect(root);
            return file;
        }
        catch (Exception error) when (IsOfTheZip(error))
        {
            file.Dispose();
            throw file.BrokenZip(error);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The values of a tensor as singles, row-major; other types are converted.</summary>
    /// <exception cref="FileFormatException">There is no such tensor, or its numbers are not all in the file.</exception>
    /// <exception cref="ShapeException"><paramref name="into"/> has another length than the tensor.</exception>
    public void ReadSingles(string name, Span<float> into)
    {
        if (!_tensors.TryGetValue(name, out TensorReference? tensor))
            throw new FileFormatException(Path, Fault.Corrupt, $"there is no tensor '{name}'.{NearestName.Hint(name, _tensors.Keys)}");
        long count = tensor.Shape.Aggregate(1L, (a, b) => a * b);
        if (into.Length != count)
            throw new ShapeException($"Tensor '{name}' of shape [{string.Join(", ", tensor.Shape)}] has {count} values; got room for {into.Length}.");
        if (count == 0)
            return;
        int size = Safetensors.ElementBytes(tensor.Storage.Type);
        using Stream source = OpenStorage(tensor.Storage.Key);
        Skip(source, tensor.Offset * size, name);
        if (IsContiguous(tensor))
        {
            Read(source, tensor.Storage.Type, name, into);
            return;
        }

        var all = new float[Extent(tensor)];
        Read(source, tensor.Storage.Type, name, all);
        var index = new int[tensor.Shape.Length];
        for (int i = 0; i < into.Length; i++)
        {
            long at = 0;
            for (int axis = 0; axis < index.Length; axis++)
                at += index[axis] * tensor.Strides[axis];
            into[i] = all[at];
            for (int axis = index.Length - 1; axis >= 0 && ++index[axis] == tensor.Shape[axis]; axis--)
                index[axis] = 0;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _zip?.Dispose();
        _stream.Dispose();
    }

    private object? OpenZip()
    {
        _stream.Position = 0;
        _zip = new ZipArchive(_stream, ZipArchiveMode.Read, leaveOpen: true);
        ZipArchiveEntry pickle = _zip.Entries.FirstOrDefault(e => e.FullName == "data.pkl" || (e.Name == "data.pkl" && e.FullName.Count(c => c == '/') == 1))
            ?? throw new FileFormatException(Path, Fault.WrongFormat, "the zip archive has no data.pkl; torch.save writes one. TorchScript and other archives are not read.");
        _prefix = pickle.FullName[..^"data.pkl".Length];
        if (_zip.GetEntry($"{_prefix}constants.pkl") is not null)
            throw new FileFormatException(Path, Fault.Unsupported, "this is a TorchScript program, not a file of weights.");
        if (_zip.GetEntry($"{_prefix}byteorder") is { } order && System.Text.Encoding.ASCII.GetString(ReadEntry(order, 64)) is var text && text != "little")
            throw new FileFormatException(Path, Fault.Unsupported, $"the numbers are stored '{text}'-endian; only little is read.");
        return new PyTorchPickle(Path, ReadEntry(pickle, MostPickle)).Load();
    }

    private byte[] ReadEntry(ZipArchiveEntry entry, int most)
    {
        if (entry.Length > most)
            throw new FileFormatException(Path, Fault.Unsupported, $"'{entry.FullName}' has {entry.Length} bytes; at most {most} are read.");
        var bytes = new byte[entry.Length];
        using Stream stream = entry.Open();
        int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == bytes.Length ? bytes : throw new FileFormatException(Path, Fault.Truncated, $"'{entry.FullName}' ends after {read} of {bytes.Length} bytes. It was cut short: copy it again.");
    }

    // Before PyTorch 1.6: five pickles (magic number, version, system, value, storage keys), then each storage's count and numbers.
    private object? OpenOld()
    {
        var start = new byte[Math.Min(_stream.Length, MostPickle)];
        _stream.Position = 0;
        _stream.ReadExactly(start);
        if (start.Length < 15 || start[0] != 0x80 || !start.AsSpan(2, 2).SequenceEqual<byte>([0x8A, 10]) || !start.AsSpan(4, 10).SequenceEqual(OldMagic))
            throw new FileFormatException(Path, Fault.WrongFormat, "this is no file that torch.save writes (neither a zip archive nor the format before it).");
        var pickle = new PyTorchPickle(Path, start);
        _ = pickle.Load();
        if (pickle.Load() is not 1001L)
            throw new FileFormatException(Path, Fault.Unsupported, "the old format has another version than 1001.");
        if (pickle.Load() is not PickledDictionary system || (system.Entries.TryGetValue("little_endian", out object? little) && little is not true))
            throw new FileFormatException(Path, Fault.Unsupported, "the numbers are not stored little-endian.");
        object? root = pickle.Load();
        if (pickle.Load() is not List<object?> keys)
            throw new FileFormatException(Path, Fault.Corrupt, "the list of storages is no list. Restore the file from where it came.");
        long at = pickle.Position;
        Dictionary<string, StorageReference> storages = Referenced(root);
        Span<byte> count = stackalloc byte[8];
        foreach (object? key in keys)
        {
            if (key is not string name || !storages.TryGetValue(name, out StorageReference? storage))
                throw new FileFormatException(Path, Fault.Corrupt, "a storage is listed that no tensor uses. Restore the file from where it came.");
            _stream.Position = at;
            if (_stream.ReadAtLeast(count, 8, throwOnEndOfStream: false) < 8)
                throw new FileFormatException(Path, Fault.Truncated, $"the file ends before storage '{name}'. It was cut short: copy it again.");
            long numbers = BinaryPrimitives.ReadInt64LittleEndian(count);
            if (numbers != storage.Count)
                throw new FileFormatException(Path, Fault.Corrupt, $"storage '{name}' holds {numbers} numbers, its tensors say {storage.Count}. Restore the file from where it came.");
            _oldStorages[name] = at + 8;
            at += 8 + (numbers * Safetensors.ElementBytes(storage.Type));
            if (numbers > _stream.Length || at > _stream.Length)
                throw new FileFormatException(Path, Fault.Truncated, $"the file ends inside storage '{name}'. It was cut short: copy it again.");
        }

        return root;
    }

    private static Dictionary<string, StorageReference> Referenced(object? root)
    {
        var found = new Dictionary<string, StorageReference>(StringComparer.Ordinal);
        foreach (object? value in Weights(root)?.Entries.Values.AsEnumerable() ?? [])
        {
            if (value is TensorReference tensor)
                found[tensor.Storage.Key] = tensor.Storage;
        }

        return found;
    }

    // The dictionary of tensors itself, or the one a training checkpoint keeps it under.
    private static PickledDictionary? Weights(object? root)
    {
        if (root is not PickledDictionary dictionary || dictionary.Entries.Values.Any(v => v is TensorReference))
            return root as PickledDictionary;
        string[] names = ["state_dict", "model_state_dict", "model"];
        return names.Select(n => dictionary.Entries.GetValueOrDefault(n)).OfType<PickledDictionary>().FirstOrDefault(d => d.Entries.Values.Any(v => v is TensorReference)) ?? dictionary;
    }

    private void Collect(object? root)
    {
        if (Weights(root) is not { } weights)
            throw new FileFormatException(Path, Fault.Unsupported, "the file does not hold a dictionary of tensors (a state_dict).");
        foreach ((string name, object? value) in weights.Entries)
        {
            if (value is not TensorReference tensor)
                continue;
            Check(name, tensor);
            _tensors.Add(name, tensor);
        }

        Tensors = [.. _tensors.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => new PyTorchTensor(t.Key, t.Value.Storage.Type, t.Value.Shape))];
    }

    // A tensor's numbers must lie in its storage, and the storage in the file.
    private void Check(string name, TensorReference tensor)
    {
        long extent;
        try
        {
            _ = tensor.Shape.Aggregate(1L, (a, b) => checked(a * b));
            extent = checked(tensor.Offset + Extent(tensor));
        }
        catch (OverflowException error)
        {
            throw new FileFormatException(Path, Fault.Corrupt, $"tensor '{name}' of shape [{string.Join(", ", tensor.Shape)}] is larger than any file.", error);
        }

        if (extent > tensor.Storage.Count)
            throw new FileFormatException(Path, Fault.Corrupt, $"tensor '{name}' of shape [{string.Join(", ", tensor.Shape)}], strides [{string.Join(", ", tensor.Strides)}] and offset {tensor.Offset} needs {extent} numbers of a storage of {tensor.Storage.Count}.");
        if (_zip is null)
        {
            if (!_oldStorages.ContainsKey(tensor.Storage.Key))
                throw new FileFormatException(Path, Fault.Corrupt, $"storage '{tensor.Storage.Key}' of tensor '{name}' is not in the file.");
            return;
        }

        ZipArchiveEntry entry = Entry(tensor.Storage.Key) ?? throw new FileFormatException(Path, Fault.Corrupt, $"storage '{tensor.Storage.Key}' of tensor '{name}' is not in the archive.");
        if (entry.CompressedLength != entry.Length)
            throw new FileFormatException(Path, Fault.Unsupported, $"'{entry.FullName}' is compressed; torch.save stores numbers as they are.");
        if (tensor.Storage.Count > entry.Length / Safetensors.ElementBytes(tensor.Storage.Type))
            throw new FileFormatException(Path, Fault.Truncated, $"storage '{tensor.Storage.Key}' of tensor '{name}' has {entry.Length} bytes; {tensor.Storage.Count} numbers of type {tensor.Storage.Type} were promised.");
    }

    private ZipArchiveEntry? Entry(string key) => _zip!.GetEntry($"{_prefix}data/{key}");

    private Stream OpenStorage(string key)
    {
        if (_zip is not null)
        {
            try
            {
                return Entry(key)!.Open();
            }
            catch (Exception error) when (IsOfTheZip(error))
            {
                throw BrokenZip(error);
            }
        }

        var stream = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        stream.Position = _oldStorages[key];
        return stream;
    }

    private static long Extent(TensorReference tensor)
    {
        long last = 0;
        for (int axis = 0; axis < tensor.Shape.Length; axis++)
        {
            if (tensor.Shape[axis] == 0)
                return 0;
            last = checked(last + ((tensor.Shape[axis] - 1) * tensor.Strides[axis]));
        }

        return checked(last + 1);
    }

    private static bool IsContiguous(TensorReference tensor)
    {
        long expected = 1;
        for (int axis = tensor.Shape.Length - 1; axis >= 0; axis--)
        {
            if (tensor.Shape[axis] != 1 && tensor.Strides[axis] != expected)
                return false;
            expected *= tensor.Shape[axis];
        }

        return true;
    }

    private void Skip(Stream stream, long bytes, string name)
    {
        if (stream.CanSeek)
        {
            stream.Seek(bytes, SeekOrigin.Current);
            return;
        }

        var buffer = new byte[1 << 16];
        while (bytes > 0)
        {
            int read = stream.Read(buffer, 0, (int)Math.Min(bytes, buffer.Length));
            if (read == 0)
                throw Ended(name);
            bytes -= read;
        }
    }

    private void Read(Stream stream, TensorType type, string name, Span<float> into)
    {
        int size = Safetensors.ElementBytes(type);
        var piece = new byte[Math.Min((long)into.Length * size, 1 << 20)];
        for (int at = 0; at < into.Length;)
        {
            int count = Math.Min(into.Length - at, piece.Length / size);
            Memory<byte> part = piece.AsMemory(0, count * size);
            if (stream.ReadAtLeast(part.Span, part.Length, throwOnEndOfStream: false) < part.Length)
                throw Ended(name);
            new RawTensor(name, type, [count], part).ToSingles().CopyTo(into[at..]);
            at += count;
        }
    }

    private static bool IsOfTheZip(Exception error) => error is InvalidDataException or EndOfStreamException or NotSupportedException or ArgumentOutOfRangeException;

    private FileFormatException BrokenZip(Exception error) =>
        new(Path, Fault.Corrupt, $"the zip archive cannot be read ({error.Message.TrimEnd('.')}). It was cut short or damaged: copy it again.", error);

    private FileFormatException Ended(string name) => new(Path, Fault.Truncated, $"the file ended inside tensor '{name}'. It was cut short: copy it again.");
}
