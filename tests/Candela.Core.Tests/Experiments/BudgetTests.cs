using Candela.Data;
using Candela.Energy;
using Candela.Experiments;
using Candela.Models;

namespace Candela.Tests.Experiments;

/// <summary>The run-wide limits of time and energy, on a clock and a meter that only move when a fit says so.</summary>
public class BudgetTests
{
    private static readonly string[] Notes = ["chosen", "not trained: the budget was spent"];

    /// <summary>A clock and a meter that a fit moves by hand.</summary>
    internal sealed class Hand : TimeProvider, IEnergyMeter
    {
        private long _ticks = 1;

        public double Joules { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Pass(double seconds) => _ticks += TimeSpan.FromSeconds(seconds).Ticks;

        public EnergyReading Read() => new(Joules, Joules, Joules, "hand");
    }

    /// <summary>Takes so many seconds (or joules) per fit, but no more than it is given.</summary>
    private sealed class CostlyFamily(string id, Hand hand, double seconds, double joules = 0) : IModelFamily
    {
        private readonly StepFamily _steps = new(id, epochs: 3);

        public string Id => id;

        public string Description => "takes its time";

        public bool ConsideredByAuto => true;

        public List<FitOptions> Seen => _steps.OptionsSeen;

        public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) => null;

        public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => _steps.Request(problem, inputs, trainingRows);

        public FitResult Fit(FitContext context)
        {
            var result = _steps.Fit(context with { CheckpointFolder = null });
            var limits = context.Options;
            bool late = limits.MaxTime?.TotalSeconds < seconds, dear = limits.MaxJoules < joules;
            hand.Pass(Math.Min(seconds, limits.MaxTime?.TotalSeconds ?? seconds));
            hand.Joules += Math.Min(joules, limits.MaxJoules ?? joules);
            return result with { StopReason = late ? StopReason.Time : dear ? StopReason.Energy : StopReason.Epochs };
        }

        public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => _steps.Open(folder, problem, layout);
    }

