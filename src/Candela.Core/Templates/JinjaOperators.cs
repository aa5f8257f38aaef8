using System.Text;

namespace Candela.Templates;

/// <summary>Operators, subscripts and slices, with Python's meaning. Texts are counted and cut by code point.</summary>
internal static class JinjaOperators
{
    public static object? Binary(string op, object? a, object? b, JinjaBudget budget)
    {
        switch (op)
        {
            case "~":
                return Concat(JinjaText.Of(a, budget), JinjaText.Of(b, budget), budget);
            case "+" when a is string s && b is string t:
                return Concat(s, t, budget);
            case "+" when a is JinjaList x && b is JinjaList y && x.Tuple == y.Tuple:
                budget.Items((long)x.Items.Count + y.Items.Count);
                return new JinjaList([.. x.Items, .. y.Items], x.Tuple);
            case "*" when (a, b) is (string, long) or (long, string):
                return Repeat(a as string ?? (string)b!, a is long n ? n : (long)b!, budget);
            case "*" when (a, b) is (JinjaList, long) or (long, JinjaList):
                var list = a as JinjaList ?? (JinjaList)b!;
                long times = Math.Max(0, a is long m ? m : (long)b!);
                budget.Items((long)Math.Min(JinjaBudget.MaxItems + 1.0, (double)times * list.Items.Count));
                return new JinjaList([.. Enumerable.Repeat(list.Items, list.Items.Count == 0 ? 0 : (int)times).SelectMany(i => i)], list.Tuple);
            case "%" when a is string format:
                return JinjaFormat.Percent(format, b is JinjaList { Tuple: true } tuple ? tuple.Items : [b], budget);
        }

        if (JinjaText.Number(a) is not { } left || JinjaText.Number(b) is not { } right)
            throw new JinjaError($"'{op}' was asked of {JinjaText.Kind(a)} and {JinjaText.Kind(b)}");
        if (op is "/" or "//" or "%" && right == 0)
            throw new JinjaError("a division by zero");
        if (a is double || b is double || op == "/")
        {
            return op switch
            {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => left / right,
                "//" => Math.Floor(left / right),
                "%" => left - (right * Math.Floor(left / right)),
                _ => Math.Pow(left, right),
            };
        }

        long p = a is bool u ? (u ? 1 : 0) : (long)a!, q = b is bool v ? (v ? 1 : 0) : (long)b!;
        try
        {
            return op switch
            {
                "+" => (object)checked(p + q),
                "-" => checked(p - q),
                "*" => checked(p * q),
                "//" => FloorDivide(p, q),
                "%" => q == -1 ? 0 : p - checked(q * FloorDivide(p, q)),
                _ => q < 0 ? (object)Math.Pow(p, q) : Power(p, q),
            };
        }
        catch (OverflowException)
        {
            throw new JinjaError($"'{op}' of {p} and {q} is larger than 64 bits", JinjaFault.Unsupported);
        }
    }

    public static object? Unary(string op, object? value) => op switch
    {
        "not" => (object)!JinjaText.Truth(value),
        "-" when value is long n && n != long.MinValue => -n,
        "-" when value is double d => -d,
        "-" when value is bool b => b ? -1L : 0L,
        "+" when value is long or double => value,
        _ => throw new JinjaError($"'{op}' was asked of {JinjaText.Kind(value)}"),
    };

    public static bool Compare(string op, object? a, object? b, JinjaBudget budget) => op switch
    {
        "==" => JinjaText.Same(a, b, budget),
        "!=" => !JinjaText.Same(a, b, budget),
        "in" => Contains(b, a, budget),
        "not in" => !Contains(b, a, budget),
        "<" => JinjaText.Compare(a, b, budget) < 0,
        "<=" => JinjaText.Compare(a, b, budget) <= 0,
        ">" => JinjaText.Compare(a, b, budget) > 0,
        _ => JinjaText.Compare(a, b, budget) >= 0,
    };

    public static bool Contains(object? inside, object? value, JinjaBudget budget)
    {
        switch (inside)
        {
            case string text:
                budget.Step(text.Length / 64);
                return value is string part ? text.Contains(part, StringComparison.Ordinal) : throw new JinjaError($"'in' was asked of {JinjaText.Kind(value)} and a text");
            case JinjaList list:
                return list.Items.Any(item => JinjaText.Same(item, value, budget));
            case JinjaMap map:
                return map.Contains(value);
            case JinjaUndefined:
                return false;
            default:
                throw new JinjaError($"'in' was asked of {JinjaText.Kind(inside)}; a text, list or mapping was needed");
        }
    }

