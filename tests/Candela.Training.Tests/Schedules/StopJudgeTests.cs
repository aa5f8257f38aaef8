using Candela.Energy;
using Candela.Models;

namespace Candela.Training.Tests.Schedules;

[Trait("Kind", "analytic")]
public class StopJudgeTests
{
    private sealed class HandClock : TimeProvider
    {
        public double Seconds { get; set; }

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => (long)(Seconds * 1e6);
    }

    private sealed class HandMeter : IEnergyMeter
    {
        public double Joules { get; set; }

        public EnergyReading Read() => new(Joules, Joules, Joules, "test");
    }

    [Fact]
    public void Steps_AndEpochs_EndWhenReached()
    {
        var judge = new StopJudge(new StopRules { Epochs = 2, Steps = 5 });
        Assert.Null(judge.AfterStep(4));
        Assert.Equal(StopReason.Steps, judge.AfterStep(5));
        Assert.Null(judge.AfterEpoch(0, 1, null));
        Assert.Equal(StopReason.Epochs, judge.AfterEpoch(1, 1, null));
    }

    [Fact]
    public void Patience_WithoutBetterScore_Ends()
    {
        var judge = new StopJudge(new StopRules { Patience = 2 });
        Assert.Null(judge.AfterEpoch(0, 1, 0.5));
        Assert.True(judge.Improved);
        Assert.Null(judge.AfterEpoch(1, 1, 0.5));
        Assert.False(judge.Improved);
        Assert.Null(judge.AfterEpoch(2, 1, 0.6));
        Assert.Null(judge.AfterEpoch(3, 1, double.NaN));
        Assert.Equal(StopReason.Patience, judge.AfterEpoch(4, 1, 0.1));
        Assert.Equal(2, judge.BestEpoch);
    }

    [Fact]
    public void Loss_AndGradientNorm_EndAtTheirBounds()
    {
        var judge = new StopJudge(new StopRules { Loss = 0.1, GradientNorm = 1e-3 });
        Assert.Null(judge.AfterStep(1, 2e-3));
        Assert.Null(judge.AfterStep(1));
        Assert.Equal(StopReason.GradientNorm, judge.AfterStep(1, 1e-3));
        Assert.Null(judge.AfterEpoch(0, double.NaN, null));
        Assert.Equal(StopReason.Loss, judge.AfterEpoch(0, 0.1, null));
    }

    [Fact]
    public void Time_OverTwoSessions_IsAddedUp()
    {
        var clock = new HandClock();
        var judge = new StopJudge(new StopRules { MaxTime = TimeSpan.FromSeconds(10) }, clock);
        clock.Seconds = 6;
        Assert.Null(judge.AfterStep(1));
        var next = new StopJudge(new StopRules { MaxTime = TimeSpan.FromSeconds(10) }, clock);
        next.Load(judge.Save());
        clock.Seconds = 9.5;
        Assert.Null(next.AfterStep(2));
        clock.Seconds = 10.1;
        Assert.Equal(StopReason.Time, next.AfterStep(3));
    }

    [Fact]
    public void Energy_OverTheBudget_Ends()
    {
        var (clock, meter) = (new HandClock(), new HandMeter { Joules = 100 });
        var judge = new StopJudge(new StopRules { MaxJoules = 5 }, clock, meter);
        Assert.Null(judge.AfterStep(1));
        (clock.Seconds, meter.Joules) = (1, 104);
        Assert.Null(judge.AfterStep(2));
        (clock.Seconds, meter.Joules) = (2, 105);
        Assert.Equal(StopReason.Energy, judge.AfterStep(3));
        Assert.Throws<UsageException>(() => new StopJudge(new StopRules { MaxJoules = 5 }));
        Assert.Throws<UsageException>(() => new StopJudge(new StopRules { Epochs = 0 }));
    }
}
