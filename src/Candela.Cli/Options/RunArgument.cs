using Candela.Data;
using Candela.Experiments;
using Candela.Runs;
using Candela.Training.Tasks;

namespace Candela.Cli.Options;

/// <summary>The RUN argument of a verb, checked before the run is opened: data given in its place is named as such.</summary>
internal static class RunArgument
{
    /// <summary>The folder as given.</summary>
    /// <param name="verb">The verb, for the message.</param>
    /// <param name="run">What was given for RUN.</param>
    /// <param name="data">What was given for DATA, or null where the verb takes none.</param>
    /// <exception cref="UsageException">RUN and DATA are swapped, or RUN is a file.</exception>
    public static string Of(string verb, string run, string? data = null)
    {
        if (!IsRun(run) && data is not null && IsRun(data))
            throw new UsageException($"{verb} got DATA and RUN in the wrong order: '{data}' is the run folder. The right order is: candela {verb} {Quoted(data)} {Quoted(run)}");
        if (File.Exists(run))
            throw new UsageException($"{verb} got '{run}' for RUN, which is a file; a run folder was needed: candela {verb} RUN{(data is null ? "" : " DATA")}");
        return run;
    }

    /// <summary>The model of a run over sequences, or a language model from elsewhere (no run.json, but a config.json); null when the folder is of neither kind.</summary>
    public static ISequencePredictor? OpenSequences(string folder)
    {
        var files = new RunFolder(folder);
        if (files.IsFinished)
            return SequenceExperiment.Open(folder, Families.Tasks);
        return File.Exists(files.Config) && !files.IsInterrupted ? LanguageModelTask.Open(folder) : null;
    }

    /// <summary>What a finished run predicts, or null of another folder.</summary>
    public static TaskKind? TaskOf(string folder) => new RunFolder(folder) is { IsFinished: true } files ? files.ReadRecord().Problem.Task : null;

    private static bool IsRun(string path) => Directory.Exists(path) && new RunFolder(path) is { IsFinished: true } or { IsInterrupted: true };

    private static string Quoted(string path) => path.Contains(' ') ? $"'{path}'" : path;
}
