using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Decoding;
using Candela.Language;
using Candela.Training.Language;

namespace Candela.Cli.Verbs;

/// <summary><c>candela evaluate MODEL DATA.jsonl --task multiple-choice|qa|generation</c>: a language model asked with solved examples.</summary>
internal sealed class FewShotCommand
{
    private readonly Option<string?> _task = new("--task") { Description = "Ask a language model: DATA is JSON lines.", HelpName = "multiple-choice|qa|generation" };
    private readonly Option<int?> _shots = new("--shots") { Description = "With --task: solved examples before each question. Default 0.", HelpName = "N" };
    private readonly Option<string?> _shotsFile = new("--shots-file") { Description = "Where they come from, its first N; default: the first N of DATA, which are then not asked.", HelpName = "FILE" };
    private readonly Option<int?> _maxTokens = new("--max-tokens") { Description = "With --task qa or generation: most tokens of an answer. Default 64.", HelpName = "N" };
    private readonly Option<string[]> _stop = new("--stop") { Description = "With --task qa or generation: an answer ends before this string; may be repeated.", HelpName = "STR" };
    private readonly Option<string?> _out = new("--out") { Description = "With --task: write each example's outcome as JSON lines.", HelpName = "FILE" };

    public FewShotCommand(Command evaluate)
    {
        foreach (Option option in new Option[] { _task, _shots, _shotsFile, _maxTokens, _stop, _out })
            evaluate.Options.Add(option);
    }

    /// <summary>True when <c>--task</c> is given.</summary>
    public bool IsAsked(ParseResult parsed) => parsed.GetValue(_task) is not null;

    public int Run(ParseResult parsed, CommandConsole console, string folder, string data)
    {
        string name = FlagText.OneOf("--task", parsed.GetValue(_task)!, "multiple-choice", "qa", "generation");
        FewShotTask task = name switch { "multiple-choice" => FewShotTask.MultipleChoice, "qa" => FewShotTask.QuestionAnswering, _ => FewShotTask.Generation };
        int count = parsed.GetValue(_shots) ?? 0;
        if (count < 0)
            throw new UsageException($"--shots: {count} was given; needed is 0 or more.");
        IReadOnlyList<FewShotExample> examples = FewShotFile.Read(data, task), shots = examples;
        if (parsed.GetValue(_shotsFile) is { } file)
            shots = FewShotFile.Read(file, task);
        else
            examples = [.. examples.Skip(count)];
        if (shots.Count < count || examples.Count == 0)
            throw new UsageException($"--shots {count}: {parsed.GetValue(_shotsFile) ?? data} has {shots.Count} examples; give fewer shots, or a --shots-file.");
        using CausalLm model = CausalLm.Load(folder);
        if (model.Tokenizer is null)
            throw new UsageException($"{folder}: the folder has no tokenizer, so text cannot be read. Put the model's tokenizer file there.");
        var options = new GenerationOptions
        {
            MaxTokens = parsed.GetValue(_maxTokens) ?? 64,
            StopStrings = parsed.GetValue(_stop) ?? [],
            StopTokens = [.. EndTokens.Of(folder).Where(id => id < model.VocabularySize)],
        };
        using var interrupt = new Interrupt();
        FewShotReport report = new FewShotEvaluator(model, model.Tokenizer).Evaluate(task, examples, [.. shots.Take(count)], options, cancellationToken: interrupt.Token);
        if (parsed.GetValue(_out) is { } path)
            AtomicFile.Write(path, stream =>
            {
                using var writer = new StreamWriter(stream, leaveOpen: true);
                for (int i = 0; i < report.Outcomes.Count; i++)
                    writer.WriteLine(Json(examples[i], report.Outcomes[i]).ToJsonString(new JsonSerializerOptions { WriteIndented = false }));
            });
        if (console.Json)
            console.Out.WriteLine(RunJson.Text(new JsonObject
            {
                ["run"] = folder,
                ["task"] = name,
                ["rows"] = report.Outcomes.Count,
                ["shots"] = report.Shots,
                ["metrics"] = new JsonObject(report.Metrics.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)new JsonObject { ["value"] = m.Value.Value, ["low"] = m.Value.Low, ["high"] = m.Value.High }))),
                ["baselines"] = new JsonObject(report.Baselines.Select(b => KeyValuePair.Create(b.Key, (JsonNode?)b.Value))),
            }));
        else
            Print(console, folder, name, report);
        return ExitCode.Done;
    }

    private static void Print(CommandConsole console, string folder, string task, FewShotReport report)
    {
        console.Out.WriteLine($"{folder}, {task}, {report.Shots} shots, {report.Outcomes.Count:N0} examples");
        TextTable.Write(console.Out, ["metric", "value", "95 % interval"],
        [
            .. report.Metrics.Select(m => (string[])[m.Key, MetricText.Number(m.Value.Value), $"{MetricText.Number(m.Value.Low)} to {MetricText.Number(m.Value.High)}"]),
            .. report.Baselines.Select(b => (string[])[$"baseline: {b.Key}", MetricText.Number(b.Value), ""]),
        ]);
    }

    private static JsonObject Json(FewShotExample example, FewShotOutcome outcome)
    {
        var json = new JsonObject
        {
            ["question"] = example.Question,
            ["answer"] = example.Answers.Count == 1 ? example.Answers[0] : new JsonArray([.. example.Answers.Select(a => (JsonNode)a)]),
            ["prediction"] = outcome.Prediction,
            ["right"] = outcome.IsRight,
            ["score"] = outcome.Score,
        };
        if (outcome.LogProbabilities.Count > 0)
        {
            json["rightPerByte"] = outcome.IsRightPerByte;
            json["logProbabilities"] = new JsonArray([.. outcome.LogProbabilities.Select(p => (JsonNode)p)]);
        }

        return json;
    }
}
