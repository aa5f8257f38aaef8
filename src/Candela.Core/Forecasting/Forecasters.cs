using System.Numerics.Tensors;

namespace Candela.Forecasting;

/// <summary>Forecasts without a model, each a line of arithmetic on the history. Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 5.2.</summary>
public static class Forecasters
{
    /// <summary>The last value, at every step.</summary>
    public static IForecaster LastValue { get; } = new Simple("naive", "the last value", (history, forecast) => forecast.Fill(history[^1]));

    /// <summary>The mean of the whole history.</summary>
    public static IForecaster Mean { get; } = new Simple("mean", "the mean so far", (history, forecast) => forecast.Fill(TensorPrimitives.Average(history)));

    /// <summary>The line from the first value through the last.</summary>
    public static IForecaster Drift { get; } = new Simple("drift", "the line from the first value through the last", (history, forecast) =>
    {
        double slope = history.Length > 1 ? (history[^1] - history[0]) / (history.Length - 1) : 0;
        for (int h = 0; h < forecast.Length; h++)
            forecast[h] = history[^1] + (slope * (h + 1));
    });

    /// <summary>The value one season earlier; with fewer values than a season, the last value.</summary>
    /// <param name="season">Steps of a season, 2 or more.</param>
    public static IForecaster SeasonalNaive(int season) => new Simple("seasonal-naive", $"the value {season} steps earlier", (history, forecast) =>
    {
        for (int h = 0; h < forecast.Length; h++)
            forecast[h] = history.Length < season ? history[^1] : history[history.Length - season + (h % season)];
    });

    /// <summary>Those that apply: naive, seasonal naive if there is a season, drift, mean.</summary>
    /// <param name="season">Steps of a season; 1 for none.</param>
    public static IReadOnlyList<IForecaster> All(int season) => season > 1 ? [LastValue, SeasonalNaive(season), Drift, Mean] : [LastValue, Drift, Mean];

    private delegate void Continuation(ReadOnlySpan<double> history, Span<double> forecast);

    private sealed class Simple(string name, string description, Continuation continuation) : IForecaster
    {
        public string Name => name;

        public string Description => description;

        public long Fit(IReadOnlyList<IReadOnlyList<double>> training, CancellationToken cancellation) => 0;

        public void Forecast(int series, ReadOnlySpan<double> history, Span<double> forecast) => continuation(history, forecast);
    }
}
