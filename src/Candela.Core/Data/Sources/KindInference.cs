using System.Globalization;

namespace Candela.Data;

/// <summary>Chooses a column's kind from its sketch, with the reason in words.</summary>
internal static class KindInference
{
    /// <summary>Names a category column can have at the very most.</summary>
    public const int DictionaryLimit = 50_000;

    private const int FewRows = 20;
    private const double NumericShare = 0.95;
    // Whole numbers above 2^24 are not all floats.
    private const double LargestExact = 16_777_216;
    private static readonly string[][] Pairs = [["true", "false"], ["yes", "no"], ["y", "n"], ["t", "f"]];

    public static ColumnPlan Choose(ColumnSketch s, bool mayBeText = true)
    {
        if (s.Present == 0)
            return new ColumnPlan(s.Name, ColumnKind.Constant, "every cell is missing") { AllMissing = true };
        if (s.Distinct == 1 && (s.Missing == 0 || s.Numbers == s.Present))
            return new ColumnPlan(s.Name, ColumnKind.Constant, $"always '{Cut(s.FirstValues[0])}'{(s.Missing > 0 ? " or missing" : "")}");
        if (IsDate(s) is { } date)
            return date;
        bool numeric = s.Numbers == s.Present || (s.Numbers >= NumericShare * s.Present && s.Numbers > 1);
        bool codes = s.Padded > 0 && s.Padded >= 0.1 * s.Present && s.Whole == s.Present && s.Max > 0 && s.Distinct <= NameLimit(s);
        if (numeric && !codes)
            return Numeric(s);
        return Named(s, codes);
    }

    /// <summary>Different names a column of so many rows may have and still be a category.</summary>
    private static double NameLimit(ColumnSketch s) => s.Present <= 2 * FewRows ? s.Present / 2.0 : Math.Clamp(s.Present / 10.0, FewRows, Math.Min(Math.Max(1000, s.Present / 20.0), DictionaryLimit));

    private static ColumnPlan? IsDate(ColumnSketch s)
    {
        (DateForm form, double share, bool ambiguous) = s.Date;
        if (share < NumericShare || (form == DateForm.Compact && !(NamedLike(s.Name, "date", "day", "dt") && s.Min >= 1900_01_01 && s.Max <= 2100_01_01)))
            return null;
        string note = "dates written " + DateCell.Describe(form) + (ambiguous ? " (or day/month/year: every day is 12 or less so far)" : "");
        return new ColumnPlan(s.Name, ColumnKind.Date, note) { Date = form, DateAmbiguous = ambiguous };
    }

    private static ColumnPlan Numeric(ColumnSketch s)
    {
        string odd = s.Numbers == s.Present ? "" : $"; {s.Present - s.Numbers} cells are not numbers ('{Cut(s.OddCells[0])}')";
        bool whole = s.Whole == s.Numbers;
        if (whole && s.Distinct == 2 && s.Min == 0 && s.Max == 1 && odd.Length == 0)
            return new ColumnPlan(s.Name, ColumnKind.Boolean, "0 or 1") { Numeric = true };
        if (whole && s.Distinct == s.Present && s.Missing == 0 && s.Present >= FewRows)
        {
            bool named = NamedLike(s.Name, "id", "index", "idx", "rownum", "row", "no", "nr", "key", "unnamed: 0", "passengerid") || s.Name.EndsWith("Id", StringComparison.Ordinal) || s.Name.EndsWith("ID", StringComparison.Ordinal);
            bool years = s.Min >= 1500 && s.Max <= 2200;
            if (s.Sequence && (named || s.Min is 0 or 1 || (s.Present >= 100 && !years)))
                return new ColumnPlan(s.Name, ColumnKind.Identifier, $"counts up by one from {Text(s.Min)}") { Sequence = true };
            if (named && s.Present >= 50)
                return new ColumnPlan(s.Name, ColumnKind.Identifier, "a different whole number in every row, and named like a key");
        }

        if (whole && Math.Max(Math.Abs(s.Min), Math.Abs(s.Max)) <= LargestExact)
            return new ColumnPlan(s.Name, ColumnKind.Integer, $"whole numbers {Text(s.Min)} to {Text(s.Max)}{odd}");
        return new ColumnPlan(s.Name, ColumnKind.Number, $"numbers {Text(s.Min)} to {Text(s.Max)}{(whole ? ", kept to about 7 digits" : "")}{odd}");
    }

