namespace Candela.Reports.Charts;

/// <summary>Maps data to pixels along one axis and chooses round ticks.</summary>
internal sealed class Scale
{
    private readonly double _from, _to;
    private readonly bool _log;

    /// <summary>A scale over [low, high], mapped to pixels from..to. A span of nothing is widened.</summary>
    public Scale(double low, double high, double from, double to, bool log = false)
    {
        if (!double.IsFinite(low) || !double.IsFinite(high))
            (low, high) = (0, 1);
        if (high <= low)
        {
            double pad = low == 0 ? 1 : Math.Abs(low) * 0.1;
            (low, high) = log ? (low / 2, low * 2) : (low - pad, low + pad);
        }

        (Low, High, _from, _to, _log) = (low, high, from, to, log);
    }

    public double Low { get; }

    public double High { get; }

    public double At(double value)
    {
        double share = _log ? Math.Log(value / Low) / Math.Log(High / Low) : (value - Low) / (High - Low);
        return _from + (Math.Clamp(share, 0, 1) * (_to - _from));
    }

    /// <summary>About <paramref name="wanted"/> ticks at multiples of 1, 2 or 5 times a power of ten; on a log scale, powers of ten (with 2 and 5 when there are few).</summary>
    public IReadOnlyList<double> Ticks(int wanted = 5)
    {
        if (_log)
        {
            double[] steps = Math.Log10(High / Low) > 2.5 ? [1] : [1, 2, 5];
            var powers = new List<double>();
            for (double p = Math.Pow(10, Math.Floor(Math.Log10(Low))); p <= High && powers.Count < 40; p *= 10)
                powers.AddRange(steps.Select(s => s * p).Where(t => t >= Low * 0.999 && t <= High * 1.001));
            int every = Math.Max(1, (powers.Count + wanted) / (wanted + 1));
            return [.. powers.Where((_, i) => i % every == 0)];
        }

        double raw = (High - Low) / wanted, power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = (raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 } * power;
        var ticks = new List<double>();
        for (double k = Math.Ceiling((Low / step) - 1e-9); k * step <= High + (step * 1e-9) && ticks.Count < 40; k++)
            ticks.Add(k * step);
        return ticks;
    }

    /// <summary>A tick's label: no more digits than the step between ticks needs.</summary>
    public static string Label(double tick, IReadOnlyList<double> ticks)
    {
        double step = ticks.Count > 1 ? Math.Abs(ticks[1] - ticks[0]) : Math.Abs(tick);
        if (Math.Abs(tick) < step * 1e-6)
            return "0";
        if (Math.Abs(tick) >= 1e4)
            return Figures.Short(tick);
        if (step < 1e-5)
            return tick.ToString("0.#e+0", System.Globalization.CultureInfo.InvariantCulture);
        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(step) - 1e-9), 0, 6);
        return tick.ToString("F" + decimals, System.Globalization.CultureInfo.InvariantCulture);
    }
}
