using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Forecasting;
using Candela.Formats;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>A net that forecasts series. A folder of config.json (columns, sizes, scaling, bounds) and model.safetensors.</summary>
internal sealed class SeriesForecaster : IDisposable
{
    /// <summary>As config.json names it.</summary>
    public const string ModelType = "candela-forecaster";

    private const string ConfigFile = "config.json";

    public SeriesForecaster(ForecastShape shape, ForecastColumns columns, ForecastScaling scaling, IReadOnlyDictionary<string, double> usual, long seed)
    {
        (Shape, Columns, Scaling, Usual) = (shape, columns, scaling, usual);
        Network = new ForecastNetwork(shape);
        Network.Build(seed);
        Network.eval();
    }

    public ForecastShape Shape { get; }

    public ForecastColumns Columns { get; }

    public ForecastScaling Scaling { get; }

    /// <summary>The usual deviation of each series that was trained on, by name.</summary>
    public IReadOnlyDictionary<string, double> Usual { get; }

    public ForecastNetwork Network { get; }

    /// <summary>How far from its forecast a value may lie, per step, in spreads of the window; empty before it is known.</summary>
    public double[] HalfWidths { get; set; } = [];

    public long ParameterCount => Network.AllParameters().Sum(p => p.Value.numel());

    /// <summary>Opens what training saved.</summary>
    /// <exception cref="FileFormatException">A file is missing, damaged, or of another model.</exception>
    public static SeriesForecaster Open(string folder)
    {
        string path = Path.Combine(folder, ConfigFile);
        JsonObject json = JsonFile.ReadObject(path);
        FileFormatException Damaged(string what) => new(path, Fault.Corrupt, $"{what}. The file is damaged: restore it or train again.");
        if (json["model_type"] is not JsonValue type || !type.TryGetValue(out string? name) || name != ModelType)
            throw new FileFormatException(path, Fault.WrongFormat, $"model_type is {json["model_type"]?.ToJsonString() ?? "missing"}; '{ModelType}' was needed.");
        T Value<T>(JsonNode? node, string key) => node is JsonValue value && value.TryGetValue(out T? result) ? result : throw Damaged($"'{key}' is missing or of the wrong kind");
        T Of<T>(string key) => Value<T>(json[key], key);
        T[] List<T>(string key) => json[key] is JsonArray items ? [.. items.Select(i => Value<T>(i, key))] : throw Damaged($"'{key}' is no list");
        string? Optional(string key) => json[key] is null ? null : Of<string>(key);
        double[] means = List<double>("input_means"), deviations = List<double>("input_deviations"), widths = List<double>("half_widths");
        var columns = new ForecastColumns(Of<string>("target"), Optional("time"), Optional("group"), List<string>("inputs"));
        var shape = new ForecastShape(Of<string>("net"), Of<int>("layers"), Of<int>("width"), Of<double>("dropout"), Of<int>("window"), Of<int>("horizon"), Of<int>("season"), columns.Inputs.Count);
        Dictionary<string, double> usual = json["deviations"] is JsonObject known ? known.ToDictionary(p => p.Key, p => Value<double>(p.Value, "deviations")) : throw Damaged("'deviations' is missing");
        if (!shape.IsUsable || means.Length != shape.Inputs || deviations.Length != shape.Inputs || widths.Length != shape.Horizon || means.Concat(deviations).Concat(widths).Concat(usual.Values).Any(v => !double.IsFinite(v)) || deviations.Any(d => d <= 0))
            throw Damaged("a size is out of range, or lists do not have the lengths the others say");
        var forecaster = new SeriesForecaster(shape, columns, new ForecastScaling(means, deviations), usual, 0) { HalfWidths = widths };
        try
        {
            GraphBuilder.LoadWeights(forecaster.Network, Path.Combine(folder, GraphBuilder.WeightsFile));
            return forecaster;
        }
        catch
        {
            forecaster.Dispose();
            throw;
        }
    }

