namespace Candela.Data;

/// <summary>A date: days and year standardised, the day of the year and (when it varies) the time of day as sine and cosine, the weekday one-hot; all zeros
/// and an indicator for a missing one. Under <see cref="FeatureStyle.Raw"/>: days, month 1-12, weekday 0 (Monday) to 6, and the hour when it varies.</summary>
internal sealed class DateCode : ColumnCode
{
    private const int FirstDay = -719_162, LastDay = 2_932_896;   // 0001-01-01 and 9999-12-31
    private static readonly string[] Weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    private readonly DateState _state;
    private readonly bool _raw;

    public DateCode(string column, DateState state, bool raw) : base(column)
    {
        (_state, _raw) = (state, raw);
        List<string> names = raw
            ? [column, $"{column}=month", $"{column}=weekday"]
            : [column, $"{column}=year", $"{column}=season-sin", $"{column}=season-cos", .. Weekdays.Select(day => $"{column}={day}")];
        if (state.Clock)
            names.AddRange(raw ? [$"{column}=hour"] : [$"{column}=clock-sin", $"{column}=clock-cos"]);
        if (!raw && state.Missing > 0)
            names.Add($"{column}=missing");
        Features = names;
    }

    public override IReadOnlyList<string> Features { get; }

    public override void Encode(TableColumn cells, ReadOnlySpan<int> rows, Span<float> into, int stride)
    {
        float[] values = Numbers(cells);
        int width = Features.Count;
        for (int i = 0; i < rows.Length; i++)
        {
            Span<float> to = into.Slice(i * stride, width);
            float days = values[rows[i]];
            if (!float.IsFinite(days))
            {
                to.Fill(_raw ? float.NaN : 0);
                if (!_raw && _state.Missing > 0)
                    to[^1] = 1;
                continue;
            }

            int day = (int)Math.Clamp(Math.Floor(days), FirstDay, LastDay);
            DateOnly date = DateOnly.FromDayNumber(day - FirstDay);
            int weekday = (((int)date.DayOfWeek) + 6) % 7;
            double clock = Math.Clamp(days - day, 0, 1);
            if (_raw)
            {
                (to[0], to[1], to[2]) = (days, date.Month, weekday);
                if (_state.Clock)
                    to[3] = (float)(24 * clock);
                continue;
            }

            to.Clear();
            to[0] = (float)((days - _state.Days.Mean) * NumberCode.Inverse(_state.Days.Deviation));
            to[1] = (float)((date.Year - _state.Years.Mean) * NumberCode.Inverse(_state.Years.Deviation));
            (double sine, double cosine) = Math.SinCos(2 * Math.PI * (date.DayOfYear - 1) / 365.25);
            (to[2], to[3]) = ((float)sine, (float)cosine);
            to[4 + weekday] = 1;
            if (_state.Clock)
            {
                (sine, cosine) = Math.SinCos(2 * Math.PI * clock);
                (to[11], to[12]) = ((float)sine, (float)cosine);
            }
        }
    }

    /// <summary>The calendar year of a day count.</summary>
    public static int Year(float days) => DateOnly.FromDayNumber((int)Math.Clamp(Math.Floor(days), FirstDay, LastDay) - FirstDay).Year;
}
