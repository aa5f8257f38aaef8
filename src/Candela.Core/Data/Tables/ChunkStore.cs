using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Candela.Data;

/// <summary>The chunks of a table: in memory up to a budget, the rest in one temporary file that the system deletes when it is closed.
/// The file is read with plain reads, not mapped, because mapped pages count in the resident size.</summary>
internal sealed class ChunkStore(long memoryBudget) : IDisposable
{
    private const int RecentChunks = 3;

    private readonly List<Entry> _entries = [];
    private readonly LinkedList<(int Index, TableChunk Chunk)> _recent = new();
    private readonly Lock _gate = new();
    private FileStream? _stream;
    private SafeFileHandle? _file;
    private byte[] _scratch = []; // of the one writer
    private long _inMemory, _fileLength;
    private int _users = 1;

    public int Count => _entries.Count;

    public long Rows { get; private set; }

    /// <summary>True once chunks go to the file: what is added is then copied and may be overwritten by the caller.</summary>
    public bool Spilling => _file != null;

    /// <summary>The temporary file, or null when there is none.</summary>
    public string? FilePath { get; private set; }

    /// <summary>Columns planned as whole numbers in which a fraction was met.</summary>
    public HashSet<int> Fractions { get; } = [];

    public long FirstRow(int index) => _entries[index].FirstRow;

    public int RowsIn(int index) => _entries[index].Rows;

    public void Add(TableChunk chunk)
    {
        if (chunk.Rows == 0)
            return;
        long bytes = chunk.Columns.Sum(Size);
        if (_file == null && _inMemory + bytes > memoryBudget)
        {
            FilePath = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():n}.tmp");
            _stream = Create(FilePath);
            _file = _stream.SafeFileHandle;
        }

        if (_file == null)
        {
            _inMemory += bytes;
            _entries.Add(new Entry(Rows, chunk.Rows, chunk, []));
        }
        else
        {
            _entries.Add(new Entry(Rows, chunk.Rows, null, [.. chunk.Columns.Select(Write)]) { Schema = chunk.Schema });
        }