    /// <summary>Writes config.json and model.safetensors into an existing folder.</summary>
    public void Save(string folder)
    {
        GraphBuilder.SaveWeights(Network, Path.Combine(folder, GraphBuilder.WeightsFile));
        JsonFile.WriteObject(Path.Combine(folder, ConfigFile), new JsonObject
        {
            ["model_type"] = ModelType,
            ["net"] = Shape.Net,
            ["layers"] = Shape.Layers,
            ["width"] = Shape.Width,
            ["dropout"] = Shape.Dropout,
            ["window"] = Shape.Window,
            ["horizon"] = Shape.Horizon,
            ["season"] = Shape.Season,
            ["target"] = Columns.Target,
            ["time"] = Columns.Time,
            ["group"] = Columns.Group,
            ["inputs"] = Array(Columns.Inputs),
            ["input_means"] = Array(Scaling.Means),
            ["input_deviations"] = Array(Scaling.Deviations),
            ["deviations"] = new JsonObject(Usual.Select(u => new KeyValuePair<string, JsonNode?>(u.Key, u.Value))),
            ["level"] = ConformalBounds.Level,
            ["half_widths"] = Array(HalfWidths),
        });
    }

    /// <summary>Forecasts at origins.</summary>
    public ForecastValues Forecast(IReadOnlyList<TimeSeries> series, IReadOnlyList<ForecastOrigin> origins, CancellationToken cancellation = default)
    {
        int horizon = Shape.Horizon;
        var result = new ForecastValues(new double[origins.Count * horizon], new double[origins.Count]);
        double[] usual = [.. series.Select(UsualOf)];
        Device device = Network.AllParameters().First().Value.device;
        using IDisposable quiet = no_grad();
        foreach (WindowBatch batch in new WindowSource(series, usual, origins, Shape, Scaling, withTargets: false).Batches(new BatchPlan(ForecastTrainable.EvaluationBatch)))
        {
            cancellation.ThrowIfCancellationRequested();
            using TensorScope scope = TensorScope.Begin();
            float[] outputs = TensorMemory.Read(ForecastTrainable.Outputs(Network, Shape, batch, device).cpu());
            for (int i = 0; i < batch.Count; i++)
            {
                result.Spreads[batch.Rows[i]] = batch.Levels[i].Spread;
                for (int h = 0; h < horizon; h++)
                    result.Values[(batch.Rows[i] * horizon) + h] = batch.Levels[i].Mean + (batch.Levels[i].Spread * outputs[(i * horizon) + h]);
            }
        }

        return result;
    }

    /// <summary>The bounds of forecasts: low (-1) or high (1).</summary>
    public double[] Bounds(ForecastValues forecasts, int side) =>
        [.. forecasts.Values.Select((value, i) => value + (side * forecasts.Spreads[i / Shape.Horizon] * HalfWidths[i % Shape.Horizon]))];

    /// <summary>The usual deviation of a series: as in training, or of one not met there, of all its values.</summary>
    public double UsualOf(TimeSeries series) => Usual.TryGetValue(series.Name, out double usual) ? usual : ForecastScaling.Deviation(series.Values);

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();

    /// <summary>The net in a line or two.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"window of {Shape.Window} steps x {1 + Shape.Inputs} -> linear map + {Shape.Layers} {Shape.Net} of {Shape.Width} -> {Shape.Horizon} steps ahead\n{ParameterCount:N0} parameters{(Shape.Season > 1 ? $", season of {Shape.Season} steps" : "")}");

    private static JsonArray Array(IEnumerable<double> values) => [.. values.Select(v => (JsonNode)v)];

    private static JsonArray Array(IEnumerable<string> values) => [.. values.Select(v => (JsonNode)v)];
}

/// <summary>The columns a forecaster reads.</summary>
internal sealed record ForecastColumns(string Target, string? Time, string? Group, IReadOnlyList<string> Inputs)
{
    public TimeSeriesOptions Options(TableOptions? table = null) => new(Target) { Time = Time, Group = Group, Inputs = Inputs, Table = table ?? new TableOptions() };
}

/// <summary>Forecasts of some origins.</summary>
/// <param name="Values">[origins, horizon].</param>
/// <param name="Spreads">Of each origin's window.</param>
internal sealed record ForecastValues(double[] Values, double[] Spreads);
