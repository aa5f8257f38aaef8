using System.CommandLine;
using System.Text.Json.Nodes;
using Candela.Cli.Output;
using Candela.Experiments;
using Candela.Metrics;
using Candela.Runs;

namespace Candela.Cli.Verbs;

/// <summary><c>candela runs [DIR|RUN ...]</c>: lists the runs of a folder, or compares the given ones.</summary>
internal static class RunsVerb
{
    public static Command Build(Func<ParseResult, CommandConsole> consoleOf)
    {
        var command = new Command("runs", "List the runs of a folder (default: runs), or compare the runs given.");
        var paths = new Argument<string[]>("RUN") { Description = "Run folders to compare, or one folder that holds runs.", Arity = ArgumentArity.ZeroOrMore };
        command.Arguments.Add(paths);
        command.SetAction(parsed =>
        {
            CommandConsole console = consoleOf(parsed);
            string[] given = parsed.GetValue(paths) is { Length: > 0 } some ? some : ["runs"];
            var runs = new List<(string Folder, RunRecord Record)>();
            foreach (string folder in given.Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories).Order(StringComparer.Ordinal))
            {
                var unfinished = new RunFolder(folder);
                if (unfinished.IsBeingWritten)
                    console.Error.WriteLine($"running: {folder}");
                else if (unfinished.IsInterrupted)
                    console.Error.WriteLine($"interrupted: {folder} (go on with: candela train --resume {folder})");
            }

            foreach (string path in given.SelectMany(Expand))
            {
                try
                {
                    runs.Add((path, new RunFolder(path).ReadRecord()));
                }
                catch (FileFormatException broken) when (given.Length == 1)
                {
                    console.Error.WriteLine($"warning: left out: {broken.Message}");
                }
            }

            if (console.Json)
                console.Out.WriteLine(RunJson.Text(new JsonArray([.. runs.Select(r => RunJson.Of(r.Record, r.Folder))])));
            else if (runs.Count == 0)
                console.Error.WriteLine($"No finished runs in '{given[0]}'. Make one with: candela train DATA --target COL");
            else if (given.Length > 1)
                Compare(console.Out, runs);
            else
                List(console.Out, runs);
            return ExitCode.Done;
        });
        return command;
    }

    private static IEnumerable<string> Expand(string path)
    {
        if (File.Exists(new RunFolder(path).Record))
            return [path];
        if (!Directory.Exists(path))
            return path == "runs" ? [] : throw new UsageException($"runs got '{path}': no such folder.");
        return Directory.EnumerateDirectories(path).Where(d => File.Exists(new RunFolder(d).Record)).Order(StringComparer.Ordinal);
    }

    private static void List(TextWriter output, List<(string Folder, RunRecord Record)> runs) =>
        TextTable.Write(output, ["run", "target", "model", "metric", "value", "parameters", "seconds", "joules", "started"],
            [.. runs.Select(r => (string[])
            [
                r.Folder, r.Record.Problem.Target, r.Record.Model, $"{Split(r.Record)} {TaskTerms.MainMetric(r.Record.Problem)}", Value(r.Record, TaskTerms.MainMetric(r.Record.Problem)),
                $"{r.Record.Parameters:N0}", $"{r.Record.Seconds:F1}", $"{r.Record.Energy.Joules:N0}", r.Record.Started.ToString("yyyy-MM-dd HH:mm"),
            ])]);

    private static void Compare(TextWriter output, List<(string Folder, RunRecord Record)> runs)
    {
        var rows = new List<IReadOnlyList<string>>
        {
            Row("model", r => r.Model),
            Row("target", r => r.Problem.Target),
            Row("data", r => r.Data),
            Row("seed", r => $"{r.Seed}"),
            Row("parameters", r => $"{r.Parameters:N0}"),
        };
        foreach ((string split, string name) in runs.SelectMany(r => Judged(r.Record).Keys.Select(name => (Split(r.Record), name))).Distinct())
            rows.Add(Row($"{split} {name}", r => Split(r) == split && Judged(r).TryGetValue(name, out MetricValue? metric) ? MetricText.Interval(metric) : "-"));
        rows.Add(Row("seconds", r => $"{r.Seconds:F1}"));
        rows.Add(Row("joules", r => $"{r.Energy.Joules:N0}"));
        TextTable.Write(output, ["", .. runs.Select(r => r.Folder)], rows);

        string[] Row(string name, Func<RunRecord, string> value) => [name, .. runs.Select(r => value(r.Record))];
    }

    private static string Split(RunRecord record) => record.JudgedSplit() ?? "test";

    private static IReadOnlyDictionary<string, MetricValue> Judged(RunRecord record) =>
        record.JudgedSplit() is { } split ? record.Metrics[split].Metrics : new Dictionary<string, MetricValue>();

    private static string Value(RunRecord record, string name) => Judged(record).TryGetValue(name, out MetricValue? metric) ? MetricText.Number(metric.Value) : "-";
}
