using System.Globalization;
using Candela.Data;

namespace Candela.Forecasting;

/// <summary>The times of a series: dates or plain numbers, strictly rising. Goes on beyond the last one when its steps are equal, in time or in calendar months.</summary>
public sealed class TimeAxis
{
    private readonly string? _format; // of dates; null for numbers
    private readonly double[] _values; // days since 1970-01-01 UTC, or the numbers
    private readonly int _months; // 0 when steps are not of whole months
    private readonly bool _monthEnds;

    private TimeAxis(double[] values, string? format, string last)
    {
        (_values, _format, Last) = (values, format, last);
        if (values.Length < 2)
            return;
        double step = values[1] - values[0];
        IsRegular = true;
        for (int i = 2; i < values.Length && IsRegular; i++)
            IsRegular = Math.Abs(values[i] - values[i - 1] - step) <= 1e-6 * Math.Abs(step) + (1e-9 * Math.Abs(values[i]));
        if (IsRegular || format is null)
            return;
        DateTime[] dates = Array.ConvertAll(values, Date);
        _monthEnds = dates.All(d => d.Day == DateTime.DaysInMonth(d.Year, d.Month));
        _months = MonthsBetween(dates[0], dates[1]);
        IsRegular = _months > 0 && (_monthEnds || dates.All(d => d.Day == dates[0].Day));
        for (int i = 1; i < dates.Length && IsRegular; i++)
            IsRegular = MonthsBetween(dates[i - 1], dates[i]) == _months && dates[i].TimeOfDay == dates[0].TimeOfDay;
    }

    /// <summary>The last time, as the file has it.</summary>
    public string Last { get; }

    /// <summary>Whether all steps are equal, so that it can go on.</summary>
    public bool IsRegular { get; private set; }

    /// <summary>The time so many steps after the last one, written as the file writes it; null when steps are not equal.</summary>
    /// <param name="steps">1 is the first time after the last.</param>
    public string? After(int steps)
    {
        if (!IsRegular)
            return null;
        double last = _values[^1], step = (last - _values[0]) / (_values.Length - 1);
        if (_format is null)
            return Math.Round(last + (steps * step), 9).ToString("R", CultureInfo.InvariantCulture);
        if (_months == 0)
            return Date(last + (steps * step)).ToString(_format, CultureInfo.InvariantCulture);
        DateTime at = Date(last).AddMonths(steps * _months);
        if (_monthEnds)
            at = at.AddDays(DateTime.DaysInMonth(at.Year, at.Month) - at.Day);
        return at.ToString(_format, CultureInfo.InvariantCulture);
    }

    /// <summary>Reads the cells of a time column.</summary>
    /// <param name="cells">One per row.</param>
    /// <param name="column">Its name, and whose it is, for errors.</param>
    /// <param name="rows">1-based rows of the cells in the file, for errors.</param>
    /// <exception cref="DataException">A cell is missing or no time, or the times do not rise.</exception>
    internal static TimeAxis Of(IReadOnlyList<string?> cells, string column, IReadOnlyList<long> rows)
    {
        int missing = cells.ToList().FindIndex(string.IsNullOrWhiteSpace);
        if (missing >= 0)
            throw new DataException($"Time column {column} has no value in data row {rows[missing]}. Fill it, or leave that row out.");
        string[] texts = [.. cells.Select(c => c!.Trim())];
        (double[] values, string? format) = Parse(texts, column, rows);
        for (int i = 1; i < values.Length; i++)
        {
            if (values[i] == values[i - 1])
                throw new DataException($"Time column {column} has '{texts[i]}' twice, in data rows {rows[i - 1]} and {rows[i]}. One row per time is needed: add them up or leave one out; for several series in one file name the column that tells them apart with --group.");
            if (values[i] < values[i - 1])
                throw new DataException($"Time column {column} goes back from '{texts[i - 1]}' to '{texts[i]}' at data row {rows[i]}. Sort the file by time, oldest first; for several series in one file name the column that tells them apart with --group.");
        }

        return new TimeAxis(values, format, texts[^1]);
    }

    private static (double[] Values, string? Format) Parse(string[] texts, string column, IReadOnlyList<long> rows)
    {
        var values = new double[texts.Length];
        int best = -1;
        foreach (DateForm form in Enum.GetValues<DateForm>())
        {
            int at = 0;
            while (at < texts.Length && DateCell.TryParse(texts[at], form, out values[at]))
                at++;
            if (at == texts.Length)
                return (values, DateCell.FormatOf(texts[^1], form));
            best = Math.Max(best, at);
        }

        for (int i = 0; i < texts.Length; i++)
        {
            if (!double.TryParse(texts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out values[i]) || !double.IsFinite(values[i]))
            {
                int bad = Math.Max(i, best);
                throw new DataException($"Time column {column} has '{texts[bad]}' in data row {rows[bad]}, which is neither a number nor a date as the rows before it have. Write all times alike, for example 2024-01-31 or 2024-01-31T18:00, or leave --time out if the rows are equal steps.");
            }
        }

        return (values, null);
    }

    private static DateTime Date(double days) => DateTime.UnixEpoch.AddTicks((long)Math.Round(days * TimeSpan.TicksPerDay / TimeSpan.TicksPerMillisecond) * TimeSpan.TicksPerMillisecond);

    private static int MonthsBetween(DateTime from, DateTime to) => ((to.Year - from.Year) * 12) + to.Month - from.Month;
}
