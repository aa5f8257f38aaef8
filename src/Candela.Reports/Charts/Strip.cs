namespace Candela.Reports.Charts;

/// <summary>Small charts that sit in a table cell and stretch with it: intervals on a shared axis, and sparklines.</summary>
internal static class Strip
{
    /// <summary>A dot with its interval on an axis from <paramref name="low"/> to <paramref name="high"/>, with a rule at <paramref name="rule"/> if given.</summary>
    public static Markup Interval(double value, double from, double to, double low, double high, double? rule, bool strong, string label)
    {
        double X(double v) => high > low ? Math.Clamp((v - low) / (high - low), 0, 1) * 100 : 50;
        var mark = new Markup();
        if (rule is { } r)
            mark.Add($"""<line class="reference" x1="{X(r)}%" x2="{X(r)}%" y1="0" y2="18"/>""");
        mark.Add($"""<line class="whisker{(strong ? " strong" : "")}" x1="{X(from)}%" x2="{X(to)}%" y1="9" y2="9"/><circle class="point{(strong ? " strong" : "")}" cx="{X(value)}%" cy="9" r="{(strong ? 5 : 4)}"/>""");
        return Markup.Of($"""<svg class="strip" width="100%" height="18" role="img" aria-label="{label}"><title>{label}</title>{mark}</svg>""");
    }

    /// <summary>A bar from zero with its interval.</summary>
    public static Markup Bar(double value, double from, double to, double low, double high, string label)
    {
        double X(double v) => high > low ? Math.Clamp((v - low) / (high - low), 0, 1) * 100 : 0;
        double zero = X(0), end = X(value);
        return Markup.Of($"""
            <svg class="strip" width="100%" height="18" role="img" aria-label="{label}"><title>{label}</title><rect class="bar" x="{Math.Min(zero, end)}%" width="{Math.Max(0.3, Math.Abs(end - zero))}%" y="3" height="12"/><line class="whisker dark" x1="{X(from)}%" x2="{X(to)}%" y1="9" y2="9"/><line class="reference" x1="{zero}%" x2="{zero}%" y1="0" y2="18"/></svg>
            """);
    }

    /// <summary>A histogram without axes.</summary>
    public static Markup Histogram(IReadOnlyList<long> counts, double low, double high, string label)
    {
        double largest = Math.Max(1, counts.Max());
        var bars = new Markup();
        double width = 200.0 / counts.Count, step = (high - low) / counts.Count;
        for (int i = 0; i < counts.Count; i++)
        {
            double height = counts[i] == 0 ? 0 : Math.Max(1.2, 44 * counts[i] / largest);
            bars.Add($"""<rect class="bar" x="{(i * width) + 0.5}" y="{46 - height}" width="{width - 1}" height="{height}"><title>{Figures.Number(low + (i * step))} to {Figures.Number(low + ((i + 1) * step))}: {Figures.Count(counts[i])}</title></rect>""");
        }

        return Markup.Of($"""<svg class="spark" viewBox="0 0 200 48" preserveAspectRatio="none" role="img" aria-label="{label}">{bars}<line class="axis" x1="0" x2="200" y1="46.5" y2="46.5"/></svg>""");
    }
}
