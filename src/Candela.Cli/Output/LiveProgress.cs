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

    private LiveProgress(IAnsiConsole console, ProgressContext context) => (_console, _context) = (console, context);

    public static T Run<T>(Func<IProgress<TrainEvent>, T> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => work(new LiveProgress(console, context)));
    }

    public void Report(TrainEvent value)
    {
        switch (value)
        {
            case StageStarted stage:
                Close();
                _stage = stage.Stage;
                _task = _context.AddTask(Markup.Escape(_stage));
                _task.IsIndeterminate = true;
                break;
            case TableRead table:
                _console.WriteLine(ProgressText.Of(table));
                break;
            case FamilyStarted family:
                Close();
                _stage = ProgressText.Of(family);
                _task = _context.AddTask(Markup.Escape(_stage));
                _task.IsIndeterminate = true;
                break;
            case StepEnded step when _task is not null:
                _task.IsIndeterminate = false;
                _task.Value = 100 * step.Fraction;
                _task.Description = Markup.Escape($"{_stage}  epoch {step.Epoch + 1}, loss {step.Loss:G4}, {step.RowsPerSecond:N0} rows/s");
                break;
            case EpochEnded epoch when _task is not null:
                _task.Description = Markup.Escape($"{_stage} {ProgressText.Of(epoch)}");
                break;
            case Warned warned:
                _console.MarkupLineInterpolated($"[yellow]warning:[/] {warned.Message} [grey]({warned.Code})[/]");
                break;
        }
    }

    private void Close()
    {
        if (_task is null)
            return;
        _task.IsIndeterminate = false;
        _task.Value = 100;
        _task.StopTask();
    }
}
