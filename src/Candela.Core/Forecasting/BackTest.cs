using Candela.Evaluation;
using Candela.Metrics;

namespace Candela.Forecasting;

/// <summary>Where a forecast is made.</summary>
/// <param name="Series">Index of the series.</param>
/// <param name="At">Index of the first value that is forecast; those before it are known.</param>
public readonly record struct ForecastOrigin(int Series, int At);

/// <summary>Judges forecasts made again and again, each from one step later (rolling origins), on a part of each series.</summary>
public sealed class BackTest
{
    private const int ResidualPoints = 1000;
    private readonly IReadOnlyList<TimeSeries> _series;
    private readonly double[] _scales;
    private readonly long _seed;
    private readonly int[] _units; // of each origin: how many origins the series has behind it
    private readonly int _unitCount;

    /// <summary>Prepares it.</summary>
    /// <param name="series">The series, whole.</param>
    /// <param name="origins">Where forecasts are made; each has room for the horizon.</param>
    /// <param name="horizon">Steps of a forecast.</param>
    /// <param name="scales">Per series, what errors are divided by for MASE; see <see cref="Scale"/>. Where it is 0 the series does not count in MASE.</param>
    /// <param name="seed">Of the intervals' resamples.</param>
    /// <exception cref="DataException">There are no origins.</exception>
    public BackTest(IReadOnlyList<TimeSeries> series, IReadOnlyList<ForecastOrigin> origins, int horizon, IReadOnlyList<double> scales, long seed)
    {
        if (origins.Count == 0)
            throw new DataException("There is nowhere to forecast from: no series is long enough for the window and the horizon.");
        (_series, Origins, Horizon, _scales, _seed) = (series, origins, horizon, [.. scales], seed);
        // Counted from the end, where the series of a file mostly end together: origins of one time are one unit, and resampled together.
        int[] latest = new int[series.Count];
        foreach (ForecastOrigin origin in origins)
            latest[origin.Series] = Math.Max(latest[origin.Series], origin.At);
        _units = [.. origins.Select(o => latest[o.Series] - o.At)];
        _unitCount = _units.Max() + 1;
    }

    /// <summary>Where forecasts are made.</summary>
    public IReadOnlyList<ForecastOrigin> Origins { get; }

    /// <summary>Steps of a forecast.</summary>
    public int Horizon { get; }

    /// <summary>Neighbouring origins that are resampled together: the horizon, within which their forecasts share values, and at least the cube root of their number.</summary>
    public int Block => Math.Max(Horizon, (int)Math.Ceiling(Math.Cbrt(_unitCount)));

    /// <summary>The mean absolute error of the seasonal naive forecast one step ahead within the training part: the unit of MASE (Hyndman and Koehler 2006).</summary>
    /// <param name="training">At least two values.</param>
    /// <param name="season">Steps of a season, 1 for none; with fewer values than two seasons it counts as 1.</param>
    public static double Scale(IReadOnlyList<double> training, int season)
    {
        int lag = training.Count >= 2 * season ? season : 1;
        double sum = 0;
        for (int t = lag; t < training.Count; t++)
            sum += Math.Abs(training[t] - training[t - lag]);
        return training.Count > lag ? sum / (training.Count - lag) : 0;
    }

    /// <summary>A method's forecasts at all origins, [origins, horizon].</summary>
    /// <param name="forecaster">Fitted.</param>
    /// <param name="cancellation">Ends it.</param>
    public double[] Run(IForecaster forecaster, CancellationToken cancellation = default)
    {
        var forecasts = new double[Origins.Count * Horizon];
        double[][] values = [.. _series.Select(s => s.Values.ToArray())];
        for (int i = 0; i < Origins.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            forecaster.Forecast(Origins[i].Series, values[Origins[i].Series].AsSpan(0, Origins[i].At), forecasts.AsSpan(i * Horizon, Horizon));
        }

        return forecasts;
    }

