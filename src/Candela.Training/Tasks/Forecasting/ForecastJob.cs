using System.Globalization;
using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Forecasting;
using Candela.Metrics;
using Candela.Models;
using Candela.Runs;
using TorchSharp;

namespace Candela.Training.Tasks;

/// <summary>One training of forecasting nets: split in time, nets, bounds from the validation part, back-test on the test part beside methods without a net.</summary>
internal sealed class ForecastJob : ISequenceJob
{
    private const int SampleSeries = 3, SampleSteps = 12;
    private readonly TrainRequest _request;
    private readonly Func<int, IReadOnlyList<IForecaster>>? _rivals;
    private readonly TimeSeriesSet _set;
    private readonly ForecastShape _shape;
    private readonly TimeSplit[] _splits;
    private readonly double[] _usual;
    private readonly ForecastOrigin[] _train;
    private readonly BackTest _valid, _test;

    public ForecastJob(TrainRequest request, TimeSeriesSet set, Func<int, IReadOnlyList<IForecaster>>? rivals)
    {
        (_request, _set, _rivals) = (request, set, rivals);
        _shape = ForecastPlan.Shape(request, set);
        _splits = [.. set.Series.Select(s => TimeSplit.Of(s, request.ValidFraction!.Value, request.TestFraction!.Value, _shape.Window, _shape.Horizon))];
        double[][] training = [.. set.Series.Zip(_splits, (s, split) => s.Values.Take(split.Train).ToArray())];
        _usual = [.. training.Select(t => ForecastScaling.Deviation(t))];
        if (Array.TrueForAll(training, t => t.Max() == t.Min()))
            throw new DataException($"{set.Source}: target '{set.Target}' has the one value {training[0][0].ToString("R", CultureInfo.InvariantCulture)} in the whole training part, so there is nothing to learn. Give values that vary.");
        double[] scales = [.. training.Select(t => BackTest.Scale(t, _shape.Season))];
        int index = 0;
        var (train, valid, test) = (new List<ForecastOrigin>(), new List<ForecastOrigin>(), new List<ForecastOrigin>());
        foreach (TimeSplit split in _splits)
        {
            int end = split.ValidEnd + split.Test;
            train.AddRange(TimeSplit.Origins(index, 0, split.Train, _shape.Window, _shape.Horizon));
            valid.AddRange(TimeSplit.Origins(index, split.Train, split.ValidEnd, _shape.Window, _shape.Horizon));
            test.AddRange(TimeSplit.Origins(index, split.ValidEnd, end, _shape.Window, _shape.Horizon));
            index++;
        }

        _train = [.. train];
        _valid = new BackTest(set.Series, valid, _shape.Horizon, scales, request.Fit.Seed);
        _test = new BackTest(set.Series, test, _shape.Horizon, scales, request.Fit.Seed);
        Problem = new Problem(TaskKind.Forecast, set.Target, []);
        Profile = new DataProfile(set.Series.Sum(s => (long)s.Values.Count), 0, [Describe(training)], []);
    }

    public string DataHash => _set.DataHash;

    public Problem Problem { get; }

    public IReadOnlyDictionary<string, long> Rows => new Dictionary<string, long>
    {
        ["train"] = _splits.Sum(s => (long)s.Train),
        ["valid"] = _splits.Sum(s => (long)s.Valid),
        ["test"] = _splits.Sum(s => (long)s.Test),
    };

    public DataProfile Profile { get; }

    public SequenceOutcome Run(SequenceContext context)
    {
        string[] kinds = _request.Model == "auto" ? ["lstm", "gru"] : [_request.Model];
        var tried = new List<Tried>();
        try
        {
            foreach (string kind in kinds)
                tried.Add(Train(kind, kinds.Length, context));
            return Outcome(tried, context);
        }
        finally
        {
            foreach (Tried net in tried)
                net.Forecaster.Dispose();
        }
    }

    public void Dispose()
    {
    }