        Rows += chunk.Rows;
    }

    /// <summary>Reads a chunk for keeps.</summary>
    public TableChunk Read(int index)
    {
        Entry entry = _entries[index];
        if (entry.Chunk is { } kept && !kept.Columns.Any(c => c is PackedTextColumn))
            return kept;
        lock (_gate)
        {
            for (LinkedListNode<(int Index, TableChunk Chunk)>? node = _recent.First; node != null; node = node.Next)
            {
                if (node.Value.Index != index)
                    continue;
                _recent.Remove(node);
                _recent.AddFirst(node);
                return node.Value.Chunk;
            }

            if (_recent.Count == RecentChunks)
                _recent.RemoveLast();
            GarbageBound.Hold();
            TableChunk chunk = entry.Chunk != null ? Unpack(entry.Chunk) : Load(entry, new ChunkBuffers());
            _recent.AddFirst((index, chunk));
            return chunk;
        }
    }

    /// <summary>Reads a chunk that is valid until <paramref name="into"/> is used again.</summary>
    public TableChunk Read(int index, ChunkBuffers into)
    {
        Entry entry = _entries[index];
        if (entry.Chunk != null)
            return Read(index);
        GarbageBound.Hold(); // texts are new strings all the same
        return Load(entry, into);
    }

    /// <summary>One more table uses this store.</summary>
    public ChunkStore Share()
    {
        Interlocked.Increment(ref _users);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) > 0)
            return;
        _stream?.Dispose();
        _recent.Clear();
        _entries.Clear();
    }

    // Only its owner may read it; it holds the user's data. Where the system allows, the name is removed at once, so that nothing is left when the process is killed.
    private static FileStream Create(string path)
    {
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0, Options = FileOptions.DeleteOnClose };
        if (OperatingSystem.IsWindows())
            return new FileStream(path, how);
        how.Options = FileOptions.None;
        how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var stream = new FileStream(path, how);
        File.Delete(path);
        return stream;
    }

    private static TableChunk Unpack(TableChunk chunk) =>
        new(chunk.Schema, [.. chunk.Columns.Select(c => c is PackedTextColumn packed ? packed.Unpack() : c)], chunk.FirstRow);

    private TableChunk Load(Entry entry, ChunkBuffers into)
    {
        ObjectDisposedException.ThrowIf(_file == null || _file.IsClosed, this);
        return new TableChunk(entry.Schema!, [.. entry.Columns.Select((c, i) => Read(c, i, entry.Rows, into))], entry.FirstRow);
    }

    private static long Size(TableColumn column) => column switch
    {
        NumberColumn numbers => 4L * numbers.Count,
        CategoryColumn names => 4L * names.Count,
        ImageColumn images => images.Pixels.LongLength,
        PackedTextColumn texts => (4L * texts.Count) + texts.Utf8.Length,
        TextColumn texts => texts.Values.Sum(t => t == null ? 8L : 32L + (2 * t.Length)),
        _ => 0,
    };

    private Stored Write(TableColumn column)
    {
        switch (column)
        {
            case NumberColumn numbers:
                return Append(MemoryMarshal.AsBytes<float>(numbers.Values), Form.Numbers);
            case CategoryColumn names:
                return Append(MemoryMarshal.AsBytes<int>(names.Codes), Form.Codes) with { Names = names.Names };
            case ImageColumn images:
                return Append(images.Pixels, Form.Pixels) with { Image = images.Shape };
            case PackedTextColumn texts:
                Stored lengths = Append(MemoryMarshal.AsBytes(texts.Lengths), Form.Texts);
                return lengths with { Length = lengths.Length + Append(texts.Utf8, Form.Texts).Length };
            case TextColumn texts:
                return Append(Pack(texts.Values), Form.Texts);
            default:
                throw new ShapeException($"A column of type {column.GetType().Name} cannot be stored.");
        }
    }

    private Stored Append(ReadOnlySpan<byte> bytes, Form form)
    {
        long offset = _fileLength;
        RandomAccess.Write(_file!, bytes, offset);
        _fileLength += bytes.Length;
        return new Stored(form, offset, bytes.Length);
    }

    /// <summary>Lengths in bytes (-1 for missing), then the texts in UTF-8.</summary>
    private ReadOnlySpan<byte> Pack(string?[] texts)
    {
        int most = texts.Sum(t => t == null ? 4 : 4 + Encoding.UTF8.GetMaxByteCount(t.Length));
        if (_scratch.Length < most)
            _scratch = new byte[most];
        Span<int> lengths = MemoryMarshal.Cast<byte, int>(_scratch.AsSpan(0, 4 * texts.Length));
        int at = 4 * texts.Length;
        for (int i = 0; i < texts.Length; i++)
        {
            lengths[i] = texts[i] == null ? -1 : Encoding.UTF8.GetBytes(texts[i], _scratch.AsSpan(at));
            at += Math.Max(0, lengths[i]);
        }

        return _scratch.AsSpan(0, at);
    }

    private TableColumn Read(Stored column, int index, int rows, ChunkBuffers into)
    {
        switch (column.Form)
        {
            case Form.Numbers:
                float[] values = into.Column<float>(index, rows);
                ReadFully(MemoryMarshal.AsBytes(values.AsSpan()), column.Offset);
                return new NumberColumn(values);
            case Form.Codes:
                int[] codes = into.Column<int>(index, rows);
                ReadFully(MemoryMarshal.AsBytes(codes.AsSpan()), column.Offset);
                return new CategoryColumn(codes, column.Names!);
            case Form.Pixels:
                byte[] pixels = into.Column<byte>(index, column.Length);
                ReadFully(pixels, column.Offset);
                return new ImageColumn(pixels, column.Image!);
            default:
                Span<byte> stored = into.Scratch(column.Length);
                ReadFully(stored, column.Offset);
                return PackedTextColumn.Unpack(MemoryMarshal.Cast<byte, int>(stored[..(4 * rows)]), stored[(4 * rows)..]);
        }
    }

    private void ReadFully(Span<byte> into, long offset)
    {
        while (into.Length > 0)
        {
            int count = RandomAccess.Read(_file!, into, offset);
            if (count == 0)
                throw new DataException("The temporary file that holds part of the table is shorter than what was written to it; the disk of the temporary directory may be full.");
            into = into[count..];
            offset += count;
        }
    }

    private enum Form
    {
        Numbers,
        Codes,
        Texts,
        Pixels,
    }

    private sealed record Stored(Form Form, long Offset, int Length)
    {
        public IReadOnlyList<string>? Names { get; init; }

        public ImageShape? Image { get; init; }
    }

    private sealed record Entry(long FirstRow, int Rows, TableChunk? Chunk, Stored[] Columns)
    {
        public TableSchema? Schema { get; init; }
    }
}