    /// <summary>Actual minus forecast value, [origins, horizon].</summary>
    public double[] Errors(IReadOnlyList<double> forecasts)
    {
        if (forecasts.Count != Origins.Count * Horizon)
            throw new ShapeException($"{forecasts.Count} forecast values; {Origins.Count} origins x {Horizon} steps were needed.");
        return [.. forecasts.Select((f, i) => Actual(i) - f)];
    }

    /// <summary>Metrics of forecasts: mae, rmse, smape (2 |error| / (|actual| + |forecast|), a ratio from 0 to 2), mase, and with bounds coverage (the share of values within them).
    /// Intervals by <see cref="BlockBootstrap"/> over origins.</summary>
    /// <param name="forecasts">[origins, horizon].</param>
    /// <param name="low">Lower bounds likewise, or null.</param>
    /// <param name="high">Upper bounds likewise, or null.</param>
    public SplitEvaluation Score(IReadOnlyList<double> forecasts, IReadOnlyList<double>? low = null, IReadOnlyList<double>? high = null)
    {
        double[] errors = Errors(forecasts);
        MetricValue Mean(Func<int, double> of, Func<int, double>? weight = null)
        {
            var (sums, weights) = (new double[_unitCount], new double[_unitCount]);
            for (int i = 0; i < errors.Length; i++)
            {
                int unit = _unitCount - 1 - _units[i / Horizon];
                double counted = weight is null ? 1 : weight(i);
                sums[unit] += counted == 0 ? 0 : counted * of(i);
                weights[unit] += counted;
            }

            return BlockBootstrap.Interval(sums, weights, Block, _seed);
        }

        MetricValue squared = Mean(i => errors[i] * errors[i]);
        var metrics = new Dictionary<string, MetricValue>
        {
            ["mae"] = Mean(i => Math.Abs(errors[i])),
            ["rmse"] = new(Math.Sqrt(squared.Value), Math.Sqrt(squared.Low), Math.Sqrt(squared.High)),
            ["smape"] = Mean(i => Symmetric(errors[i], Actual(i), forecasts[i])),
        };
        if (Origins.Any(o => _scales[o.Series] > 0))
            metrics["mase"] = Mean(i => Math.Abs(errors[i]) / ScaleAt(i), i => ScaleAt(i) > 0 ? 1 : 0);
        if (low is not null && high is not null)
            metrics[ForecastMetrics.Coverage] = Mean(i => Actual(i) >= low[i] && Actual(i) <= high[i] ? 1 : 0);
        int every = Math.Max(1, (errors.Length + ResidualPoints - 1) / ResidualPoints);
        return new SplitEvaluation
        {
            Rows = errors.Length,
            SplitRows = errors.Length,
            Metrics = metrics,
            Residuals = [.. Enumerable.Range(0, errors.Length).Where(i => i % every == 0).Select(i => new ResidualPoint(Actual(i), forecasts[i]))],
        };
    }

    /// <summary>By how much the mean absolute error of one set of forecasts is above that of another, pairwise on the same values, with its interval: above 0 the other is better.</summary>
    public MetricValue Excess(IReadOnlyList<double> forecasts, IReadOnlyList<double> other)
    {
        double[] mine = Errors(forecasts), theirs = Errors(other);
        var (sums, weights) = (new double[_unitCount], new double[_unitCount]);
        for (int i = 0; i < mine.Length; i++)
        {
            int unit = _unitCount - 1 - _units[i / Horizon];
            sums[unit] += Math.Abs(mine[i]) - Math.Abs(theirs[i]);
            weights[unit]++;
        }

        return BlockBootstrap.Interval(sums, weights, Block, _seed);
    }

    private double Actual(int index) => _series[Origins[index / Horizon].Series].Values[Origins[index / Horizon].At + (index % Horizon)];

    private double ScaleAt(int index) => _scales[Origins[index / Horizon].Series];

    private static double Symmetric(double error, double actual, double forecast)
    {
        double size = Math.Abs(actual) + Math.Abs(forecast);
        return size > 0 ? 2 * Math.Abs(error) / size : 0;
    }
}
