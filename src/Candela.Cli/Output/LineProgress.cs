using System.Diagnostics;
using Candela.Models;

namespace Candela.Cli.Output;

/// <summary>Progress as plain lines, for pipes and logs: stages, warnings, and a training line every two seconds at the most.</summary>
internal sealed class LineProgress(TextWriter error) : IProgress<TrainEvent>
{
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private TimeSpan _last = TimeSpan.MinValue;

    public void Report(TrainEvent value)
    {
        switch (value)
        {
            case StageStarted stage:
                error.WriteLine(stage.Stage);
                break;
            case Warned warned:
                error.WriteLine($"warning: {warned.Message} [{warned.Code}]");
                break;
            case TableRead table:
                error.WriteLine(ProgressText.Of(table));
                break;
            case FamilyStarted family:
                error.WriteLine($"  {ProgressText.Of(family)}");
                break;
            case EpochEnded epoch when Due():
                error.WriteLine(ProgressText.Of(epoch));
                break;
        }
    }

    private bool Due()
    {
        if (_last != TimeSpan.MinValue && _since.Elapsed - _last < TimeSpan.FromSeconds(2))
            return false;
        _last = _since.Elapsed;
        return true;
    }
}
