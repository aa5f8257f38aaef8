using System.Globalization;
using System.Text;

namespace Candela.Templates;

/// <summary>Values as Python shows, compares and judges them.</summary>
internal static class JinjaText
{
    /// <summary>What printing a value gives: <c>str()</c> of Python.</summary>
    public static string Of(object? value, JinjaBudget budget)
    {
        switch (value)
        {
            case string text:
                return text;
            case JinjaUndefined:
                return "";
            default:
                var into = new StringBuilder();
                Show(value, into, budget);
                return into.ToString();
        }
    }

    public static bool Truth(object? value) => value switch
    {
        null or JinjaUndefined => false,
        bool b => b,
        long n => n != 0,
        double d => d != 0,
        string s => s.Length > 0,
        JinjaList list => list.Items.Count > 0,
        JinjaMap map => map.Items.Count > 0,
        _ => true,
    };

    public static string Kind(object? value) => value switch
    {
        null => "none",
        JinjaUndefined undefined => $"'{undefined.Name}', which is not defined,",
        bool => "a boolean",
        long => "an integer",
        double => "a number",
        string => "a text",
        JinjaList { Tuple: true } => "a tuple",
        JinjaList => "a list",
        JinjaMap => "a mapping",
        JinjaNamespace => "a namespace",
        JinjaLoop => "a loop",
        _ => "a function",
    };

    public static bool Same(object? a, object? b, JinjaBudget budget)
    {
        budget.Step();
        switch (a, b)
        {
            case (JinjaList x, JinjaList y):
                if (x.Items.Count != y.Items.Count || x.Tuple != y.Tuple)
                    return false;
                budget.Enter();
                bool same = true;
                for (int i = 0; same && i < x.Items.Count; i++)
                    same = Same(x.Items[i], y.Items[i], budget);
                budget.Leave();
                return same;
            case (JinjaMap x, JinjaMap y):
                if (x.Items.Count != y.Items.Count)
                    return false;
                budget.Enter();
                bool equal = x.Items.All(item => y.Contains(item.Key) && Same(item.Value, Item(y, item.Key), budget));
                budget.Leave();
                return equal;
            case (JinjaUndefined, JinjaUndefined):
                return true;
            default:
                return Number(a) is { } m && Number(b) is { } n ? a is long p && b is long q ? p == q : m == n : Equals(a, b);
        }
    }

    /// <summary>Below, equal or above 0.</summary>
    public static int Compare(object? a, object? b, JinjaBudget budget)
    {
        budget.Step();
        switch (a, b)
        {
            case (long p, long q):
                return p.CompareTo(q);
            case (string s, string t):
                return string.CompareOrdinal(s, t);
            case (JinjaList x, JinjaList y) when x.Tuple == y.Tuple:
                budget.Enter();
                int order = 0;
                for (int i = 0; order == 0 && i < Math.Min(x.Items.Count, y.Items.Count); i++)
                    order = Compare(x.Items[i], y.Items[i], budget);
                budget.Leave();
                return order != 0 ? order : x.Items.Count.CompareTo(y.Items.Count);
            default:
                return Number(a) is { } m && Number(b) is { } n ? m.CompareTo(n) : throw new JinjaError($"{Kind(a)} and {Kind(b)} have no order");
        }
    }

    public static double? Number(object? value) => value switch { bool b => b ? 1 : 0, long n => n, double d => d, _ => null };

    public static object? Item(JinjaMap map, object? key) => map.TryGet(key, out object? value, out _) ? value : null;

    /// <summary>A number as Python writes it: the shortest text that reads back, always with a point or exponent.</summary>
    public static string Float(double value)
    {
        if (double.IsNaN(value))
            return "nan";
        if (double.IsInfinity(value))
            return value > 0 ? "inf" : "-inf";
        double size = Math.Abs(value);
        if (size != 0 && (size >= 1e16 || size < 1e-4))
        {
            string[] parts = value.ToString("E16", CultureInfo.InvariantCulture).Split('E');
            string shortest = value.ToString("R", CultureInfo.InvariantCulture);
            int exponent = int.Parse(parts[1], CultureInfo.InvariantCulture);
            string digits = new string([.. (shortest.Contains('E') ? shortest[..shortest.IndexOf('E')] : shortest).Where(char.IsAsciiDigit)]).TrimStart('0').TrimEnd('0');
            return (value < 0 ? "-" : "") + digits[..1] + (digits.Length > 1 ? "." + digits[1..] : "") + (exponent < 0 ? "e-" : "e+") + Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);
        }

        string text = value.ToString("R", CultureInfo.InvariantCulture);
        if (text.Contains('E'))
            text = ((decimal)value).ToString(CultureInfo.InvariantCulture);
        return text.Contains('.') ? text : text + ".0";
    }

    private static void Show(object? value, StringBuilder into, JinjaBudget budget)
    {
        budget.Step();
        if (into.Length > budget.MaxOutput)
            budget.Length(into.Length);
        switch (value)
        {
            case null:
                into.Append("None");
                break;
            case bool b:
                into.Append(b ? "True" : "False");
                break;
            case long n:
                into.Append(n);
                break;
            case double d:
                into.Append(Float(d));
                break;
            case string text:
                Quote(text, into);
                break;
            case JinjaList list:
                budget.Enter();
                into.Append(list.Tuple ? '(' : '[');
                for (int i = 0; i < list.Items.Count; i++)
                {
                    into.Append(i > 0 ? ", " : "");
                    Show(list.Items[i], into, budget);
                }

                into.Append(list is { Tuple: true, Items.Count: 1 } ? "," : "").Append(list.Tuple ? ')' : ']');
                budget.Leave();
                break;
            case JinjaMap map:
                budget.Enter();
                into.Append('{');
                for (int i = 0; i < map.Items.Count; i++)
                {
                    into.Append(i > 0 ? ", " : "");
                    Show(map.Items[i].Key, into, budget);
                    into.Append(": ");
                    Show(map.Items[i].Value, into, budget);
                }

                into.Append('}');
                budget.Leave();
                break;
            case JinjaUndefined:
                into.Append("Undefined");
                break;
            case JinjaNamespace:
                into.Append("<Namespace>");
                break;
            default:
                into.Append(value is JinjaFunction function ? $"<function {function.Name}>" : "<loop>");
                break;
        }
    }

    private static void Quote(string text, StringBuilder into)
    {
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        into.Append(quote);
        foreach (char c in text)
        {
            _ = c switch
            {
                '\n' => into.Append("\\n"),
                '\r' => into.Append("\\r"),
                '\t' => into.Append("\\t"),
                '\\' => into.Append("\\\\"),
                < ' ' or '\x7f' => into.Append("\\x").Append(((int)c).ToString("x2", CultureInfo.InvariantCulture)),
                _ when c == quote => into.Append('\\').Append(c),
                _ => into.Append(c),
            };
        }

        into.Append(quote);
    }
}
