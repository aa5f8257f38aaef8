using System.Globalization;
using System.Text;

namespace Candela.Templates;

/// <summary>Python's <c>%</c> and <c>str.format</c> in their simple forms, and <c>strftime</c>.</summary>
internal static class JinjaFormat
{
    /// <summary><c>%s %d %i %r %f %.2f %x %%</c>.</summary>
    public static string Percent(string format, IReadOnlyList<object?> values, JinjaBudget budget)
    {
        var text = new StringBuilder();
        int next = 0;
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }

            int start = ++i;
            while (i < format.Length && (char.IsAsciiDigit(format[i]) || format[i] is '.' or '-' or '0'))
                i++;
            if (i >= format.Length)
                throw new JinjaError($"the format '{format}' ends in the middle of a place");
            if (format[i] == '%')
            {
                text.Append('%');
                continue;
            }

            if (next >= values.Count)
                throw new JinjaError($"the format '{format}' has more places than the {values.Count} values given");
            text.Append(Place(format[start..i], format[i], values[next++], budget));
            budget.Length(text.Length);
        }

        return next == values.Count ? text.ToString() : throw new JinjaError($"the format '{format}' has {next} places for {values.Count} values");
    }

    /// <summary><c>{} {0} {name}</c> without conversions.</summary>
    public static string Braces(string format, JinjaArguments arguments, JinjaBudget budget)
    {
        var text = new StringBuilder();
        int next = 0;
        for (int i = 0; i < format.Length; i++)
        {
            char c = format[i];
            if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c)
            {
                text.Append(c);
                i++;
                continue;
            }

            if (c != '{')
            {
                text.Append(c);
                continue;
            }

            int end = format.IndexOf('}', i);
            if (end < 0)
                throw new JinjaError($"the format '{format}' has an open brace");
            string name = format[(i + 1)..end];
            object? value;
            if (name.Length == 0 || name.All(char.IsAsciiDigit))
            {
                int at = name.Length == 0 ? next++ : name.Length > 6 ? int.MaxValue : int.Parse(name, CultureInfo.InvariantCulture);
                value = at < arguments.Positional.Count ? arguments.Positional[at] : throw new JinjaError($"the format '{format}' asks for value {at}; {arguments.Positional.Count} were given");
            }
            else if (!arguments.Named.TryGetValue(name, out value))
            {
                throw new JinjaError($"the format '{format}' asks for '{name}', which was not given (conversions after ':' are not supported)");
            }

            text.Append(JinjaText.Of(value, budget));
            budget.Length(text.Length);
            i = end;
        }

        return text.ToString();
    }

    /// <summary>A time by C's directives, with English names.</summary>
    public static string Time(string format, DateTimeOffset time)
    {
        var text = new StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 >= format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            bool plain = format[i + 1] == '-' && i + 2 < format.Length; // %-d: no leading zero
            char c = format[i += plain ? 2 : 1];
            string value = c switch
            {
                'Y' => time.ToString("yyyy", CultureInfo.InvariantCulture),
                'y' => time.ToString("yy", CultureInfo.InvariantCulture),
                'm' => time.ToString("MM", CultureInfo.InvariantCulture),
                'd' => time.ToString("dd", CultureInfo.InvariantCulture),
                'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
                'B' => time.ToString("MMMM", CultureInfo.InvariantCulture),
                'b' or 'h' => time.ToString("MMM", CultureInfo.InvariantCulture),
                'A' => time.ToString("dddd", CultureInfo.InvariantCulture),
                'a' => time.ToString("ddd", CultureInfo.InvariantCulture),
                'H' => time.ToString("HH", CultureInfo.InvariantCulture),
                'I' => time.ToString("hh", CultureInfo.InvariantCulture),
                'M' => time.ToString("mm", CultureInfo.InvariantCulture),
                'S' => time.ToString("ss", CultureInfo.InvariantCulture),
                'f' => time.ToString("ffffff", CultureInfo.InvariantCulture),
                'p' => time.Hour < 12 ? "AM" : "PM",
                'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
                'w' => ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
                'z' => time.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", "", StringComparison.Ordinal),
                'Z' => time.Offset == TimeSpan.Zero ? "UTC" : "",
                'F' => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                'T' => time.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
                'D' => time.ToString("MM/dd/yy", CultureInfo.InvariantCulture),
                '%' => "%",
                _ => throw new JinjaError($"'strftime_now' got the directive '%{c}', which is not known", JinjaFault.Unsupported),
            };
            text.Append(plain ? value.TrimStart('0') is { Length: > 0 } short1 ? short1 : "0" : value);
        }

        return text.ToString();
    }

    private static string Place(string width, char kind, object? value, JinjaBudget budget)
    {
        double Number() => JinjaText.Number(value) ?? throw new JinjaError($"'%{kind}' was given {JinjaText.Kind(value)}; a number was needed");
        int point = width.IndexOf('.');
        string digits = point < 0 ? "6" : width[(point + 1)..];
        if (!int.TryParse(digits.Length == 0 ? "0" : digits, NumberStyles.None, CultureInfo.InvariantCulture, out int decimals) || decimals > 30)
            throw new JinjaError($"'%{width}{kind}' is not supported", JinjaFault.Unsupported);
        string text = kind switch
        {
            's' => JinjaText.Of(value, budget),
            'd' or 'i' => Math.Truncate(Number()).ToString("F0", CultureInfo.InvariantCulture),
            'x' => ((long)Number()).ToString("x", CultureInfo.InvariantCulture),
            'f' => Number().ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            _ => throw new JinjaError($"'%{kind}' is not supported; %s, %d, %f and %x are", JinjaFault.Unsupported),
        };
        string field = point < 0 ? width : width[..point];
        bool left = field.StartsWith('-'), zero = !left && field.StartsWith('0') && kind != 's';
        field = field.TrimStart('-', '0');
        int pad = field.Length == 0 ? 0 : field.Length <= 3 && int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : throw new JinjaError($"'%{width}{kind}' is not supported", JinjaFault.Unsupported);
        return left ? text.PadRight(pad) : text.PadLeft(pad, zero ? '0' : ' ');
    }
}
