namespace Candela.Data;

/// <summary>Tells a header and a count line from data, by comparing the first row with the rows below it.</summary>
internal static class CsvHeader
{
    private const int LongestName = 40;

    /// <summary>True when <paramref name="first"/> is the line scikit-learn's data files begin with: number of rows, number of features, then class names or empty cells.
    /// A line that could as well be data is taken for one only when its first number is the number of rows that follow.</summary>
    public static bool IsCountLine(string[] first, List<string[]> rest, MissingMarks missing, Func<long> rowsBelow)
    {
        if (first.Length < 2 || rest.Count < 2 || !int.TryParse(first[0], out int rows) || !int.TryParse(first[1], out int features) || rows < 1 || features < 1)
            return false;
        if (first.Skip(2).Any(c => NumberCell.TryParse(c, out float _)))
            return false;
        int width = rest[0].Length;
        if (width != features + 1 && width != features)
            return false;
        if (first.Length != width)
            return true;
        // A row of two whole numbers in a table of two columns is data.
        if (first.Length == 2)
            return false;
        long below = rowsBelow();
        return below == rows || (below == rows + 1 && IsHeader(rest[0], rest[1..], missing));
    }

    /// <summary>True when the first row holds names.</summary>
    public static bool IsHeader(string[] first, List<string[]> rest, MissingMarks missing)
    {
        if (rest.Count == 0)
            return first.All(c => !NumberCell.TryParse(c, out float _));
        int forHeader = 0, forData = 0;
        for (int i = 0; i < first.Length; i++)
        {
            string[] below = [.. rest.Where(r => i < r.Length && !missing.Contains(r[i])).Select(r => r[i])];
            if (below.Length == 0 || missing.Contains(first[i]))
                continue;
            bool name = !NumberCell.TryParse(first[i], out float _);
            if (below.Count(c => NumberCell.TryParse(c, out float _)) >= 0.9 * below.Length)
                (forHeader, forData) = name ? (forHeader + 1, forData) : (forHeader, forData + 1);
        }

        if (forHeader != forData)
            return forHeader > forData;
        return forHeader > 0 || LooksLikeNames(first, rest, missing);
    }

    /// <summary>For tables without a column of numbers: names are short, all different and not values of the column below.</summary>
    private static bool LooksLikeNames(string[] first, List<string[]> rest, MissingMarks missing)
    {
        if (first.Any(c => c.Length is 0 or > LongestName) || first.Distinct().Count() < first.Length)
            return false;
        int repeated = 0, apart = 0;
        for (int i = 0; i < first.Length; i++)
        {
            string[] below = [.. rest.Where(r => i < r.Length && !missing.Contains(r[i])).Select(r => r[i])];
            if (below.Length == 0)
                apart++;
            else if (below.Contains(first[i]))
                repeated++;
            else if (below.Distinct().Count() <= below.Length / 2)
                apart++;
            else if (below.Average(c => c.Length) > 3 * first[i].Length || (below.Average(c => c.Count(char.IsAsciiDigit)) >= 2 && !first[i].Any(char.IsAsciiDigit)))
                apart++;
        }

        return repeated == 0 && apart > 0;
    }
}
