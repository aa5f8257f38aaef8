using System.Text.Json;
using System.Text.Json.Nodes;

namespace Candela.Formats;

/// <summary>Reads JSON files with errors that name the file.</summary>
public static class JsonFile
{
    /// <summary>The object a file holds. Duplicate keys, comments and trailing commas are refused.</summary>
    /// <exception cref="FileFormatException">The file is missing, empty, or not one JSON object.</exception>
    public static JsonObject ReadObject(string path)
    {
        byte[] bytes = ReadBytes(path);
        if (!System.Text.Unicode.Utf8.IsValid(bytes)) // the parser would only notice when a string is asked for
            throw new FileFormatException(path, Fault.Corrupt, "the text is not valid UTF-8. The file is damaged: restore it or train again.");
        try
        {
            return JsonNode.Parse(bytes, null, new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new FileFormatException(path, Fault.WrongFormat, "the file does not hold a JSON object.");
        }
        catch (JsonException error)
        {
            throw NotJson(path, error);
        }
    }

    /// <summary>Writes an object, indented, in one step (see <see cref="AtomicFile"/>).</summary>
    public static void WriteObject(string path, JsonObject json) => AtomicFile.Write(path, stream =>
    {
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteTo(writer);
    });

    internal static byte[] ReadBytes(string path)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            return bytes.Length > 0 ? bytes : throw new FileFormatException(path, Fault.Truncated, "the file is empty.");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileFormatException(path, Fault.Missing, "the file does not exist.", error);
        }
    }

    internal static FileFormatException NotJson(string path, JsonException error) =>
        new(path, Fault.Corrupt, $"not valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine}. The file is damaged: restore it or train again.", error);
}
