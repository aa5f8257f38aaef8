using Candela.Experiments;
using Candela.Models;
using Spectre.Console;

namespace Candela.Cli.Output;

/// <summary>A redrawn progress bar with rate and time left, on a terminal.</summary>
internal sealed class LiveProgress : IProgress<TrainEvent>
{
    private readonly IAnsiConsole _console;
    private readonly ProgressContext _context;
    private ProgressTask? _task;
    private string _stage = "";
    private bool _ofText;

    private LiveProgress(IAnsiConsole console, ProgressContext context) => (_console, _context) = (console, context);

    public static T Run<T>(Func<IProgress<TrainEvent>, T> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => work(new LiveProgress(console, context)));
    }

    public void Report(TrainEvent value)
    {
        switch (value)
        {
            case StageStarted stage:
                Begin(stage.Stage);
                break;
            case TableRead table:
                foreach (string line in ProgressText.Of(table).Split(Environment.NewLine))
                    Above(line);
                break;
            case FamilyStarted family:
                Begin(ProgressText.Of(family));
                _ofText = family.Family == SequenceTasks.LanguageModel;
                break;
            case StepEnded step when _task is not null:
                _task.IsIndeterminate = false;
                _task.Value = 100 * step.Fraction;
                _task.Description = Short(_ofText ? ProgressText.Of(step, ofText: true) : $"{_stage}  epoch {step.Epoch + 1}, loss {step.Loss:G4}, {step.RowsPerSecond:N0} rows/s");
                break;
            case EpochEnded epoch when _ofText:
                Above(ProgressText.Of(epoch, ofText: true));
                break;
            case Sampled sampled:
                foreach (string line in ProgressText.Lines(sampled.Text, ProgressText.SampleLines))
                    Above($"    {line}");
                break;
            case EpochEnded epoch when _task is not null:
                _task.Description = Short($"{_stage} {ProgressText.Of(epoch)}");
                break;
            case Warned warned:
                _console.MarkupLineInterpolated($"[yellow]warning:[/] {warned.Message} [grey]({warned.Code})[/]");
                break;
        }
    }

    // Padded, which covers what the bar left there.
    private void Above(string line)
    {
        int width = Math.Max(1, _console.Profile.Width - 1);
        _console.WriteLine(line.Length > width ? line[..(width - 1)] + "…" : line.PadRight(width));
    }

    /// <summary>Cut so that bar, percentage and time left stay on the line.</summary>
    private string Short(string text)
    {
        const int Rest = 44;
        int room = Math.Max(16, _console.Profile.Width - Rest);
        return Markup.Escape(text.Length <= room ? text : text[..(room - 1)] + "…");
    }

    private void Begin(string stage)
    {
        if (_task is not null)
        {
            _task.IsIndeterminate = false;
            _task.Value = 100;
            _task.StopTask();
        }

        _stage = stage;
        _task = _context.AddTask(Short(stage));
        _task.IsIndeterminate = true;
    }
}
