using System.CommandLine;
using System.Text.Json.Nodes;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Data;
using Candela.Experiments;
using Candela.Runs;

namespace Candela.Cli.Verbs;

/// <summary><c>candela predict RUN DATA</c>: streams rows to CSV or JSONL with probabilities.</summary>
internal static class PredictVerb
{
    public static Command Build(Func<ParseResult, CommandConsole> consoleOf)
    {
        var command = new Command("predict", "Score rows, images or texts with a run's model, as a stream.");
        var run = new Argument<string>("RUN") { Description = "A run folder." };
        var data = new Argument<string>("DATA") { Description = "Data with the run's input columns; the target is not needed." };
        var output = new Option<string?>("--out") { Description = "File to write; default: stdout.", HelpName = "FILE" };
        var format = new Option<string?>("--format") { Description = "csv, jsonl or json; default: by the file's name, else csv. Tags, translations and other texts also as text, their default.", HelpName = "csv|jsonl|json|text" };
        var keep = new Option<string[]>("--keep") { Description = "Columns of the data to carry into the output, an id for example (may be repeated); 'all' for all.", HelpName = "COL,...|all", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
        command.Arguments.Add(run);
        command.Arguments.Add(data);
        command.Options.Add(output);
        command.Options.Add(format);
        command.Options.Add(keep);
        command.SetAction(parsed =>
        {
            CommandConsole console = consoleOf(parsed);
            string file = parsed.GetRequiredValue(data), folder = RunArgument.Of("predict", parsed.GetRequiredValue(run), file);
            string? path = parsed.GetValue(output);
            using (ISequencePredictor? predictor = RunArgument.OpenSequences(folder))
            {
                if (predictor is not null)
                    return OfSequences(console, folder, predictor, file, path, parsed.GetValue(format), parsed.GetValue(keep) ?? []);
            }

            string kind = FlagText.OneOf("--format", parsed.GetValue(format) ?? ByName(path) ?? "csv", RowFormat.Kinds);
            using Run opened = Run.Open(folder, Families.All);
            KeptScan scan = Scan(opened, file, parsed.GetValue(keep) ?? []);
            if (path is null)
            {
                Write(console.Out, RowFormat.Of(console.Json ? "json" : kind, folder, opened.Predictor.Schema.Problem, scan.Names), opened, scan);
                return ExitCode.Done;
            }

            long rows = 0;
            AtomicFile.Write(path, stream =>
            {
                using var writer = new StreamWriter(stream, leaveOpen: true);
                rows = Write(writer, RowFormat.Of(kind, folder, opened.Predictor.Schema.Problem, scan.Names), opened, scan);
            });
            return Written(console, folder, path, rows);
        });
        return command;
    }

    private static int OfSequences(CommandConsole console, string folder, ISequencePredictor predictor, string file, string? path, string? format, string[] keep)
    {
        if (keep.Length > 0)
            throw new UsageException($"--keep is for the rows of a table; '{folder}' holds a {predictor.Name}. Leave it out.");
        string kind = FlagText.OneOf("--format", format ?? ByName(path) ?? "text", SequenceRows.Kinds);
        using var interrupt = new Interrupt();
        IEnumerable<SequencePrediction> predictions = predictor.Predict(file, new WarningLines(console.Error), interrupt.Token);
        if (path is null)
        {
            _ = SequenceRows.Write(console.Out, console.Json ? "json" : kind, folder, predictor.Fields, predictions);
            return ExitCode.Done;
        }

        long rows = 0;
        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true);
            rows = SequenceRows.Write(writer, kind, folder, predictor.Fields, predictions);
        });
        return Written(console, folder, path, rows);
    }

    private static int Written(CommandConsole console, string folder, string path, long rows)
    {
        if (console.Json)
            console.Out.WriteLine(RunJson.Text(new JsonObject { ["run"] = folder, ["out"] = path, ["rows"] = rows }));
        else if (!console.Quiet)
            console.Error.WriteLine($"{rows:N0} predictions: {path}");
        return ExitCode.Done;
    }

    private static string? ByName(string? path) => Path.GetExtension(path ?? "").ToLowerInvariant() switch
    {
        ".jsonl" or ".ndjson" => "jsonl",
        ".json" => "json",
        ".csv" => "csv",
        _ => null,
    };

    private static KeptScan Scan(Run run, string file, string[] keep)
    {
        string[] names = [.. keep.SelectMany(k => k.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
        return names.Length == 0 ? new KeptScan([], run.ReadInputs(file).Select(chunk => new KeptRows(chunk, [])))
            : run.ReadInputs(file, names.Contains("all") ? null : names);
    }

    private static long Write(TextWriter writer, RowFormat format, Run run, KeptScan scan)
    {
        int outputs = run.Predictor.Schema.Problem.Outputs;
        format.Begin(writer);
        long row = 0;
        foreach (KeptRows rows in scan.Rows)
        {
            float[] scores = run.Predictor.Score(rows.Inputs);
            for (int i = 0; i < rows.Inputs.Rows; i++, row++)
                format.Write(writer, row, scan.Names.Count > 0 ? rows.Kept[i] : [], scores.AsSpan(i * outputs, outputs));
        }

        format.End(writer);
        return row;
    }
}