    // The budget is shared out evenly among the nets; each counts what its own earlier sessions used.
    private Tried Train(string kind, int nets, SequenceContext context)
    {
        ForecastShape shape = _shape with { Net = kind };
        FitOptions fit = context.Request.Fit;
        TrainingPlan plan = ForecastPlan.Training(fit with { MaxTime = fit.MaxTime / nets, MaxJoules = fit.MaxJoules / nets }, _train.Length);
        string checkpoints = Path.Combine(context.CheckpointFolder, kind);
        Directory.CreateDirectory(checkpoints);
        context.Events.Report(new StageStarted($"training {kind}"));
        LibTorch.SetThreads(plan.Threads);
        var columns = new ForecastColumns(_set.Target, _set.Time, _request.Sequence.Group, _set.Inputs);
        var scaling = ForecastScaling.Of(_set.Series, _splits);
        var usual = new Dictionary<string, double>();
        for (int s = 0; s < _usual.Length; s++)
            usual[_set.Series[s].Name] = _usual[s];
        var forecaster = new SeriesForecaster(shape, columns, scaling, usual, _request.Fit.Seed);
        try
        {
            if (Devices.Resolve(_request.Fit.Device) is { type: not TorchSharp.DeviceType.CPU } device)
                _ = forecaster.Network.to(device);
            long started = context.Clock.GetTimestamp();
            double joules = context.Meter.Read().Joules;
            TrainingOutcome outcome;
            using (var trainable = new ForecastTrainable(forecaster.Network, shape, plan.Seed))
            {
                outcome = TrainingLoop.Run(trainable, Source(_train), Source(_valid.Origins), plan, new TrainingSession
                {
                    Events = context.Events,
                    CheckpointFolder = checkpoints,
                    CheckpointEvery = context.CheckpointEvery,
                    Meter = context.Meter,
                    Clock = context.Clock,
                    Cancellation = context.Cancellation,
                    Context = string.Create(CultureInfo.InvariantCulture, $"forecast {shape} of {string.Join('|', _set.Inputs)}, threads {plan.Threads}"),
                });
            }

            double seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
            joules = context.Meter.Read().Joules - joules;
            ForecastValues held = forecaster.Forecast(_set.Series, _valid.Origins, context.Cancellation);
            double[] errors = _valid.Errors(held.Values);
            for (int i = 0; i < errors.Length; i++)
                errors[i] /= held.Spreads[i / shape.Horizon];
            forecaster.HalfWidths = ConformalBounds.HalfWidths(errors, shape.Horizon);
            ForecastValues test = forecaster.Forecast(_set.Series, _test.Origins, context.Cancellation);
            return new Tried(forecaster, plan, outcome, Score(_valid, held, forecaster), Score(_test, test, forecaster), test, seconds, joules);
        }
        catch
        {
            forecaster.Dispose();
            throw;
        }

        WindowSource Source(IReadOnlyList<ForecastOrigin> origins) => new(_set.Series, _usual, origins, shape, scaling);
    }

    private static SplitEvaluation Score(BackTest part, ForecastValues forecasts, SeriesForecaster forecaster) =>
        part.Score(forecasts.Values, forecaster.Bounds(forecasts, -1), forecaster.Bounds(forecasts, 1));

    private SequenceOutcome Outcome(List<Tried> tried, SequenceContext context)
    {
        context.Events.Report(new StageStarted("evaluating"));
        Tried best = tried.MinBy(t => Selection(t.Valid))!;
        best.Forecaster.Save(context.ModelFolder);
        if (best.Test.Metrics[ForecastMetrics.Coverage] is { } held && held.High < ConformalBounds.Level)
            context.Events.Report(new Warned("bounds-too-narrow", string.Create(CultureInfo.InvariantCulture, $"The bounds are made to hold {100 * ConformalBounds.Level:0} % of the values and hold {100 * held.Value:0} % of those of the test part ({100 * held.Low:0} to {100 * held.High:0}): the test part is unlike the validation part they were made on. Take them as too narrow, or give more data.")));
        var candidates = new List<CandidateRecord>();
        foreach (Tried net in tried.OrderBy(t => t == best ? 0 : 1))
            candidates.Add(new CandidateRecord(net.Forecaster.Shape.Net, net.Forecaster.ParameterCount, -Selection(net.Valid), net.Test.Metrics, net.Seconds, net.Joules,
                net == best ? "chosen" : $"a larger error on the validation part than {best.Forecaster.Shape.Net}"));
        var baselines = new List<(CandidateRecord Record, string Description)>();
        foreach (IForecaster rival in Forecasters.All(_shape.Season).Concat(_rivals?.Invoke(_shape.Window) ?? []))
            baselines.Add((Rival(rival, best, context), rival.Description));
        candidates.AddRange(baselines.Select(b => b.Record));
        (CandidateRecord naive, string words) = baselines.Find(b => b.Record.Model == (_shape.Season > 1 ? "seasonal-naive" : "naive"));
        return new SequenceOutcome
        {
            Model = best.Forecaster.Shape.Net,
            ModelReason = Reason(best, tried),
            Parameters = best.Forecaster.ParameterCount,
            Summary = best.Forecaster.ToString(),
            Chosen = Chosen(best),
            StopReason = best.Outcome.StopReason,
            History = best.Outcome.History,
            Metrics = new Dictionary<string, SplitEvaluation> { ["valid"] = best.Valid, ["test"] = best.Test },
            Baseline = new BaselineRecord(naive.Model, words, naive.Test!),
            Candidates = candidates,
            Samples = Samples(best),
            Versions = new Dictionary<string, string> { ["libtorch"] = torch.__version__ },
        };
    }

