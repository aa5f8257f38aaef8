using Candela.Data;
using Candela.Reports.Charts;
using Candela.Runs;

namespace Candela.Reports.Sections;

/// <summary>The data: class balance and a card per column.</summary>
internal static class DataSection
{
    private const int Cards = 48, Rows = 2_000;

    public static Markup? Render(RunRecord run)
    {
        DataProfile profile = run.Profile;
        if (profile.Columns.Count == 0)
            return null;
        var rank = run.Importance.Select((importance, i) => (importance.Column, i)).DistinctBy(p => p.Column).ToDictionary(p => p.Column, p => p.i);
        ColumnProfile[] columns = [.. profile.Columns.OrderBy(c => c.Role == "target" ? 0 : c.Role == "excluded" ? 2 : 1).ThenBy(c => rank.GetValueOrDefault(c.Name, int.MaxValue))];
        var cards = new Markup();
        foreach (ColumnProfile column in columns.Take(Cards))
            cards.Add(Card(column, profile.Rows));
        string duplicates = profile.DuplicateRows > 0 ? $", {Figures.Count(profile.DuplicateRows)} of them duplicates" : ", no duplicates";
        string order = rank.Count > 0 ? " The target comes first, then the inputs by importance." : "";
        return Markup.Of($"""<p class="note">{Figures.Count(profile.Rows)} rows{duplicates}; {Figures.Count(columns.Length)} columns, {Figures.Count(columns.Count(c => c.Role == "input"))} of them used as inputs.{order}</p><div class="columns">{cards}</div>{Rest(columns, profile.Rows)}""");
    }

    private static Markup Card(ColumnProfile column, long rows)
    {
        var facts = new Markup();
        Fact("missing", column.Missing == 0 ? "none" : $"{Figures.Count(column.Missing)} ({Figures.Percent(column.Missing / Math.Max(1.0, rows))})");
        if (column.Distinct > 0)
            Fact("distinct", Figures.Count(column.Distinct));
        if (column.Mean is { } mean)
            Fact("mean", column.Deviation is { } deviation ? $"{Figures.Number(mean)} ± {Figures.Number(deviation, 3)}" : Figures.Number(mean));
        if (column.Min is { } min && column.Max is { } max)
            Fact(column.Median is null ? "range" : "min, median, max", string.Join(", ", new[] { min, column.Median, max }.Where(v => v is not null).Select(v => Figures.Number(v!.Value))));
        Markup? picture = column.Top is { Count: > 0 } top ? Top(top, rows) : column.Histogram is { Count: > 0 } histogram
            ? Strip.Histogram(histogram, column.Min ?? 0, column.Max ?? histogram.Count, $"Distribution of {column.Name}")
            : null;
        // Beside a picture of its values an input needs no words about its kind.
        Markup? note = column.Note.Length > 0 && (picture is null || column.Role == "excluded") ? Markup.Of($"""<p class="why">{column.Note}</p>""") : null;
        return Markup.Of($"""<article class="column {column.Role}"><h3>{Section.Name(column.Name, 40)} <span class="badge plain">{column.Kind.ToString().ToLowerInvariant()}</span>{(column.Role == "input" ? null : Markup.Of($""" <span class="badge">{column.Role}</span>"""))}</h3>{picture}<dl>{facts}</dl>{note}</article>""");

        void Fact(string name, string value) => facts.Add($"<div><dt>{name}</dt><dd>{value}</dd></div>");
    }

    private static Markup Top(IReadOnlyList<NameCount> top, long rows)
    {
        const int Shown = 6;
        double largest = Math.Max(1, top.Max(t => t.Count));
        var bars = new Markup();
        foreach (NameCount t in top.Take(Shown))
            bars.Add($"""<li><span class="name" title="{t.Name}">{(t.Name.Length == 0 ? "(empty)" : Figures.Clip(t.Name, 24))}</span><span class="meter"><i style="width:{100 * t.Count / largest}%"></i></span><span class="num">{Figures.Percent(t.Count / Math.Max(1.0, rows))}</span></li>""");
        return Markup.Of($"""<ul class="top">{bars}</ul>""");
    }

    private static Markup? Rest(ColumnProfile[] columns, long rows)
    {
        if (columns.Length <= Cards)
            return null;
        var body = new Markup();
        foreach (ColumnProfile c in columns.Skip(Cards).Take(Rows))
            body.Add($"""<tr><th scope="row">{Section.Name(c.Name, 36)}</th><td class="text">{c.Kind.ToString().ToLowerInvariant()}</td><td class="text">{c.Role}</td><td class="num">{Figures.Percent(c.Missing / Math.Max(1.0, rows))}</td><td class="num">{Figures.Count(c.Distinct)}</td><td class="num">{(c.Mean is { } m ? Figures.Number(m) : "–")}</td></tr>""");
        string more = columns.Length > Cards + Rows ? $" (the first {Figures.Count(Rows)})" : "";
        return Markup.Of($"""<details><summary>{Figures.Count(columns.Length - Cards)} more columns{more}</summary>{Section.Table("Further columns", Markup.Of($"""<th scope="col">Column</th><th scope="col">Kind</th><th scope="col">Role</th><th scope="col" class="num">Missing</th><th scope="col" class="num">Distinct</th><th scope="col" class="num">Mean</th>"""), body)}</details>""");
    }
}
