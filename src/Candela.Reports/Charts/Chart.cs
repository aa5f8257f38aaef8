namespace Candela.Reports.Charts;

/// <summary>What an axis shows.</summary>
internal sealed record Axis(string Label, double Low, double High)
{
    public bool Log { get; init; }
}

/// <summary>An x-y chart as inline SVG of 360 x 260 units: legible at phone width, two or three beside each other on a desk. Colours and fonts come from the page's
/// style sheet, so it follows light, dark and print. Series differ by dash too, for those who see no colours.</summary>
internal sealed class Chart
{
    private const double Width = 360, Height = 260, Right = 12, Top = 12, Bottom = 42;
    private readonly Markup _body = new();
    private readonly Markup _legend = new();
    private int _keys;
    private bool _notes;
    private readonly string _title;
    private readonly string _description;
    private readonly Axis _x, _y;
    private readonly Scale _xs, _ys;
    private readonly double _left;

    public Chart(string title, string description, Axis x, Axis y)
    {
        (_title, _description, _x, _y) = (title, description, x, y);
        _ys = new Scale(y.Low, y.High, Height - Bottom, Top, y.Log);
        IReadOnlyList<double> ticks = _ys.Ticks();
        _left = 27 + (6.6 * ticks.Select(t => Scale.Label(t, ticks).Length).DefaultIfEmpty(3).Max()); // the axis title and the longest tick label
        _xs = new Scale(x.Low, x.High, _left, Width - Right, x.Log);
    }

    /// <summary>A line through points; <paramref name="series"/> 0..7 picks colour and dash, -1 is a thin grey line without legend.</summary>
    public Chart Line(string name, IReadOnlyList<double> x, IReadOnlyList<double> y, int series, string note = "", bool dots = false)
    {
        var path = new Markup();
        bool pen = false;
        for (int i = 0; i < x.Count; i++)
        {
            if (!double.IsFinite(y[i]) || (_y.Log && y[i] <= 0))
            {
                pen = false;
                continue;
            }

            path.Add($"{(pen ? "L" : "M")}{_xs.At(x[i])} {_ys.At(y[i])}");
            pen = true;
        }

        _body.Add($"""<path class="line {(series < 0 ? "faint" : "s" + series)}" d="{path}"><title>{name}{(note.Length > 0 ? ": " + note : "")}</title></path>""");
        if (dots && x.Count <= 120)
            for (int i = 0; i < x.Count; i++)
                if (double.IsFinite(y[i]) && !(_y.Log && y[i] <= 0))
                    _body.Add($"""<circle class="dot s{series}" cx="{_xs.At(x[i])}" cy="{_ys.At(y[i])}" r="{(x.Count > 40 ? 1.6 : 2.4)}"><title>{name}, {_x.Label.ToLowerInvariant()} {Figures.Number(x[i], 6)}: {Figures.Number(y[i])}</title></circle>""");
        if (series >= 0)
            Legend(name, series, note);
        return this;
    }

    /// <summary>Unconnected points with a tooltip each.</summary>
    public Chart Points(IEnumerable<(double X, double Y)> points, double radius = 2)
    {
        foreach (var (x, y) in points)
            _body.Add($"""<circle class="mark" cx="{_xs.At(x)}" cy="{_ys.At(y)}" r="{radius}"><title>{_x.Label} {Figures.Number(x)}, {_y.Label.ToLowerInvariant()} {Figures.Number(y)}</title></circle>""");
        return this;
    }

    /// <summary>One dot of a series with its own size and tooltip.</summary>
    public Chart Dot(double x, double y, double radius, int series, string tooltip)
    {
        _body.Add($"""<circle class="dot s{series}" cx="{_xs.At(x)}" cy="{_ys.At(y)}" r="{radius}"><title>{tooltip}</title></circle>""");
        return this;
    }

    /// <summary>A bar standing on the axis from x0 to x1.</summary>
    public Chart Bar(double x0, double x1, double y, string tooltip)
    {
        double top = _ys.At(y);
        _body.Add($"""<rect class="bar" x="{_xs.At(x0) + 0.5}" y="{top}" width="{Math.Max(0.5, _xs.At(x1) - _xs.At(x0) - 1)}" height="{Math.Max(0, Height - Bottom - top)}"><title>{tooltip}</title></rect>""");
        return this;
    }

    /// <summary>A dashed straight reference line.</summary>
    public Chart Reference(double x0, double y0, double x1, double y1, string meaning)
    {
        _body.Add($"""<line class="reference" x1="{_xs.At(x0)}" y1="{_ys.At(y0)}" x2="{_xs.At(x1)}" y2="{_ys.At(y1)}"><title>{meaning}</title></line>""");
        return this;
    }

    /// <summary>The chart with its heading and legend.</summary>
    public Markup Render(Markup? below = null)
    {
        var axes = new Markup();
        IReadOnlyList<double> xt = _xs.Ticks(), yt = _ys.Ticks();
        foreach (double t in yt)
            axes.Add($"""<line class="grid" x1="{_left}" x2="{Width - Right}" y1="{_ys.At(t)}" y2="{_ys.At(t)}"/><text x="{_left - 6}" y="{_ys.At(t) + 3.8}" text-anchor="end">{Scale.Label(t, yt)}</text>""");
        foreach (double t in xt)
            axes.Add($"""<line class="tick" x1="{_xs.At(t)}" x2="{_xs.At(t)}" y1="{Height - Bottom}" y2="{Height - Bottom + 4}"/><text x="{_xs.At(t)}" y="{Height - Bottom + 16}" text-anchor="middle">{Scale.Label(t, xt)}</text>""");
        axes.Add($"""<line class="axis" x1="{_left}" x2="{Width - Right}" y1="{Height - Bottom}" y2="{Height - Bottom}"/><text class="label" x="{(_left + Width - Right) / 2}" y="{Height - 6}" text-anchor="middle">{_x.Label}</text><text class="label" x="12" y="{(Top + Height - Bottom) / 2}" text-anchor="middle" transform="rotate(-90 12 {(Top + Height - Bottom) / 2})">{_y.Label}</text>""");
        return Markup.Of($"""
            <figure class="chart"><figcaption>{_title}</figcaption>
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{_title}. {_description}">{axes}{_body}</svg>
            {(_keys == 0 || (_keys == 1 && !_notes) ? null : Markup.Of($"""<ul class="legend">{_legend}</ul>"""))}{below}</figure>

            """);
    }

    private void Legend(string name, int series, string note)
    {
        _keys++;
        _notes |= note.Length > 0;
        _legend.Add($"""<li><svg class="key" viewBox="0 0 22 8" aria-hidden="true"><line class="line s{series}" x1="1" x2="21" y1="4" y2="4"/></svg><span class="name" title="{name}">{Figures.Clip(name, 24)}</span>{(note.Length > 0 ? " " + note : "")}</li>""");
    }
}