    public static object? Item(object? of, object? key, JinjaBudget budget)
    {
        switch (of)
        {
            case JinjaMap map:
                return map.TryGet(key, out object? value, out bool isNone) || isNone ? value : new JinjaUndefined(JinjaText.Of(key, budget));
            case JinjaList list when Index(key) is { } at:
                at = at < 0 ? at + list.Items.Count : at;
                return at >= 0 && at < list.Items.Count ? list.Items[(int)at] : new JinjaUndefined($"element {JinjaText.Of(key, budget)}");
            case string text when Index(key) is { } at:
                if (IsPlain(text))
                {
                    at = at < 0 ? at + text.Length : at;
                    return at >= 0 && at < text.Length ? text[(int)at].ToString() : new JinjaUndefined($"character {JinjaText.Of(key, budget)}");
                }

                var characters = Characters(text, budget);
                at = at < 0 ? at + characters.Count : at;
                return at >= 0 && at < characters.Count ? characters[(int)at] : new JinjaUndefined($"character {JinjaText.Of(key, budget)}");
            case JinjaNamespace names when key is string name:
                return names.Attributes.TryGetValue(name, out object? attribute) ? attribute : new JinjaUndefined(name);
            case JinjaUndefined undefined:
                throw new JinjaError($"'{undefined.Name}' is not defined, and '{JinjaText.Of(key, budget)}' of it was asked for");
            default:
                return new JinjaUndefined(JinjaText.Of(key, budget));
        }
    }

    public static object Slice(object? of, object? from, object? to, object? step, JinjaBudget budget)
    {
        IReadOnlyList<object?> items = of switch
        {
            string text when step is null && IsPlain(text) => [],
            string text => Characters(text, budget),
            JinjaList list => list.Items,
            _ => throw new JinjaError($"a slice was asked of {JinjaText.Kind(of)}; a text or list was needed"),
        };
        long by = step is null ? 1 : Index(step) ?? throw new JinjaError("the step of a slice is no integer");
        if (by == 0)
            throw new JinjaError("the step of a slice is 0");
        long count = items.Count > 0 ? items.Count : of is string whole ? whole.Length : 0;
        long Bound(object? value, long otherwise)
        {
            if (value is null)
                return otherwise;
            long n = Index(value) ?? throw new JinjaError($"a bound of a slice is {JinjaText.Kind(value)}; an integer was needed");
            n = n < 0 ? n + count : n;
            return by > 0 ? Math.Clamp(n, 0, count) : Math.Clamp(n, -1, count - 1);
        }

        long start = Bound(from, by > 0 ? 0 : count - 1), end = Bound(to, by > 0 ? count : -1);
        if (of is string plain && items.Count == 0)
            return start < end ? plain[(int)start..(int)end] : "";
        var chosen = new List<object?>();
        if (Math.Abs((double)by) > count)
            by = by > 0 ? count + 1 : -count - 1;
        for (long i = start; by > 0 ? i < end : i > end; i += by)
            chosen.Add(items[(int)i]);
        budget.Step(chosen.Count);
        return of is string ? string.Concat(chosen) : new JinjaList(chosen, ((JinjaList)of).Tuple);
    }

    /// <summary>What a loop or filter goes over: elements, keys, characters.</summary>
    public static IReadOnlyList<object?> Iterate(object? value, JinjaBudget budget)
    {
        IReadOnlyList<object?> items = value switch
        {
            JinjaList list => list.Items,
            JinjaMap map => [.. map.Items.Select(item => item.Key)],
            string text => Characters(text, budget),
            JinjaUndefined => [],
            _ => throw new JinjaError($"{JinjaText.Kind(value)} was to be gone through; a list, mapping or text was needed"),
        };
        budget.Step(items.Count);
        return items;
    }

    public static long Length(object? value) => value switch
    {
        string text => IsPlain(text) ? text.Length : text.EnumerateRunes().Count(),
        JinjaList list => list.Items.Count,
        JinjaMap map => map.Items.Count,
        JinjaUndefined => 0,
        _ => throw new JinjaError($"the length of {JinjaText.Kind(value)} was asked for"),
    };

    // Every UTF-16 unit is a character.
    private static bool IsPlain(string text) => text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0;

    private static List<object?> Characters(string text, JinjaBudget budget)
    {
        budget.Step(text.Length);
        return [.. text.EnumerateRunes().Select(rune => (object?)rune.ToString())];
    }

    private static string Concat(string a, string b, JinjaBudget budget)
    {
        budget.Length((long)a.Length + b.Length);
        return a + b;
    }

    private static string Repeat(string text, long times, JinjaBudget budget)
    {
        times = Math.Max(0, times);
        budget.Length((long)Math.Min(int.MaxValue, (double)times * text.Length));
        return text.Length == 0 ? "" : new StringBuilder().Insert(0, text, (int)times).ToString();
    }

    private static long? Index(object? key) => key switch { long n => n, bool b => b ? 1 : 0, _ => null };

    private static long FloorDivide(long p, long q)
    {
        long quotient = checked(p / q);
        return p % q != 0 && (p < 0) != (q < 0) ? quotient - 1 : quotient;
    }

    private static long Power(long p, long q)
    {
        long result = 1;
        if (p is 0 or 1 or -1)
            return q == 0 ? 1 : p == -1 && q % 2 == 0 ? 1 : p;
        for (long i = 0; i < q; i++)
            result = checked(result * p);
        return result;
    }
}
