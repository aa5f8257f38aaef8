using System.CommandLine;
using System.Text.Json.Nodes;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Data;
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
        var format = new Option<string?>("--format") { Description = "csv, jsonl or json; default: by the file's name, else csv.", HelpName = "csv|jsonl|json" };
        command.Arguments.Add(run);
        command.Arguments.Add(data);
        command.Options.Add(output);
        command.Options.Add(format);
        command.SetAction(parsed =>
        {
            CommandConsole console = consoleOf(parsed);
            string folder = parsed.GetRequiredValue(run);
            string? path = parsed.GetValue(output);
            string kind = FlagText.OneOf("--format", parsed.GetValue(format) ?? ByName(path), "csv", "jsonl", "json");
            using Run opened = Run.Open(folder, Families.All);
            IEnumerable<TableChunk> chunks = opened.ReadInputs(parsed.GetRequiredValue(data));
            if (path is null)
            {
                Write(console.Out, RowFormat.Of(console.Json ? "json" : kind, folder), opened, chunks);
                return ExitCode.Done;
            }

            long rows = 0;
            AtomicFile.Write(path, stream =>
            {
                using var writer = new StreamWriter(stream, leaveOpen: true);
                rows = Write(writer, RowFormat.Of(kind, folder), opened, chunks);
            });
            if (console.Json)
                console.Out.WriteLine(RunJson.Text(new JsonObject { ["run"] = folder, ["out"] = path, ["rows"] = rows }));
            else if (!console.Quiet)
                console.Error.WriteLine($"{rows:N0} predictions: {path}");
            return ExitCode.Done;
        });
        return command;
    }

    private static string ByName(string? path) => Path.GetExtension(path ?? "").ToLowerInvariant() switch
    {
        ".jsonl" or ".ndjson" => "jsonl",
        ".json" => "json",
        _ => "csv",
    };

    private static long Write(TextWriter writer, RowFormat format, Run run, IEnumerable<TableChunk> chunks)
    {
        Problem problem = run.Predictor.Schema.Problem;
        format.Begin(writer, problem);
        long row = 0;
        foreach (TableChunk chunk in chunks)
        {
            float[] scores = run.Predictor.Score(chunk);
            for (int i = 0; i < chunk.Rows; i++, row++)
                format.Write(writer, problem, row, scores.AsSpan(i * problem.Outputs, problem.Outputs));
        }

        format.End(writer);
        return row;
    }
}
