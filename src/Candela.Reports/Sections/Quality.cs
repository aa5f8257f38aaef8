using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Metrics;
using Candela.Models;
using Candela.Reports.Charts;
using Candela.Runs;

namespace Candela.Reports.Sections;

/// <summary>How good the model is: warnings, metrics per split, candidates, training curves, cross-validation, importance.</summary>
internal static class Quality
{
    private static readonly string[] SplitOrder = ["train", "valid", "test"];

    public static Markup? Warnings(RunRecord run)
    {
        var items = new Markup();
        foreach (Warned warning in run.Warnings)
            items.Add(Item(warning.Code, warning.Message, "warning"));
        foreach (var finding in run.Profile.Findings.Where(f => !run.Warnings.Any(w => w.Code == f.Code && w.Message == f.Message)))
            items.Add(Item(finding.Code, finding.Message + (finding.Excluded ? " Left out of the inputs." : ""), finding.Excluded ? "warning" : "remark"));
        return items.IsEmpty ? null : Markup.Of($"""<ul class="findings">{items}</ul>""");

        static Markup Item(string code, string message, string kind) => Markup.Of($"""<li class="{kind}"><code>{code}</code> <span class="name">{Section.Prose(message)}</span></li>""");
    }

    public static Markup? Metrics(RunRecord run)
    {
        string[] splits = [.. SplitOrder.Where(run.Metrics.ContainsKey), .. run.Metrics.Keys.Except(SplitOrder)];
        if (splits.Length == 0)
            return null;
        bool text = run.Problem.Task == TaskKind.LanguageModel;
        string judged = run.JudgedSplit() ?? "test";
        var (head, body) = (Markup.Of($"""<th scope="col">Metric</th>"""), new Markup());
        foreach (string split in splits)
            head.Add($"""<th scope="col" class="num">{split}<small>{Figures.Count(run.Metrics[split].Rows)} {TaskTerms.Scored(run.Problem.Task)}</small></th>""");
        head.Add($"""<th scope="col" class="num">baseline<small>{judged}</small></th>""");
        foreach (string id in MetricNames.InOrder(run.Metrics.Values.SelectMany(m => m.Metrics.Keys)).OrderByDescending(id => id == TaskTerms.MainMetric(run.Problem)))
        {
            var cells = new Markup();
            foreach (string split in splits)
                cells.Add(run.Metrics[split].Metrics.TryGetValue(id, out MetricValue? metric)
                    ? Markup.Of($"""<td class="num{(split == judged ? " strong" : "")}" data-label="{split}">{Figures.Metric(id, metric.Value)}<small>{Figures.Interval(id, metric)}</small></td>""")
                    : Markup.Of($"""<td class="num" data-label="{split}">–</td>"""));
            string guess = run.Baseline.Metrics.TryGetValue(id, out MetricValue? baseline) ? Figures.Metric(id, baseline.Value) : "–";
            body.Add($"""<tr><th scope="row">{MetricNames.Name(id)}<small>{MetricNames.Meaning(id, run.Problem.Task)}; {(MetricNames.HigherIsBetter(id) ? "higher" : "lower")} is better</small></th>{cells}<td class="num" data-label="baseline">{guess}</td></tr>""");
        }

        string sampled = text ? $"Of the {SequenceVerdict.PartOf(judged)} text's {Figures.Count(run.Metrics[judged].SplitRows)} tokens {Figures.Count(run.Metrics[judged].Rows)} are predicted: its first token, and prompts where there are some, are only read."
            : string.Join(" ", splits.Where(s => run.Metrics[s].SplitRows > run.Metrics[s].Rows).Select(s => $"The {s} figures are of a uniform sample of {Figures.Count(run.Metrics[s].Rows)} of {Figures.Count(run.Metrics[s].SplitRows)} {TaskTerms.Scored(run.Problem.Task)}."));
        return Markup.Of($"""{Section.Table("Value, and below it the 95 % bootstrap interval", head, body, "metrics stack", splits.Length + 1)}<p class="note">{sampled} {Gap(run)}</p>""");
    }

