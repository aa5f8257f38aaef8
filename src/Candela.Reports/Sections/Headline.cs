using Candela.Evaluation;
using Candela.Experiments;
using Candela.Metrics;
using Candela.Reports.Charts;
using Candela.Runs;

namespace Candela.Reports.Sections;

/// <summary>The top of the page: what was trained, how good it is, against what, at what cost.</summary>
internal static class Headline
{
    public static Markup Render(RunRecord run)
    {
        string main = TaskTerms.MainMetric(run.Problem);
        bool text = run.Problem.Task == Data.TaskKind.LanguageModel;
        string split = run.JudgedSplit() ?? "test", units = $"{SequenceVerdict.PartOf(split)} {TaskTerms.Scored(run.Problem.Task)}";
        SplitEvaluation? test = run.Metrics.GetValueOrDefault(split);
        MetricValue? value = test?.Metrics.GetValueOrDefault(main);
        var verdict = Verdict.Of(run);
        var reasons = new Markup();
        foreach (string reason in verdict.Reasons)
            reasons.Add($"<p>{Section.Prose(reason)}</p>");
        var big = value is null
            ? Markup.Of($"""<p class="big">not scored</p>""")
            : Markup.Of($"""<p class="big">{(main == "accuracy" ? Figures.Percent(value.Value) : Figures.Metric(main, value.Value))}</p><p class="under">{MetricNames.Name(main)} on {Figures.Count(test!.Rows)} {units}<br/>95 % interval {(main == "accuracy" ? $"{Figures.Percent(value.Low)} to {Figures.Percent(value.High)}" : Figures.Interval(main, value))}{Second(run, test)}</p>""");
        string task = run.Problem.Task switch
        {
            Data.TaskKind.Regression => "A number",
            Data.TaskKind.LanguageModel => "Each token after those before it",
            Data.TaskKind.MaskedLanguageModel => "Hidden tokens, from those around them",
            Data.TaskKind.Preference => "The better of two answers",
            Data.TaskKind.TokenClassification => $"One of {run.Problem.Classes.Count} tags for each token",
            Data.TaskKind.Translation => "A text in another language for each text",
            Data.TaskKind.Summarization => "A shorter text for each text",
            Data.TaskKind.Forecast => "The next values of a series",
            Data.TaskKind.Binary => "One of two classes",
            _ => $"One of {run.Problem.Classes.Count} classes",
        };
        return Markup.Of($"""
            <header class="masthead">
            <p class="brand"><svg viewBox="0 0 16 24" aria-hidden="true"><path class="flame" d="M8 0C9 4 13 6 13 11a5 5 0 0 1-10 0C3 8 6 6 8 0Z"/><rect class="wax" x="5" y="17" width="6" height="7" rx="1"/></svg>Candela run report</p>
            <h1>Predicting {(text ? "the " : "")}{Section.Name(run.Problem.Target, 60)}</h1>
            <p class="lead">{task}, predicted by {ModelNames.InSentence(run.Model)} from {Section.Name(run.Data, 70)}. Run {Section.Name(run.Name, 60)}, {run.Started.ToUniversalTime().ToString("d MMMM yyyy, HH:mm", System.Globalization.CultureInfo.InvariantCulture)} UTC.</p>
            </header>
            <section class="hero" aria-labelledby="verdict"><div class="score card">{big}</div>
            <div class="verdict card"><h2 id="verdict">{verdict.Answer}</h2>{reasons}<p class="why">Why this model: {Section.Prose(run.ModelReason)}</p></div></section>
            {Scoreboard(run, main, units)}
            {Tiles(run)}

            """);
    }

    private static Markup Second(RunRecord run, SplitEvaluation test)
    {
        string second = TaskTerms.SecondMetric(run.Problem);
        var content = new Markup();
        foreach (string id in run.Problem.Task == Data.TaskKind.LanguageModel ? [second, "bitsPerByte"] : (string[])[second])
            if (test.Metrics.GetValueOrDefault(id) is { } metric)
                content.Add($"""<br/>{MetricNames.Name(id)} {Figures.Metric(id, metric.Value)} ({Figures.Interval(id, metric)})""");
        return content;
    }

