namespace Candela.Forecasting;

/// <summary>Finds the season of a series.</summary>
public static class Seasonality
{
    private const double Least = 0.3;

    /// <summary>The lag of the highest local peak of the autocorrelation behind its first fall below 0, after a straight line has been taken off; 1 when no peak is above 0.3 and above
    /// what chance gives (two standard errors, 2 / sqrt(n)). Cost: values x lags.</summary>
    /// <param name="values">At least three seasons are needed to find one.</param>
    /// <param name="longest">The longest season looked for; a third of the values at the most.</param>
    public static int Detect(IReadOnlyList<double> values, int longest = 400)
    {
        int n = values.Count, lags = Math.Min(longest, n / 3);
        if (lags < 2)
            return 1;
        double[] rest = WithoutLine(values);
        double variance = rest.Sum(r => r * r);
        if (!(variance > 1e-12 * values.Sum(v => v * v)))
            return 1;
        var correlation = new double[lags + 2];
        for (int lag = 1; lag < correlation.Length; lag++)
        {
            double sum = 0;
            for (int t = lag; t < n; t++)
                sum += rest[t] * rest[t - lag];
            correlation[lag] = sum / variance;
        }

        int start = Array.FindIndex(correlation, 1, c => c < 0), best = 1;
        double bar = Math.Max(Least, 2 / Math.Sqrt(n));
        for (int lag = Math.Max(2, start); start > 0 && lag <= lags; lag++)
            if (correlation[lag] > bar && correlation[lag] >= correlation[lag - 1] && correlation[lag] > correlation[lag + 1])
                (best, bar) = (lag, correlation[lag]);
        return best;
    }

    private static double[] WithoutLine(IReadOnlyList<double> values)
    {
        int n = values.Count;
        double middle = (n - 1) / 2.0, mean = values.Average(), with = 0, squares = 0;
        for (int t = 0; t < n; t++)
        {
            with += (t - middle) * (values[t] - mean);
            squares += (t - middle) * (t - middle);
        }

        return [.. values.Select((v, t) => v - mean - (with / squares * (t - middle)))];
    }
}
