using System.Globalization;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>A value of a JSON file that knows where it lies, so that every complaint names the file and the key.</summary>
internal readonly struct JsonPart(JsonElement element, string file, string where)
{
    public JsonElement Element => element;

    public string File => file;

    public string Where => where;

    public bool IsNull => element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    /// <summary>The member, or a null part when it is absent or null.</summary>
    public JsonPart this[string key]
    {
        get
        {
            if (element.ValueKind != JsonValueKind.Object)
                throw Corrupt("an object was needed, " + Describe() + " is there");
            return new JsonPart(element.TryGetProperty(key, out JsonElement value) ? value : default, file, where.Length == 0 ? key : $"{where}.{key}");
        }
    }

    /// <summary>The value of the member "type".</summary>
    public string Type => this["type"].Text();

    public string Text() => element.ValueKind == JsonValueKind.String ? ReadString() : throw Corrupt("a text was needed, " + Describe() + " is there");

    public string? OptionalText() => IsNull ? null : Text();

    public string Text(string fallback) => IsNull ? fallback : Text();

    public bool Flag(bool fallback) => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null or JsonValueKind.Undefined => fallback,
        _ => throw Corrupt("true or false was needed, " + Describe() + " is there"),
    };

    public int Integer() => element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int value) ? value : throw Corrupt("a whole number was needed, " + Describe() + " is there");

    public int Integer(int fallback) => IsNull ? fallback : Integer();

    public double Number() => element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out double value) && double.IsFinite(value) ? value : throw Corrupt("a finite number was needed, " + Describe() + " is there");

    /// <summary>A count or length: at least 0.</summary>
    public int Count(int fallback)
    {
        int value = Integer(fallback);
        return value >= 0 ? value : throw Corrupt(string.Create(CultureInfo.InvariantCulture, $"a count of 0 or more was needed, {value} is there"));
    }

    /// <summary>The elements of an array; nothing for null.</summary>
    public IEnumerable<JsonPart> Items()
    {
        if (IsNull)
            yield break;
        if (element.ValueKind != JsonValueKind.Array)
            throw Corrupt("an array was needed, " + Describe() + " is there");
        int index = 0;
        foreach (JsonElement item in element.EnumerateArray())
            yield return new JsonPart(item, file, string.Create(CultureInfo.InvariantCulture, $"{where}[{index++}]"));
    }

    /// <summary>The members of an object; nothing for null.</summary>
    public IEnumerable<KeyValuePair<string, JsonPart>> Members()
    {
        if (IsNull)
            yield break;
        if (element.ValueKind != JsonValueKind.Object)
            throw Corrupt("an object was needed, " + Describe() + " is there");
        foreach (JsonProperty member in element.EnumerateObject())
            yield return new(NameOf(member), new JsonPart(member.Value, file, where));
    }

    public FileFormatException Corrupt(string what) => new(file, Fault.Corrupt, $"{(where.Length == 0 ? "the document" : where)}: {what}.");

    public FileFormatException Unsupported(string what) => new(file, Fault.Unsupported, $"{where}: {what}.");

    /// <summary>Opens a document; broken JSON is refused with its position.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8, string file)
    {
        try
        {
            return JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 64 });
        }
        catch (JsonException error)
        {
            bool truncated = Offset(utf8.Span, error) >= utf8.Length;
            throw new FileFormatException(file, truncated ? Fault.Truncated : Fault.Corrupt,
                string.Create(CultureInfo.InvariantCulture, $"not valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1} of it."), error);
        }
    }

    private static long Offset(ReadOnlySpan<byte> utf8, JsonException error)
    {
        long offset = error.BytePositionInLine ?? 0, lines = error.LineNumber ?? 0;
        for (int at = 0; lines > 0 && utf8[at..].IndexOf((byte)'\n') is int line && line >= 0; lines--)
        {
            at += line + 1;
            offset += line + 1;
        }

        return offset;
    }

    private string ReadString()
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new FileFormatException(file, Fault.Corrupt, $"{where}: the text is not valid UTF-8 or has half a surrogate pair.", error);
        }
    }

    private string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException error)
        {
            throw new FileFormatException(file, Fault.Corrupt, $"{where}: a name is not valid UTF-8 or has half a surrogate pair.", error);
        }
    }

    private string Describe() => element.ValueKind switch
    {
        JsonValueKind.Undefined => "nothing",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "the number " + (element.GetRawText() is { Length: < 40 } text ? text : "of many digits"),
        JsonValueKind.Null => "null",
        _ => element.GetRawText(),
    };
}
