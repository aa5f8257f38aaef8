using Candela.Experiments;
using Candela.Forecasting;
using Candela.Models;

namespace Candela.Training.Tasks;

/// <summary>What a forecasting run does where the request leaves the choice.</summary>
internal static class ForecastPlan
{
    private const int UsualHorizon = 12, FewestSteps = 2000, MostEpochs = 1000, BatchSize = 32;

    /// <summary>Season, horizon and window: as asked for, else the season found in the training part of the longest series, a horizon of one season (else 12 steps; at most a twelfth of the shortest
    /// series), and a window of two seasons (else 24 steps or two horizons), as far as a third of the shortest training part allows.</summary>
    public static ForecastShape Shape(TrainRequest request, TimeSeriesSet set)
    {
        double trainShare = 1 - request.ValidFraction!.Value - request.TestFraction!.Value;
        int shortest = set.Series.Min(s => s.Values.Count);
        TimeSeries longest = set.Series.MaxBy(s => s.Values.Count)!;
        SequenceOptions net = request.Sequence;
        int season = net.Season ?? Seasonality.Detect([.. longest.Values.Take((int)(trainShare * longest.Values.Count))]);
        int horizon = net.Horizon ?? Math.Clamp(season > 1 ? season : UsualHorizon, 1, Math.Max(1, shortest / 12));
        int most = Math.Max(2, ((int)(trainShare * shortest) - horizon) / 3), wanted = season > 1 ? Math.Max(2 * season, horizon) : Math.Max(2 * UsualHorizon, 2 * horizon);
        int window = net.Window ?? (wanted <= most ? wanted : season > 1 && season <= most ? Math.Max(season, 2) : most);
        return new ForecastShape("", net.Layers ?? 1, net.Width ?? 32, request.Fit.Dropout ?? 0, window, horizon, season, set.Inputs.Count);
    }

    /// <summary>Every setting of the training of one net.</summary>
    /// <param name="fit">What is asked for, limits included.</param>
    /// <param name="windows">Training windows.</param>
    public static TrainingPlan Training(FitOptions fit, long windows)
    {
        long batches = (windows + (fit.BatchSize ?? BatchSize) - 1) / (fit.BatchSize ?? BatchSize);
        int epochs = (int)Math.Clamp(FewestSteps / batches, 50, MostEpochs);
        return TrainingPlan.From(fit, new TrainingDefaults
        {
            Epochs = epochs,
            BatchSize = BatchSize,
            LearningRate = 3e-3,
            L2 = 0.01,
            ClipNorm = 1,
            Patience = Math.Max(10, epochs / 5),
        }, validated: true);
    }
}
