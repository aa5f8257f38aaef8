namespace Candela.Metrics;

/// <summary>Metrics of predicted numbers, in the target's unit. All are NaN without rows. Cost O(n).</summary>
public static class RegressionMetrics
{
    /// <summary>Mean squared error, in the target's unit squared.</summary>
    public static double Mse(ReadOnlySpan<float> actual, ReadOnlySpan<float> predicted)
    {
        Check(actual, predicted);
        double sum = 0;
        for (int i = 0; i < actual.Length; i++)
            sum += ((double)actual[i] - predicted[i]) * ((double)actual[i] - predicted[i]);
        return sum / actual.Length;
    }

    /// <summary>Root of the mean squared error, in the target's unit.</summary>
    public static double Rmse(ReadOnlySpan<float> actual, ReadOnlySpan<float> predicted) => Math.Sqrt(Mse(actual, predicted));

    /// <summary>Mean absolute error, in the target's unit.</summary>
    public static double Mae(ReadOnlySpan<float> actual, ReadOnlySpan<float> predicted)
    {
        Check(actual, predicted);
        double sum = 0;
        for (int i = 0; i < actual.Length; i++)
            sum += Math.Abs((double)actual[i] - predicted[i]);
        return sum / actual.Length;
    }

    /// <summary>Coefficient of determination, 1 - squared error / squared deviation from the mean of <paramref name="actual"/>; at most 1, below 0 when
    /// worse than that mean. When all actual values are equal: 1 for an exact prediction, else 0 (scikit-learn's convention).</summary>
    public static double R2(ReadOnlySpan<float> actual, ReadOnlySpan<float> predicted)
    {
        Check(actual, predicted);
        double mean = 0, squares = 0, errors = 0;
        foreach (float y in actual)
            mean += y;
        mean /= actual.Length;
        for (int i = 0; i < actual.Length; i++)
        {
            squares += (actual[i] - mean) * (actual[i] - mean);
            errors += ((double)actual[i] - predicted[i]) * ((double)actual[i] - predicted[i]);
        }

        return R2Of(errors, squares);
    }

    /// <summary>Mean absolute percentage error as a ratio (0.1 is 10 %). Rows whose actual value is 0 have none and are left out; NaN when none is left.</summary>
    public static double Mape(ReadOnlySpan<float> actual, ReadOnlySpan<float> predicted)
    {
        Check(actual, predicted);
        double sum = 0;
        int rows = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            if (actual[i] == 0)
                continue;
            sum += Math.Abs(((double)actual[i] - predicted[i]) / actual[i]);
            rows++;
        }

        return sum / rows;
    }

    internal static double R2Of(double squaredErrors, double squaredDeviations)
        => squaredDeviations > 0 ? 1 - (squaredErrors / squaredDeviations) : squaredErrors > 0 ? 0 : double.IsNaN(squaredErrors) ? double.NaN : 1;

    private static void Check(ReadOnlySpan<float> actual, ReadOnlySpan<float> predicted)
    {
        if (actual.Length != predicted.Length)
            throw new ShapeException($"A regression metric got {actual.Length} actual and {predicted.Length} predicted values; they must be as many.");
    }
}
