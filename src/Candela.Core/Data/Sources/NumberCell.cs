using System.Globalization;
using System.Runtime.CompilerServices;

namespace Candela.Data;

/// <summary>Numbers as they stand in text: optional sign, decimal point, exponent; no thousands separators; invariant culture.</summary>
internal static class NumberCell
{
    private static readonly double[] PowersOfTen = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

    /// <summary>The nearest float, the same as float.Parse gives; ±infinity for "inf" and for numbers beyond the range of a float, NaN for "nan".</summary>
    public static bool TryParse(ReadOnlySpan<char> cell, out float value)
    {
        if (TryExact(cell, out double exact))
        {
            // Rounding twice (decimal to double to float) differs from rounding once only when the double lies midway between two floats.
            double size = Math.Abs(exact);
            if (size is >= 1.2e-38 and <= 3.4e38 ? (BitConverter.DoubleToInt64Bits(exact) & 0x1fffffff) != 0x10000000 : size == 0)
            {
                value = (float)exact;
                return true;
            }
        }

        return float.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value) || Infinite(cell, out value);
    }

    /// <summary>As <see cref="TryParse(ReadOnlySpan{char}, out float)"/>, in double precision.</summary>
    public static bool TryParse(ReadOnlySpan<char> cell, out double value)
    {
        if (TryExact(cell, out value) || double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
            return true;
        bool infinite = Infinite(cell, out float single);
        value = single;
        return infinite;
    }

    private static bool Infinite(ReadOnlySpan<char> cell, out float value)
    {
        ReadOnlySpan<char> digits = cell.TrimStart("+-");
        bool infinite = digits.Equals("inf", StringComparison.OrdinalIgnoreCase) && cell.Length <= 4;
        value = !infinite ? 0 : cell[0] == '-' ? float.NegativeInfinity : float.PositiveInfinity;
        return infinite;
    }

    /// <summary>The common short form: a whole number below 2^53 times or divided by a power of ten up to 10^22, both exact doubles, so one correctly rounded operation
    /// gives the nearest double (Clinger 1990). Anything else is left to the library.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryExact(ReadOnlySpan<char> cell, out double value)
    {
        value = 0;
        int i = 0, exponent = 0;
        bool negative = false;
        if (cell.Length > 0 && cell[0] is '-' or '+')
            negative = cell[i++] == '-';
        ulong mantissa = 0;
        int start = i;
        uint digit;
        while (i < cell.Length && (digit = (uint)(cell[i] - '0')) <= 9)
        {
            mantissa = (mantissa * 10) + digit;
            i++;
        }

        int digits = i - start;
        if (i < cell.Length && cell[i] == '.')
        {
            int point = ++i;
            while (i < cell.Length && (digit = (uint)(cell[i] - '0')) <= 9)
            {
                mantissa = (mantissa * 10) + digit;
                i++;
            }

            exponent = point - i;
            digits -= exponent;
        }

        if (digits is 0 or > 19)
            return false;
        if (i < cell.Length)
        {
            if ((cell[i] | 0x20) != 'e' || !TryExponent(cell[(i + 1)..], out int power))
                return false;
            exponent += power;
        }

        if (mantissa > 1UL << 53 || exponent is < -22 or > 22)
            return false;
        double size = exponent < 0 ? mantissa / PowersOfTen[-exponent] : mantissa * PowersOfTen[exponent];
        value = negative ? -size : size;
        return true;
    }

    private static bool TryExponent(ReadOnlySpan<char> text, out int power)
    {
        power = 0;
        bool negative = text.Length > 0 && text[0] == '-';
        if (text.Length > 0 && text[0] is '-' or '+')
            text = text[1..];
        if (text.Length is 0 or > 3)
            return false;
        foreach (char c in text)
        {
            if (!char.IsAsciiDigit(c))
                return false;
            power = (power * 10) + c - '0';
        }

        power = negative ? -power : power;
        return true;
    }
}
