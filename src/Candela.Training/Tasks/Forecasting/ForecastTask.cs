using Candela.Data;
using Candela.Experiments;
using Candela.Forecasting;
using Candela.Models;

namespace Candela.Training.Tasks;

/// <summary>Training of nets that forecast series: a table with a row per time, one series or several.</summary>
/// <param name="rivals">Makes methods without a net to compare with, beside the naive ones, for a window of so many steps; null for none.</param>
public sealed class ForecastTask(Func<int, IReadOnlyList<IForecaster>>? rivals = null) : ISequenceTask
{
    private const double ValidShare = 0.15, TestShare = 0.2;

    /// <inheritdoc/>
    public string Id => SequenceTasks.Forecast;

    /// <inheritdoc/>
    public IReadOnlyCollection<string>? Heeds { get; } = ["layers", "width", "time", "group", "horizon", "window", "season"];

    /// <inheritdoc/>
    public TrainRequest Complete(TrainRequest request)
    {
        if (request.Model != "auto" && !ForecastShape.Nets.Contains(request.Model))
            throw new UsageException($"There is no forecasting net '{request.Model}'.{NearestName.Hint(request.Model, ForecastShape.Nets)} Models: auto, {string.Join(", ", ForecastShape.Nets)}.");
        if (request.Target is null)
            throw new UsageException("--task forecast needs --target COL, the column to forecast.");
        if (request.ValidFile is not null || request.TestFile is not null)
            throw new UsageException("--valid and --test take shares with --task forecast, not files: validation and test are the last parts of each series in time.");
        FitOptions fit = request.Fit, none = new();
        SequenceOptions net = request.Sequence;
        string? unused = fit.Hidden is not null ? "hidden" : fit.LabelSmoothing is not null ? "label-smoothing" : fit.ClassWeights != none.ClassWeights ? "class-weights"
            : net.Base is not null ? "base" : net.Tokenizer is not null ? "tokenizer" : net.Vocabulary is not null ? "vocabulary" : net.Heads is not null ? "heads" : net.Block is not null ? "block" : net.EvaluateEvery is not null ? "evaluate-every" : null;
        if (unused is not null)
            throw new UsageException($"--{unused} is not used by --task {Id}. Leave it out.{(unused == "block" ? " The steps a net looks at are --window." : "")}");
        if (request.Exclude.Count > 0)
            throw new UsageException($"--exclude is not used by --task {Id}: beside the target only columns named by --keep are inputs. Leave it out.");
        if (net.Window < 2 || net.Horizon < 1 || net.Season < 1)
            throw new UsageException($"--window {net.Window}, --horizon {net.Horizon}, --season {net.Season}: 2, 1 and 1 are the least.");
        Devices.Check(fit.Device);
        request = request with { ValidFraction = request.ValidFraction ?? ValidShare, TestFraction = request.TestFraction ?? TestShare };
        if (request.ValidFraction <= 0 || request.TestFraction <= 0)
            throw new UsageException("--valid 0 or --test 0: a forecast needs both parts, one to choose the weights and the width of its bounds, one to be judged by.");
        return request.ValidFraction + request.TestFraction < 1 ? request
            : throw new UsageException($"--valid {request.ValidFraction} and --test {request.TestFraction} leave nothing to train on. Give smaller shares.");
    }

    /// <inheritdoc/>
    public ISequenceJob Prepare(TrainRequest request, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        var options = new TimeSeriesOptions(request.Target!) { Time = request.Sequence.Time, Group = request.Sequence.Group, Inputs = request.Keep, Table = request.Table };
        TimeSeriesSet set = TimeSeriesSet.Read(request.Data, options, cancellation);
        if (set.Time is not null && set.Series.Where(s => !s.Times!.IsRegular && s.Values.Count > 1).ToList() is { Count: > 0 } odd)
            events.Report(new Warned("irregular-times", $"The times in '{set.Time}' of {odd[0].Called}{(odd.Count > 1 ? $" and {odd.Count - 1} more" : "")} are not equal steps apart: each row counts as one step all the same, and forecasts are numbered instead of dated. Fill the gaps, or sum up to equal steps, if that matters."));
        return new ForecastJob(request, set, rivals);
    }

    /// <inheritdoc/>
    public ISequencePredictor Open(string folder, Problem problem) => new ForecastPredictor(SeriesForecaster.Open(folder));
}
