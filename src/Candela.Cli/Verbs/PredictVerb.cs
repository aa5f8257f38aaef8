using System.CommandLine;
using System.Text.Json.Nodes;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Data;
using Candela.Language;
using Candela.Runs;
using Candela.Training.Tasks;

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
            string kind = FlagText.OneOf("--format", parsed.GetValue(format) ?? ByName(path), "csv", "jsonl", "json");
            if (RunArgument.IsLanguageModel(folder))
                throw new UsageException($"predict got '{folder}', which holds a language model: it continues a text and has no rows to score. Let it write with: candela generate {folder} --prompt TEXT. Score a text with: candela evaluate {folder} TEXTFILE.");
            if (RunArgument.TaskOf(folder) is { Task: TaskKind.TokenClassification })
                return Tag(console, folder, file, path);
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
            if (console.Json)
                console.Out.WriteLine(RunJson.Text(new JsonObject { ["run"] = folder, ["out"] = path, ["rows"] = rows }));
            else if (!console.Quiet)
                console.Error.WriteLine($"{rows:N0} predictions: {path}");
            return ExitCode.Done;
        });
        return command;
    }

    // As files of tagged sentences are: a token and its tag per line, an empty line behind each sentence.
    private static int Tag(CommandConsole console, string folder, string file, string? path)
    {
        IReadOnlyList<TaggedSentence> sentences = TokenClassificationTask.Predict(folder, file);
        if (path is null)
        {
            Write(console.Out, sentences);
            return ExitCode.Done;
        }

        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true);
            Write(writer, sentences);
        });
        if (console.Json)
            console.Out.WriteLine(RunJson.Text(new JsonObject { ["run"] = folder, ["out"] = path, ["rows"] = sentences.Count }));
        else if (!console.Quiet)
            console.Error.WriteLine($"{sentences.Count:N0} sentences: {path}");
        return ExitCode.Done;
    }

    private static void Write(TextWriter writer, IReadOnlyList<TaggedSentence> sentences)
    {
        foreach (TaggedSentence sentence in sentences)
        {
            for (int i = 0; i < sentence.Tokens.Count; i++)
                writer.Write($"{sentence.Tokens[i]}\t{sentence.Tags[i]}\n");
            writer.Write('\n');
        }
    }

    private static string ByName(string? path) => Path.GetExtension(path ?? "").ToLowerInvariant() switch
    {
        ".jsonl" or ".ndjson" => "jsonl",
        ".json" => "json",
        _ => "csv",
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
