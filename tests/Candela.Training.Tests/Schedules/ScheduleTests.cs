namespace Candela.Training.Tests.Schedules;

[Trait("Kind", "analytic")]
public class ScheduleTests
{
    [Fact]
    public void Cosine_AtStartMiddleEnd_IsPeakHalfZero()
    {
        var schedule = new CosineSchedule(0.2, 100);
        Assert.Equal(0.2, schedule.RateAt(0), 1e-12);
        Assert.Equal(0.1, schedule.RateAt(50), 1e-12);
        Assert.Equal(0, schedule.RateAt(100), 1e-12);
        Assert.Equal(0, schedule.RateAt(1000), 1e-12);
        Assert.Equal(0.15, new CosineSchedule(0.2, 100, end: 0.1).RateAt(50), 1e-12);
    }

    [Fact]
    public void Step_OverTime_DividesByTen()
    {
        Schedule schedule = Schedule.Of("step", 1, 90);
        Assert.Equal([1, 1, 0.1, 0.1, 0.01], new long[] { 0, 29, 30, 59, 60 }.Select(step => Math.Round(schedule.RateAt(step), 12)));
    }

    [Fact]
    public void Warmup_ThenCosine_RisesInALineAndFalls()
    {
        Schedule schedule = Schedule.Of("warmup+cosine", 0.1, 110, warmupSteps: 10);
        Assert.Equal(0.01, schedule.RateAt(0), 1e-12);
        Assert.Equal(0.05, schedule.RateAt(4), 1e-12);
        Assert.Equal(0.1, schedule.RateAt(9), 1e-12);
        Assert.Equal(0.1, schedule.RateAt(10), 1e-12);
        Assert.Equal(0.05, schedule.RateAt(60), 1e-12);
        Assert.Equal(0, schedule.RateAt(110), 1e-12);
        Assert.Equal(0.1, Schedule.Of("warmup", 0.1, 110, warmupSteps: 10).RateAt(100), 1e-12);
    }

    /// <summary>PyTorch's OneCycleLR formula: initial = max/25, min = initial/1e4, cosine, 30 % up; its corner values follow from it.</summary>
    [Fact]
    public void OneCycle_AtItsCorners_IsPyTorchs()
    {
        var schedule = new OneCycleSchedule(1, 100);
        Assert.Equal(0.04, schedule.RateAt(0), 1e-12);
        Assert.Equal(1, schedule.RateAt(29), 1e-12);
        Assert.Equal(0.04 / 1e4, schedule.RateAt(99), 1e-12);
        Assert.Equal((1 + 0.04) / 2, schedule.RateAt(14) / 2 + schedule.RateAt(15) / 2, 1e-3);
        double highest = Enumerable.Range(0, 100).Max(step => schedule.RateAt(step));
        Assert.Equal(1, highest, 1e-12);
        for (long total = 1; total < 20; total++)
            for (long step = 0; step < 25; step++)
                Assert.InRange(new OneCycleSchedule(1, total).RateAt(step), 0, 1 + 1e-12);
    }

    [Fact]
    public void Plateau_WithoutImprovement_CutsAfterPatience()
    {
        var schedule = new PlateauSchedule(1, factor: 0.1, patience: 2, floor: 0.05);
        var rates = new List<double>();
        foreach (double loss in new[] { 1.0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5 })
        {
            schedule.Observe(loss);
            rates.Add(schedule.RateAt(0));
        }

        // ReduceLROnPlateau(factor 0.1, patience 2, min_lr 0.05): the third epoch without improvement cuts
        Assert.Equal([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.05, 0.05], rates.Select(x => Math.Round(x, 9)));
        var copy = new PlateauSchedule(1, 0.1, 2, 0.05);
        copy.Load(schedule.Save());
        Assert.Equal(schedule.RateAt(0), copy.RateAt(0));
    }

    [Fact]
    public void Id_Mistyped_NamesTheNearest()
    {
        Assert.Contains("Did you mean 'cosine'?", Assert.Throws<UsageException>(() => Schedule.Of("cosin", 1, 10)).Message);
        Assert.Contains("Did you mean 'warmup+cosine'?", Assert.Throws<UsageException>(() => Schedule.Of("warmup+cosin", 1, 10)).Message);
        Assert.Throws<UsageException>(() => Schedule.Of("cosine", 0, 10));
    }

    [Fact]
    public void Ids_All_GiveFiniteRatesUpToThePeak()
    {
        foreach (string id in Schedule.Ids)
            foreach (long total in new long[] { 1, 2, 3, 50 })
                for (long step = 0; step < total; step++)
                    Assert.InRange(Schedule.Of(id, 0.3, total).RateAt(step), 0, 0.3 + 1e-12);
    }

    [Fact]
    public void WeightAverage_OfConstantWeights_ApproachesThem()
    {
        var average = new WeightAverage(new float[21], 0.9);
        float[] ones = [.. Enumerable.Repeat(1f, 21)];
        double expected = 0;
        for (int t = 1; t <= 50; t++)
        {
            average.Update(ones);
            double keep = Math.Min(0.9, (1.0 + t) / (10 + t));
            expected = (keep * expected) + (1 - keep);
            Assert.All(average.Average, x => Assert.Equal(expected, x, 1e-5));
        }

        Assert.InRange(expected, 0.99, 1);
    }

    /// <summary>Gradient descent on x^2/2 is stable below a rate of 2; the sweep must blow up beyond it and suggest something well below.</summary>
    [Fact]
    public void LearningRateFinder_OnAQuadratic_SuggestsAStableRate()
    {
        double x = 1;
        LearningRateSweep sweep = LearningRateFinder.Run(rate =>
        {
            double loss = x * x / 2;
            x -= rate * x;
            return loss;
        }, 1e-4, 1e3, 100);
        Assert.InRange(sweep.Suggested, 0.005, 1.9);
        Assert.True(sweep.Rates.Count < 100);
        Assert.Throws<UsageException>(() => LearningRateFinder.Run(_ => double.NaN));
    }
}