    [Fact]
    public void Train_BudgetSpentByTheFirst_TheRivalIsSkippedAndNamed()
    {
        using var folder = new TemporaryFolder();
        var hand = new Hand();
        CostlyFamily first = new("first", hand, 30), second = new("second", hand, 5);
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 4000), Target = "kind", Fit = new FitOptions { MaxTime = TimeSpan.FromSeconds(20) } };
        using var run = Job.Train(request, folder.File("run"), [first, second], new ExperimentOptions { Clock = hand, Meter = hand });

        Assert.Equal(20, Assert.Single(first.Seen).MaxTime!.Value.TotalSeconds, 1e-6);
        Assert.Empty(second.Seen);
        Assert.Equal(StopReason.Time, run.Record.StopReason);
        Assert.Equal(Notes, run.Record.Candidates.Select(c => c.Note));
        Assert.Contains("20 s was spent before", run.Record.ModelReason, StringComparison.Ordinal);
        var warning = Assert.Single(run.Record.Warnings, w => w.Code == "budget-spent");
        Assert.Contains("second", warning.Message, StringComparison.Ordinal);
        Assert.Contains("--max-seconds", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_Energy_EachFitIsGivenWhatIsLeft()
    {
        using var folder = new TemporaryFolder();
        var hand = new Hand { Joules = 0 };
        CostlyFamily first = new("first", hand, 1, joules: 30), second = new("second", hand, 1, joules: 90), third = new("third", hand, 1, joules: 1);
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 4000), Target = "kind", Fit = new FitOptions { MaxJoules = 100 } };
        using var run = Job.Train(request, folder.File("run"), [first, second, third], new ExperimentOptions { Clock = hand, Meter = hand });
        Assert.Equal(100, Assert.Single(first.Seen).MaxJoules!.Value, 1e-6);
        Assert.Equal(70, Assert.Single(second.Seen).MaxJoules!.Value, 1e-6);
        Assert.Empty(third.Seen);
        Assert.Contains("--max-joules", Assert.Single(run.Record.Warnings, w => w.Code == "budget-spent").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_ReadingTookAllOfIt_TheFirstIsStillFittedWithTheLeast()
    {
        using var folder = new TemporaryFolder();
        var hand = new Hand();
        CostlyFamily first = new("first", hand, 5), second = new("second", hand, 5);
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 4000), Target = "kind", Fit = new FitOptions { MaxTime = TimeSpan.FromSeconds(20) } };
        var options = new ExperimentOptions { Clock = hand, Meter = hand, Events = new ExperimentTests.Listener(e => { if (e is TableRead) hand.Pass(1000); }) };
        using var run = Job.Train(request, folder.File("run"), [first, second], options);
        Assert.Equal(TimeSpan.FromMilliseconds(1), Assert.Single(first.Seen).MaxTime);
        Assert.Empty(second.Seen);
    }

    [Fact]
    public void Train_InnerFolds_TakeAtMostHalfAndCountOnlyWholeFolds()
    {
        using var folder = new TemporaryFolder();
        var hand = new Hand();
        // 3 s a fold of 2 families: 3 folds are whole at 9 s, the fourth is cut at 10 s; the 10 s left are for the two final fits.
        CostlyFamily poor = new("poor", hand, 2), good = new("good", hand, 1);
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 300), Target = "kind", Fit = new FitOptions { MaxTime = TimeSpan.FromSeconds(20) } };
        using var run = Job.Train(request, folder.File("run"), [poor, good], new ExperimentOptions { Clock = hand, Meter = hand });
        Assert.Equal(5, poor.Seen.Count);
        Assert.Equal(4, good.Seen.Count);
        Assert.Equal(10, poor.Seen[0].MaxTime!.Value.TotalSeconds, 1e-6);
        Assert.Equal(1, poor.Seen[3].MaxTime!.Value.TotalSeconds, 1e-6);
        Assert.Equal(StopReason.Epochs, run.Record.StopReason);
        Assert.Contains("3 of 5 inner folds", run.Record.ModelReason, StringComparison.Ordinal);
        Assert.Contains("after 3 of 5 inner folds", Assert.Single(run.Record.Warnings, w => w.Code == "budget-spent").Message, StringComparison.Ordinal);
        Assert.All(run.Record.Candidates, c => Assert.NotNull(c.Test));
    }

    [Fact]
    public void Train_Folds_EndWhenTheBudgetIsSpentAndSaySo()
    {
        using var folder = new TemporaryFolder();
        var hand = new Hand();
        var only = new CostlyFamily("only", hand, 4);
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 300), Target = "kind", Folds = 5, Fit = new FitOptions { MaxTime = TimeSpan.FromSeconds(14) } };
        using var run = Job.Train(request, folder.File("run"), [only], new ExperimentOptions { Clock = hand, Meter = hand });
        // 4 s for the run's own fit, two whole folds, and one that is cut at 14 s and not counted.
        Assert.Equal(4, only.Seen.Count);
        Assert.Equal(2, run.Record.CrossValidation!.PerFold["accuracy"].Count);
        Assert.Contains("after 2 of 5 folds", Assert.Single(run.Record.Warnings, w => w.Code == "budget-spent").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_EarlierSessionsCountAndFinishedFitsAreKept()
    {
        using var folder = new TemporaryFolder();
        var hand = new Hand();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 4000), Target = "kind", Fit = new FitOptions { MaxTime = TimeSpan.FromSeconds(20) } };
        using var source = new CancellationTokenSource();
        var second = new StepFamily("second", 3, _ => { hand.Pass(11); source.Cancel(); });
        Assert.Throws<OperationCanceledException>(() => Experiment.Train(request, folder.File("run"), [new CostlyFamily("first", hand, 6), second, new StepFamily("third")],
            new ExperimentOptions { Clock = hand, Meter = hand }, source.Token));

        var later = new Hand();
        var again = new CostlyFamily("first", later, 6);
        var rest = new StepFamily("second", 3);
        var third = new CostlyFamily("third", later, 6);
        using var run = Job.Resume(folder.File("run"), [again, rest, third], new ExperimentOptions { Clock = later, Meter = later });
        Assert.Empty(again.Seen);
        // The second fit goes on from its own state, which counts its own time: it is given what was left when it began.
        Assert.Equal(14, Assert.Single(rest.OptionsSeen).MaxTime!.Value.TotalSeconds, 1e-6);
        Assert.Equal(3, Assert.Single(third.Seen).MaxTime!.Value.TotalSeconds, 1e-6);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_LimitOfZero_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 100), Target = "kind", Fit = new FitOptions { MaxJoules = 0 } };
        Assert.Contains("above 0", Assert.Throws<UsageException>(() => Job.Train(request, folder.File("run"), [new StepFamily("steps")])).Message, StringComparison.Ordinal);
    }
}
