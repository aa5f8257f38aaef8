using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Data;
using Candela.Models;
using Candela.Runs;

namespace Candela.Cli.Verbs;

/// <summary><c>candela predict RUN DATA</c>: streams rows to CSV or JSONL with probabilities.</summary>
internal static class PredictVerb
{
    public static Command Build(Func<ParseResult, CommandConsole> consoleOf)
    {
        var command = new Command("predict", "Score rows, images or texts with a run's model.");
        var run = new Argument<string>("RUN") { Description = "A run folder." };
        var data = new Argument<string>("DATA") { Description = "Data with the run's input columns; the target is not needed." };
        var output = new Option<string?>("--out") { Description = "File to write; default: stdout.", HelpName = "FILE" };
        var format = new Option<string?>("--format") { Description = "csv or jsonl; default: by the file's name, else csv (jsonl with --json).", HelpName = "csv|jsonl" };
        command.Arguments.Add(run);
        command.Arguments.Add(data);
        command.Options.Add(output);
        command.Options.Add(format);
        command.SetAction(parsed =>
        {
            CommandConsole console = consoleOf(parsed);
            string? path = parsed.GetValue(output);
            string kind = parsed.GetValue(format) is { } given ? FlagText.OneOf("--format", given, "csv", "jsonl")
                : path?.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) == true || console.Json ? "jsonl" : "csv";
            using Run opened = Run.Open(parsed.GetRequiredValue(run), Families.All);
            IEnumerable<TableChunk> chunks = opened.ReadInputs(parsed.GetRequiredValue(data));
            if (path is null)
            {
                Write(console.Out, kind, opened.Predictor, chunks);
                return ExitCode.Done;
            }

            AtomicFile.Write(path, stream =>
            {
                using var writer = new StreamWriter(stream, leaveOpen: true);
                Write(writer, kind, opened.Predictor, chunks);
            });
            console.Error.WriteLine($"Predictions: {path}");
            return ExitCode.Done;
        });
        return command;
    }

    private static void Write(TextWriter writer, string kind, IPredictor predictor, IEnumerable<TableChunk> chunks)
    {
        Problem problem = predictor.Schema.Problem;
        bool csv = kind == "csv";
        if (csv)
            writer.WriteLine(string.Join(',', problem.Classes.Select(c => Quote($"p_{c}")).Prepend("prediction").Prepend("row")));
        long row = 0;
        foreach (TableChunk chunk in chunks)
        {
            float[] scores = predictor.Score(chunk);
            for (int i = 0; i < chunk.Rows; i++, row++)
            {
                ReadOnlySpan<float> score = scores.AsSpan(i * problem.Outputs, problem.Outputs);
                writer.WriteLine(csv ? CsvLine(problem, row, score) : JsonLine(problem, row, score));
            }
        }
    }

    private static string CsvLine(Problem problem, long row, ReadOnlySpan<float> score)
    {
        var line = new System.Text.StringBuilder().Append(row).Append(',').Append(Quote(Prediction(problem, score)));
        if (problem.IsClassification)
            foreach (float p in score)
                line.Append(',').Append(p.ToString("G7", CultureInfo.InvariantCulture));
        return line.ToString();
    }

    private static string JsonLine(Problem problem, long row, ReadOnlySpan<float> score)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("row", row);
            if (problem.IsClassification)
            {
                json.WriteString("prediction", Prediction(problem, score));
                json.WriteStartObject("probabilities");
                for (int c = 0; c < score.Length; c++)
                    json.WriteNumber(problem.Classes[c], score[c]);
                json.WriteEndObject();
            }
            else
            {
                json.WriteNumber("prediction", score[0]);
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static string Prediction(Problem problem, ReadOnlySpan<float> score) =>
        problem.IsClassification ? problem.Classes[System.Numerics.Tensors.TensorPrimitives.IndexOfMax(score)] : score[0].ToString("G7", CultureInfo.InvariantCulture);

    private static string Quote(string cell) => cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"")}\"" : cell;
}
