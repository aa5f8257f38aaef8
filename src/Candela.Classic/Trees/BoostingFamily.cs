using System.Globalization;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Trees;

/// <summary>Gradient-boosted trees by LightGBM, or by our own learner where LightGBM's native library cannot be loaded.</summary>
internal sealed class BoostingFamily : IModelFamily
{
    public const string FamilyId = "boosting";

    private const int DefaultRounds = 2_000, DefaultPatience = 50;

    /// <inheritdoc/>
    public string Id => FamilyId;

    /// <inheritdoc/>
    public string Description => "Gradient-boosted decision trees";

    /// <inheritdoc/>
    public bool ConsideredByAuto => true;

    /// <inheritdoc/>
    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) =>
        !inputs.Columns.Any(c => c.Kind is ColumnKind.Number or ColumnKind.Integer or ColumnKind.Category or ColumnKind.Boolean or ColumnKind.Date) ? "trees need at least one number, date or category column"
        : trainingRows < 20 ? "boosting needs at least 20 training rows" : null;

    /// <inheritdoc/>
    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => new(FeatureStyle.Raw) { TextAsNgrams = false };

    /// <inheritdoc/>
    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => TreeModel.Open(FamilyId, folder, problem, layout);

    /// <inheritdoc/>
    public FitResult Fit(FitContext context)
    {
        long began = context.Clock.GetTimestamp();
        TrainingTable train = TrainingTable.OfTraining(context.Train, context.Problem, context.Options, context.Cancellation);
        TrainingTable? valid = context.Valid is { Count: > 0 } source ? train.OfValidation(source, context.Problem, context.Cancellation) : null;
        BoostingSettings settings = Settings(train, context.Options);
        int rounds = (int)Math.Min(context.Options.MaxSteps ?? DefaultRounds, int.MaxValue), patience = context.Options.Patience ?? DefaultPatience;
        using var booster = new LightGbmBooster(train, valid, settings);
        var history = new List<EpochEnded>();
        int best = 0, round = 0;
        double bestLoss = double.PositiveInfinity;
        StopReason reason = StopReason.Steps;
        while (round < rounds)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (!booster.AddRound())
            {
                reason = StopReason.Exact;
                break;
            }

            round++;
            double? validLoss = valid is null ? null : booster.ValidLoss();
            if (valid is null || validLoss < bestLoss)
                (best, bestLoss) = (round, validLoss ?? 0);
            bool stop = round - best >= patience;
            if (round == 1 || round % 10 == 0 || stop)
            {
                var ended = new EpochEnded(history.Count, round, booster.TrainLoss(), validLoss, null, settings.LearningRate, context.Clock.GetElapsedTime(began).TotalSeconds);
                history.Add(ended);
                context.Events?.Report(ended);
            }

            if (stop)
            {
                reason = StopReason.Patience;
                break;
            }
        }

        var model = new TreeModel(FamilyId, context.Problem, context.Train.Layout, booster.Take(Math.Max(1, best)));
        string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
        return new FitResult(model, reason, history, new Dictionary<string, string>
        {
            ["engine"] = "lightgbm",
            ["rounds"] = Text(best),
            ["learningRate"] = Text(settings.LearningRate),
            ["leaves"] = Text(settings.Leaves),
            ["minRowsPerLeaf"] = Text(settings.MinRowsPerLeaf),
            ["l2"] = Text(settings.L2),
        });
    }

    private static BoostingSettings Settings(TrainingTable train, FitOptions options) => new()
    {
        LearningRate = options.LearningRate ?? 0.05,
        Leaves = train.Count < 2_000 ? 8 : 31,
        MinRowsPerLeaf = train.Count < 2_000 ? 10 : 20,
        L1 = options.L1,
        L2 = options.L2 ?? 1,
        RowShare = 0.8,
        FeatureShare = 0.8,
        Seed = options.Seed,
        Threads = options.Threads,
    };
}
