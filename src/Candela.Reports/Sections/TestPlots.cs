using Candela.Evaluation;
using Candela.Metrics;
using Candela.Reports.Charts;
using Candela.Runs;

namespace Candela.Reports.Sections;

/// <summary>What the model does on the test rows: confusion, ROC and precision-recall curves, calibration, residuals.</summary>
internal static class TestPlots
{
    private const int TableClasses = 12, HeatClasses = 60;

    public static Markup? Confusion(RunRecord run)
    {
        if (Test(run) is not { Confusion: { Count: > 0 } counts } test)
            return null;
        var names = run.Problem.Classes;
        var content = new Markup();
        if (counts.Count <= TableClasses)
            content.Add(ConfusionTable(counts, names));
        else if (counts.Count <= HeatClasses)
            content.Add(ConfusionHeat(counts, names));
        if (Mistakes(counts, names) is { } mistakes)
            content.Add(mistakes);
        if (test.Classes is { } classes)
            content.Add(PerClass(classes));
        return Markup.Of($"""<div class="two">{content}</div>""");
    }

    private static Markup ConfusionTable(IReadOnlyList<IReadOnlyList<long>> counts, IReadOnlyList<string> names)
    {
        var (head, body) = (Markup.Of($"""<th scope="col" class="corner">actual ↓ predicted →</th>"""), new Markup());
        for (int j = 0; j < counts.Count; j++)
            head.Add($"""<th scope="col" class="num">{Section.Name(names[j], 14)}</th>""");
        for (int i = 0; i < counts.Count; i++)
        {
            double total = Math.Max(1, counts[i].Sum());
            var cells = new Markup();
            for (int j = 0; j < counts.Count; j++)
            {
                double share = counts[i][j] / total;
                cells.Add($"""<td class="num heat {(i == j ? "right" : "wrong")}" style="--share:{(counts[i][j] == 0 ? 0 : 8 + (62 * share))}%">{Figures.Count(counts[i][j])}<small>{Figures.Percent(share, 0)}</small></td>""");
            }

            body.Add($"""<tr><th scope="row">{Section.Name(names[i], 18)}</th>{cells}</tr>""");
        }

        return Section.Table("Test rows by actual and predicted class; the share is of the actual class", head, body, "confusion");
    }

    private static Markup ConfusionHeat(IReadOnlyList<IReadOnlyList<long>> counts, IReadOnlyList<string> names)
    {
        int n = counts.Count;
        var cells = new Markup();
        for (int i = 0; i < n; i++)
        {
            double total = Math.Max(1, counts[i].Sum());
            for (int j = 0; j < n; j++)
                if (counts[i][j] > 0)
                    cells.Add($"""<rect class="cell {(i == j ? "right" : "wrong")}" x="{j}" y="{i}" width="1" height="1" fill-opacity="{0.35 + (0.65 * counts[i][j] / total)}"><title>{names[i]} predicted as {names[j]}: {Figures.Count(counts[i][j])}</title></rect>""");
        }

        return Markup.Of($"""<figure class="chart"><figcaption>Rows: actual class, columns: predicted; a stronger colour is a larger share of the row</figcaption><svg class="matrix" viewBox="0 0 {n} {n}" role="img" aria-label="Confusion matrix of {n} classes; the table beside it lists the commonest mistakes"><rect class="frame" width="{n}" height="{n}"/>{cells}</svg></figure>""");
    }

    private static Markup? Mistakes(IReadOnlyList<IReadOnlyList<long>> counts, IReadOnlyList<string> names)
    {
        if (counts.Count <= 3)
            return null;
        var body = new Markup();
        foreach (var (i, j) in Enumerable.Range(0, counts.Count).SelectMany(i => Enumerable.Range(0, counts.Count).Select(j => (i, j))).Where(p => p.i != p.j && counts[p.i][p.j] > 0).OrderByDescending(p => counts[p.i][p.j]).Take(10))
            body.Add($"""<tr><td class="text">{Section.Name(names[i], 30)}</td><td class="text">{Section.Name(names[j], 30)}</td><td class="num">{Figures.Count(counts[i][j])}</td><td class="num">{Figures.Percent(counts[i][j] / (double)counts[i].Sum())}</td></tr>""");
        return body.IsEmpty ? Markup.Of($"""<p class="note">No test row was given a wrong class.</p>""") : Section.Table("The commonest mistakes",
            Markup.Of($"""<th scope="col">Actual</th><th scope="col">Predicted as</th><th scope="col" class="num">Rows</th><th scope="col" class="num">Of the class</th>"""), body);
    }

