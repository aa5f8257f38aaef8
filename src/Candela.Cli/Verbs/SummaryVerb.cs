using System.CommandLine;
using System.Text.Json.Nodes;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Runs;

namespace Candela.Cli.Verbs;

/// <summary><c>candela summary RUN</c>: what the model of a run is made of.</summary>
internal static class SummaryVerb
{
    public static Command Build(Func<ParseResult, CommandConsole> consoleOf)
    {
        var command = new Command("summary", "Show a run's model: layers, shapes, parameters, FLOPs and memory; or trees; or coefficients.");
        var run = new Argument<string>("RUN") { Description = "A run folder." };
        command.Arguments.Add(run);
        command.SetAction(parsed =>
        {
            CommandConsole console = consoleOf(parsed);
            string folder = RunArgument.Of("summary", parsed.GetRequiredValue(run));
            RunRecord record = new RunFolder(folder).ReadRecord();
            if (console.Json)
                console.Out.WriteLine(RunJson.Text(new JsonObject { ["run"] = folder, ["model"] = record.Model, ["parameters"] = record.Parameters, ["summary"] = record.Summary }));
            else
                console.Out.WriteLine($"{record.Model}, {record.Parameters:N0} parameters{Environment.NewLine}{record.Summary}");
            return ExitCode.Done;
        });
        return command;
    }
}
