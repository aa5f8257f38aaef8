using Candela.Models;

namespace Candela.Training;

/// <summary>Turns steps into <see cref="StepEnded"/> events, the first 20 each and then at most four a second. The gradient norm is the largest since the last event, so that no spike is missed.</summary>
internal sealed class StepReporter(IProgress<TrainEvent>? events, TimeProvider clock, long totalSteps)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.25);
    private const int AlwaysReported = 20;
    private long _reportedAt = clock.GetTimestamp(), _rows, _steps;
    private double _norm = double.NaN;
    private BatchLoss _loss;

    public void Resume(long steps) => _steps = steps;

    public void Step(long step, int epoch, BatchLoss loss, double norm, double rate, long rows)
    {
        if (events is null)
            return;
        _loss += loss;
        _rows += rows;
        if (double.IsNaN(_norm) || norm > _norm)
            _norm = norm;
        TimeSpan passed = clock.GetElapsedTime(_reportedAt);
        if (passed < Interval && _steps++ >= AlwaysReported)
            return;
        events.Report(new StepEnded(step, epoch, Math.Min(1, (double)step / totalSteps), _loss.Mean, _norm, rate, _rows / Math.Max(passed.TotalSeconds, 1e-9)));
        (_reportedAt, _rows, _loss, _norm) = (clock.GetTimestamp(), 0, default, double.NaN);
    }
}

internal static class CancellationExtensions
{
    /// <summary>Runs <paramref name="before"/> and throws when the token is cancelled.</summary>
    public static void ThrowIfCancellationRequested(this CancellationToken token, Action before)
    {
        if (!token.IsCancellationRequested)
            return;
        before();
        token.ThrowIfCancellationRequested();
    }
}