    private static Markup PerClass(IReadOnlyList<ClassMetrics> classes)
    {
        const int Shown = 40;
        var body = new Markup();
        foreach (ClassMetrics c in classes.Count > Shown ? classes.OrderBy(c => c.F1).Take(Shown) : classes)
            body.Add($"""<tr><th scope="row">{Section.Name(c.Name, 24)}</th><td class="num">{Figures.Metric("", c.Precision)}</td><td class="num">{Figures.Metric("", c.Recall)}</td><td class="num">{Figures.Metric("", c.F1)}</td><td class="num">{Figures.Count(c.Support)}</td></tr>""");
        return Section.Table(classes.Count > Shown ? $"The {Shown} classes with the lowest F1" : "Each class against the rest",
            Markup.Of($"""<th scope="col">Class</th><th scope="col" class="num">Precision</th><th scope="col" class="num">Recall</th><th scope="col" class="num">F1</th><th scope="col" class="num">Rows</th>"""), body);
    }

    public static Markup? Curves(RunRecord run)
    {
        if (Test(run) is not { } test)
            return null;
        var charts = new Markup();
        if (test.Roc is { Count: > 0 } roc)
            charts.Add(Drawn(new Chart("ROC curve", $"Area {Areas(roc)}.", new Axis("False positive rate", 0, 1), new Axis("True positive rate", 0, 1)).Reference(0, 0, 1, 1, "guessing"), roc, "area"));
        if (test.PrecisionRecall is { Count: > 0 } pr)
            charts.Add(Drawn(new Chart("Precision-recall curve", $"Average precision {Areas(pr)}.", new Axis("Recall", 0, 1), new Axis("Precision", 0, 1)), pr, "AP"));
        if (test.Calibration is { Count: > 0 } bins)
            charts.Add(Calibration(bins, test.Metrics.GetValueOrDefault("ece")));
        return charts.IsEmpty ? null : Markup.Of($"""<div class="charts">{charts}</div>""");

        static string Areas(IReadOnlyList<Curve> curves) => curves.Count == 1 ? Figures.Number(curves[0].Area) : $"from {Figures.Number(curves.Min(c => c.Area))} to {Figures.Number(curves.Max(c => c.Area))} over {curves.Count} classes";

        // Up to six classes in colour; of more, the five with the smallest area, the rest thin and grey.
        static Markup Drawn(Chart chart, IReadOnlyList<Curve> curves, string area)
        {
            var coloured = (curves.Count <= 6 ? curves : curves.OrderBy(c => c.Area).Take(5)).ToList();
            foreach (Curve grey in curves.Except(coloured))
                chart.Line(grey.Name, grey.X, grey.Y, -1, $"{area} {Figures.Number(grey.Area)}");
            for (int i = 0; i < coloured.Count; i++)
                chart.Line(coloured[i].Name, coloured[i].X, coloured[i].Y, i, $"{area} {Figures.Number(coloured[i].Area)}");
            return chart.Render(curves.Count > coloured.Count ? Markup.Of($"""<p class="note">In colour: the five classes with the smallest area; grey: the other {curves.Count - coloured.Count}.</p>""") : null);
        }
    }

