namespace Candela.Forecasting;

/// <summary>Cuts a series in time: training first, then validation, then test. Nothing is shuffled across.</summary>
/// <param name="Train">Values of the training part.</param>
/// <param name="Valid">Values of the validation part, behind it.</param>
/// <param name="Test">Values of the test part, at the end.</param>
public sealed record TimeSplit(int Train, int Valid, int Test)
{
    /// <summary>Index behind the training and the validation part.</summary>
    public int ValidEnd => Train + Valid;

    /// <summary>Cuts by shares, each part at least as long as the horizon.</summary>
    /// <param name="series">The series.</param>
    /// <param name="validShare">Share of the validation part.</param>
    /// <param name="testShare">Share of the test part.</param>
    /// <param name="window">Values a forecast looks at.</param>
    /// <param name="horizon">Steps of a forecast.</param>
    /// <exception cref="DataException">The series is too short.</exception>
    public static TimeSplit Of(TimeSeries series, double validShare, double testShare, int window, int horizon)
    {
        int n = series.Values.Count, valid = Math.Max(horizon, (int)Math.Round(n * validShare)), test = Math.Max(horizon, (int)Math.Round(n * testShare)), train = n - valid - test;
        int fewest = window + horizon + 1;
        return train >= fewest ? new TimeSplit(train, valid, test)
            : throw new DataException($"{char.ToUpperInvariant(series.Called[0])}{series.Called[1..]} has {n} values: {valid} for validation and {test} for the test leave {Math.Max(0, train)}, and at least {fewest} are needed to train with a window of {window} and a horizon of {horizon}. Give more values, or a smaller --window or --horizon.");
    }

    /// <summary>The origins whose whole forecast lies in [from, to).</summary>
    /// <param name="series">Index of the series.</param>
    /// <param name="from">First index that may be forecast.</param>
    /// <param name="to">Index behind the last.</param>
    /// <param name="window">Values that must lie before an origin.</param>
    /// <param name="horizon">Steps of a forecast.</param>
    public static IEnumerable<ForecastOrigin> Origins(int series, int from, int to, int window, int horizon)
    {
        for (int at = Math.Max(from, window); at + horizon <= to; at++)
            yield return new ForecastOrigin(series, at);
    }
}
