using System.CommandLine;
using Candela.Cli.Output;
using Candela.Cli.Verbs;

namespace Candela.Cli;

/// <summary>The command line: parses, calls a verb, turns every outcome into an exit code and at most two lines on stderr.</summary>
internal static class CandelaCommand
{
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        if (args.Length == 0)
            args = ["--help"];
        bool verbose = args.Contains("--verbose");
        RootCommand root = Build(output, error);
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        string? unknownOption = UnknownOption(parsed, args);
        if (unknownOption is not null || parsed.Errors.Count > 0)
        {
            error.WriteLine($"{Name(error)} {Explain(parsed, unknownOption)}");
            error.WriteLine($"Try 'candela {(parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ")}--help'.");
            return ExitCode.BadInput;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (OperationCanceledException)
        {
            error.WriteLine("candela: cancelled.");
            return ExitCode.Cancelled;
        }
        catch (Exception exception) when (exception is CandelaException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"{Name(error)} {exception.Message}");
            if (verbose)
                error.WriteLine(exception);
            return exception is DivergedException || IsOfTheMachine(exception) ? ExitCode.Failed : ExitCode.BadInput;
        }
        catch (Exception exception)
        {
            error.WriteLine($"{Name(error)} unexpected {exception.GetType().Name}: {exception.Message}");
            error.WriteLine(verbose ? exception.ToString() : "This is a defect in Candela; '--verbose' shows where.");
            return ExitCode.Failed;
        }
    }

    // A path that is not there, or not allowed, is the user's to mend (2); a full or broken disk is not (1).
    internal static bool IsOfTheMachine(Exception exception) => exception is IOException and not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException or EndOfStreamException or DriveNotFoundException)
        && (exception.HResult & 0xFFFF) is not (11 or 32 or 35); // in use by another process, on Linux, Windows and macOS

    // Red on a terminal, so that an error stands out below a table or a progress bar.
    private static string Name(TextWriter error) =>
        ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected && !OperatingSystem.IsWindows() && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            ? "\e[1;31mcandela:\e[0m" : "candela:";

    private static RootCommand Build(TextWriter output, TextWriter error)
    {
        var root = new RootCommand("Train, evaluate and run models you can answer for.");
        var json = new Option<bool>("--json") { Description = "Print exactly one JSON document on stdout.", Recursive = true };
        var quiet = new Option<bool>("--quiet") { Description = "No progress on stderr.", Recursive = true };
        root.Options.Add(json);
        root.Options.Add(quiet);
        root.Options.Add(new Option<bool>("--verbose") { Description = "More detail in error messages.", Recursive = true });
        CommandConsole ConsoleOf(ParseResult parsed) => new(output, error, parsed.GetValue(json), parsed.GetValue(quiet));
        root.Subcommands.Add(TrainVerb.Build(ConsoleOf));
        root.Subcommands.Add(EvaluateVerb.Build(ConsoleOf));
        root.Subcommands.Add(PredictVerb.Build(ConsoleOf));
        root.Subcommands.Add(SummaryVerb.Build(ConsoleOf));
        root.Subcommands.Add(GenerateVerb.Build(ConsoleOf));
        root.Subcommands.Add(RunsVerb.Build(ConsoleOf));
        root.Subcommands.Add(DoctorVerb.Build(ConsoleOf));
        return root;
    }

    /// <summary>A word that looks like an option but is none; the parser would take it for an argument.</summary>
    private static string? UnknownOption(ParseResult parsed, string[] args)
    {
        string[] known = [.. Options(parsed)];
        return args.TakeWhile(a => a != "--").Select(a => a.Split('=')[0]).FirstOrDefault(a => a.StartsWith("--", StringComparison.Ordinal) && !known.Contains(a));
    }

    private static IEnumerable<string> Options(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options).SelectMany(o => o.Aliases.Prepend(o.Name)).Concat(["--help", "--version"]);

    /// <summary>The first problem in the house's form: what was received, and the nearest name where one was mistyped.</summary>
    private static string Explain(ParseResult parsed, string? unknownOption)
    {
        Command command = parsed.CommandResult.Command;
        if (unknownOption is not null)
            return $"unknown option '{unknownOption}'.{NearestName.Hint(unknownOption, Options(parsed))}";
        if (parsed.UnmatchedTokens is not [string unknown, ..])
            return parsed.Errors[0].Message;
        return command is RootCommand
            ? $"unknown verb '{unknown}'.{NearestName.Hint(unknown, command.Subcommands.Select(c => c.Name))} Verbs: {string.Join(", ", command.Subcommands.Select(c => c.Name))}."
            : $"unexpected argument '{unknown}'.";
    }
}
