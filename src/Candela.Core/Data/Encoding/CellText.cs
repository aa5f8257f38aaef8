using System.Globalization;

namespace Candela.Data;

/// <summary>How a number is written as a class or category name, and read back.</summary>
internal static class CellText
{
    /// <summary>Whole numbers without a point or exponent, others in their shortest form that reads back equal.</summary>
    public static string Of(float value)
    {
        if (value == 0)
            return "0";
        return value == MathF.Truncate(value) && Math.Abs(value) < 1e15f
            ? ((long)value).ToString(CultureInfo.InvariantCulture)
            : value.ToString(CultureInfo.InvariantCulture);
    }

    public static bool TryNumber(string text, out float value) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && float.IsFinite(value);

    /// <summary>Sorted numerically when every name is a number, else ordinally.</summary>
    public static string[] Sorted(IEnumerable<string> names)
    {
        string[] sorted = [.. names];
        if (sorted.All(name => TryNumber(name, out _)))
            Array.Sort(sorted, (a, b) =>
            {
                int order = double.Parse(a, NumberStyles.Float, CultureInfo.InvariantCulture).CompareTo(double.Parse(b, NumberStyles.Float, CultureInfo.InvariantCulture));
                return order != 0 ? order : string.CompareOrdinal(a, b);
            });
        else
            Array.Sort(sorted, string.CompareOrdinal);
        return sorted;
    }
}
