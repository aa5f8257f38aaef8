using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Metrics;
using Candela.Models;
using Candela.Runs;

namespace Candela.Tests.Experiments;

/// <summary>The run folder of tasks over sequences, with a task that trains nothing.</summary>
public sealed class SequenceExperimentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SlowClock _clock = new();

    public SequenceExperimentTests() => File.WriteAllText(_folder.File("data.txt"), "x");

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Kind", "analytic")]
    public void Train_InterruptedTwice_KeepsEveryWarningAndChargesAllPreparing()
    {
        var task = new FakeTask(_clock, interruptions: 2);
        var heard = new List<Warned>();
        RunRecord? record = null;
        for (int session = 0; session < 3; session++)
        {
            var options = new ExperimentOptions { Clock = _clock, Resume = session > 0, Events = new Listener(e => { if (e is Warned w) heard.Add(w); }) };
            if (session < 2)
                Assert.Throws<OperationCanceledException>(() => SequenceExperiment.Train(Request(), _folder.File("run"), [task], options, TestContext.Current.CancellationToken));
            else
                record = SequenceExperiment.Train(Request(), _folder.File("run"), [task], options, TestContext.Current.CancellationToken);
        }

        Assert.Equal(["before", "session 0", "session 1", "session 2"], record!.Warnings.Select(w => w.Message));
        Assert.Equal(3, heard.Count(w => w.Message == "session 0"));
        // Of 100 s, reading takes 1 and tokenizing 10 in each session; the steps' own time is counted by the loop, which goes on from its state.
        Assert.Equal([100 - 11, 100 - 22, 100 - 33], task.Limits.Select(l => (int)Math.Round(l.TotalSeconds)));
    }

    private TrainRequest Request() => new() { Data = _folder.File("data.txt"), Task = SequenceTasks.LanguageModel, Fit = new FitOptions { MaxTime = TimeSpan.FromSeconds(100) } };

    private sealed class FakeTask(SlowClock clock, int interruptions) : ISequenceTask, ISequenceJob
    {
        private int _sessions;

        public List<TimeSpan> Limits { get; } = [];

        public string Id => SequenceTasks.LanguageModel;

        public string DataHash => "0";

        public Problem Problem { get; } = new(TaskKind.LanguageModel, "next token", []);

        public IReadOnlyDictionary<string, long> Rows { get; } = new Dictionary<string, long> { ["train"] = 1 };

        public DataProfile Profile { get; } = new(1, 0, [], []);

        public TrainRequest Complete(TrainRequest request) => request;

        public ISequenceJob Prepare(TrainRequest request, IProgress<TrainEvent> events, CancellationToken cancellation)
        {
            clock.Pass(1);
            events.Report(new Warned("a", "before"));
            return this;
        }

        public SequenceOutcome Run(SequenceContext context)
        {
            clock.Pass(10); // tokenizing
            Limits.Add(context.BeginTraining().MaxTime!.Value);
            context.Events.Report(new Warned("a", $"session {_sessions}"));
            File.WriteAllText(Path.Combine(context.CheckpointFolder, "state"), "");
            clock.Pass(5); // steps
            if (_sessions++ < interruptions)
                throw new OperationCanceledException();
            File.WriteAllText(Path.Combine(context.ModelFolder, "config.json"), "{}");
            var loss = new Dictionary<string, MetricValue> { ["loss"] = new(1, 1, 1) };
            return new SequenceOutcome
            {
                Model = "llama",
                ModelReason = "",
                Parameters = 1,
                Summary = "",
                Chosen = new Dictionary<string, string>(),
                StopReason = StopReason.Steps,
                History = [],
                Metrics = new Dictionary<string, SplitEvaluation> { ["valid"] = new() { Rows = 1, SplitRows = 1, Metrics = loss } },
                Baseline = new BaselineRecord("unigram", "", loss),
                Candidates = [],
            };
        }

        public ISequencePredictor Open(string folder, Problem problem) => throw new UsageException("nothing to open");

        public void Dispose()
        {
        }
    }

    /// <summary>A clock that moves only when told to.</summary>
    private sealed class SlowClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(int seconds) => _ticks += seconds * TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_ticks);
    }

    private sealed class Listener(Action<TrainEvent> heard) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => heard(value);
    }
}
