using Candela.Classic.Linear;
using Candela.Data;
using Candela.Forecasting;

namespace Candela.Classic.Forecasting;

/// <summary>Linear autoregression by least squares: each value from those of a window before it and a constant, one step ahead, and the forecasts read on as if they were values. Each series is
/// taken about its training mean; one set of coefficients serves all. The ridge strength is chosen by generalised cross-validation among 0 and small ones, so that short series with wide windows
/// do not fall apart. Cost: rows x window^2.</summary>
/// <param name="window">Past values, at least 1.</param>
public sealed class LinearAutoregression(int window) : IForecaster
{
    private double[] _coefficients = []; // of the value 1, 2, ... steps back
    private double[] _means = [];
    private double _constant;

    /// <inheritdoc/>
    public string Name => "autoregression";

    /// <inheritdoc/>
    public string Description => $"linear autoregression on {window} values by least squares";

    /// <summary>The coefficient of the value 1, 2, ... steps back; empty before <see cref="Fit"/>.</summary>
    public IReadOnlyList<double> Coefficients => _coefficients;

    /// <inheritdoc/>
    /// <exception cref="DataException">No series has more values than the window.</exception>
    public long Fit(IReadOnlyList<IReadOnlyList<double>> training, CancellationToken cancellation)
    {
        _means = [.. training.Select(t => t.Average())];
        int rows = training.Sum(t => Math.Max(0, t.Count - window));
        if (rows == 0)
            throw new DataException($"A linear autoregression on {window} values needs a series of more than that; the longest has {training.Max(t => t.Count)}.");
        var (lagged, targets) = (new float[rows * window], new float[rows]);
        int row = 0;
        for (int s = 0; s < training.Count; s++)
        {
            for (int t = window; t < training[s].Count; t++, row++)
            {
                for (int lag = 0; lag < window; lag++)
                    lagged[(row * window) + lag] = (float)(training[s][t - 1 - lag] - _means[s]);
                targets[row] = (float)(training[s][t] - _means[s]);
            }
        }

        LeastSquares squares = LeastSquares.Of(new ArrayExamples(lagged, [window], targets: targets), cancellation);
        double l2 = squares.StrengthByCrossValidation();
        double[] weights = squares.Ridge(l2) ?? squares.NearMinimumNorm(l2);
        _coefficients = [.. weights.Select(w => w * squares.TargetScale)];
        _constant = squares.Intercept(_coefficients);
        return window + 1;
    }

    /// <inheritdoc/>
    public void Forecast(int series, ReadOnlySpan<double> history, Span<double> forecast)
    {
        double mean = _means[series];
        for (int h = 0; h < forecast.Length; h++)
        {
            double next = _constant;
            for (int lag = 0; lag < window; lag++)
            {
                int at = h - 1 - lag;
                double value = at >= 0 ? forecast[at] : history.Length + at >= 0 ? history[history.Length + at] : mean;
                next += _coefficients[lag] * (value - mean);
            }

            forecast[h] = next + mean;
        }
    }
}
