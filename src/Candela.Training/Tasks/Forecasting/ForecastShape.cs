using Candela.Forecasting;

namespace Candela.Training.Tasks;

/// <summary>What a forecasting net looks at and gives, and how large it is.</summary>
/// <param name="Net"><c>rnn</c>, <c>lstm</c> or <c>gru</c>.</param>
/// <param name="Layers">Recurrent layers.</param>
/// <param name="Width">Numbers of each layer's state.</param>
/// <param name="Dropout">Between layers and before the output.</param>
/// <param name="Window">Past steps it looks at.</param>
/// <param name="Horizon">Steps it forecasts, all at once.</param>
/// <param name="Season">Steps of a season; 1 for none.</param>
/// <param name="Inputs">Columns beside the target.</param>
internal sealed record ForecastShape(string Net, int Layers, int Width, double Dropout, int Window, int Horizon, int Season, int Inputs)
{
    public static IReadOnlyList<string> Nets { get; } = ["lstm", "gru", "rnn"];

    public bool IsUsable => Nets.Contains(Net) && Layers is >= 1 and <= 64 && Width is >= 1 and <= 16384 && Dropout is >= 0 and < 1
        && Window is >= 2 and <= 1 << 20 && Horizon is >= 1 and <= 1 << 20 && Season is >= 1 and <= 1 << 20 && Inputs is >= 0 and < 10_000;
}

/// <summary>How the numbers of a window are brought to a common size: the target by its own mean and spread in the window, the inputs by mean and deviation of the training parts.</summary>
/// <param name="Means">Of each input.</param>
/// <param name="Deviations">Of each input, 1 where it does not vary.</param>
internal sealed record ForecastScaling(double[] Means, double[] Deviations)
{
    // Of the series' own deviation: a window in which nothing happens must not turn into a magnifying glass.
    private const double LeastSpread = 0.1;

    /// <summary>From the training parts.</summary>
    public static ForecastScaling Of(IReadOnlyList<TimeSeries> series, IReadOnlyList<TimeSplit> splits)
    {
        int inputs = series[0].Inputs.Count;
        var (means, deviations) = (new double[inputs], new double[inputs]);
        for (int c = 0; c < inputs; c++)
        {
            double[] values = [.. series.Zip(splits).SelectMany(p => p.First.Inputs[c].Take(p.Second.Train))];
            means[c] = values.Average();
            double deviation = Deviation(values);
            deviations[c] = deviation > 1e-12 * Math.Abs(means[c]) ? deviation : 1;
        }

        return new ForecastScaling(means, deviations);
    }

    /// <summary>Standard deviation.</summary>
    public static double Deviation(IReadOnlyList<double> values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
    }

    /// <summary>Writes a window as the net reads it, [window, 1 + inputs], and says what brings forecasts back.</summary>
    /// <param name="series">The series.</param>
    /// <param name="end">Index behind the window.</param>
    /// <param name="window">Its steps.</param>
    /// <param name="usual">The series' usual deviation; see <see cref="WindowSource"/>.</param>
    /// <param name="into">Filled.</param>
    public WindowLevel Write(TimeSeries series, int end, int window, double usual, Span<float> into)
    {
        int width = 1 + Means.Length, start = end - window;
        double mean = 0, squares = 0;
        for (int t = start; t < end; t++)
            mean += series.Values[t] / window;
        for (int t = start; t < end; t++)
            squares += (series.Values[t] - mean) * (series.Values[t] - mean);
        double spread = Math.Max(Math.Sqrt(squares / window), LeastSpread * usual);
        var level = new WindowLevel(mean, spread > 0 ? spread : 1);
        for (int t = 0; t < window; t++)
        {
            into[t * width] = (float)((series.Values[start + t] - level.Mean) / level.Spread);
            for (int c = 0; c < Means.Length; c++)
                into[(t * width) + 1 + c] = (float)((series.Inputs[c][start + t] - Means[c]) / Deviations[c]);
        }

        return level;
    }
}

/// <summary>Mean and spread of a window: forecasts are mean + spread x what the net gives.</summary>
internal readonly record struct WindowLevel(double Mean, double Spread);