    // Training against test score: the plainest sign of over-fitting.
    private static string Gap(RunRecord run)
    {
        string main = TaskTerms.MainMetric(run.Problem);
        if (run.Metrics.GetValueOrDefault("train")?.Metrics.GetValueOrDefault(main) is not { } train || run.Metrics.GetValueOrDefault("test")?.Metrics.GetValueOrDefault(main) is not { } test)
            return "";
        string gap = $"{MetricNames.Name(main)} is {Figures.Metric(main, train.Value)} on the rows it was trained on and {Figures.Metric(main, test.Value)} on the test rows";
        return train.Low > test.High ? gap + ": it has learnt some of its training rows by heart (over-fitting), and only the test figure counts." : gap + ": no sign of over-fitting beyond chance.";
    }

    public static Markup? Candidates(RunRecord run)
    {
        if (run.Candidates.Count == 0)
            return null;
        if (SequenceTasks.IdOf(run.Problem.Task) is not null)
            return OverSequences(run);
        string main = TaskTerms.MainMetric(run.Problem), second = TaskTerms.SecondMetric(run.Problem);
        var body = new Markup();
        foreach (CandidateRecord c in run.Candidates)
        {
            bool chosen = c.Model == run.Model, trained = c.Test is not null;
            body.Add($"""
                <tr{(chosen ? Markup.Of($" class=\"strong\"") : null)}><th scope="row">{ModelNames.Of(c.Model)}<small>{c.Model}</small></th>{Metric(c, main)}{Metric(c, second)}<td class="num" data-label="validation">{(c.ValidScore is { } v ? Figures.Metric(main, MetricNames.HigherIsBetter(main) ? v : -v) : "–")}</td><td class="num" data-label="parameters">{(trained ? Figures.Count(c.Parameters) : "–")}</td><td class="num" data-label="time">{(trained ? Figures.Duration(c.Seconds) : "–")}</td><td class="num" data-label="energy">{(trained ? Figures.Energy(c.Joules) : "–")}</td><td class="text">{c.Note}</td></tr>
                """);
        }

        Markup head = Markup.Of($"""<th scope="col">Model</th><th scope="col" class="num">{MetricNames.Name(main)}<small>test</small></th><th scope="col" class="num">{MetricNames.Name(second)}<small>test</small></th><th scope="col" class="num">{MetricNames.Name(main)}<small>validation</small></th><th scope="col" class="num">Parameters</th><th scope="col" class="num">Time</th><th scope="col" class="num">Energy</th><th scope="col">Note</th>""");
        return Section.Table("Every model considered; the choice is made on the validation score, never on the test rows", head, body, "candidates stack", 3);
    }

    // The net and what it is compared with, best first.
    private static Markup OverSequences(RunRecord run)
    {
        string split = SequenceVerdict.PartOf(run.JudgedSplit() ?? "test"), main = TaskTerms.MainMetric(run.Problem);
        string[] ids = run.Problem.Task == TaskKind.LanguageModel ? ["loss", "perplexity", "bitsPerByte"] : [main, TaskTerms.SecondMetric(run.Problem)];
        var (head, body) = (Markup.Of($"""<th scope="col">Model</th>"""), new Markup());
        foreach (string id in ids)
            head.Add($"""<th scope="col" class="num">{MetricNames.Name(id)}<small>{split}</small></th>""");
        head.Add($"""<th scope="col" class="num">Parameters</th><th scope="col" class="num">Time</th><th scope="col" class="num">Energy</th><th scope="col">Note</th>""");
        foreach (CandidateRecord c in run.Candidates.OrderBy(c => c.Test?.GetValueOrDefault(main)?.Value * (MetricNames.HigherIsBetter(main) ? -1 : 1) ?? double.PositiveInfinity))
        {
            var cells = new Markup();
            foreach (string id in ids)
                cells.Add(Metric(c, id));
            bool net = c.Model == run.Model;
            body.Add($"""
                <tr{(net ? Markup.Of($" class=\"strong\"") : null)}><th scope="row">{ModelNames.Of(c.Model)}{(ModelNames.Of(c.Model) == c.Model ? null : Markup.Of($"<small>{c.Model}</small>"))}</th>{cells}<td class="num" data-label="{(net ? "parameters" : "counts")}">{Figures.Count(c.Parameters)}</td><td class="num" data-label="time">{(c.Seconds > 0 ? Figures.Duration(c.Seconds) : "–")}</td><td class="num" data-label="energy">{(c.Joules > 0 ? Figures.Energy(c.Joules) : "–")}</td><td class="text">{c.Note}</td></tr>
                """);
        }

        return Section.Table($"The net, and what it must beat to be worth its cost, on the same {split} {TaskTerms.Examples(run.Problem.Task)}; {(MetricNames.HigherIsBetter(main) ? "more" : "less")} is better", head, body, "candidates stack", 3);
    }

