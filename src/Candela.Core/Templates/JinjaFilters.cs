using System.Globalization;
using System.Text;

namespace Candela.Templates;

/// <summary>What may stand after <c>|</c>.</summary>
internal static class JinjaFilters
{
    public static readonly string[] Names =
    [
        "trim", "tojson", "length", "count", "join", "upper", "lower", "replace", "default", "d", "first", "last", "list", "map", "select", "reject", "selectattr", "rejectattr", "items", "string", "int", "float",
        "safe", "escape", "e", "capitalize", "title", "indent", "sort", "unique", "abs", "sum", "round", "min", "max", "reverse", "dictsort", "wordcount", "batch", "groupby", "format",
    ];

    private static readonly HashSet<string> Known = new(Names, StringComparer.Ordinal);

    public static bool Exists(string name) => Known.Contains(name);

    public static object? Apply(string name, object? value, JinjaArguments a, JinjaBudget budget)
    {
        budget.Step();
        string Text() => JinjaText.Of(value, budget);
        IReadOnlyList<object?> Items() => JinjaOperators.Iterate(value, budget);
        switch (name)
        {
            case "trim":
                return a.TextOrNull(0, "chars") is { } chars ? Text().Trim(chars.ToCharArray()) : Text().Trim();
            case "tojson":
                return value is JinjaUndefined undefined ? throw new JinjaError($"'{undefined.Name}' is not defined and cannot be written as JSON")
                    : budget.Text(JinjaJson.Write(value, JsonStyle.From(a), budget));
            case "length" or "count":
                return JinjaOperators.Length(value);
            case "join":
                var parts = a.Of(1, "attribute") is { } attribute ? [.. Items().Select(item => Attribute(item, attribute, budget))] : Items();
                return JinjaMethods.Join(parts, JinjaText.Of(a.Of(0, "d", ""), budget), budget);
            case "upper":
                return Text().ToUpperInvariant();
            case "lower":
                return Text().ToLowerInvariant();
            case "replace":
                return JinjaMethods.Replace(Text(), JinjaText.Of(a.Needed(0, "old"), budget), JinjaText.Of(a.Needed(1, "new"), budget), a.Of(2, "count") is null ? -1 : a.Integer(2, "count"), budget);
            case "default" or "d":
                return value is JinjaUndefined || (a.Flag(1, "boolean") && !JinjaText.Truth(value)) ? a.Of(0, "default_value", "") : value;
            case "first":
                return Items() is [var first, ..] ? first : new JinjaUndefined("the first element");
            case "last":
                return Items() is [.., var last] ? last : new JinjaUndefined("the last element");
            case "list":
                return new JinjaList([.. Items()]);
            case "map":
                return new JinjaList([.. Map(Items(), a, budget)]);
            case "select" or "reject":
                return new JinjaList([.. Items().Where(item => Chosen(item, a, 0, budget) == (name == "select"))]);
            case "selectattr" or "rejectattr":
                object? key = a.Needed(0, "attribute");
                return new JinjaList([.. Items().Where(item => Chosen(Attribute(item, key, budget), a, 1, budget) == (name == "selectattr"))]);
            case "items":
                return value is JinjaMap map ? new JinjaList([.. map.Items.Select(item => (object?)new JinjaList([item.Key, item.Value], tuple: true))])
                    : value is JinjaUndefined ? JinjaList.Empty : throw new JinjaError($"'items' got {JinjaText.Kind(value)}; a mapping was needed");
            case "string" or "safe":
                return Text();
            case "escape" or "e":
                return budget.Text(Text().Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal));
            case "int":
                return Integer(value, a);
            case "float":
                return JinjaText.Number(value) ?? (value is string digits && double.TryParse(digits.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : a.Of(0, "default", 0.0));
            case "capitalize":
                return JinjaMethods.Capitalize(Text());
            case "title":
                return JinjaMethods.Title(Text(), words: true);
            case "indent":
                return Indent(Text(), a, budget);
            case "sort":
                return new JinjaList([.. Sorted(Items(), a.Of(2, "attribute"), a.Flag(0, "reverse"), a.Flag(1, "case_sensitive"), budget)]);
            case "unique":
                return new JinjaList([.. Unique(Items(), a, budget)]);
            case "abs":
                return value switch
                {
                    long n when n != long.MinValue => (object)Math.Abs(n),
                    double d => Math.Abs(d),
                    _ => throw new JinjaError($"'abs' got {JinjaText.Kind(value)}; a number was needed"),
                };
            case "sum":
                return Items().Aggregate(a.Of(1, "start", 0L), (sum, item) => JinjaOperators.Binary("+", sum, a.Of(0, "attribute") is { } of ? Attribute(item, of, budget) : item, budget));
            case "round":
                return Round(value, a);
            case "min" or "max":
                var sorted = Sorted(Items(), a.Of(1, "attribute"), reverse: name == "max", a.Flag(0, "case_sensitive"), budget);
                return sorted.Count > 0 ? sorted[0] : new JinjaUndefined($"the '{name}' of nothing");
            case "reverse":
                return value is string text ? string.Concat(JinjaOperators.Iterate(text, budget).Reverse()) : new JinjaList([.. Items().Reverse()]);
            case "dictsort":
                return value is JinjaMap pairs
                    ? new JinjaList([.. Sorted([.. pairs.Items.Select(item => (object?)new JinjaList([item.Key, item.Value], tuple: true))], a.Of(1, "by", "key") is "value" ? 1L : 0L, a.Flag(2, "reverse"), a.Flag(0, "case_sensitive"), budget)])
                    : throw new JinjaError($"'dictsort' got {JinjaText.Kind(value)}; a mapping was needed");
            case "wordcount":
                return (long)Text().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
            case "batch":
                long size = a.Integer(0, "linecount");
                return size < 1 ? throw new JinjaError("'batch' needs a size of at least 1") : new JinjaList([.. Items().Chunk((int)Math.Min(size, int.MaxValue)).Select(row => (object?)new JinjaList(row))]);
            case "groupby":
                return new JinjaList([.. Groups(Items(), a.Needed(0, "attribute"), budget)]);
            default:
                return JinjaFormat.Percent(Text(), a.Positional, budget);
        }
    }

