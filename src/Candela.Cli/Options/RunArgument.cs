using Candela.Data;
using Candela.Runs;

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

    /// <summary>Whether a folder holds a language model: of a run, or, without run.json but with a config.json, from elsewhere.</summary>
    public static bool IsLanguageModel(string folder)
    {
        var files = new RunFolder(folder);
        return files.IsFinished ? files.ReadRecord().Problem.Task == TaskKind.LanguageModel : File.Exists(files.Config) && !files.IsInterrupted;
    }

    /// <summary>What a finished run predicts, or null of another folder.</summary>
    public static Problem? TaskOf(string folder) => new RunFolder(folder) is { IsFinished: true } files ? files.ReadRecord().Problem : null;

    private static bool IsRun(string path) => Directory.Exists(path) && new RunFolder(path) is { IsFinished: true } or { IsInterrupted: true };

    private static string Quoted(string path) => path.Contains(' ') ? $"'{path}'" : path;
}
