using System.CommandLine;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Experiments;
using Candela.Reports;
using Candela.Runs;

namespace Candela.Cli.Verbs;

/// <summary><c>candela train DATA --target COL</c>: data in, run folder out.</summary>
internal static class TrainVerb
{
    public static Command Build(Func<ParseResult, CommandConsole> consoleOf)
    {
        var command = new Command("train", "Train a model on a table, an image folder, an IDX file or a text, evaluate it and write a run folder.");
        var data = new Argument<string?>("DATA") { Description = "CSV, TSV, JSONL, Parquet (.gz too), a folder of images per class, an IDX images file, or a text.", Arity = ArgumentArity.ZeroOrOne };
        var outFolder = new Option<string?>("--out") { Description = "The run folder. Default: runs/<data>, numbered when taken.", HelpName = "DIR" };
        var resume = new Option<string?>("--resume") { Description = "Go on with an interrupted run.", HelpName = "RUN" };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace an existing run folder." };
        var recipe = new Option<string?>("--recipe") { Description = "Start from a recipe.yaml; flags win over it.", HelpName = "FILE" };
        var checkpoints = new Option<double>("--checkpoint-seconds") { Description = "Seconds between saved states at the least; 0 saves after every epoch. Default: 30.", HelpName = "S", DefaultValueFactory = _ => 30 };
        command.Arguments.Add(data);
        var flags = new List<(TrainFlag Flag, Option<string[]> Option)>();
        foreach (TrainFlag flag in TrainFlags.All)
        {
            var option = new Option<string[]>("--" + flag.Key) { Description = flag.Help, HelpName = flag.Value, Arity = flag.IsSwitch ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
            command.Options.Add(option);
            flags.Add((flag, option));
        }

        command.Options.Add(outFolder);
        command.Options.Add(resume);
        command.Options.Add(overwrite);
        command.Options.Add(recipe);
        command.Options.Add(checkpoints);
        command.SetAction(parsed =>
        {
            CommandConsole console = consoleOf(parsed);
            string? resumed = parsed.GetValue(resume);
            double seconds = parsed.GetValue(checkpoints);
            if (seconds is not (>= 0 and <= 1e9))
                throw new UsageException($"--checkpoint-seconds got {seconds}; a number from 0 to 1000000000 was needed.");
            if (resumed is not null && new RunFolder(resumed).IsFinished)
                return Finish(console, resumed);
            string? start = resumed is null ? parsed.GetValue(recipe) : new RunFolder(resumed).Recipe;
            TrainRequest request = start is null ? new TrainRequest { Data = parsed.GetValue(data) ?? "" } : Recipe.Read(start, parsed.GetValue(data));
            if (request.Data.Length == 0)
                throw new UsageException("train got no DATA; it needs a file or folder, for example: candela train data.csv --target price.");
            foreach ((TrainFlag flag, Option<string[]> option) in flags)
                request = Apply(request, flag, parsed.GetResult(option) is { Implicit: false } found ? found.Tokens.Count == 0 && flag.IsSwitch ? ["yes"] : parsed.GetValue(option)! : [], heedEnvironment: resumed is null);
            if (start is not null)
                CheckPaths(request, start, resumed is not null);
            using RunFolderClaim? claim = resumed is null && parsed.GetValue(outFolder) is null ? RunFolderClaim.Take("runs", FolderName(request)) : null;
            string folder = claim?.Path ?? resumed ?? parsed.GetValue(outFolder)!;
            return Train(console, request, folder, new ExperimentOptions { Resume = resumed is not null, Overwrite = parsed.GetValue(overwrite), CheckpointEvery = TimeSpan.FromSeconds(seconds) });
        });
        return command;
    }

    private static int Train(CommandConsole console, TrainRequest request, string folder, ExperimentOptions options)
    {
        using var interrupt = new Interrupt();
        try
        {
            RunRecord record = console.WithProgress(events =>
            {
                RunRecord record;
                if (SequenceTasks.Ids.Contains(request.Task))
                {
                    record = SequenceExperiment.Train(request, folder, Families.Tasks, options with { Events = events }, interrupt.Token);
                }
                else
                {
                    record = TrainOnTable(request, folder, options with { Events = events }, interrupt.Token);
                }

                HtmlReport.Write(record, folder);
                return record;
            });
            Print(console, record, folder);
            return ExitCode.Done;
        }
        catch (OperationCanceledException)
        {
            console.Error.WriteLine(new RunFolder(folder).IsInterrupted
                ? $"candela: cancelled; the state is saved. Go on with: candela train --resume {folder}"
                : "candela: cancelled before training began; nothing was written.");
            return ExitCode.Cancelled;
        }
    }

    private static RunRecord TrainOnTable(TrainRequest request, string folder, ExperimentOptions options, CancellationToken cancellation)
    {
        try
        {
            using Run run = Experiment.Train(request, folder, Families.All, options, cancellation);
            return run.Record;
        }
        catch (CandelaException error) when (request.Task is null && TaskHint(request) is { } hint && error is UsageException or DataException)
        {
            throw new UsageException($"{error.Message} {request.Data} was read as a table; {hint}.", error);
        }
    }

    // What the name of a file that cannot be read as a table may mean.
    private static string? TaskHint(TrainRequest request)
    {
        string name = request.Data.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? request.Data[..^3] : request.Data;
        return Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".txt" when request.Target is null => $"to train a language model on its text, add --task {SequenceTasks.LanguageModel}",
            ".conll" or ".conllu" => $"to train a tagger on its sentences, add --task {SequenceTasks.TokenClassification}",
            _ => null,
        };
    }

