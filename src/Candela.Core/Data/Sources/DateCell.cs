using System.Globalization;

namespace Candela.Data;

/// <summary>Ways to write a date.</summary>
internal enum DateForm
{
    Iso,
    YearFirst,
    DayFirst,
    MonthFirst,
    MonthName,
    Chinese,
    YearMonth,
    Compact,
}

/// <summary>Dates as they stand in text, in the invariant culture; a time without an offset is taken as UTC.</summary>
internal static class DateCell
{
    private static readonly string[][] Formats =
    [
        ["yyyy-MM-dd", "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mm:ss.FFFFFFF", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK",
            "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK"],
        ["yyyy/M/d", "yyyy/M/d H:mm", "yyyy/M/d H:mm:ss", "yyyy.M.d", "yyyy-M-d", "yyyy-M-d H:mm", "yyyy-M-d H:mm:ss"],
        ["d/M/yyyy", "d.M.yyyy", "d-M-yyyy", "d/M/yyyy H:mm", "d/M/yyyy H:mm:ss", "d.M.yyyy H:mm", "d.M.yyyy H:mm:ss", "d-M-yyyy H:mm", "d-M-yyyy H:mm:ss"],
        ["M/d/yyyy", "M-d-yyyy", "M/d/yyyy H:mm", "M/d/yyyy H:mm:ss", "M/d/yyyy h:mm tt", "M/d/yyyy h:mm:ss tt", "M-d-yyyy H:mm", "M-d-yyyy H:mm:ss"],
        ["d MMM yyyy", "d MMMM yyyy", "MMM d yyyy", "MMM d, yyyy", "MMMM d yyyy", "MMMM d, yyyy", "d-MMM-yyyy", "d-MMM-yy"],
        ["yyyy年M月d日", "yyyy年M月d日 H:mm", "yyyy年M月d日 H:mm:ss"],
        ["yyyy-MM", "yyyy/MM"],
        ["yyyyMMdd"],
    ];

    /// <summary>What the form is called in notes and errors.</summary>
    public static string Describe(DateForm form) => form switch
    {
        DateForm.DayFirst => "day/month/year",
        DateForm.MonthFirst => "month/day/year",
        _ => Formats[(int)form][0],
    };

    /// <summary>The format a date of the form is written in.</summary>
    public static string FormatOf(string cell, DateForm form) =>
        Array.Find(Formats[(int)form], f => DateTime.TryParseExact(cell, f, CultureInfo.InvariantCulture, DateTimeStyles.None, out _)) ?? Formats[(int)form][0];

    /// <summary>Could this cell be a date at all? A cheap look before the real parse.</summary>
    public static bool Plausible(ReadOnlySpan<char> cell) =>
        cell.Length is >= 6 and <= 34 && (char.IsAsciiDigit(cell[0]) || char.IsAsciiLetter(cell[0])) && cell.ContainsAnyInRange('0', '9');

    /// <summary>Days since 1970-01-01 UTC.</summary>
    public static bool TryParse(ReadOnlySpan<char> cell, DateForm form, out double days)
    {
        days = 0;
        if (!DateTime.TryParseExact(cell, Formats[(int)form], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime date))
            return false;
        days = (date - DateTime.UnixEpoch).TotalDays;
        return true;
    }
}
