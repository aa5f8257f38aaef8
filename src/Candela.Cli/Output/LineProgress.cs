using System.Diagnostics;
using Candela.Experiments;
using Candela.Models;

namespace Candela.Cli.Output;

/// <summary>Progress as plain lines, for pipes and logs: stages, warnings, and a training line every two seconds at the most.</summary>
internal sealed class LineProgress(TextWriter error) : IProgress<TrainEvent>
{
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private TimeSpan _last = TimeSpan.MinValue, _fitBegan;
    private bool _ofText;

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
                _ofText = family.Family == SequenceTasks.LanguageModel;
                break;
            case StepEnded { Fraction: > 0 } step when Due():
                double left = (_since.Elapsed - _fitBegan).TotalSeconds * (1 - step.Fraction) / step.Fraction;
                error.WriteLine($"  {step.Fraction:P0}, {ProgressText.Of(step, _ofText)}, at most {ProgressText.Seconds(left)} left");
                break;
            case EpochEnded epoch when Due() || _ofText:
                error.WriteLine(ProgressText.Of(epoch, _ofText));
                break;
            case Sampled sampled:
                foreach (string line in ProgressText.Lines(sampled.Text, ProgressText.SampleLines))
                    error.WriteLine($"    {line}");
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
