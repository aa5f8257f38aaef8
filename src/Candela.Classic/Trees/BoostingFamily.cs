using System.Globalization;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Trees;

/// <summary>Gradient-boosted trees by LightGBM, or by our own learner where its native library cannot be loaded (a warning <c>boosting-fallback</c> then
/// names the package to install). Scored by managed code only.</summary>
/// <remarks>
/// <para>Log loss (one logit for two classes, softmax for more) or squared error of standardised targets; probabilities are the link's. Early stopping on the validation
/// rows (on 15 % of the training rows, and then a second fit on all of them, when there are none): the best round is kept; training ends after
/// <see cref="FitOptions.Patience"/> rounds (50) without a gain of 0.1 % and of 0.0001.</para>
/// <para>Heeded: LearningRate (0.05; 0.1 for more than 5 classes; larger above 60,000 rows), MaxSteps (rounds; 2,000, fewer above 60,000 rows), Patience, L1, L2 (1) on leaf values, ClassWeights, MaxTime, MaxJoules, Seed, Threads. 31 leaves of at least 20 rows; 16 of at least 10 under 2,000
/// training rows. Each tree sees 80 % of the rows and 60 % of the features. Deterministic for a seed and engine. A resumed run fits again and ends in the same trees; no checkpoint is kept.</para>
/// <para>Memory: 5 bytes per cell, plus about 60 bytes per row and class.</para>
/// </remarks>
internal sealed class BoostingFamily : IModelFamily
{
    public const string FamilyId = "boosting";

    private const int DefaultRounds = 2_000, DefaultPatience = 50, SmallRows = 2_000, LargeRows = 60_000;

    // Steps larger than this cost accuracy, however many rows there are.
    private const double LargestRate = 0.2;

    private const double MinGain = 1e-3, LeastGain = 1e-4, HeldOutShare = 0.15, ProbeShare = 0.5;

    private readonly bool _native;

    /// <summary>The family over LightGBM.</summary>
    public BoostingFamily() : this(native: true)
    {
    }

    /// <param name="native">False uses our own learner even where LightGBM could be loaded.</param>
    internal BoostingFamily(bool native) => _native = native;

    /// <inheritdoc/>
    public string Id => FamilyId;

    /// <inheritdoc/>
    public string Description => "Gradient-boosted decision trees";

    /// <inheritdoc/>
    public bool ConsideredByAuto => true;

    /// <inheritdoc/>
    public bool HoldsAllRows => true;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Heeds => ["max-steps", "learning-rate", "patience", "l1", "l2", "class-weights"];

