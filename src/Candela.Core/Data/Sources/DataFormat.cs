namespace Candela.Data;

/// <summary>The kinds of data files read.</summary>
internal enum DataFormat
{
    Delimited,
    JsonLines,
    Parquet,
    Idx,
    ImageFolder,
}

/// <summary>Tells a file's format by its first bytes, and by its extension where those do not say.</summary>
internal static class DataFormats
{
    private const string Known = "CSV or other delimited text, JSON Lines, Parquet, IDX images, or a folder of PNG/JPEG images";

    public static DataFormat Detect(string path)
    {
        if (Directory.Exists(path))
            return DataFormat.ImageFolder;
        var head = new byte[512];
        using (var bytes = new DataBytes(path))
            head = head[..bytes.Read(head)];
        ReadOnlySpan<byte> start = head;
        if (start.StartsWith("PAR1"u8))
            return DataFormat.Parquet;
        if (start is [0, 0, >= 8 and <= 14, >= 1 and <= 4, ..])
            return DataFormat.Idx;
        string? other = start switch
        {
            [0x50, 0x4b, 3, 4, ..] => "a zip archive or an Excel workbook",
            [0x89, 0x50, 0x4e, 0x47, ..] or [0xff, 0xd8, 0xff, ..] => "one image; give the folder that holds a subfolder of images per class",
            [0x1f, 0x8b, ..] => "gzip within gzip",
            [0x42, 0x5a, 0x68, ..] => "bzip2",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
            [0xfd, 0x37, 0x7a, 0x58, ..] => "xz",
            [0x93, (byte)'N', (byte)'U', (byte)'M', ..] => "a NumPy array",
            [0x25, 0x50, 0x44, 0x46, ..] => "PDF",
            _ => null,
        };
        if (other != null)
            throw new FileFormatException(path, Fault.WrongFormat, $"this is {other}. Data is read from {Known} (gzipped or not).");
        string name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        string extension = Path.GetExtension(name).ToLowerInvariant();
        if (extension is ".parquet" or ".pq" && start.Length > 0)
            throw new FileFormatException(path, Fault.WrongFormat, "named like Parquet, but it does not begin with PAR1.");
        int first = start.StartsWith<byte>([0xef, 0xbb, 0xbf]) ? 3 : 0;
        ReadOnlySpan<byte> text = start[first..].TrimStart(" \t\r\n"u8);
        if (extension is ".jsonl" or ".ndjson" || (text.StartsWith("{"u8) && extension is not (".csv" or ".tsv")))
            return DataFormat.JsonLines;
        if (extension == ".json" || text.StartsWith("[{"u8))
            throw new FileFormatException(path, Fault.Unsupported, "a JSON document. JSON Lines is needed, one object a line: convert it with jq -c '.[]'.");
        return DataFormat.Delimited;
    }

    /// <summary>The rows of a file that is neither IDX nor a folder; <paramref name="like"/> holds the columns wanted of it and how their first file was read.</summary>
    public static RowSource Rows(string path, DataFormat format, TableOptions options, IProgress<Models.TrainEvent>? events, TableSchema? like = null) => format switch
    {
        DataFormat.JsonLines => new JsonLinesSource(path, events),
        DataFormat.Parquet => new ParquetSource(path),
        _ => new CsvSource(path, options, events, like),
    };
}
