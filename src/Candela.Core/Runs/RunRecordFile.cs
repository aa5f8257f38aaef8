using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Data;
using Candela.Formats;
using Candela.Models;

namespace Candela.Runs;

/// <summary>Reads and writes run.json. Names are camelCase, enumerations camelCase strings, instants ISO 8601; numbers that JSON cannot hold are the strings
/// <c>"NaN"</c>, <c>"Infinity"</c> and <c>"-Infinity"</c>. Unknown properties are ignored, an unknown newer <c>formatVersion</c> is refused.
/// The last property, <c>checksum</c>, is the SHA-256 of every byte before its value, so damage anywhere in the file is noticed.</summary>
public static class RunRecordFile
{
    private const int DigestLength = 64;
    private static readonly byte[] BeforeDigest = Encoding.ASCII.GetBytes(",\n  \"checksum\": \"");
    private static readonly byte[] AfterDigest = Encoding.ASCII.GetBytes("\"\n}\n");

    /// <summary>Writes the record in one step (see <see cref="AtomicFile"/>).</summary>
    public static void Write(string path, RunRecord record)
    {
        byte[] body = Encoding.UTF8.GetBytes(ToJson(record));
        int end = body.AsSpan().LastIndexOf((byte)'}');
        byte[] head = [.. body.AsSpan(0, end).TrimEnd((byte)'\n'), .. BeforeDigest];
        byte[] digest = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(head)));
        AtomicFile.Write(path, stream =>
        {
            stream.Write(head);
            stream.Write(digest);
            stream.Write(AfterDigest);
        });
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="FileFormatException">The file is missing, cut short, damaged, or of a newer format.</exception>
    public static RunRecord Read(string path)
    {
        byte[] bytes = JsonFile.ReadBytes(path);
        int tail = DigestLength + AfterDigest.Length;
        bool complete = bytes.Length > tail && bytes.AsSpan().EndsWith(AfterDigest)
            && bytes.AsSpan(0, bytes.Length - tail).EndsWith(BeforeDigest)
            && Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(0, bytes.Length - tail))) == Encoding.Latin1.GetString(bytes, bytes.Length - tail, DigestLength);
        try
        {
            CheckFormat(path, bytes);
            if (!complete)
                throw new FileFormatException(path, Fault.Corrupt, "the file does not match the checksum at its end. It was damaged or edited after it was written: restore it, or train again.");
            return JsonSerializer.Deserialize(bytes, RunJson.Default.RunRecord)
                ?? throw new FileFormatException(path, Fault.WrongFormat, "the file holds null instead of a record.");
        }
        catch (JsonException error)
        {
            if (complete)
                throw new FileFormatException(path, Fault.WrongFormat, $"the record lacks something or holds a value of the wrong type at {error.Path}.", error);
            throw JsonFile.NotJson(path, error);
        }
    }

    /// <summary>The record as indented JSON, without the checksum.</summary>
    public static string ToJson(RunRecord record) => JsonSerializer.Serialize(record, RunJson.Default.RunRecord).ReplaceLineEndings("\n");

    private static void CheckFormat(string path, byte[] bytes)
    {
        using var json = JsonDocument.Parse(bytes);
        if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("formatVersion", out var version)
            || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out int format))
            throw new FileFormatException(path, Fault.WrongFormat, "the file has no formatVersion; it is not the record of a run.");
        if (format is < 1 or > RunRecord.CurrentFormat)
            throw new FileFormatException(path, Fault.Unsupported, $"formatVersion is {format}; this version of Candela reads up to {RunRecord.CurrentFormat}. Open the run with the Candela that wrote it, or a newer one.");
    }
}

/// <summary>An enumeration as a camelCase string; numbers are refused.</summary>
internal sealed class CamelCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(CamelCase<TaskKind>), typeof(CamelCase<StopReason>), typeof(CamelCase<ColumnKind>)])]
[JsonSerializable(typeof(RunRecord))]
internal sealed partial class RunJson : JsonSerializerContext;

[JsonSourceGenerationOptions(
    WriteIndented = false,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(TrainEvent))]
internal sealed partial class EventJson : JsonSerializerContext;
