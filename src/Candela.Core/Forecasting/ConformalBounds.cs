namespace Candela.Forecasting;

/// <summary>How far from a forecast the value may lie: split conformal prediction, per step of the horizon (Vovk et al. 2005; Lei et al. 2018). For each step the quantile of absolute errors on a part
/// that was not trained on, each error divided by its own series' spread. Exact for exchangeable errors; those of a time series are so only about, so the coverage on the test part is reported beside it.</summary>
public static class ConformalBounds
{
    /// <summary>Share of values the bounds are to hold.</summary>
    public const double Level = 0.9;

    /// <summary>The half width per step, in spreads.</summary>
    /// <param name="errors">[origins, horizon], in spreads.</param>
    /// <param name="horizon">Steps of a forecast.</param>
    /// <returns>The ceil((n + 1) x level)-th smallest absolute error of each step, the largest where there are too few for that (n below 9).</returns>
    /// <exception cref="ShapeException">There are no errors, or not whole forecasts.</exception>
    public static double[] HalfWidths(ReadOnlySpan<double> errors, int horizon)
    {
        if (horizon < 1 || errors.Length == 0 || errors.Length % horizon != 0)
            throw new ShapeException($"{errors.Length} errors do not divide into forecasts of {horizon} steps, at least one.");
        int n = errors.Length / horizon, rank = Math.Min(n, (int)Math.Ceiling((n + 1) * Level));
        var widths = new double[horizon];
        var step = new double[n];
        for (int h = 0; h < horizon; h++)
        {
            for (int i = 0; i < n; i++)
                step[i] = Math.Abs(errors[(i * horizon) + h]);
            Array.Sort(step);
            widths[h] = step[rank - 1];
        }

        return widths;
    }
}
