using System.CommandLine;
using System.Text.Json.Nodes;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;

namespace Candela.Cli.Verbs;

/// <summary><c>candela evaluate RUN DATA</c>: the run's model on labelled data.</summary>
internal static class EvaluateVerb
{
    public static Command Build(Func<ParseResult, CommandConsole> consoleOf)
    {
        var command = new Command("evaluate", "Evaluate a run's model on labelled data, with 95 % intervals.");
        var run = new Argument<string>("RUN") { Description = "A run folder." };
        var data = new Argument<string>("DATA") { Description = "Data with the target column." };
        var labels = new Option<string?>("--labels") { Description = "Labels of an IDX images file.", HelpName = "FILE" };
        command.Arguments.Add(run);
        command.Arguments.Add(data);
        command.Options.Add(labels);
        var fewShot = new FewShotCommand(command);
        command.SetAction(parsed =>
        {
            CommandConsole console = consoleOf(parsed);
            if (fewShot.IsAsked(parsed))
                return fewShot.Run(parsed, console, parsed.GetRequiredValue(run), parsed.GetRequiredValue(data));
            string file = parsed.GetRequiredValue(data), folder = RunArgument.Of("evaluate", parsed.GetRequiredValue(run), file);
            var warnings = new WarningLines(console.Error);
            using (ISequencePredictor? predictor = RunArgument.OpenSequences(folder))
            {
                if (predictor is not null)
                {
                    using var interrupt = new Interrupt();
                    Print(console, folder, predictor.Name, predictor.Unit, predictor.Evaluate(file, warnings, interrupt.Token), warnings.All);
                    return ExitCode.Done;
                }
            }

            using Run opened = Run.Open(folder, Families.All);
            SplitEvaluation evaluation = opened.Evaluate(file, parsed.GetValue(labels), warnings);
            Print(console, folder, opened.Record.Model, "rows", evaluation, warnings.All);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(CommandConsole console, string folder, string model, string unit, SplitEvaluation evaluation, IReadOnlyList<Warned> warnings)
    {
        if (console.Json)
        {
            JsonObject json = RunJson.Of(evaluation);
            json.Insert(0, "run", folder);
            json["warnings"] = RunJson.Warnings(warnings);
            console.Out.WriteLine(RunJson.Text(json));
            return;
        }

        console.Out.WriteLine($"{model} of {folder} on {evaluation.Rows:N0} {unit}");
        TextTable.Write(console.Out, ["metric", "value", "95 % interval"],
            [.. evaluation.Metrics.Select(m => (string[])[m.Key, MetricText.Number(m.Value.Value), $"{MetricText.Number(m.Value.Low)} to {MetricText.Number(m.Value.High)}"])]);
    }
}
