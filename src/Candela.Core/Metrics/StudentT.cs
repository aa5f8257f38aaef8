namespace Candela.Metrics;

/// <summary>Student's t distribution with a whole number of degrees of freedom.</summary>
public static class StudentT
{
    /// <summary>P(|T| &lt;= t), by the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4. Cost O(degrees).</summary>
    public static double CentralProbability(double t, int degrees)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(degrees);
        return OfAngle(Math.Atan(Math.Abs(t) / Math.Sqrt(degrees)), degrees);
    }

    /// <summary>The t with P(|T| &lt;= t) = <paramref name="central"/>, for a two-sided interval; for 0.95 and many degrees 1.96. Found by bisection to the last bits.</summary>
    public static double TwoSided(double central, int degrees)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(degrees);
        if (!(central >= 0 && central < 1))
            throw new ArgumentOutOfRangeException(nameof(central), central, "A central probability is at least 0 and below 1.");
        double low = 0, high = Math.PI / 2;
        for (int i = 0; i < 100 && low < high; i++)
        {
            double middle = (low + high) / 2;
            if (OfAngle(middle, degrees) < central)
                low = middle;
            else
                high = middle;
        }

        return Math.Tan(high) * Math.Sqrt(degrees);
    }

    /// <summary>Mean of <paramref name="values"/> with its 95 % t-interval; a single value has none and gives itself as both ends.</summary>
    public static MetricValue MeanInterval(ReadOnlySpan<double> values)
    {
        double mean = 0, squares = 0;
        foreach (double v in values)
            mean += v;
        mean /= values.Length;
        foreach (double v in values)
            squares += (v - mean) * (v - mean);
        if (values.Length < 2)
            return new MetricValue(mean, mean, mean);
        double half = TwoSided(0.95, values.Length - 1) * Math.Sqrt(squares / (values.Length - 1) / values.Length);
        return new MetricValue(mean, mean - half, mean + half);
    }

    private static double OfAngle(double angle, int degrees)
    {
        double sin = Math.Sin(angle), cos = Math.Cos(angle), sum = 0;
        if (degrees % 2 == 0)
        {
            double term = 1;
            for (int k = 2; k <= degrees; k += 2)
            {
                sum += term;
                term *= cos * cos * (k - 1) / k;
            }

            return sin * sum;
        }

        double odd = cos;
        for (int k = 3; k <= degrees; k += 2)
        {
            sum += odd;
            odd *= cos * cos * (k - 1) / k;
        }

        return 2 / Math.PI * (angle + (sin * sum));
    }
}