    private CandidateRecord Rival(IForecaster rival, Tried net, SequenceContext context)
    {
        long started = context.Clock.GetTimestamp();
        double joules = context.Meter.Read().Joules;
        long parameters = rival.Fit([.. _set.Series.Zip(_splits, (s, split) => (IReadOnlyList<double>)[.. s.Values.Take(split.Train)])], context.Cancellation);
        double seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
        joules = context.Meter.Read().Joules - joules;
        double[] forecasts = _test.Run(rival, context.Cancellation);
        var metrics = new Dictionary<string, MetricValue>(_test.Score(forecasts).Metrics) { [ForecastMetrics.Excess] = _test.Excess(forecasts, net.TestForecasts.Values) };
        return new CandidateRecord(rival.Name, parameters, -Selection(_valid.Score(_valid.Run(rival, context.Cancellation))), metrics, parameters > 0 ? seconds : 0, parameters > 0 ? joules : 0, rival.Description);
    }

    private static double Selection(SplitEvaluation evaluation) => evaluation.Metrics["mae"].Value;

    private string Reason(Tried best, List<Tried> tried) => string.Create(CultureInfo.InvariantCulture,
        $"Trained on {_train.Length:N0} windows of {_shape.Window} steps {(_set.Series.Count > 1 ? $"of {_set.Series.Count:N0} series " : "")}over {best.Outcome.History.Count} epochs{(best.Outcome.BestEpoch >= 0 ? $"; the weights are those of epoch {best.Outcome.BestEpoch + 1}, the best on the validation part" : "")}{(tried.Count > 1 ? $"; of {string.Join(" and ", tried.Select(t => t.Forecaster.Shape.Net))} the one with the smaller error there" : "")}. Judged on {_test.Origins.Count:N0} forecasts of {_shape.Horizon} {(_shape.Horizon == 1 ? "step" : "steps")} from every step of the test part.");

    private Dictionary<string, string> Chosen(Tried best)
    {
        Dictionary<string, string> chosen = best.Plan.Chosen();
        ForecastShape shape = best.Forecaster.Shape;
        foreach ((string key, double value) in new[] { ("layers", shape.Layers), ("width", shape.Width), ("dropout", shape.Dropout), ("window", shape.Window), ("horizon", shape.Horizon), ("season", (double)shape.Season) })
            chosen[key] = value.ToString(CultureInfo.InvariantCulture);
        if (_set.Time is { } time)
            chosen["time"] = time;
        return chosen;
    }

    // The last forecast of the test part of the first few series.
    private List<SampleRecord> Samples(Tried best)
    {
        var samples = new List<SampleRecord>();
        for (int s = 0; s < Math.Min(SampleSeries, _set.Series.Count); s++)
        {
            TimeSeries series = _set.Series[s];
            int at = series.Values.Count - _shape.Horizon;
            double[] values = best.Forecaster.Forecast([series], [new ForecastOrigin(0, at)]).Values;
            samples.Add(new SampleRecord($"{(series.Name.Length > 0 ? $"{series.Name}: " : "")}... {Line(series.Values.Take(at).TakeLast(SampleSteps))}", Line(values.Take(SampleSteps)), Line(series.Values.Skip(at).Take(SampleSteps))));
        }

        return samples;
    }

    private static string Line(IEnumerable<double> values) => string.Join("  ", values.Select(v => v.ToString("G5", CultureInfo.InvariantCulture)));

    private ColumnProfile Describe(double[][] training)
    {
        double[] all = [.. training.SelectMany(t => t).Order()];
        return new ColumnProfile(_set.Target, ColumnKind.Number, 0)
        {
            Role = "target",
            Distinct = all.Distinct().Count(),
            Mean = all.Average(),
            Deviation = ForecastScaling.Deviation(all),
            Min = all[0],
            Median = all[all.Length / 2],
            Max = all[^1],
            Note = _set.Series.Count > 1 ? $"of the training parts of {_set.Series.Count} series" : "of the training part",
        };
    }

    private sealed record Tried(SeriesForecaster Forecaster, TrainingPlan Plan, TrainingOutcome Outcome, SplitEvaluation Valid, SplitEvaluation Test, ForecastValues TestForecasts, double Seconds, double Joules);
}
