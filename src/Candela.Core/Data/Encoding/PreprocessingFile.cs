using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Candela.Data;

/// <summary>Reads and writes preprocessing.json. Its last member, <c>sha256</c>, is the hash of every byte before it, so that any change is noticed.</summary>
internal static class PreprocessingFile
{
    public const string Name = "preprocessing.json";
    private const long MaxBytes = 256L << 20;
    private static readonly byte[] Seal = ",\n  \"sha256\": \""u8.ToArray();
    private static readonly byte[] End = "\"\n}\n"u8.ToArray();

    public static void Write(string path, PreprocessingState state)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(state, PreprocessingJson.Default.PreprocessingState);
        ReadOnlySpan<byte> body = json.AsSpan(0, json.Length - 2);   // without the closing "\n}"
        byte[] hash = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(body)));
        byte[] file = [.. body, .. Seal, .. hash, .. End];
        AtomicFile.Write(path, stream => stream.Write(file));
    }

    public static PreprocessingState Read(string path)
    {
        byte[] bytes;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                throw new FileFormatException(path, Fault.Missing, "there is no such file; a run folder needs it to encode rows.");
            if (file.Length > MaxBytes)
                throw new FileFormatException(path, Fault.WrongFormat, $"{file.Length} bytes are more than a preprocessing file can have ({MaxBytes}).");
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FileFormatException(path, Fault.Missing, "it cannot be read: " + e.Message, e);
        }

        PreprocessingState state;
        try
        {
            byte[] body = Unseal(path, bytes);
            int version = Version(body);
            if (version > PreprocessingState.CurrentFormat)
                throw new FileFormatException(path, Fault.Unsupported, $"formatVersion {version} is newer than the {PreprocessingState.CurrentFormat} this version of Candela reads. Use a newer Candela.");
            state = JsonSerializer.Deserialize(body, PreprocessingJson.Default.PreprocessingState) ?? throw new JsonException("null");
            Check(state);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or NotSupportedException)
        {
            throw new FileFormatException(path, Fault.Corrupt, "it is not a preprocessing file: " + e.Message, e);
        }

        return state;
    }

    private static byte[] Unseal(string path, ReadOnlySpan<byte> bytes)
    {
        int tail = Seal.Length + 64 + End.Length, body = bytes.Length - tail;
        if (body <= 0 || !bytes.EndsWith(End) || !bytes.Slice(body, Seal.Length).SequenceEqual(Seal))
            throw new FileFormatException(path, Fault.Truncated, "its end, with the sha256 member, is missing: the file is truncated or was changed since it was written.");
        string stored = Encoding.ASCII.GetString(bytes.Slice(body + Seal.Length, 64)), actual = Convert.ToHexStringLower(SHA256.HashData(bytes[..body]));
        if (stored != actual)
            throw new FileFormatException(path, Fault.Corrupt, $"its content has SHA-256 {actual[..12]}..., not the stored {stored[..12]}...: it was damaged or changed since it was written.");
        return [.. bytes[..body], .. "\n}"u8];
    }

    private static int Version(byte[] body)
    {
        var reader = new Utf8JsonReader(body);
        while (reader.Read())
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("formatVersion"u8))
                return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int version) ? version : 0;
        return 0;
    }

    // The hash guards against accidents; these bounds against a file made to hurt.
    private static void Check(PreprocessingState state)
    {
        Need(state.FormatVersion >= 1, "formatVersion");
        Need(state.TrainingRows > 0, "trainingRows");
        Need(Enum.IsDefined(state.Problem.Task) && Enum.IsDefined(state.Request.Style) && Enum.IsDefined(state.Request.Skewed), "task or style");
        Need(state.Problem.Target is not null && state.Problem.Classes is not null, "problem");
        Need(state.Problem.IsClassification == (state.Problem.Classes!.Count >= 2), "classes");
        Need(state.Problem.Task != TaskKind.Binary || state.Problem.Classes.Count == 2, "classes");
        Need(state.Problem.Classes.All(c => c is not null) && state.Problem.Classes.Distinct().Count() == state.Problem.Classes.Count, "classes");
        Need(state.Problem.IsClassification ? state.ClassCounts?.Length == state.Problem.Classes.Count : state.Target is not null, "target");
        Need(state.Columns.Length > 0 && state.Columns.Select(c => c.Name).Distinct().Count() == state.Columns.Length, "columns");
        Need(state.Reading is null || (state.Reading.Names is { Length: > 0 } names && names.All(n => n is not null) && (state.Reading.Replaced?.All(n => n is not null) ?? true)), "reading");
        Need((state.TargetKind is null || Enum.IsDefined(state.TargetKind.Value)) && (state.TargetDate is null || Enum.IsDefined(state.TargetDate.Value)), "target kind");
        foreach (ColumnState column in state.Columns)
            Check(column, state.Columns.Length);
        bool text = state.Columns.Any(c => c.Kind == ColumnKind.Text);
        Need((state.Ngrams is null && state.Tokens is null) || text, "text");
        if (state.Ngrams is { } ngrams)
            Need(ngrams.Buckets is > 0 and <= NgramCode.MaxBuckets && int.IsPow2(ngrams.Buckets) && ngrams.Documents > 0 && ngrams.Frequencies is not null, "ngrams");
        if (state.Ngrams is { } counted)
            Need(NgramCode.Unpack(counted.Frequencies, counted.Buckets).All(f => f >= 0 && f <= counted.Documents), "ngrams");
        if (state.Tokens is { } tokens)
            Need(tokens.Length is > 0 and <= TokenCode.MaxLength && tokens.Vocabulary is { Length: <= TokenCode.MaxVocabulary }
                && tokens.Vocabulary.All(t => t is not null) && tokens.Vocabulary.Distinct().Count() == tokens.Vocabulary.Length, "tokens");
    }

    private static void Check(ColumnState column, int columns)
    {
        int parts = (column.Number is null ? 0 : 1) + (column.Category is null ? 0 : 1) + (column.Date is null ? 0 : 1) + (column.Pixels is null ? 0 : 1);
        bool fits = column.Kind switch
        {
            ColumnKind.Number or ColumnKind.Integer => column.Number is not null,
            ColumnKind.Category or ColumnKind.Boolean => column.Category is not null,
            ColumnKind.Date => column.Date is not null,
            ColumnKind.Image => column.Pixels is not null && columns == 1,
            ColumnKind.Text => parts == 0,
            _ => false,
        };
        Need(fits && parts <= 1 && column.Name is not null, $"column '{column.Name}'");
        if (column.Number is { } number)
        {
            Need(number.Edges is not null && number.Missing >= 0 && (number.Plain is not null || number.Log is not null), $"column '{column.Name}'");
            Need((number.Log is null || number.Log.Spread > 0) && (number.Edges!.Length < 2 || number.Edges.Zip(number.Edges.Skip(1)).All(pair => pair.First < pair.Second)), $"column '{column.Name}'");
        }

        if (column.Category is { } category)
            Need(category.Missing >= 0 && category.Names is { Length: <= CategoryLearner.MaxCodes } && category.Names.All(n => n is not null)
                && category.Names.Distinct().Count() == category.Names.Length, $"column '{column.Name}'");
        if (column.Date is { } date)
            Need(date.Missing >= 0 && (date.Form is null || Enum.IsDefined(date.Form.Value)) && date.Days is not null && date.Years is not null, $"column '{column.Name}'");
        if (column.Pixels is { } pixels)
            Need(pixels.Shape is { Channels: > 0 and <= 16, Height: > 0 and <= 16384, Width: > 0 and <= 16384 } && pixels.Channels?.Length == pixels.Shape.Channels
                && pixels.Channels.All(c => c is not null) && (long)pixels.Shape.Channels * pixels.Shape.Height * pixels.Shape.Width <= 1 << 28, $"column '{column.Name}'");
    }

    private static void Need(bool holds, string what)
    {
        if (!holds)
            throw new InvalidDataException($"{what} is not as it must be.");
    }
}
