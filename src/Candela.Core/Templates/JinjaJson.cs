using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Candela.Templates;

/// <summary>JSON to values, and values to JSON as Python's <c>json.dumps</c> writes it (which is what Hugging Face's <c>tojson</c> is: nothing is escaped for HTML).</summary>
internal static class JinjaJson
{
    /// <summary>Parses a JSON text.</summary>
    public static object? Parse(string json, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Of(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new UsageException($"{what} is not valid JSON: {error.Message}", error);
        }
    }

    public static object? Of(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                return element.GetString();
            case JsonValueKind.Number:
                return element.GetRawText().AsSpan().IndexOfAny(".eE") < 0 && element.TryGetInt64(out long integer) ? (object)integer : element.GetDouble();
            case JsonValueKind.True or JsonValueKind.False:
                return element.GetBoolean();
            case JsonValueKind.Array:
                return new JinjaList([.. element.EnumerateArray().Select(Of)]);
            case JsonValueKind.Object:
                var map = new JinjaMap();
                foreach (var property in element.EnumerateObject())
                    map[property.Name] = Of(property.Value);
                return map;
            default:
                return null;
        }
    }

    /// <summary>Writes a value.</summary>
    public static string Write(object? value, JsonStyle style, JinjaBudget budget)
    {
        var into = new StringBuilder();
        Write(value, into, style, 0, budget);
        return into.ToString();
    }

    private static void Write(object? value, StringBuilder into, JsonStyle style, int level, JinjaBudget budget)
    {
        budget.Step();
        if (into.Length > budget.MaxOutput)
            budget.Length(into.Length);
        switch (value)
        {
            case null:
                into.Append("null");
                break;
            case bool b:
                into.Append(b ? "true" : "false");
                break;
            case long n:
                into.Append(n);
                break;
            case double d:
                into.Append(double.IsNaN(d) ? "NaN" : double.IsInfinity(d) ? (d > 0 ? "Infinity" : "-Infinity") : JinjaText.Float(d));
                break;
            case string text:
                Quote(text, into, style.Ascii);
                break;
            case JinjaList list:
                Group(into, '[', ']', list.Items.Count, style, level, budget, i => Write(list.Items[i], into, style, level + 1, budget));
                break;
            case JinjaMap map:
                var items = style.Sort ? [.. map.Items.OrderBy(item => JinjaText.Of(item.Key, budget), StringComparer.Ordinal)] : map.Items;
                Group(into, '{', '}', items.Count, style, level, budget, i =>
                {
                    Quote(items[i].Key switch { string s => s, null => "null", bool b => b ? "true" : "false", var key => JinjaText.Of(key, budget) }, into, style.Ascii);
                    into.Append(style.KeySeparator);
                    Write(items[i].Value, into, style, level + 1, budget);
                });
                break;
            default:
                throw new JinjaError($"{JinjaText.Kind(value)} cannot be written as JSON");
        }
    }

    private static void Group(StringBuilder into, char open, char close, int count, JsonStyle style, int level, JinjaBudget budget, Action<int> write)
    {
        budget.Enter();
        into.Append(open);
        for (int i = 0; i < count; i++)
        {
            if (i > 0)
                into.Append(style.ItemSeparator);
            NewLine(into, style, level + 1);
            write(i);
        }

        if (count > 0)
            NewLine(into, style, level);
        into.Append(close);
        budget.Leave();
    }

    private static void NewLine(StringBuilder into, JsonStyle style, int level)
    {
        if (style.Indent is null)
            return;
        into.Append('\n');
        for (int i = 0; i < level; i++)
            into.Append(style.Indent);
    }

    private static void Quote(string text, StringBuilder into, bool ascii)
    {
        into.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' => into.Append("\\\""),
                '\\' => into.Append("\\\\"),
                '\n' => into.Append("\\n"),
                '\r' => into.Append("\\r"),
                '\t' => into.Append("\\t"),
                '\b' => into.Append("\\b"),
                '\f' => into.Append("\\f"),
                _ when c < ' ' || (ascii && c > '~') => into.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => into.Append(c),
            };
        }

        into.Append('"');
    }
}

/// <summary>How JSON is written.</summary>
internal sealed record JsonStyle(string? Indent, string ItemSeparator, string KeySeparator, bool Sort, bool Ascii)
{
    public static JsonStyle From(JinjaArguments arguments)
    {
        object? indent = arguments.Of(0, "indent");
        var separators = arguments.Of(1, "separators") as JinjaList;
        string? step = indent switch
        {
            null => null,
            string text => text.Length <= 32 ? text : throw new JinjaError("'tojson' got an indent of more than 32 characters"),
            long n => new string(' ', (int)Math.Clamp(n, 0, 32)),
            _ => throw new JinjaError($"'tojson' got {JinjaText.Kind(indent)} as 'indent'; an integer was needed"),
        };
        return separators is { Items: [string item, string key] }
            ? new JsonStyle(step, item, key, arguments.Flag(2, "sort_keys"), arguments.Flag(3, "ensure_ascii"))
            : new JsonStyle(step, step is null ? ", " : ",", ": ", arguments.Flag(2, "sort_keys"), arguments.Flag(3, "ensure_ascii"));
    }
}