    // Every candidate and the baseline on one axis, best first.
    private static Markup? Scoreboard(RunRecord run, string main, string units)
    {
        var rows = run.Candidates.Where(c => c.Test?.ContainsKey(main) == true).Select(c => (c.Model, Value: c.Test![main], Chosen: c.Model == run.Model)).ToList();
        MetricValue? baseline = run.Baseline.Metrics.GetValueOrDefault(main);
        if (rows.Count == 0 && baseline is null)
            return null;
        bool less = !MetricNames.HigherIsBetter(main);
        double high = rows.Select(r => r.Value.High).Append(baseline?.High ?? double.MinValue).Max(), low = rows.Select(r => r.Value.Low).Append(baseline?.Low ?? double.MaxValue).Min();
        if (main == "r2")
            low = Math.Max(low, -0.25); // one hopeless candidate would otherwise squash the rest
        double pad = 0.03 * Math.Max(high - low, 1e-9);
        var body = new Markup();
        foreach (var row in MetricNames.HigherIsBetter(main) ? rows.OrderByDescending(r => r.Value.Value) : rows.OrderBy(r => r.Value.Value))
            body.Add(Row(Markup.Of($"{ModelNames.Of(row.Model)}{(row.Chosen ? Markup.Of($""" <span class="badge">chosen</span>""") : null)}"), row.Value, row.Chosen));
        if (baseline is not null)
            body.Add(Row(Markup.Of($"""{(run.Baseline.Name switch { "majority" => "guess the majority", "mean" => "guess the mean", "unigram" => "count single tokens", var other => other })} <span class="badge plain">baseline</span>"""), baseline, false));
        return Markup.Of($"""<div class="card board">{Section.Table($"{MetricNames.Name(main)} on the {units} with 95 % intervals{(less ? ", less is better" : "")}; the dashed rule is the baseline", Markup.Of($"""<th scope="col">Model</th><th scope="col" class="wide" aria-label="Interval chart"></th><th scope="col" class="num">{MetricNames.Name(main)}</th>"""), body, "scoreboard")}</div>""");

        Markup Row(Markup name, MetricValue metric, bool strong) => Markup.Of($"""<tr{(strong ? Markup.Of($" class=\"strong\"") : null)}><th scope="row">{name}</th><td class="wide">{Strip.Interval(metric.Value, metric.Low, metric.High, low - pad, high + pad, baseline?.Value, strong, $"{Figures.Metric(main, metric.Value)}, interval {Figures.Interval(main, metric)}")}</td><td class="num">{Figures.Metric(main, metric.Value)}</td></tr>""");
    }

    private static Markup Tiles(RunRecord run)
    {
        var tiles = new Markup();
        foreach (var (label, value, note) in new (string, string, string)[]
        {
            (Sentence.Upper(TaskTerms.Examples(run.Problem.Task)), Figures.Short(run.Rows.Values.Sum()), string.Join(", ", run.Rows.Where(r => r.Value > 0).Select(r => $"{r.Key} {Figures.Count(r.Value)}"))),
            ("Parameters", Figures.Short(run.Parameters), $"{ModelNames.Of(run.Model)}, {Figures.Count(run.Parameters)}"),
            ("Time", Figures.Duration(run.Seconds), "the whole run"),
            ("Energy", Figures.Energy(run.Energy.Joules), run.Energy.Method == "rapl" ? "measured" : $"estimate, {Figures.Energy(run.Energy.Low)} to {Figures.Energy(run.Energy.High)}"),
            ("CO₂e", Figures.Mass(run.Carbon.Grams), $"at {Figures.Number(run.Carbon.GramsPerKilowattHour)} g/kWh, {run.Carbon.Region}"),
        })
            tiles.Add($"""<div class="tile"><dt>{label}</dt><dd><b>{value}</b><span>{note}</span></dd></div>""");
        return Markup.Of($"""<dl class="tiles">{tiles}</dl>""");
    }
}