    private static Markup Metric(CandidateRecord c, string id) => c.Test?.GetValueOrDefault(id) is { } metric
        ? Markup.Of($"""<td class="num" data-label="{MetricNames.Name(id)}">{Figures.Metric(id, metric.Value)}<small>{Figures.Interval(id, metric)}</small></td>""")
        : Markup.Of($"""<td class="num" data-label="{MetricNames.Name(id)}">–</td>""");

    public static Markup? Training(RunRecord run)
    {
        var history = run.History;
        if (history.Count < 2)
            return null;
        // Trees grow by rounds, of which only some are logged; nets by epochs; language models are looked at every so many steps.
        bool rounds = run.Model is "boosting" or "forest" or "tree", text = run.Problem.Task == TaskKind.LanguageModel, steps = run.Problem.Task is TaskKind.LanguageModel or TaskKind.MaskedLanguageModel or TaskKind.Preference;
        string unit = rounds ? "Round" : steps ? "Step" : "Epoch";
        double[] epochs = [.. history.Select(h => rounds || steps ? (double)h.Steps : h.Epoch + 1)];
        double[] train = [.. history.Select(h => h.TrainLoss)], valid = [.. history.Select(h => h.ValidLoss ?? double.NaN)], score = [.. history.Select(h => h.ValidScore ?? double.NaN)], rate = [.. history.Select(h => h.LearningRate)];
        var charts = new Markup();
        var losses = train.Concat(valid).Where(double.IsFinite).ToArray();
        if (losses.Length > 0)
        {
            bool log = losses.Min() > 0 && losses.Max() > 30 * losses.Min();
            var chart = new Chart("Loss", Described("training loss", train) + Described("validation loss", valid), new Axis(unit, epochs[0], epochs[^1]), Padded("Loss", losses) with { Log = log, Low = log ? losses.Min() * 0.9 : Padded("", losses).Low });
            chart.Line("training", epochs, train, 0, dots: true);
            if (valid.Any(double.IsFinite))
                chart.Line("validation", epochs, valid, 1, dots: true);
            charts.Add(chart.Render());
        }

        if (text && losses.Length > 0)
        {
            double[] perplexity = [.. train.Select(Math.Exp)], held = [.. valid.Select(Math.Exp)], all = [.. perplexity.Concat(held).Where(double.IsFinite)];
            bool log = all.Max() > 10 * all.Min();
            var chart = new Chart("Perplexity", Described("training", perplexity) + Described("validation", held), new Axis(unit, epochs[0], epochs[^1]), Padded("Perplexity", all) with { Log = log, Low = log ? all.Min() * 0.9 : Padded("", all).Low });
            chart.Line("training", epochs, perplexity, 0, dots: true);
            if (held.Any(double.IsFinite))
                chart.Line("validation", epochs, held, 1, dots: true);
            charts.Add(chart.Render());
        }

        double[] scores = [.. score.Where(double.IsFinite)];
        if (scores.Length > 1)
        {
            string name = MetricNames.Name(TaskTerms.MainMetric(run.Problem));
            int best = Array.IndexOf(score, scores.Max());
            charts.Add(new Chart($"{name} on the validation part", $"Best {Figures.Number(scores.Max())} in {unit.ToLowerInvariant()} {epochs[best]:0}.", new Axis(unit, epochs[0], epochs[^1]), Padded(name, scores))
                .Line(name, epochs, score, 2, $"best {Figures.Number(scores.Max())} in {unit.ToLowerInvariant()} {epochs[best]:0}", dots: true)
                .Reference(epochs[best], scores.Min(), epochs[best], scores.Max(), $"best {unit.ToLowerInvariant()}: {epochs[best]:0}").Render());
        }

        if (rate.Distinct().Count() > 1 && rate.All(double.IsFinite))
            charts.Add(new Chart("Learning rate", $"From {Figures.Number(rate[0])} to {Figures.Number(rate[^1])}.", new Axis(unit, epochs[0], epochs[^1]), Padded("Learning rate", rate)).Line("learning rate", epochs, rate, 3).Render());
        if (charts.IsEmpty)
            return null;
        return Markup.Of($"""<div class="charts">{charts}</div><p class="note">Training ended after {Figures.Count((long)epochs[^1])} {unit.ToLowerInvariant()}s: {Reason(run.StopReason)}.</p>""");

        static string Described(string name, double[] values)
        {
            double[] kept = [.. values.Where(double.IsFinite)];
            return kept.Length == 0 ? "" : $"{name} from {Figures.Number(kept[0])} to {Figures.Number(kept[^1])}. ";
        }
    }