    private static ColumnPlan Named(ColumnSketch s, bool codes)
    {
        if (s.Distinct == 2 && Pairs.Any(p => s.FirstValues.All(v => p.Contains(v, StringComparer.OrdinalIgnoreCase)) && !s.FirstValues[0].Equals(s.FirstValues[1], StringComparison.OrdinalIgnoreCase)))
            return new ColumnPlan(s.Name, ColumnKind.Boolean, $"{s.FirstValues[0]} or {s.FirstValues[1]}");
        double words = s.Words / (double)Math.Max(1, s.Present - s.Numbers), length = s.Characters / (double)Math.Max(1, s.Present - s.Numbers);
        bool chinese = s.Cjk > 0.3 * s.Present;
        bool prose = words >= 4 || length >= 40 || (chinese && length >= 8);
        bool few = s.Distinct <= NameLimit(s), manyRepeat = s.Distinct <= 0.05 * s.Present || s.Distinct <= 5;
        if (few && (!prose || manyRepeat))
            return new ColumnPlan(s.Name, ColumnKind.Category, $"{s.Distinct} names{(codes ? " (codes with leading zeros)" : "")}: {Cut(string.Join(", ", s.FirstValues.Take(4)))}{Mixed(s)}");
        bool unique = s.Distinct == s.Present && s.Present >= FewRows;
        if (unique && !prose && s.Spaced < 0.05 * s.Present && s.CodeLike + s.Numbers >= 0.9 * s.Present)
            return new ColumnPlan(s.Name, ColumnKind.Identifier, $"a different code in every row: {Cut(s.FirstValues[0])}, ...");
        bool short1 = words < 2 && length < 25 && !chinese && !unique;
        if (short1 && s.Distinct <= Math.Min(1000, s.Present / 2.0))
            return new ColumnPlan(s.Name, ColumnKind.Category, $"{s.Distinct} names: {Cut(string.Join(", ", s.FirstValues.Take(4)))}{Mixed(s)}");
        if (!prose && s.Present < FewRows && words < 2)
            return new ColumnPlan(s.Name, ColumnKind.Category, $"{s.Distinct} short names in {s.Present} rows");
        return new ColumnPlan(s.Name, ColumnKind.Text, $"{(s.Distinct >= ColumnSketch.DistinctLimit ? "many" : s.Distinct)} different texts, about {Text(Math.Round(length))} characters{(chinese ? " (Chinese, Japanese or Korean)" : "")}{Mixed(s)}");
    }

    private static string Mixed(ColumnSketch s) => s.Numbers > 0.5 * s.Present && s.OddCells.Count > 0 ? $"; {100.0 * s.Numbers / s.Present:f0} % are numbers but '{Cut(s.OddCells[0])}' is not (--na \"{Cut(s.OddCells[0])}\" makes it missing)" : "";

    private static bool NamedLike(string name, params ReadOnlySpan<string> words)
    {
        string lower = name.ToLowerInvariant();
        foreach (string word in words)
            if (lower == word || lower.EndsWith("_" + word, StringComparison.Ordinal) || lower.EndsWith(" " + word, StringComparison.Ordinal) || lower.StartsWith(word + "_", StringComparison.Ordinal))
                return true;
        return false;
    }

    private static string Text(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    private static string Cut(string text) => text.Length <= 40 ? text : text[..37] + "...";
}
