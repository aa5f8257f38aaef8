using Candela.Models;

namespace Candela.Training.Tests.Loops;

public class OptionNamesTests
{
    [Fact, Trait("Kind", "conformance")]
    public void OptionNames_EveryOptimizerAndSchedule_CanBeMade()
    {
        Assert.All(OptionNames.Optimizers, id => Assert.Equal(id, OptimizerOptions.Of(id) is { } options ? options.Id : null));
        Assert.All(OptionNames.Schedules, id => Assert.InRange(Schedule.Of(id, 1, 100).RateAt(50), 0, 1));
    }

    /// <summary>12 steps up in equal parts, then the cosine over the other 88: its value half way is half the peak.</summary>
    [Theory, Trait("Kind", "analytic"), InlineData("cosine", "warmup+cosine", 0.5), InlineData("warmup+cosine", "warmup+cosine", 0.5), InlineData("constant", "warmup", 1), InlineData("warmup", "warmup", 1)]
    public void From_WarmupSteps_PutsAWarmUpBeforeTheSchedule(string asked, string expected, double halfWay)
    {
        TrainingPlan plan = TrainingPlan.From(new FitOptions { Schedule = asked, WarmupSteps = 12, LearningRate = 1 }, new TrainingDefaults(), validated: false);
        Assert.Equal((expected, 12), (plan.Schedule, plan.WarmupSteps));
        Schedule schedule = plan.CreateSchedule(100);
        Assert.True(schedule.RateAt(0) < 0.1);
        Assert.Equal(0.5, schedule.RateAt(5), 0.05);
        Assert.Equal(1, schedule.RateAt(12), 0.01);
        Assert.Equal(halfWay, schedule.RateAt(56), 0.02);
        Assert.Equal("12", plan.Chosen()["warmup"]);
    }

    [Fact, Trait("Kind", "fault")]
    public void From_WarmupOfOneCycleOrOfNone_IsRefusedOrTakenOff()
    {
        Assert.Contains("warms up by itself", Assert.Throws<UsageException>(() => TrainingPlan.From(new FitOptions { Schedule = "one-cycle", WarmupSteps = 12 }, new TrainingDefaults(), validated: false)).Message);
        Assert.Equal("cosine", TrainingPlan.From(new FitOptions { Schedule = "warmup+cosine", WarmupSteps = 0 }, new TrainingDefaults(), validated: false).Schedule);
    }

    [Fact, Trait("Kind", "analytic")]
    public void ClassBalance_Balanced_GivesEveryOccurringClassTheSameSumAndMeanOne()
    {
        double[] weights = ClassBalance.WeightsOf("balanced", [60, 30, 0, 10])!;
        Assert.Equal([100 / 180.0, 100 / 90.0, 0, 100 / 30.0], weights);
        Assert.Null(ClassBalance.WeightsOf("none", [1, 2]));
        Assert.Contains("Did you mean 'balanced'?", Assert.Throws<UsageException>(() => ClassBalance.WeightsOf("balance", [1])).Message);
    }
}
