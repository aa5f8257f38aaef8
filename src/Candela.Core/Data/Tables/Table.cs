using Candela.Models;

namespace Candela.Data;

/// <summary>A data set as columns of known kinds, read chunk by chunk, in memory up to a budget and in one temporary file beyond it, so that memory does not grow with the file.
/// Several threads may read chunks. Dispose it to delete the temporary file.</summary>
public sealed class Table : IDisposable
{
    /// <summary>The most rows a chunk has. A chunk has fewer at the end of the table, and where rows are large (images, long texts): see <see cref="RowsIn"/>.</summary>
    public const int ChunkRows = 65_536;

    private readonly ChunkStore _store;
    private readonly KindChange[] _changes;
    private readonly CancellationToken _cancellation;
    private bool _disposed;

    internal Table(ChunkStore store, TableSchema schema, string dataHash, KindChange[]? changes = null, CancellationToken cancellation = default) =>
        (_store, Schema, DataHash, _changes, _cancellation) = (store, schema, dataHash, changes ?? [], cancellation);

    /// <summary>The columns' names and kinds.</summary>
    public TableSchema Schema { get; }

    /// <summary>Rows of the table.</summary>
    public long Rows => _store.Rows;

    /// <summary>Chunks of the table.</summary>
    public int ChunkCount => _store.Count;

    /// <summary>True when no part of it is in a temporary file.</summary>
    public bool InMemory => !_store.Spilling;

    internal string? SpillFile => _store.FilePath;

    /// <summary>SHA-256 of the file's bytes as they lie on disk, 64 lower-case hex digits (for a folder: of the relative names and bytes of its files in ordinal order; with a labels
    /// file: of both). Empty for a table made from chunks.</summary>
    public string DataHash { get; }

    /// <summary>Reads a data file, or a folder of images, choosing the columns' kinds. Cost: one pass over the file, on one core, at the speed of parsing.</summary>
    /// <param name="path">CSV, TSV or other delimited text, JSON Lines (.jsonl), Parquet, an IDX images file, each but Parquet also gzipped; or a folder with one subfolder of PNG or JPEG files per class.</param>
    /// <param name="options">How to read it; null reads with the defaults.</param>
    /// <param name="events">Told of what was decided on the way and deserves to be known.</param>
    /// <param name="cancellation">Ends the reading, and later passes over all <see cref="Chunks"/> (profiling, splitting, fitting an encoder), at the next chunk.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="DataException">A cell, row or column cannot be used; the message names it.</exception>
    /// <exception cref="FileFormatException">The file is missing, broken or of another format.</exception>
    public static Table Load(string path, TableOptions? options = null, IProgress<TrainEvent>? events = null, CancellationToken cancellation = default)
    {
        options ??= new TableOptions();
        DataFormat format = DataFormats.Detect(path);
        if (options.LabelsFile != null && format != DataFormat.Idx)
            throw new UsageException($"A labels file is only for IDX images, and {path} is not an IDX file. Leave out --labels.");
        return format is DataFormat.ImageFolder or DataFormat.Idx ? ImageTables.Load(path, format, options, events, null, cancellation) : new RowTableLoader(DataFormats.Rows(path, format, options, events), options, null, cancellation).Load();
    }

    /// <summary>Reads a file that comes after another: of its columns those of <paramref name="like"/>, in their kinds and as the other file was read; new names of a category are taken.</summary>
    internal static Table LoadLike(string path, TableSchema like, TableOptions options, IProgress<TrainEvent>? events = null, CancellationToken cancellation = default)
    {
        DataFormat format = DataFormats.Detect(path);
        if (options.LabelsFile != null && format != DataFormat.Idx)
            throw new UsageException($"A labels file is only for IDX images, and {path} is not an IDX file. Leave out --labels.");
        return format is DataFormat.ImageFolder or DataFormat.Idx ? ImageTables.Load(path, format, options, events, like, cancellation) : new RowTableLoader(DataFormats.Rows(path, format, options, events, like), options, like, cancellation).Load();
    }

    /// <summary>A table of given chunks, held in memory; <paramref name="chunks"/> must all have the columns of <paramref name="schema"/>.</summary>
    public static Table FromChunks(TableSchema schema, IEnumerable<TableChunk> chunks)
    {
        var store = new ChunkStore(long.MaxValue);
        foreach (TableChunk chunk in chunks)
            store.Add(new TableChunk(schema, chunk.Columns, store.Rows));
        return new Table(store, schema, "");
    }

    /// <summary>The table's 0-based index of a chunk's first row.</summary>
    public long FirstRow(int chunk) => _store.FirstRow(chunk);

    /// <summary>Rows of a chunk, without reading it.</summary>
    public int RowsIn(int chunk) => _store.RowsIn(chunk);

    /// <summary>Reads one chunk. The last few read are kept decoded. Do not write into its arrays.</summary>
    public TableChunk ReadChunk(int index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Changed(_store.Read(index));
    }

    /// <summary>Reads one chunk, valid until <paramref name="into"/> is used again.</summary>
    internal TableChunk ReadChunk(int index, ChunkBuffers into)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Changed(_store.Read(index, into));
    }

    /// <summary>All chunks in order.</summary>
    /// <exception cref="OperationCanceledException">The token given to <see cref="Load"/> was cancelled.</exception>
    public IEnumerable<TableChunk> Chunks()
    {
        for (int i = 0; i < ChunkCount; i++)
        {
            _cancellation.ThrowIfCancellationRequested();
            yield return ReadChunk(i);
        }
    }

    /// <summary>All chunks in order, each valid only until the next is asked for: a pass over a spilled table leaves no garbage.</summary>
    /// <inheritdoc cref="Chunks"/>
    internal IEnumerable<TableChunk> Pass()
    {
        var into = new ChunkBuffers();
        for (int i = 0; i < ChunkCount; i++)
        {
            _cancellation.ThrowIfCancellationRequested();
            yield return ReadChunk(i, into);
        }
    }

    /// <summary>The same rows with some columns read as another kind, sharing this table's storage (both must be disposed). Costs one pass over the columns whose names must be collected.</summary>
    /// <exception cref="DataException">There is no such column, or a cell does not fit the kind.</exception>
    public Table WithKinds(IReadOnlyDictionary<string, ColumnKind> kinds)
    {
        var columns = Schema.Columns.ToArray();
        var changes = new List<KindChange>(_changes);
        foreach ((string name, ColumnKind kind) in kinds)
        {
            int index = Schema.IndexOf(name);
            if (index < 0)
                throw new DataException($"A kind is given for '{name}', which is no column.{NearestName.Hint(name, columns.Select(c => c.Name))} Columns: {string.Join(", ", columns.Select(c => c.Name))}.");
            if (columns[index].Kind == kind)
                continue;
            if (KindChange.Create(this, index, kind) is { } change)
                changes.Add(change);
            columns[index] = columns[index] with { Kind = kind, Note = "as given" };
        }

        return new Table(_store.Share(), Schema with { Columns = columns }, DataHash, [.. changes], _cancellation);
    }

    /// <summary>Frees the storage, and deletes the temporary file when no other table shares it.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _store.Dispose();
    }

    private TableChunk Changed(TableChunk chunk)
    {
        if (ReferenceEquals(chunk.Schema, Schema))
            return chunk;
        var columns = chunk.Columns.ToArray();
        foreach (KindChange change in _changes)
            columns[change.Column] = change.Apply(columns[change.Column]);
        return new TableChunk(Schema, columns, chunk.FirstRow);
    }
}
