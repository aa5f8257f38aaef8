using Candela.Models;

namespace Candela.Cli.Output;

/// <summary>Where a verb writes: results to stdout, everything else to stderr, one JSON document instead of text when asked.</summary>
internal sealed class CommandConsole(TextWriter output, TextWriter error, bool json, bool quiet)
{
    /// <summary>True when the verb prints one JSON document.</summary>
    public bool Json { get; } = json;

    /// <summary>True when progress is not wanted.</summary>
    public bool Quiet { get; } = quiet;

    /// <summary>Results.</summary>
    public TextWriter Out { get; } = output;

    /// <summary>Progress and logs.</summary>
    public TextWriter Error { get; } = error;

    /// <summary>True when stderr is a terminal that may be redrawn.</summary>
    public bool Live => !Quiet && !Console.IsErrorRedirected && ReferenceEquals(Error, Console.Error);

    /// <summary>Runs work under a progress display fit for where stderr goes.</summary>
    public T WithProgress<T>(Func<IProgress<TrainEvent>, T> work)
    {
        if (Live)
            return LiveProgress.Run(work);
        return work(new LineProgress(Quiet ? TextWriter.Null : Error));
    }
}
