using System.Security.Cryptography;
using Candela.Models;

namespace Candela.Data;

/// <summary>Tables of images: an <c>image</c> column and, where the classes are known, a <c>label</c> column.</summary>
internal static class ImageTables
{
    public const string ImageColumn = "image", LabelColumn = "label";
    private const int ChunkBytes = 32 << 20;

    public static Table Load(string path, DataFormat format, TableOptions options, IProgress<TrainEvent>? events, TableSchema? like, CancellationToken cancellation)
    {
        ImageSource source = Source(path, format, options, events, like);
        ImageShape shape = source.Shape;
        var columns = new List<ColumnSchema> { new(ImageColumn, ColumnKind.Image, source.Note) { Image = shape } };
        if (source.Classes is { } classes)
            columns.Add(new ColumnSchema(LabelColumn, ColumnKind.Category, $"{classes.Count} classes: {string.Join(", ", classes.Take(4))}{(classes.Count > 4 ? ", ..." : "")}"));
        var schema = new TableSchema(columns);
        var store = new ChunkStore(options.MemoryBudget);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (TableChunk chunk in Chunks(source, schema, Math.Clamp(ChunkBytes / shape.Length, 1, Table.ChunkRows), hash))
            {
                cancellation.ThrowIfCancellationRequested();
                store.Add(chunk);
            }
            var table = new Table(store, schema, Convert.ToHexStringLower(hash.GetHashAndReset()), cancellation: cancellation);
            if (options.Kinds.Count == 0)
                return table;
            using (table)
                return table.WithKinds(options.Kinds);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    public static IEnumerable<TableChunk> Scan(string path, DataFormat format, TableSchema schema, TableOptions options, int chunkRows)
    {
        ImageSource source = Source(path, format, options, null, schema);
        return Chunks(source, schema, Math.Clamp(ChunkBytes / source.Shape.Length, 1, chunkRows), null);
    }

    // The images of a file; with a schema they must have its columns and shape.
    private static ImageSource Source(string path, DataFormat format, TableOptions options, IProgress<TrainEvent>? events, TableSchema? schema)
    {
        ImageShape? wanted = schema?.Columns.FirstOrDefault(c => c.Kind == ColumnKind.Image)?.Image;
        ImageSource source = format == DataFormat.Idx ? new IdxFile(path, options.LabelsFile) : new ImageFolder(path, events, wanted);
        if (schema == null)
            return source;
        foreach (ColumnSchema column in schema.Columns)
        {
            bool there = column.Kind == ColumnKind.Image ? column.Name == ImageColumn : column.Name == LabelColumn && source.Classes != null;
            if (!there)
                throw new DataException($"{path}: column '{column.Name}' is missing; images have the columns '{ImageColumn}'{(source.Classes != null ? $" and '{LabelColumn}'" : "; give labels with --labels or one subfolder per class")}.");
        }

        if (wanted != null && source.Shape != wanted)
            throw new DataException($"{path}: images of {Text(source.Shape)} where the model was trained on {Text(wanted)} (channels x height x width). Give images of that shape.");
        return source;
    }

    private static string Text(ImageShape shape) => $"{shape.Channels} x {shape.Height} x {shape.Width}";

    private static IEnumerable<TableChunk> Chunks(ImageSource source, TableSchema schema, int chunkRows, IncrementalHash? hash)
    {
        using ImagePass pass = source.Open(hash);
        int length = source.Shape.Length;
        for (int first = 0; first < source.Count; first += chunkRows)
        {
            int rows = Math.Min(chunkRows, source.Count - first);
            byte[] pixels = GC.AllocateUninitializedArray<byte>(rows * length);
            int[] codes = new int[rows];
            for (int i = 0; i < rows; i++)
            {
                pass.Next(pixels.AsSpan(i * length, length));
                codes[i] = source.Classes == null ? -1 : source.Label(first + i);
            }

            if (first + rows == source.Count)
                pass.End();
            yield return new TableChunk(schema, [.. schema.Columns.Select(c => c.Kind == ColumnKind.Image ? (TableColumn)new ImageColumn(pixels, source.Shape) : new CategoryColumn(codes, source.Classes!))], first);
        }
    }
}