    private static Markup Calibration(IReadOnlyList<CalibrationBin> bins, MetricValue? error)
    {
        double low = Math.Floor(10 * Math.Min(bins.Min(b => b.MeanConfidence), bins.Min(b => b.Accuracy))) / 10;
        var chart = new Chart("Calibration", $"Accuracy against confidence in {bins.Count} bins.", new Axis("Confidence", low, 1), new Axis("Share right", low, 1)).Reference(low, low, 1, 1, "perfectly calibrated");
        chart.Line("model", [.. bins.Select(b => b.MeanConfidence)], [.. bins.Select(b => b.Accuracy)], 0, error is null ? "" : $"ECE {Figures.Number(error.Value)}");
        double rows = bins.Sum(b => b.Count);
        CalibrationBin largest = bins.MaxBy(b => b.Count)!;
        foreach (CalibrationBin b in bins)
            chart.Dot(b.MeanConfidence, b.Accuracy, 2 + (5 * Math.Sqrt((double)b.Count / largest.Count)), 0, $"{Figures.Percent(b.MeanConfidence)} sure, {Figures.Percent(b.Accuracy)} right, {Figures.Count(b.Count)} rows");
        return chart.Render(Markup.Of($"""<p class="note">When the model says it is {Figures.Percent(largest.MeanConfidence, 0)} sure, as for {Figures.Percent(largest.Count / rows, 0)} of the rows, it is right {Figures.Percent(largest.Accuracy, 0)} of the time. Larger dots stand for more rows; below the dashed line the model is too sure of itself.</p>"""));
    }

    public static Markup? Residuals(RunRecord run)
    {
        if (Test(run)?.Residuals is not { Count: > 1 } points)
            return null;
        double[] actual = [.. points.Select(p => p.Actual)], predicted = [.. points.Select(p => p.Predicted)], error = [.. points.Select(p => p.Predicted - p.Actual)];
        double low = Math.Min(actual.Min(), predicted.Min()), high = Math.Max(actual.Max(), predicted.Max()), reach = Math.Max(1e-12, error.Max(Math.Abs));
        double radius = points.Count > 300 ? 1.5 : 2.2;
        var charts = new Markup();
        charts.Add(new Chart("Predicted against actual", $"{points.Count} test rows; on the dashed line the prediction is exact.", new Axis("Actual", low, high), new Axis("Predicted", low, high)).Reference(low, low, high, high, "exact").Points(actual.Zip(predicted), radius).Render());
        charts.Add(new Chart("Residuals", $"Prediction minus actual value of {points.Count} test rows, from {Figures.Number(error.Min())} to {Figures.Number(error.Max())}.", new Axis("Predicted", predicted.Min(), predicted.Max()), new Axis("Predicted - actual", -reach, reach)).Reference(predicted.Min(), 0, predicted.Max(), 0, "no error").Points(predicted.Zip(error), radius).Render());
        charts.Add(Errors(error));
        return Markup.Of($"""<div class="charts">{charts}</div>""");
    }

    // The middle 98 % of the errors in 24 bins, the tails in the outermost.
    private static Markup Errors(double[] error)
    {
        double[] sorted = [.. error.Order()];
        double low = sorted[(int)(0.01 * (sorted.Length - 1))], high = sorted[(int)(0.99 * (sorted.Length - 1))];
        if (high <= low)
            (low, high) = (sorted[0] - 1, sorted[^1] + 1);
        const int Bins = 24;
        var counts = new int[Bins];
        foreach (double e in error)
            counts[Math.Clamp((int)((e - low) / (high - low) * Bins), 0, Bins - 1)]++;
        double median = sorted[sorted.Length / 2], step = (high - low) / Bins;
        var chart = new Chart("How large the errors are", $"Half of the errors are below {Figures.Number(median)}.", new Axis("Predicted - actual", low, high), new Axis("Rows", 0, counts.Max() * 1.05));
        for (int i = 0; i < Bins; i++)
            if (counts[i] > 0)
                chart.Bar(low + (i * step), low + ((i + 1) * step), counts[i], $"{Figures.Number(low + (i * step))} to {Figures.Number(low + ((i + 1) * step))}: {counts[i]} rows");
        return chart.Reference(0, 0, 0, counts.Max() * 1.05, "no error").Render();
    }

    private static SplitEvaluation? Test(RunRecord run) => run.Metrics.GetValueOrDefault("test");
}
