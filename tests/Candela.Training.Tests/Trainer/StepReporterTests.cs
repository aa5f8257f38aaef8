using Candela.Models;

namespace Candela.Training.Tests.Loops;

public class StepReporterTests
{
    [Fact, Trait("Kind", "analytic")]
    public void Step_ClockThatStandsStill_ReportsTheFirstTwentyStepsAndThenTheLargestNorm()
    {
        var clock = new StillClock();
        var seen = new List<StepEnded>();
        var reporter = new StepReporter(new Listener(seen), clock, 40);
        for (int step = 1; step <= 30; step++)
            reporter.Step(step, 0, default, step == 25 ? 1e9 : 1, 0.1, 1);
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), seen.Select(s => s.Step));
        clock.Ticks += TimeSpan.TicksPerSecond;
        reporter.Step(31, 0, default, 1, 0.1, 1);
        clock.Ticks += TimeSpan.TicksPerSecond;
        reporter.Step(32, 0, default, 1, 0.1, 1);
        Assert.Equal([1e9, 1], seen[20..].Select(s => s.GradientNorm));
    }

    private sealed class StillClock : TimeProvider
    {
        public long Ticks { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Ticks;
    }

    private sealed class Listener(List<StepEnded> seen) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => seen.Add((StepEnded)value);
    }
}
