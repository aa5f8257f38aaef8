using System.Text;

namespace Candela.Templates;

/// <summary>Methods of texts, mappings and lists under Python's names. Those that would change a value are refused, as Hugging Face's sandbox does.</summary>
internal static class JinjaMethods
{
    private static readonly HashSet<string> OfText = new(
        [
            "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith", "upper", "lower", "title", "capitalize", "replace", "join", "format", "find", "rfind", "index", "count",
            "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower", "removeprefix", "removesuffix", "zfill", "ljust", "rjust", "partition", "rpartition",
        ],
        StringComparer.Ordinal);

    private static readonly HashSet<string> Changing = new(["append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "update", "setdefault", "popitem"], StringComparer.Ordinal);

    /// <summary>The method of that name, or null.</summary>
    public static JinjaFunction? Find(object? of, string name, JinjaBudget budget) => of switch
    {
        string text when OfText.Contains(name) => new(name, arguments => Text(text, name, arguments, budget)),
        JinjaMap map when name is "items" or "keys" or "values" or "get" or "copy" => new(name, arguments => Map(map, name, arguments)),
        JinjaList list when name is "index" or "count" or "copy" => new(name, arguments => List(list, name, arguments, budget)),
        JinjaMap or JinjaList when Changing.Contains(name) && !(of is JinjaMap has && has.Contains(name)) => new(name, _ => throw new JinjaError($"'{name}' would change {JinjaText.Kind(of)}; a template may not (use a namespace, or '+')", JinjaFault.Unsupported)),
        _ => null,
    };

    /// <summary><c>str.title()</c>: every run of letters is capitalised; with <paramref name="words"/>, as the filter does, what follows a blank, hyphen or opening bracket.</summary>
    public static string Title(string text, bool words = false)
    {
        var into = new StringBuilder(text.Length);
        bool inside = false;
        foreach (char c in text)
        {
            into.Append(inside ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c));
            inside = words ? !(char.IsWhiteSpace(c) || c is '-' or '(' or '{' or '[' or '<') : char.IsLetter(c);
        }

        return into.ToString();
    }

    public static string Capitalize(string text) => text.Length == 0 ? "" : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    public static string Replace(string text, string old, string with, long count, JinjaBudget budget)
    {
        var into = new StringBuilder();
        int from = 0;
        if (old.Length == 0)
        {
            foreach (var rune in text.EnumerateRunes())
            {
                into.Append(count-- != 0 ? with : "").Append(rune.ToString());
                if (count < 0)
                    count = -1;
                budget.Length(into.Length);
            }

            return budget.Text(into.Append(count != 0 ? with : "").ToString());
        }

        for (int at; count != 0 && (at = text.IndexOf(old, from, StringComparison.Ordinal)) >= 0; count--)
        {
            into.Append(text, from, at - from).Append(with);
            from = at + old.Length;
            if (into.Length > budget.MaxOutput)
                budget.Length(into.Length);
        }

        return budget.Text(into.Append(text, from, text.Length - from).ToString());
    }

    public static string Join(IReadOnlyList<object?> items, string by, JinjaBudget budget)
    {
        var into = new StringBuilder();
        for (int i = 0; i < items.Count; i++)
        {
            into.Append(i > 0 ? by : "").Append(JinjaText.Of(items[i], budget));
            if (into.Length > budget.MaxOutput)
                budget.Length(into.Length);
        }

        return budget.Text(into.ToString());
    }

    private static object? Text(string text, string name, JinjaArguments a, JinjaBudget budget)
    {
        budget.Step(1 + (text.Length / 64));
        switch (name)
        {
            case "strip":
                return a.TextOrNull(0, "chars") is { } both ? text.Trim(both.ToCharArray()) : text.Trim();
            case "lstrip":
                return a.TextOrNull(0, "chars") is { } left ? text.TrimStart(left.ToCharArray()) : text.TrimStart();
            case "rstrip":
                return a.TextOrNull(0, "chars") is { } right ? text.TrimEnd(right.ToCharArray()) : text.TrimEnd();
            case "split":
                return Texts(Split(text, a.TextOrNull(0, "sep"), a.Integer(1, "maxsplit", -1)), budget);
            case "rsplit":
                return Texts(SplitFromEnd(text, a.TextOrNull(0, "sep"), a.Integer(1, "maxsplit", -1)), budget);
            case "splitlines":
                return Texts((text.EndsWith('\n') ? text[..^1] : text) is { Length: > 0 } lines || text.Length > 0 ? [.. (text.EndsWith('\n') ? text[..^1] : text).Split('\n').Select(line => line.TrimEnd('\r'))] : [], budget);
            case "startswith":
                return Any(a, "prefix", part => text.StartsWith(part, StringComparison.Ordinal));
            case "endswith":
                return Any(a, "suffix", part => text.EndsWith(part, StringComparison.Ordinal));
            case "upper":
                return text.ToUpperInvariant();
            case "lower":
                return text.ToLowerInvariant();
            case "title":
                return Title(text);
            case "capitalize":
                return Capitalize(text);
            case "replace":
                return Replace(text, a.Text(0, "old"), a.Text(1, "new"), a.Integer(2, "count", -1), budget);
            case "join":
                return Join(JinjaOperators.Iterate(a.Needed(0, "iterable"), budget), text, budget);
            case "format":
                return JinjaFormat.Braces(text, a, budget);
            case "find":
                return (long)text.IndexOf(a.Text(0, "sub"), StringComparison.Ordinal);
            case "rfind":
                return (long)text.LastIndexOf(a.Text(0, "sub"), StringComparison.Ordinal);
            case "index":
                return text.IndexOf(a.Text(0, "sub"), StringComparison.Ordinal) is var at and >= 0 ? (long)at : throw new JinjaError($"'index' did not find '{a.Text(0, "sub")}'");
            case "count":
                string sub = a.Text(0, "sub");
                return sub.Length == 0 ? JinjaOperators.Length(text) + 1 : (long)text.AsSpan().Count(sub);
            case "removeprefix":
                return a.Text(0, "prefix") is var prefix && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;
            case "removesuffix":
                return a.Text(0, "suffix") is { Length: > 0 } suffix && text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text;
            case "zfill" or "rjust" or "ljust":
                budget.Length(a.Integer(0, "width"));
                char fill = name == "zfill" ? '0' : a.TextOrNull(1, "fillchar") is { Length: 1 } one ? one[0] : ' ';
                int width = (int)Math.Max(0, a.Integer(0, "width"));
                return name == "ljust" ? text.PadRight(width, fill) : text.PadLeft(width, fill);
            case "partition" or "rpartition":
                string by = a.Text(0, "sep");
                int split = name == "partition" ? text.IndexOf(by, StringComparison.Ordinal) : text.LastIndexOf(by, StringComparison.Ordinal);
                object?[] parts = split >= 0 ? [text[..split], by, text[(split + by.Length)..]] : name == "partition" ? [text, "", ""] : ["", "", text];
                return new JinjaList(parts, tuple: true);
            case "isdigit":
                return text.Length > 0 && text.All(char.IsDigit);
            case "isalpha":
                return text.Length > 0 && text.All(char.IsLetter);
            case "isalnum":
                return text.Length > 0 && text.All(char.IsLetterOrDigit);
            case "isspace":
                return text.Length > 0 && text.All(char.IsWhiteSpace);
            case "isupper":
                return text.Any(char.IsUpper) && !text.Any(char.IsLower);
            default:
                return text.Any(char.IsLower) && !text.Any(char.IsUpper);
        }
    }

    private static object? Map(JinjaMap map, string name, JinjaArguments a) => name switch
    {
        "items" => new JinjaList([.. map.Items.Select(item => (object?)new JinjaList([item.Key, item.Value], tuple: true))]),
        "keys" => new JinjaList([.. map.Items.Select(item => item.Key)]),
        "values" => new JinjaList([.. map.Items.Select(item => item.Value)]),
        "copy" => map,
        _ => map.Contains(a.Needed(0, "key")) ? JinjaText.Item(map, a.Of(0, "key")) : a.Of(1, "default"),
    };

    private static object List(JinjaList list, string name, JinjaArguments a, JinjaBudget budget)
    {
        if (name == "copy")
            return list;
        object? sought = a.Needed(0, "value");
        if (name == "count")
            return (long)list.Items.Count(item => JinjaText.Same(item, sought, budget));
        for (int i = 0; i < list.Items.Count; i++)
        {
            if (JinjaText.Same(list.Items[i], sought, budget))
                return (long)i;
        }

        throw new JinjaError("'index' did not find the value in the list");
    }

    private static bool Any(JinjaArguments a, string name, Func<string, bool> holds) => a.Needed(0, name) is JinjaList { Tuple: true } parts
        ? parts.Items.Any(part => part is string text && holds(text)) : holds(a.Text(0, name));

    private static JinjaList Texts(List<string> parts, JinjaBudget budget)
    {
        budget.Items(parts.Count);
        return new JinjaList([.. parts]);
    }

    private static List<string> Split(string text, string? by, long most)
    {
        int count = most < 0 || most >= int.MaxValue ? int.MaxValue : (int)most + 1;
        if (by is { Length: > 0 })
            return [.. text.Split(by, count)];
        if (by is not null)
            throw new JinjaError("'split' got an empty text to split by");
        // white space: runs count once, none at the ends
        var parts = new List<string>();
        int at = 0;
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
                at++;
            if (at == text.Length)
                return parts;
            if (parts.Count == count - 1)
            {
                parts.Add(text[at..].TrimEnd());
                return parts;
            }

            int start = at;
            while (at < text.Length && !char.IsWhiteSpace(text[at]))
                at++;
            parts.Add(text[start..at]);
        }
    }

    private static List<string> SplitFromEnd(string text, string? by, long most)
    {
        if (by is null || most < 0)
            return most < 0 ? Split(text, by, -1) : throw new JinjaError("'rsplit' by white space with a limit is not supported", JinjaFault.Unsupported);
        var parts = Split(text, by, -1);
        int joined = parts.Count - (int)Math.Min(most, parts.Count - 1);
        return [string.Join(by, parts.Take(joined)), .. parts.Skip(joined)];
    }
}
