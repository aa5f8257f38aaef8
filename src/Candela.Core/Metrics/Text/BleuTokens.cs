using System.Globalization;

namespace Candela.Metrics;

/// <summary>The tokenizers of sacreBLEU 2: mteval-v13a, mteval-v14 (international) and the WMT Chinese one, each a few substitutions one after the other.</summary>
internal static class BleuTokens
{
    public static string Name(BleuTokenizer tokenizer) => tokenizer switch
    {
        BleuTokenizer.V13a => "13a",
        BleuTokenizer.Zh => "zh",
        BleuTokenizer.Char => "char",
        BleuTokenizer.Intl => "intl",
        BleuTokenizer.None => "none",
        _ => throw new UsageException($"BLEU got tokenizer {tokenizer}; there are 13a, zh, char, intl and none."),
    };

    public static List<string> Split(string segment, BleuTokenizer tokenizer)
    {
        string line = PythonText.TrimEnd(segment);
        switch (tokenizer)
        {
            case BleuTokenizer.V13a:
                line = line.Replace("<skipped>", "").Replace("-\n", "").Replace('\n', ' ').Replace("&quot;", "\"").Replace("&amp;", "&").Replace("&lt;", "<").Replace("&gt;", ">");
                return PythonText.Words(Western(PythonText.CodePoints($" {line} ")));
            case BleuTokenizer.Zh:
                return PythonText.Words(Western(SpaceAround(PythonText.CodePoints(PythonText.Trim(line)), IsChinese)));
            case BleuTokenizer.Char:
                return PythonText.Words(SpaceAround(PythonText.CodePoints(line), _ => true));
            case BleuTokenizer.Intl:
                List<int> points = PythonText.CodePoints(line);
                points = SplitPairs(points, p => !IsNumber(p), IsPunctuation, spaceBefore: false);
                points = SplitPairs(points, IsPunctuation, p => !IsNumber(p), spaceBefore: true);
                return PythonText.Words(SpaceAround(points, IsSymbol));
            default:
                return PythonText.Words(line);
        }
    }

    /// <summary>mteval's rules for Western languages: punctuation but apostrophes apart; points and commas unless between digits; hyphens after digits.</summary>
    public static List<int> Western(List<int> points)
    {
        points = SpaceAround(points, IsSeparated);
        return NumbersAndPoints(points);
    }

    /// <summary>The last three of those rules.</summary>
    public static List<int> NumbersAndPoints(List<int> points)
    {
        points = SplitPairs(points, p => !IsDigit(p), IsPoint, spaceBefore: false);
        points = SplitPairs(points, IsPoint, p => !IsDigit(p), spaceBefore: true);
        return SplitPairs(points, IsDigit, p => p == '-', spaceBefore: false);
    }

    public static List<int> SpaceAround(List<int> points, Predicate<int> isMatch)
    {
        var result = new List<int>(points.Count + 16);
        foreach (int point in points)
            if (isMatch(point))
                result.AddRange([' ', point, ' ']);
            else
                result.Add(point);
        return result;
    }

    /// <summary>ASCII punctuation and space but apostrophe, comma, hyphen and point.</summary>
    public static bool IsSeparated(int p) => p is (>= '{' and <= '~') or (>= '[' and <= '`') or (>= ' ' and <= '&') or (>= '(' and <= '+') or (>= ':' and <= '@') or '/';

    // From left to right, without overlap: "ab" becomes " a b" or "a b ".
    private static List<int> SplitPairs(List<int> points, Predicate<int> isFirst, Predicate<int> isSecond, bool spaceBefore)
    {
        var result = new List<int>(points.Count + 16);
        for (int i = 0; i < points.Count; i++)
        {
            if (i + 1 == points.Count || !isFirst(points[i]) || !isSecond(points[i + 1]))
            {
                result.Add(points[i]);
                continue;
            }

            result.AddRange(spaceBefore ? [' ', points[i], ' ', points[i + 1]] : [points[i], ' ', points[i + 1], ' ']);
            i++;
        }

        return result;
    }

    private static bool IsDigit(int p) => p is >= '0' and <= '9';

    private static bool IsPoint(int p) => p is '.' or ',';

    // The reference's table, in the effect it has: its two entries beyond U+FFFF are read as U+2001 to U+2A6D and U+2F81 to U+2FA1, so that general punctuation
    // and most symbols count as Chinese, and characters of extension B do not.
    private static bool IsChinese(int p) => p is (>= 0x2001 and <= 0x2A6D) or (>= 0x2E80 and <= 0x2FDF) or (>= 0x2FF0 and <= 0x303F) or (>= 0x3100 and <= 0x312F) or (>= 0x31A0 and <= 0x31BF)
        or (>= 0x31C0 and <= 0x31EF) or (>= 0x3200 and <= 0x4DB5) or (>= 0x4E00 and <= 0x9FBB) or (>= 0xF900 and <= 0xFA2D) or (>= 0xFA30 and <= 0xFA6A) or (>= 0xFA70 and <= 0xFAD9)
        or (>= 0xFE10 and <= 0xFE1F) or (>= 0xFE30 and <= 0xFE4F) or (>= 0xFF00 and <= 0xFFEF);

    private static bool IsNumber(int p) => CharUnicodeInfo.GetUnicodeCategory(p) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    private static bool IsPunctuation(int p) => CharUnicodeInfo.GetUnicodeCategory(p) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    private static bool IsSymbol(int p) => CharUnicodeInfo.GetUnicodeCategory(p) is >= UnicodeCategory.MathSymbol and <= UnicodeCategory.OtherSymbol;
}
