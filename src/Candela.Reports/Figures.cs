using System.Globalization;
using Candela.Metrics;

namespace Candela.Reports;

/// <summary>Numbers as people read them: as many digits as the reader can use, with units.</summary>
internal static class Figures
{
    // No line break between a number and its unit.
    private const string Space = "\u00A0";
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary><paramref name="digits"/> significant digits, thousands grouped; scientific when very large or small.</summary>
    public static string Number(double value, int digits = 4)
    {
        if (double.IsNaN(value))
            return "n/a";
        if (double.IsInfinity(value))
            return value > 0 ? "infinite" : "-infinite";
        if (value == 0)
            return "0";
        double size = Math.Abs(value);
        if (size is >= 1e7 or < 1e-4)
            return value.ToString($"0.{new string('#', digits - 1)}e0", Plain);
        int decimals = Math.Max(0, digits - 1 - (int)Math.Floor(Math.Log10(size)));
        string text = value.ToString("N" + decimals, Plain);
        return decimals > 0 ? text.TrimEnd('0').TrimEnd('.') : text;
    }

    public static string Count(long value) => value.ToString("N0", Plain);

    /// <summary>A short count: 1.2 k, 3.4 M.</summary>
    public static string Short(double value) => Math.Abs(value) switch
    {
        >= 1e9 => (value / 1e9).ToString("0.#", Plain) + Space + "G",
        >= 1e6 => (value / 1e6).ToString("0.#", Plain) + Space + "M",
        >= 1e4 => (value / 1e3).ToString("0.#", Plain) + Space + "k",
        _ => Number(value, 3),
    };

    public static string Percent(double ratio, int decimals = 1) => ratio > 0 && 100 * ratio < 0.5 * Math.Pow(10, -decimals) ? $"<{Math.Pow(10, -decimals).ToString("0.######", Plain)}{Space}%" : (100 * ratio).ToString("F" + decimals, Plain) + Space + "%";

    /// <summary>A ratio to four decimals, or a number whose size depends on the data.</summary>
    public static string Metric(string name, double value) => MetricNames.IsOfAnySize(name) ? Number(value) : double.IsNaN(value) ? "n/a" : Fixed(value);

    /// <summary>Four decimals, without a minus sign on zero.</summary>
    public static string Fixed(double value) => (Math.Abs(value) < 0.00005 ? 0 : value).ToString("0.0000", Plain);

    public static string Interval(string name, MetricValue metric) => $"{Metric(name, metric.Low)} to {Metric(name, metric.High)}";

    public static string Duration(double seconds) => seconds switch
    {
        < 0.001 => "under 1 ms",
        < 1 => (1000 * seconds).ToString("0", Plain) + Space + "ms",
        < 10 => seconds.ToString("0.00", Plain) + Space + "s",
        < 60 => seconds.ToString("0.0", Plain) + Space + "s",
        < 3600 => $"{Math.Floor(seconds / 60)}{Space}min {Math.Floor(seconds % 60):00}{Space}s",
        _ => $"{Math.Floor(seconds / 3600)}{Space}h {Math.Floor(seconds / 60 % 60):00}{Space}min",
    };

    public static string Energy(double joules) => joules switch
    {
        < 1e3 => Number(joules, 3) + Space + "J",
        < 1e6 => Number(joules / 1e3, 3) + Space + "kJ",
        _ => Number(joules / 1e6, 3) + Space + "MJ",
    };

    public static string KilowattHours(double joules)
    {
        double wattHours = joules / 3600;
        return wattHours < 1 ? Number(wattHours * 1000, 3) + Space + "mWh" : wattHours < 1000 ? Number(wattHours, 3) + Space + "Wh" : Number(wattHours / 1000, 3) + Space + "kWh";
    }

    public static string Mass(double grams) => grams switch
    {
        < 1 => Number(grams * 1000, 3) + Space + "mg",
        < 1000 => Number(grams, 3) + Space + "g",
        _ => Number(grams / 1000, 3) + Space + "kg",
    };

    /// <summary>Cuts a long name; the whole of it belongs in a title attribute.</summary>
    public static string Clip(string name, int length = 48) => name.Length <= length ? name : string.Concat(name.AsSpan(0, length - 1), "…");
}
