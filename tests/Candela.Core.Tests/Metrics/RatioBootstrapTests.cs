using Candela.Metrics;

namespace Candela.Core.Tests.Metrics;

public sealed class RatioBootstrapTests
{
    [Fact, Trait("Kind", "analytic")]
    public void Interval_EqualDenominators_IsThatOfAMean()
    {
        // With equal denominators the ratio is a mean, whose bootstrap distribution has the standard deviation s / sqrt(n) (s with n in the divisor) and is close to normal for n = 400.
        var rng = new Rng(4);
        double[] values = [.. Enumerable.Range(0, 400).Select(_ => 3 + rng.NextGaussian())], ones = [.. values.Select(_ => 2.0)];
        double mean = values.Average(), error = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / 400 / 400);
        MetricValue found = RatioBootstrap.Interval(values, ones, seed: 1, resamples: 20_000);
        Assert.Equal(mean / 2, found.Value, 1e-12);
        Assert.Equal((mean - (1.96 * error)) / 2, found.Low, 0.05 * error);
        Assert.Equal((mean + (1.96 * error)) / 2, found.High, 0.05 * error);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Interval_TwoUnits_IsTheirRange()
    {
        // Of two units a resample is one of them twice (1/4 each) or both: the percentiles are the units' own ratios, 1/1 and 6/2, around (1 + 6) / (1 + 2).
        MetricValue found = RatioBootstrap.Interval([1, 6], [1, 2], seed: 3);
        Assert.Equal((7 / 3.0, 1.0, 3.0), (found.Value, found.Low, found.High));
        Assert.Equal(found, RatioBootstrap.Interval([1, 6], [1, 2], seed: 3));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Difference_OfOneRatioToItselfPlusAConstant_HasNoSpread()
    {
        // Units that differ a hundredfold, yet the second ratio is 0.25 lower in every one of them: whatever is drawn, so is the difference.
        double[] below = [1, 5, 20, 100], above = [0.9, 2, 15, 30], other = [.. above.Zip(below, (a, b) => a - (0.25 * b))];
        MetricValue found = RatioBootstrap.Difference(above, below, other, below, seed: 1);
        Assert.Equal(0.25, found.Value, 1e-12);
        Assert.Equal(0.25, found.Low, 1e-12);
        Assert.Equal(0.25, found.High, 1e-12);
        MetricValue alone = RatioBootstrap.Interval(above, below, seed: 1);
        Assert.True(alone.High - alone.Low > 0.2, "a ratio without spread shows nothing");
        Assert.Throws<ShapeException>(() => RatioBootstrap.Difference([1], [1], [1, 2], [1, 2], 0));
    }

    [Fact, Trait("Kind", "fault")]
    public void Interval_UnequalOrNoUnits_IsRefused()
    {
        Assert.Throws<ShapeException>(() => RatioBootstrap.Interval([1], [1, 2], 0));
        Assert.Throws<ShapeException>(() => RatioBootstrap.Interval([], [], 0));
    }
}
