using Candela.Forecasting;

namespace Candela.Tests.Forecasting;

public sealed class ForecastersTests
{
    private static double[] Of(IForecaster forecaster, double[] history, int horizon)
    {
        var forecast = new double[horizon];
        forecaster.Forecast(0, history, forecast);
        return forecast;
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Forecast_KnownHistory_IsTheTextbookFormula()
    {
        double[] history = [1, 5, 2, 6, 3, 7];
        Assert.Equal([7.0, 7, 7], Of(Forecasters.LastValue, history, 3));
        Assert.Equal([4.0, 4], Of(Forecasters.Mean, history, 2));
        Assert.Equal([3.0, 7, 3], Of(Forecasters.SeasonalNaive(2), history, 3));
        Assert.Equal([7 + (6 / 5.0), 7 + (12 / 5.0)], Of(Forecasters.Drift, history, 2)); // slope (7 - 1) / 5
        Assert.Equal([7.0], Of(Forecasters.SeasonalNaive(9), history, 1));
    }

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData(12, 144, 0.5)]
    [InlineData(7, 200, 0.5)]
    [InlineData(24, 500, 0.3)]
    public void Detect_SineOnALineWithNoise_FindsItsPeriod(int period, int count, double noise)
    {
        var rng = new Rng(period);
        double[] values = [.. Enumerable.Range(0, count).Select(t => (0.1 * t) + (2 * Math.Sin(2 * Math.PI * t / period)) + (noise * rng.NextGaussian()))];
        Assert.Equal(period, Seasonality.Detect(values));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Detect_NoiseWalkLineAndConstant_HaveNone()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var rng = new Rng(seed);
            Assert.Equal(1, Seasonality.Detect([.. Enumerable.Range(0, 300).Select(_ => rng.NextGaussian())]));
        }

        Assert.Equal(1, Seasonality.Detect([.. Enumerable.Range(0, 100).Select(t => 3.0 * t)]));
        Assert.Equal(1, Seasonality.Detect([.. Enumerable.Repeat(5.0, 100)]));
        Assert.Equal(1, Seasonality.Detect([1, 2, 3]));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void HalfWidths_NineErrors_TakesTheRankOfTheDefinition()
    {
        // n = 9: rank ceil(10 x 0.9) = 9; n = 19: rank ceil(20 x 0.9) = 18.
        double[] nine = [.. Enumerable.Range(1, 9).Select(i => (double)-i)], nineteen = [.. Enumerable.Range(1, 19).SelectMany(i => new double[] { i, 100 - i })];
        Assert.Equal([9.0], ConformalBounds.HalfWidths(nine, 1));
        Assert.Equal([18.0, 98.0], ConformalBounds.HalfWidths(nineteen, 2));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void HalfWidths_ExchangeableErrors_HoldTheLevel()
    {
        var rng = new Rng(4);
        int inside = 0, trials = 4000;
        for (int trial = 0; trial < trials; trial++)
        {
            double width = ConformalBounds.HalfWidths([.. Enumerable.Range(0, 39).Select(_ => rng.NextGaussian())], 1)[0];
            inside += Math.Abs(rng.NextGaussian()) <= width ? 1 : 0;
        }

        Assert.InRange(inside / (double)trials, 0.885, 0.915); // exactly 0.9 by the theory; three standard errors are 0.014
    }
}