    /// <summary>An attribute by name, by index, or by a path <c>a.b.0</c>.</summary>
    private static object? Attribute(object? of, object? attribute, JinjaBudget budget)
    {
        if (attribute is not string path)
            return JinjaOperators.Item(of, attribute, budget);
        foreach (string part in path.Split('.'))
            of = JinjaOperators.Item(of, long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long index) ? index : part, budget);
        return of;
    }

    private static bool Chosen(object? value, JinjaArguments a, int test, JinjaBudget budget)
    {
        if (a.Positional.Count <= test)
            return JinjaText.Truth(value);
        string name = OperatorTest(a.Text(test, "test"));
        return JinjaTests.Exists(name) ? JinjaTests.Holds(name, value, [.. a.Positional.Skip(test + 1)], budget)
            : throw new JinjaError($"the test '{name}' is not known.{NearestName.Hint(name, JinjaTests.Names)}", JinjaFault.Unsupported);
    }

    private static string OperatorTest(string name) => name switch { "==" => "eq", "!=" => "ne", "<" => "lt", "<=" => "le", ">" => "gt", ">=" => "ge", _ => name };

    private static IEnumerable<object?> Map(IReadOnlyList<object?> items, JinjaArguments a, JinjaBudget budget)
    {
        if (a.Named.TryGetValue("attribute", out object? attribute))
        {
            return items.Select(item => Attribute(item, attribute, budget) is var found && found is JinjaUndefined && a.Named.TryGetValue("default", out object? otherwise) ? otherwise : found);
        }

        string name = a.Text(0, "filter");
        if (!Exists(name))
            throw new JinjaError($"the filter '{name}' is not known.{NearestName.Hint(name, Names)}", JinjaFault.Unsupported);
        var rest = new JinjaArguments(name, [.. a.Positional.Skip(1)], a.Named);
        return items.Select(item => Apply(name, item, rest, budget));
    }

    private static object? Integer(object? value, JinjaArguments a)
    {
        switch (value)
        {
            case long or bool:
                return value is bool b ? b ? 1L : 0L : value;
            case double d when Math.Abs(d) < 9e18:
                return (long)Math.Truncate(d);
            case string text:
                text = text.Trim();
                if (a.Integer(1, "base", 10) == 16 && long.TryParse(text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long hexadecimal))
                    return hexadecimal;
                if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long integer))
                    return integer;
                if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && Math.Abs(number) < 9e18)
                    return (long)Math.Truncate(number);
                break;
        }

        return a.Of(0, "default", 0L);
    }

    private static string Indent(string text, JinjaArguments a, JinjaBudget budget)
    {
        string step = a.Of(0, "width", 4L) switch { string s => s, long n => new string(' ', (int)Math.Clamp(n, 0, 1000)), var other => throw new JinjaError($"'indent' got {JinjaText.Kind(other)} as 'width'") };
        bool first = a.Flag(1, "first"), blank = a.Flag(2, "blank");
        var into = new StringBuilder();
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            into.Append(i > 0 ? "\n" : "").Append((i == 0 ? first : blank || lines[i].Length > 0) ? step : "").Append(lines[i]);
            if (into.Length > budget.MaxOutput)
                budget.Length(into.Length);
        }

        return budget.Text(into.ToString());
    }

    private static List<object?> Sorted(IReadOnlyList<object?> items, object? attribute, bool reverse, bool caseSensitive, JinjaBudget budget)
    {
        object? Key(object? item)
        {
            object? key = attribute is null ? item : Attribute(item, attribute, budget);
            return !caseSensitive && key is string text ? text.ToLowerInvariant() : key;
        }

        var comparer = Comparer<object?>.Create((x, y) => JinjaText.Compare(x, y, budget));
        try
        {
            return reverse ? [.. items.OrderByDescending(Key, comparer)] : [.. items.OrderBy(Key, comparer)];
        }
        catch (InvalidOperationException error) when (error.InnerException is JinjaError inner)
        {
            throw inner; // the sort wraps what a comparison throws
        }
    }

    private static IEnumerable<object?> Unique(IReadOnlyList<object?> items, JinjaArguments a, JinjaBudget budget)
    {
        var seen = new JinjaMap();
        foreach (object? item in items)
        {
            object? key = a.Of(1, "attribute") is { } attribute ? Attribute(item, attribute, budget) : item;
            key = !a.Flag(0, "case_sensitive") && key is string text ? text.ToLowerInvariant() : key;
            if (seen.Contains(key))
                continue;
            seen[key] = true;
            yield return item;
        }
    }

    private static IEnumerable<object?> Groups(IReadOnlyList<object?> items, object? attribute, JinjaBudget budget)
    {
        var groups = new List<(object? Key, List<object?> Items)>();
        foreach (object? item in Sorted(items, attribute, reverse: false, caseSensitive: true, budget))
        {
            object? key = Attribute(item, attribute, budget);
            if (groups.Count == 0 || !JinjaText.Same(groups[^1].Key, key, budget))
                groups.Add((key, []));
            groups[^1].Items.Add(item);
        }

        return groups.Select(group => (object?)new JinjaList([group.Key, new JinjaList(group.Items)], tuple: true));
    }

    private static object Round(object? value, JinjaArguments a)
    {
        double number = JinjaText.Number(value) ?? throw new JinjaError($"'round' got {JinjaText.Kind(value)}; a number was needed");
        int digits = (int)Math.Clamp(a.Integer(0, "precision", 0), -15, 15);
        double scale = Math.Pow(10, digits);
        return a.Of(1, "method", "common") switch
        {
            "ceil" => (object)(Math.Ceiling(number * scale) / scale),
            "floor" => Math.Floor(number * scale) / scale,
            _ when value is long whole => digits >= 0 ? whole : (long)(Math.Round(number * scale, MidpointRounding.ToEven) / scale), // as Python, an integer stays one
            _ => digits >= 0 ? Math.Round(number, digits, MidpointRounding.ToEven) : Math.Round(number * scale, MidpointRounding.ToEven) / scale,
        };
    }
}
