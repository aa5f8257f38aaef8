using Candela.Evaluation;
using Candela.Forecasting;
using Candela.Metrics;

namespace Candela.Tests.Forecasting;

public sealed class BackTestTests
{
    private static readonly TimeSeries One = new("", [1, 2, 4, 7, 11, 16], []);

    [Fact]
    [Trait("Kind", "analytic")]
    public void Score_LastValueOnKnownSeries_GivesTheFormulas()
    {
        // Origins 3 and 4, horizon 2: forecasts 4 4 and 7 7 of 7 11 and 11 16, errors 3 7 4 9.
        var test = new BackTest([One], [new(0, 3), new(0, 4)], 2, [BackTest.Scale([1, 2, 4], 1)], seed: 1);
        SplitEvaluation scores = test.Score(test.Run(Forecasters.LastValue, TestContext.Current.CancellationToken), [0, 0, 0, 0], [7, 7, 20, 20]);
        Assert.Equal(23 / 4.0, scores.Metrics["mae"].Value, 12);
        Assert.Equal(Math.Sqrt((9 + 49 + 16 + 81) / 4.0), scores.Metrics["rmse"].Value, 12);
        Assert.Equal(((6.0 / 11) + (14.0 / 15) + (8.0 / 18) + (18.0 / 23)) / 4, scores.Metrics["smape"].Value, 12);
        Assert.Equal(23 / 4.0 / 1.5, scores.Metrics["mase"].Value, 12); // in-sample naive error of 1 2 4: (1 + 2) / 2
        Assert.Equal(0.75, scores.Metrics["coverage"].Value, 12);
        Assert.Equal(4, scores.Rows);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Scale_SeasonalNaive_IsItsInSampleError()
    {
        Assert.Equal(2, BackTest.Scale([1, 10, 3, 12, 5, 14], 2));
        Assert.Equal(9, BackTest.Scale([1, 10, 1], 2)); // too short for a season of 2
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Excess_ForecastsAgainstThemselves_IsNothing()
    {
        var test = new BackTest([One], [new(0, 3), new(0, 4)], 2, [1], seed: 1);
        double[] forecasts = test.Run(Forecasters.Drift, TestContext.Current.CancellationToken);
        Assert.Equal(new MetricValue(0, 0, 0), test.Excess(forecasts, forecasts));
        Assert.True(test.Excess(test.Run(Forecasters.Mean, TestContext.Current.CancellationToken), forecasts).Low > 0);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Origins_OfParts_NeverLookOrReachAcross()
    {
        TimeSeries series = new("", [.. Enumerable.Range(0, 50).Select(t => (double)t)], []);
        TimeSplit split = TimeSplit.Of(series, 0.2, 0.2, window: 5, horizon: 3);
        Assert.Equal((30, 10, 10), (split.Train, split.Valid, split.Test));
        ForecastOrigin[] train = [.. TimeSplit.Origins(0, 0, split.Train, 5, 3)], valid = [.. TimeSplit.Origins(0, split.Train, split.ValidEnd, 5, 3)], test = [.. TimeSplit.Origins(0, split.ValidEnd, 50, 5, 3)];
        Assert.Equal((5, 27), (train[0].At, train[^1].At)); // the last forecasts 27 28 29
        Assert.Equal((30, 37), (valid[0].At, valid[^1].At));
        Assert.Equal((40, 47), (test[0].At, test[^1].At));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Of_TooShort_SaysHowManyAreNeeded() =>
        Assert.Contains("at least 9 are needed", Assert.Throws<DataException>(() => TimeSplit.Of(One, 0.2, 0.2, window: 5, horizon: 3)).Message, StringComparison.Ordinal);

    /// <summary>An AR(1) of 0.9 has a mean whose standard error is sqrt((1 + 0.9) / (1 - 0.9)) = 4.4 times that of independent values: rows drawn one by one miss that, blocks do not.</summary>
    [Fact]
    [Trait("Kind", "property")]
    public void Interval_OfDependentUnits_HoldsTheMeanWhereRowsDoNot()
    {
        int held = 0, heldByRows = 0;
        const int Trials = 200, Count = 400;
        double[] ones = [.. Enumerable.Repeat(1.0, Count)];
        for (int trial = 0; trial < Trials; trial++)
        {
            var rng = new Rng(trial);
            double at = rng.NextGaussian() / Math.Sqrt(1 - 0.81);
            var values = new double[Count];
            for (int t = 0; t < Count; t++)
                values[t] = at = (0.9 * at) + rng.NextGaussian();
            MetricValue blocks = BlockBootstrap.Interval(values, ones, 40, trial, 300), rows = BlockBootstrap.Interval(values, ones, 1, trial, 300);
            held += blocks.Low <= 0 && blocks.High >= 0 ? 1 : 0;
            heldByRows += rows.Low <= 0 && rows.High >= 0 ? 1 : 0;
        }

        Assert.InRange(held / (double)Trials, 0.82, 1);
        Assert.InRange(heldByRows / (double)Trials, 0, 0.55);
    }
}
