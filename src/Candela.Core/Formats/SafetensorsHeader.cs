using System.Text.Json;

namespace Candela.Formats;

/// <summary>Reads and checks the JSON header of a safetensors file. Trusts nothing: every number is checked against the file's length.</summary>
internal static class SafetensorsHeader
{
    /// <summary>Parses <paramref name="json"/>; offsets in the result are from the beginning of the file.</summary>
    public static (List<TensorInfo> Tensors, Dictionary<string, string> Metadata) Parse(string path, ReadOnlySpan<byte> json, long dataStart, long fileLength)
    {
        var tensors = new List<TensorInfo>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            var reader = new Utf8JsonReader(json);
            Expect(ref reader, JsonTokenType.StartObject, path, "the header");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!;
                if (!names.Add(name))
                    throw Bad(path, $"the header names '{name}' twice");
                if (name == "__metadata__")
                    ReadMetadata(ref reader, path, metadata);
                else
                    tensors.Add(ReadTensor(ref reader, path, name, dataStart));
            }

            if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
                throw Bad(path, "the header does not end with one closing brace");
        }
        catch (JsonException error)
        {
            throw new FileFormatException(path, Fault.Corrupt, $"the header is not valid JSON at byte {8 + error.BytePositionInLine.GetValueOrDefault()}. Restore the file from where it came.", error);
        }
        catch (InvalidOperationException error)
        {
            // GetString of invalid UTF-8 or an unpaired surrogate
            throw new FileFormatException(path, Fault.Corrupt, "the header holds text that is not valid UTF-8. Restore the file from where it came.", error);
        }

        Check(path, tensors, dataStart, fileLength);
        return (tensors, metadata);
    }

    private static TensorInfo ReadTensor(ref Utf8JsonReader reader, string path, string name, long dataStart)
    {
        TensorType? type = null;
        List<long>? shape = null, offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, path, $"the entry of tensor '{name}'");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            bool again = (key == "dtype" && type is not null) || (key == "shape" && shape is not null) || (key == "data_offsets" && offsets is not null);
            if (again)
                throw Bad(path, $"tensor '{name}' has '{key}' twice");
            switch (key)
            {
                case "dtype":
                    Expect(ref reader, JsonTokenType.String, path, $"dtype of tensor '{name}'");
                    type = ParseType(path, name, reader.GetString()!);
                    break;
                case "shape":
                    shape = ReadNumbers(ref reader, path, $"shape of tensor '{name}'");
                    break;
                case "data_offsets":
                    offsets = ReadNumbers(ref reader, path, $"data_offsets of tensor '{name}'");
                    break;
                default:
                    throw Bad(path, $"tensor '{name}' has the unknown key '{key}'");
            }
        }

        if (type is null || shape is null || offsets is not { Count: 2 })
            throw Bad(path, $"tensor '{name}' needs dtype, shape and two data_offsets");
        long size = Safetensors.ElementBytes(type.Value);
        foreach (long length in shape)
        {
            if (length is < 0 or > int.MaxValue)
                throw new FileFormatException(path, Fault.Unsupported, $"tensor '{name}' has an axis of {length}; axes of 0 to {int.MaxValue} are supported.");
            if (length != 0 && size > long.MaxValue / length)
                throw Bad(path, $"tensor '{name}' of shape [{string.Join(", ", shape)}] is larger than any file");
            size *= length;
        }

        if (offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > long.MaxValue - dataStart)
            throw Bad(path, $"tensor '{name}' has the data_offsets [{offsets[0]}, {offsets[1]}]");
        if (offsets[1] - offsets[0] != size)
            throw Bad(path, $"tensor '{name}' of shape [{string.Join(", ", shape)}] and type {type} needs {size} bytes, its data_offsets give {offsets[1] - offsets[0]}");
        return new TensorInfo(name, type.Value, [.. shape.Select(n => (int)n)], dataStart + offsets[0], size);
    }

    private static TensorType ParseType(string path, string name, string text) =>
        Enum.GetNames<TensorType>().Contains(text, StringComparer.Ordinal) ? Enum.Parse<TensorType>(text)
            : throw new FileFormatException(path, Fault.Unsupported, $"tensor '{name}' has the element type '{text}'; supported are {string.Join(", ", Enum.GetNames<TensorType>())}.");

    private static List<long> ReadNumbers(ref Utf8JsonReader reader, string path, string what)
    {
        var numbers = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray, path, what);
        while (reader.Read() && reader.TokenType == JsonTokenType.Number)
        {
            if (!reader.TryGetInt64(out long number))
                throw Bad(path, $"{what} holds a number that is not a 64-bit integer");
            numbers.Add(number);
        }

        return reader.TokenType == JsonTokenType.EndArray ? numbers : throw Bad(path, $"{what} is not an array of integers");
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, string path, Dictionary<string, string> into)
    {
        Expect(ref reader, JsonTokenType.StartObject, path, "__metadata__");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String, path, $"metadata entry '{key}'");
            if (!into.TryAdd(key, reader.GetString()!))
                throw Bad(path, $"__metadata__ names '{key}' twice");
        }
    }

    // In order of offset the tensors must tile the data section exactly.
    private static void Check(string path, List<TensorInfo> tensors, long dataStart, long fileLength)
    {
        tensors.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.Bytes.CompareTo(b.Bytes));
        long end = dataStart;
        foreach (var t in tensors)
        {
            if (t.Offset != end)
                throw Bad(path, $"tensor '{t.Name}' begins at byte {t.Offset}, but the tensor before it ends at byte {end}: {(t.Offset < end ? "they overlap" : "there is a gap")}");
            end = t.Offset + t.Bytes;
        }

        if (end > fileLength)
            throw new FileFormatException(path, Fault.Truncated, $"the file has {fileLength} bytes, its header needs {end}. It was cut short: copy it again.");
        if (end < fileLength)
            throw Bad(path, $"{fileLength - end} bytes follow the last tensor");
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string path, string what)
    {
        if (!reader.Read() || reader.TokenType != type)
            throw Bad(path, $"{what} is not a JSON {(type == JsonTokenType.StartObject ? "object" : type == JsonTokenType.StartArray ? "array" : "string")}");
    }

    private static FileFormatException Bad(string path, string what) => new(path, Fault.Corrupt, what + ". The file is damaged: restore it from where it came.");
}
