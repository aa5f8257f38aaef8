using System.Diagnostics;
using Candela.Models;

namespace Candela.Cli.Output;

/// <summary>Progress as plain lines, for pipes and logs: stages, warnings, and a training line every two seconds at the most.</summary>
internal sealed class LineProgress(TextWriter error) : IProgress<TrainEvent>
{
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private TimeSpan _last = TimeSpan.MinValue, _fitBegan;

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
                _fitBegan = _last = _since.Elapsed;
                break;
            case StepEnded { Fraction: > 0 } step when Due():
                double left = (_since.Elapsed - _fitBegan).TotalSeconds * (1 - step.Fraction) / step.Fraction;
                error.WriteLine($"  {step.Fraction:P0}, epoch {step.Epoch + 1}, step {step.Step:N0}: loss {step.Loss:G4}, {step.RowsPerSecond:N0} rows/s, at most {ProgressText.Seconds(left)} left");
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