    /// <inheritdoc/>
    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) => TreeInputs.WhyNot(inputs)
        ?? (trainingRows < 20 ? "boosting needs at least 20 training rows" : null);

    /// <inheritdoc/>
    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => TreeInputs.Request;

    /// <inheritdoc/>
    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => TreeModel.Open(FamilyId, folder, problem, layout);

    /// <inheritdoc/>
    public FitResult Fit(FitContext context)
    {
        TrainingTable train = TrainingTable.OfTraining(context.Train, context.Problem, context.Options, context.Cancellation);
        TrainingTable? valid = context.Valid is { Count: > 0 } source ? train.OfValidation(source, context.Problem, context.Cancellation) : null;
        BoostingSettings settings = Settings(train, context.Options);
        int rounds = (int)Math.Min(context.Options.MaxSteps ?? RoundsFor(train.Count, train.Classes), int.MaxValue);
        var run = new Run(context, settings, new FitLimits(context));
        if (valid is null && context.Options.MaxSteps is null)
        {
            int[] order = [.. Enumerable.Range(0, train.Count)];
            new Rng(context.Options.Seed, 23).Shuffle(order.AsSpan());
            int held = Math.Max(1, (int)(train.Count * HeldOutShare));
            using IBooster probe = Booster(train.Take(order[held..]), train.Take(order[..held]), settings, context.Events);
            rounds = Math.Max(1, run.Grow(probe, true, rounds, ProbeShare));
        }

        using IBooster booster = Booster(train, valid, settings, context.Events);
        int kept = run.Grow(booster, valid is not null, rounds);
        var model = new TreeModel(FamilyId, context.Problem, context.Train.Layout, booster.Take(Math.Max(1, kept)));
        static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
        return new FitResult(model, run.Reason, run.History, new Dictionary<string, string>
        {
            ["engine"] = booster is LightGbmBooster ? "lightgbm" : "managed",
            ["rounds"] = Text(kept),
            ["learningRate"] = Text(settings.LearningRate),
            ["leaves"] = Text(settings.Leaves),
            ["minRowsPerLeaf"] = Text(settings.MinRowsPerLeaf),
            ["l1"] = Text(settings.L1),
            ["l2"] = Text(settings.L2),
        });
    }

    /// <summary>Rounds at the most. 2,000 up to 60,000 rows; beyond, fewer and larger ones, so that a fit of 500,000 x 14 cells takes about a minute of one processor:
    /// a round costs the more the more rows there are, and with many rows larger steps lose little.</summary>
    internal static int RoundsFor(int rows, int classes) =>
        rows <= LargeRows ? DefaultRounds : (int)(DefaultRounds * Math.Pow((double)LargeRows / rows, classes > 2 ? 2.0 / 3 : 1.0 / 3));

    /// <summary>Learning rate where none is given: as much larger as the rounds are fewer, up to 0.2.</summary>
    internal static double RateFor(int rows, int classes)
    {
        double rate = classes > 5 ? 0.1 : 0.05; // a round of many classes is many trees
        return rows <= LargeRows ? rate : Math.Min(LargestRate, rate * DefaultRounds / RoundsFor(rows, classes));
    }

    private static BoostingSettings Settings(TrainingTable train, FitOptions options) => new()
    {
        LearningRate = options.LearningRate ?? RateFor(train.Count, train.Classes),
        Leaves = train.Count < SmallRows ? 16 : 31,
        MinRowsPerLeaf = Math.Min(train.Count < SmallRows ? 10 : 20, Math.Max(1, train.Count / 10)),
        L1 = options.L1,
        L2 = options.L2 ?? 1,
        RowShare = 0.8,
        FeatureShare = train.Width < 4 ? 1 : 0.6,
        Seed = options.Seed,
        Threads = options.Threads,
    };

    private IBooster Booster(TrainingTable train, TrainingTable? valid, BoostingSettings settings, IProgress<TrainEvent>? events)
    {
        if (_native)
        {
            try
            {
                LightGbmNative.Load();
                return new LightGbmBooster(train, valid, settings);
            }
            catch (EngineException error) when (error.InnerException is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
            {
                events?.Report(new Warned("boosting-fallback", error.Message + " Candela's own, slower learner was used instead."));
            }
        }

        return new GrownBooster(train, valid, settings);
    }

    /// <summary>The loop over rounds, with its curve and its reason to end.</summary>
    private sealed class Run(FitContext context, BoostingSettings settings, FitLimits limits)
    {
        public List<EpochEnded> History { get; } = [];

        public StopReason Reason { get; private set; }

        /// <summary>Adds rounds; returns how many to keep.</summary>
        public int Grow(IBooster booster, bool validated, int rounds, double share = 1)
        {
            History.Clear();
            Reason = StopReason.Steps;
            int patience = context.Options.Patience ?? DefaultPatience, best = 0, lastGain = 0, round = 0;
            double bestLoss = double.PositiveInfinity, gainLoss = double.PositiveInfinity;
            while (round < rounds)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                if (!booster.AddRound())
                {
                    Reason = StopReason.Exact;
                    break;
                }

                round++;
                double? loss = validated ? booster.ValidLoss() : null;
                if (loss is null || loss < bestLoss)
                    (best, bestLoss) = (round, loss ?? 0);

                // Patience starts anew only after a gain worth the rounds.
                if (loss is null || loss < Math.Min(gainLoss * (1 - MinGain), gainLoss - LeastGain))
                    (lastGain, gainLoss) = (round, loss ?? 0);
                bool late = limits.Reached(share), done = late || round - lastGain >= patience;
                if (done)
                    Reason = StopReason.Patience;
                if (round == 1 || round % 10 == 0 || done)
                {
                    var ended = new EpochEnded(History.Count, round, booster.TrainLoss(), loss, null, settings.LearningRate, limits.Seconds);
                    History.Add(ended);
                    context.Events?.Report(ended);
                }

                if (done)
                    break;
            }

            Reason = limits.Stopped ?? Reason; // a limit that ended the search for the number of rounds decided the model too
            return best;
        }
    }
}
