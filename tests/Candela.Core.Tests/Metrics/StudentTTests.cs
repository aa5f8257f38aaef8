using Candela.Metrics;

namespace Candela.Tests.Metrics;

public class StudentTTests
{
    [Theory, Trait("Kind", "golden")]
    [InlineData(1, 12.7062)]
    [InlineData(2, 4.3027)]
    [InlineData(4, 2.7764)]
    [InlineData(9, 2.2622)]
    [InlineData(30, 2.0423)]
    public void TwoSided_95Percent_MatchesThePublishedTable(int degrees, double expected) => Assert.Equal(expected, StudentT.TwoSided(0.95, degrees), 4);

    [Fact, Trait("Kind", "conformance")]
    public void TwoSided_ManyDegrees_AgreesWithMathNet()
    {
        foreach (int degrees in (int[])[1, 2, 3, 5, 8, 13, 50, 199, 1000])
            foreach (double central in (double[])[0.1, 0.5, 0.8, 0.95, 0.99])
                Assert.Equal(MathNet.Numerics.Distributions.StudentT.InvCDF(0, 1, degrees, (1 + central) / 2), StudentT.TwoSided(central, degrees), 6);
    }

    [Fact, Trait("Kind", "analytic")]
    public void MeanInterval_FiveNumbers_IsMeanPlusMinusTTimesStandardError()
    {
        MetricValue interval = StudentT.MeanInterval([1, 2, 3, 4, 5]);
        double half = 2.776445 * Math.Sqrt(2.5 / 5);
        Assert.Equal(3, interval.Value, 12);
        Assert.Equal(3 - half, interval.Low, 5);
        Assert.Equal(3 + half, interval.High, 5);
    }

    [Fact, Trait("Kind", "property")]
    public void MeanInterval_NormalSamples_CoversTheMeanIn95Percent()
    {
        var rng = new Rng(5);
        int covered = 0;
        for (int trial = 0; trial < 4000; trial++)
        {
            double[] sample = [rng.NextGaussian(), rng.NextGaussian(), rng.NextGaussian(), rng.NextGaussian(), rng.NextGaussian()];
            MetricValue interval = StudentT.MeanInterval(sample);
            covered += interval.Low <= 0 && interval.High >= 0 ? 1 : 0;
        }

        Assert.InRange(covered / 4000.0, 0.95 - 0.014, 0.95 + 0.014); // 4 sigma of the binomial
    }
}
