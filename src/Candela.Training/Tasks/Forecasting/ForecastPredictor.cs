using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Forecasting;
using Candela.Models;

namespace Candela.Training.Tasks;

/// <summary>A forecaster over a file: the next values after its end, or a back-test over all of it.</summary>
internal sealed class ForecastPredictor(SeriesForecaster forecaster, long seed = 0) : ISequencePredictor
{
    public string Name => "forecaster";

    public string Unit => "values";

    public IReadOnlyList<string> Fields { get; } = ["series", "step", "time", "prediction", "low", "high"];

    /// <summary>Forecasts from every step of the file behind the first window, as far as a whole horizon follows.</summary>
    public SplitEvaluation Evaluate(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        TimeSeriesSet set = Read(data, cancellation);
        ForecastShape shape = forecaster.Shape;
        ForecastOrigin[] origins = [.. set.Series.SelectMany((s, i) => TimeSplit.Origins(i, 0, s.Values.Count, shape.Window, shape.Horizon))];
        if (origins.Length == 0)
            throw new DataException($"{data} has {set.Series.Max(s => s.Values.Count)} values; a window of {shape.Window} and a horizon of {shape.Horizon} need at least {shape.Window + shape.Horizon}. Give more rows.");
        var test = new BackTest(set.Series, origins, shape.Horizon, [.. set.Series.Select(s => BackTest.Scale(s.Values, shape.Season))], seed);
        ForecastValues forecasts = forecaster.Forecast(set.Series, origins, cancellation);
        return test.Score(forecasts.Values, forecaster.Bounds(forecasts, -1), forecaster.Bounds(forecasts, 1));
    }

    public IEnumerable<SequencePrediction> Predict(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        TimeSeriesSet set = Read(data, cancellation);
        foreach (TimeSeries series in set.Series)
        {
            if (series.Values.Count < forecaster.Shape.Window)
                throw new DataException($"{data}: {series.Called} has {series.Values.Count} values; the model looks at the last {forecaster.Shape.Window}. Give more rows.");
            ForecastValues forecasts = forecaster.Forecast([series], [new ForecastOrigin(0, series.Values.Count)], cancellation);
            double[] low = forecaster.Bounds(forecasts, -1), high = forecaster.Bounds(forecasts, 1);
            for (int h = 0; h < forecasts.Values.Length; h++)
            {
                string? time = series.Times?.After(h + 1);
                string name = series.Name.Length > 0 ? series.Name + "\t" : "";
                yield return new SequencePrediction(string.Create(CultureInfo.InvariantCulture, $"{name}{time ?? $"+{h + 1}"}\t{forecasts.Values[h]:G7}\t{low[h]:G7}\t{high[h]:G7}"),
                    [series.Name.Length > 0 ? series.Name : null, h + 1, time, Number(forecasts.Values[h]), Number(low[h]), Number(high[h])]);
            }
        }
    }

    public void Dispose() => forecaster.Dispose();

    private TimeSeriesSet Read(string data, CancellationToken cancellation) => TimeSeriesSet.Read(data, forecaster.Columns.Options(), cancellation);

    // To seven digits, as rows' predictions are written: weights are single precision.
    private static JsonValue? Number(double value) => double.IsFinite(value) ? JsonValue.Create(double.Parse(value.ToString("G7", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)) : null;
}
