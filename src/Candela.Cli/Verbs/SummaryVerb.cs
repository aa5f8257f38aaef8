using System.CommandLine;
using System.Text.Json.Nodes;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Runs;
using Candela.Training.Language;

namespace Candela.Cli.Verbs;

/// <summary><c>candela summary RUN</c>: what the model of a run is made of. <c>candela summary --config FILE</c>: what a Hugging Face configuration comes to, without weights.</summary>
internal static class SummaryVerb
{
    public static Command Build(Func<ParseResult, CommandConsole> consoleOf)
    {
        var command = new Command("summary", "Show a run's model: layers, shapes, parameters, FLOPs and memory; or trees; or coefficients. Or what a Hugging Face config.json comes to.");
        var run = new Argument<string>("RUN") { Description = "A run folder.", Arity = ArgumentArity.ZeroOrOne };
        var config = new Option<string>("--config") { Description = "A Hugging Face config.json, or a folder with one: parameters, FLOPs per token and memory by arithmetic; no weights are needed.", HelpName = "FILE" };
        command.Arguments.Add(run);
        command.Options.Add(config);
        command.SetAction(parsed =>
        {
            CommandConsole console = consoleOf(parsed);
            string? folder = parsed.GetValue(run), file = parsed.GetValue(config);
            if (folder is null == file is null)
                throw new UsageException($"summary needs a run folder or --config FILE, one of the two; got {(folder is null ? "neither" : "both")}.");
            if (file is not null)
                ShowConfig(console, file);
            else
                ShowRun(console, RunArgument.Of("summary", folder!));
            return ExitCode.Done;
        });
        return command;
    }

    private static void ShowRun(CommandConsole console, string folder)
    {
        RunRecord record = new RunFolder(folder).ReadRecord();
        if (console.Json)
            console.Out.WriteLine(RunJson.Text(new JsonObject { ["run"] = folder, ["model"] = record.Model, ["parameters"] = record.Parameters, ["summary"] = record.Summary }));
        else
            console.Out.WriteLine($"{record.Model}, {record.Parameters:N0} parameters{Environment.NewLine}{record.Summary}");
    }

    private static void ShowConfig(CommandConsole console, string file)
    {
        TransformerSummary summary = TransformerSummary.Of(TransformerConfig.Load(file));
        if (console.Json)
        {
            JsonObject json = summary.ToJson();
            json.Insert(0, "config", file);
            console.Out.WriteLine(RunJson.Text(json));
        }
        else
        {
            console.Out.WriteLine(summary.ToString());
        }
    }
}
