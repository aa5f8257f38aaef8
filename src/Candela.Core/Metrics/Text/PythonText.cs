using System.Globalization;
using System.Text;

namespace Candela.Metrics;

/// <summary>Text as the reference implementations, all in Python, see it: code points, Python's white space and its full lower-casing.</summary>
internal static class PythonText
{
    public static List<int> CodePoints(string text)
    {
        var points = new List<int>(text.Length);
        for (int i = 0; i < text.Length; i++)
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                points.Add(char.ConvertToUtf32(text[i], text[++i]));
            else
                points.Add(text[i]);
        return points;
    }

    /// <summary>str.isspace: .NET's white space and the four information separators.</summary>
    public static bool IsSpace(int point) => point is >= 0x1C and <= 0x1F || (point <= char.MaxValue && char.IsWhiteSpace((char)point));

    public static string Trim(string text)
    {
        int start = 0;
        while (start < text.Length && IsSpace(text[start]))
            start++;
        return TrimEnd(text[start..]);
    }

    public static string TrimEnd(string text)
    {
        int end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
            end--;
        return text[..end];
    }

    /// <summary>str.split(): the pieces between white space.</summary>
    public static List<string> Words(string text)
    {
        var words = new List<string>();
        for (int i = 0; i < text.Length;)
        {
            int start = i;
            while (i < text.Length && !IsSpace(text[i]))
                i++;
            if (i > start)
                words.Add(text[start..i]);
            i++;
        }

        return words;
    }

    public static List<string> Words(List<int> points) => Words(Join(points));

    public static string Join(List<int> points)
    {
        var text = new StringBuilder(points.Count);
        foreach (int point in points)
            if (point > char.MaxValue)
                text.Append(char.ConvertFromUtf32(point));
            else
                text.Append((char)point);
        return text.ToString();
    }

    /// <summary>str.lower(): a dotted capital I becomes two characters, and a sigma that ends a word its final form.</summary>
    public static string Lower(string text)
    {
        string lower = text.ToLowerInvariant();
        if (!text.Contains('\u0130') && !text.Contains('\u03A3'))
            return lower;
        var result = new StringBuilder(lower);
        for (int i = 0; i < text.Length; i++)
            if (text[i] == '\u03A3' && IsCased(text, i, -1) && !IsCased(text, i, 1))
                result[i] = '\u03C2';
        return result.Replace("\u0130", "i\u0307").ToString();
    }

    // The next character that is not case-ignorable has case.
    private static bool IsCased(string text, int i, int step)
    {
        for (i += step; i >= 0 && i < text.Length; i += step)
            switch (char.GetUnicodeCategory(text[i]))
            {
                case UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter:
                    return true;
                case UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol:
                    continue;
                default:
                    if (text[i] is '\'' or '.' or ':' or '\u00B7' or '\u2018' or '\u2019' or '\u2024' or '\u2027')
                        continue;
                    return false;
            }

        return false;
    }
}