    /// <summary>What a crash between run.json and the end left to do: the report, and checkpoints nobody needs any more.</summary>
    private static int Finish(CommandConsole console, string folder)
    {
        var files = new RunFolder(folder);
        RunRecord record = files.ReadRecord();
        files.Verify(record);
        files.RemoveLeftovers();
        bool lacksReport = !File.Exists(files.Report);
        if (lacksReport)
            HtmlReport.Write(record, folder);
        console.Error.WriteLine($"candela: the run in {folder} is finished already{(lacksReport ? "; its missing report was written" : "")}.");
        Print(console, record, folder);
        return ExitCode.Done;
    }

    private static void Print(CommandConsole console, RunRecord record, string folder)
    {
        if (console.Json)
            console.Out.WriteLine(RunJson.Text(RunJson.Of(record, folder)));
        else
            RunText.Write(console.Out, record, folder);
    }

    /// <summary>Flags win over environment, environment over recipe. A resumed run goes on as it was begun, whatever the environment says now.</summary>
    private static TrainRequest Apply(TrainRequest request, TrainFlag flag, string[] given, bool heedEnvironment)
    {
        if (heedEnvironment && given.Length == 0 && Environment.GetEnvironmentVariable(flag.Variable) is { Length: > 0 } text)
            given = [text];
        return given.Length == 0 ? request : flag.Apply(request, given);
    }

    /// <summary>Relative paths in a recipe count from the current folder, as they did when it was written: one that is not there is said to be so.</summary>
    private static void CheckPaths(TrainRequest request, string recipe, bool resumed)
    {
        foreach ((string key, string? path) in (ReadOnlySpan<(string, string?)>)[("data", request.Data), ("valid", request.ValidFile), ("test", request.TestFile), ("labels", request.Table.LabelsFile)])
        {
            if (path is null || Path.IsPathRooted(path) || Path.Exists(path))
                continue;
            string beside = Path.Combine(Path.GetDirectoryName(recipe) ?? "", path);
            string other = resumed ? "Run the command in the folder where the run was begun."
                : $"Run the command in the folder it counts from, or give the path: {(key == "data" ? $"candela train {(Path.Exists(beside) ? beside : "DATA")}" : $"--{key} {(Path.Exists(beside) ? beside : "FILE")}")}{(key == "data" ? $" --recipe {recipe}" : "")}.";
            throw new UsageException($"{recipe}: {key} is '{path}', which is not in {Directory.GetCurrentDirectory()}: a relative path counts from the current folder, not from the recipe's. {other}");
        }
    }

    /// <summary>The run folder's name where none is given: the data's file name up to its first dot.</summary>
    private static string FolderName(TrainRequest request)
    {
        string data = Path.TrimEndingDirectorySeparator(Path.GetFullPath(request.Data)), runs = Path.GetFullPath("runs");
        if (Directory.Exists(data) && runs.StartsWith(data + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new UsageException($"train would put its run folder into the image folder '{request.Data}', where it would be taken for a class. Give --out DIR outside it.");
        string stem = Path.GetFileName(data);
        int dot = stem.IndexOf('.', Math.Min(1, stem.Length));
        return dot > 0 ? stem[..dot] : stem.Length > 0 ? stem : "run";
    }
}
