using Candela.Data;
using Candela.Experiments;
using Candela.Metrics;
using Candela.Runs;

namespace Candela.Cli.Output;

/// <summary>A finished run on a screen: what was learned, how good it is beside the alternatives, what it cost, where it lies.</summary>
internal static class RunText
{
    public static void Write(TextWriter output, RunRecord record, string folder)
    {
        output.WriteLine($"{record.Model} for '{record.Problem.Target}' ({MetricText.Task(record.Problem)}), {record.Parameters:N0} parameters");
        output.WriteLine(record.ModelReason);
        bool sequences = record.Problem.Task == TaskKind.LanguageModel;
        string examples = TaskTerms.Examples(record.Problem.Task);
        output.WriteLine($"{char.ToUpperInvariant(examples[0])}{examples[1..]}: {string.Join(", ", record.Rows.Select(r => $"{r.Value:N0} {r.Key}"))}{Balance(record)}");
        output.WriteLine();

        (string split, IReadOnlyDictionary<string, MetricValue> test) = MetricText.Judged(record);
        string[] names = [.. MetricText.Shown(test)];
        TextTable.Write(output, [$"{split} metric", "value", "95 % interval", $"baseline ({record.Baseline.Name})"],
            [.. names.Select(name => (string[])
            [
                name, MetricText.Number(test[name].Value), $"{MetricText.Number(test[name].Low)} to {MetricText.Number(test[name].High)}",
                record.Baseline.Metrics.TryGetValue(name, out MetricValue? baseline) ? MetricText.Number(baseline.Value) : "-",
            ])]);

        CandidateRecord[] tried = [.. record.Candidates.Where(c => c.Test is not null || c.Parameters > 0)];
        if (tried.Length > 1)
        {
            string main = TaskTerms.MainMetric(record.Problem);
            output.WriteLine();
            string[] score = sequences ? [] : ["valid score"];
            TextTable.Write(output, ["model", $"{split} {main}", .. score, "parameters", "seconds", "note"],
                [.. tried.Select(c => (string[])
                [
                    c.Model, c.Test is not null && c.Test.TryGetValue(main, out MetricValue? value) ? MetricText.Number(value.Value) : "-",
                    .. score.Select(_ => c.ValidScore is { } valid ? MetricText.Number(valid) : "-"), c.Parameters == 0 ? "-" : $"{c.Parameters:N0}",
                    c.Seconds == 0 ? "-" : $"{c.Seconds:F1}", c.Note,
                ])]);
        }

        if (record.CrossValidation is { } folds)
        {
            output.WriteLine();
            output.WriteLine($"{folds.Folds}-fold cross-validation: {string.Join(", ", MetricText.Shown(folds.Metrics).Select(n => $"{n} {MetricText.Interval(folds.Metrics[n])}"))}");
        }

        foreach (SampleRecord sample in record.Samples)
        {
            output.WriteLine();
            output.WriteLine(sample.Input.Length > 0 ? $"It makes of '{ProgressText.Lines(sample.Input, 1)[0]}':" : "It writes:");
            foreach (string line in ProgressText.Lines(sample.Output, 6))
                output.WriteLine($"  {line}");
        }

        output.WriteLine();
        output.WriteLine($"Cost: {ProgressText.Seconds(record.Seconds)}, {record.Energy.Joules:N0} J ({record.Energy.Low:N0} to {record.Energy.High:N0}, {record.Energy.Method}), {record.Carbon.Grams:G3} g CO2e ({record.Carbon.Region})");
        output.WriteLine($"Run folder: {folder}");
        output.WriteLine($"Report: {Path.Combine(folder, "report.html")}");
    }

    /// <summary>Rows per class, for classification.</summary>
    private static string Balance(RunRecord record)
    {
        IReadOnlyList<NameCount>? counts = record.Problem.IsClassification ? record.Profile.Columns.FirstOrDefault(c => c.Name == record.Problem.Target)?.Top : null;
        return counts is null ? "" : $"; classes: {string.Join(", ", counts.Select(c => $"{c.Name} {c.Count:N0}"))}";
    }
}