    internal static Axis Padded(string label, double[] values)
    {
        double low = values.Min(), high = values.Max(), pad = 0.06 * (high - low);
        return new Axis(label, low >= 0 && low < 0.4 * high ? 0 : low - pad, high + pad);
    }

    internal static string Reason(StopReason reason) => reason switch
    {
        StopReason.Epochs => "the planned number of epochs was run",
        StopReason.Steps => "the planned number of steps was run",
        StopReason.Patience => "the validation score had stopped rising",
        StopReason.Loss => "the asked loss was reached",
        StopReason.GradientNorm => "the gradient was close to zero (converged)",
        StopReason.Time => "the time budget was used",
        StopReason.Energy => "the energy budget was used",
        StopReason.Exact => "the solution is exact, nothing is left to iterate",
        StopReason.Diverged => "the loss stopped being finite; the best weights before that were kept",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "There is no sentence for this reason."),
    };

    public static Markup? CrossValidation(RunRecord run)
    {
        if (run.CrossValidation is not { } folds)
            return null;
        var body = new Markup();
        foreach (string id in MetricNames.InOrder(folds.Metrics.Keys))
            body.Add($"""<tr><th scope="row">{MetricNames.Name(id)}</th><td class="num strong">{Figures.Metric(id, folds.Metrics[id].Value)}<small>{Figures.Interval(id, folds.Metrics[id])}</small></td><td class="text figures">{string.Join("  ", (folds.PerFold.GetValueOrDefault(id) ?? []).Select(v => Figures.Metric(id, v)))}</td></tr>""");
        return Section.Table($"{folds.Folds}-fold cross-validation of the whole procedure: mean over folds with its 95 % t-interval",
            Markup.Of($"""<th scope="col">Metric</th><th scope="col" class="num">Mean</th><th scope="col">Each fold</th>"""), body);
    }

    public static Markup? Importance(RunRecord run)
    {
        if (run.Importance.Count == 0)
            return null;
        const int Shown = 30;
        string main = MetricNames.Name(TaskTerms.MainMetric(run.Problem));
        var moved = run.Importance.Where(i => i.Drop != 0 || i.Low != i.High).ToList();
        string[] idle = [.. run.Importance.Except(moved).Select(i => i.Column)];
        string none = idle.Length == 0 ? "" : $" No difference at all: {string.Join(", ", idle.Take(Shown).Select(n => Figures.Clip(n, 36)))}{(idle.Length > Shown ? $" and {Figures.Count(idle.Length - Shown)} more" : "")}.";
        if (moved.Count == 0)
            return Markup.Of($"""<p class="note"><span class="name">Shuffling any one column changes no test figure: the model uses none of them alone.{none}</span></p>""");
        var shown = moved.Take(Shown).ToList();
        double low = Math.Min(0, shown.Min(i => i.Low)), high = Math.Max(1e-9, shown.Max(i => i.High));
        var body = new Markup();
        foreach (ColumnImportance i in shown)
            body.Add($"""<tr><th scope="row">{Section.Name(i.Column, 36)}</th><td class="wide">{Strip.Bar(i.Drop, i.Low, i.High, low, high, $"{i.Column}: {Figures.Number(i.Drop, 3)}")}</td><td class="num">{Figures.Fixed(i.Drop)}<small>{Figures.Fixed(i.Low)} to {Figures.Fixed(i.High)}</small></td></tr>""");
        string rest = moved.Count > Shown ? $" {Figures.Count(moved.Count - Shown)} columns with less are not shown." : "";
        return Markup.Of($"""{Section.Table($"How much {(main == "R²" ? main : main.ToLowerInvariant())} on test rows falls when a column's cells are shuffled", Markup.Of($"""<th scope="col">Column</th><th scope="col" class="wide" aria-label="Bar chart"></th><th scope="col" class="num">Fall</th>"""), body, "scoreboard")}<p class="note">The line across a bar is the 95 % interval over shuffles. Columns that say the same share their importance: each alone may look unimportant. Importance to the model is not cause and effect.{rest}<span class="name">{none}</span></p>""");
    }
}
