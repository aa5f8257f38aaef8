using Candela.Metrics;

namespace Candela.Evaluation;

/// <summary>Actual and predicted numbers prepared for resampling.</summary>
internal sealed class RegressionRows : IResampledRows
{
    private static readonly string[] MetricNames = ["mse", "rmse", "mae", "r2", "mape"];
    private readonly float[] _actual;
    private readonly float[] _predicted;
    private readonly double _mean;

    public RegressionRows(float[] actual, float[] predicted)
    {
        (_actual, _predicted) = (actual, predicted);
        foreach (float y in actual)
            _mean += y;
        _mean /= actual.Length;
    }

    public int Count => _actual.Length;

    public int CostPerRow => 3;

    public IReadOnlyList<string> Names => MetricNames;

    public (double Low, double High) Range(int metric) => MetricNames[metric] == "r2" ? (double.NegativeInfinity, 1) : (0, double.PositiveInfinity);

    public bool IsShare(int metric) => false;

    public double? LeastWhenPerfect(int metric) => null;

    public IResampledRows Take(int[] rows) => new RegressionRows(Array.ConvertAll(rows, i => _actual[i]), Array.ConvertAll(rows, i => _predicted[i]));

    public void Compute(ReadOnlySpan<int> counts, Span<double> values)
    {
        bool weighted = counts.Length > 0;
        double squared = 0, absolute = 0, relative = 0, relativeRows = 0, sum = 0, squares = 0;
        for (int i = 0; i < _actual.Length; i++)
        {
            int w = weighted ? counts[i] : 1;
            double error = (double)_actual[i] - _predicted[i];
            double centred = _actual[i] - _mean; // about the mean of all rows: no cancellation in the sum of squares
            squared += w * error * error;
            absolute += w * Math.Abs(error);
            sum += w * centred;
            squares += w * centred * centred;
            if (_actual[i] == 0)
                continue;
            relative += w * Math.Abs(error / _actual[i]);
            relativeRows += w;
        }

        int n = _actual.Length;
        double deviation = squares - (sum * sum / n);
        values[0] = squared / n;
        values[1] = Math.Sqrt(squared / n);
        values[2] = absolute / n;
        values[3] = RegressionMetrics.R2Of(squared, deviation > 1e-14 * squares ? deviation : 0); // what rounding leaves of a resample of equal values is none
        values[4] = relative / relativeRows;
    }
}
