using System.Globalization;
using Candela.Models;

namespace Candela.Training;

/// <summary>What a family would choose where <see cref="FitOptions"/> leave the choice.</summary>
public sealed record TrainingDefaults
{
    /// <summary>Passes at the most. Default 100.</summary>
    public int Epochs { get; init; } = 100;

    /// <summary>Rows per step. Default 128.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Optimiser id. Default adamw.</summary>
    public string Optimizer { get; init; } = "adamw";

    /// <summary>Peak rate with that optimiser; another optimiser gets its usual rate. Null takes the usual rate.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Schedule id. Default warmup+cosine.</summary>
    public string Schedule { get; init; } = "warmup+cosine";

    /// <summary>Rate at the end of a cosine, as a share of the peak. Default 0.</summary>
    public double EndShare { get; init; }

    /// <summary>L2 penalty or decoupled decay; null takes the optimiser's own default.</summary>
    public double? L2 { get; init; }

    /// <summary>Epochs without a better validation score before training ends; null never. Only used when there are validation rows. Default 10.</summary>
    public int? Patience { get; init; } = 10;

    /// <summary>Global gradient-norm clip; null for none (default).</summary>
    public double? ClipNorm { get; init; }

    /// <summary>Decay of the weight average; 0 for none (default).</summary>
    public double Ema { get; init; }

    /// <summary>See <see cref="TrainingPlan.KeepBest"/>; a patience asked for by the user keeps the best anyway. Default true.</summary>
    public bool KeepBest { get; init; } = true;
}

/// <summary>Every setting of a training run, filled in. Made by <see cref="From"/> so that all families treat <see cref="FitOptions"/> alike, or by hand.</summary>
public sealed record TrainingPlan
{
    /// <summary>Seed of shuffling and dropout. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Passes over the training rows at the most. Default 10.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Steps at the most; null for no bound.</summary>
    public long? MaxSteps { get; init; }

    /// <summary>Rows per batch. Default 128.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Batches whose gradients are averaged (by rows) before one step. Default 1. Full-batch optimisers take all batches of the epoch whatever this says.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>The optimiser. Default Adam.</summary>
    public OptimizerOptions Optimizer { get; init; } = new AdamOptions();

    /// <summary>Peak learning rate. Default 0.001.</summary>
    public double LearningRate { get; init; } = 0.001;

    /// <summary>Schedule id; see <see cref="Schedule.Ids"/>. Default constant.</summary>
    public string Schedule { get; init; } = "constant";

    /// <summary>Rate at the end of a cosine. Default 0.</summary>
    public double EndLearningRate { get; init; }

    /// <summary>Steps of a warm-up; null takes 5 %.</summary>
    public long? WarmupSteps { get; init; }

    /// <summary>Gradients are scaled down to this global norm; infinity (default) for no clipping.</summary>
    public double ClipNorm { get; init; } = double.PositiveInfinity;

    /// <summary>Decay of the weight average; 0 (default) for none. With it, the averaged weights are validated and kept.</summary>
    public double Ema { get; init; }

    /// <summary>Epochs without a better validation score; null for no such rule.</summary>
    public int? Patience { get; init; }

    /// <summary>Ends when an epoch's mean training loss is at most this; null for no such rule.</summary>
    public double? StopLoss { get; init; }

    /// <summary>Ends when a gradient norm is at most this; null for no such rule.</summary>
    public double? StopGradientNorm { get; init; }

    /// <summary>Wall time at the most.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>Joules at the most.</summary>
    public double? MaxJoules { get; init; }

    /// <summary>True (default) leaves the model with the weights of the best validated epoch; false with the last (or averaged) ones, which is better where a small
    /// validation set cannot tell epochs apart and the schedule ends near 0.</summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>Rows in a new order every epoch (a function of seed and epoch). Default true.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Threads; 0 (default) takes all processors.</summary>
    public int Threads { get; init; }

    /// <summary>What computes the steps of <see cref="Trainer.Fit"/>. A saved state is resumed by the engine that saved it. Default <see cref="TrainingEngine.Auto"/>.</summary>
    public TrainingEngine Engine { get; init; }

    /// <summary>Fills options in.</summary>
    /// <param name="options">What the user asked for.</param>
    /// <param name="defaults">What the family chooses otherwise.</param>
    /// <param name="validated">Whether there are validation rows (patience needs them).</param>
    /// <exception cref="UsageException">An unknown optimiser or schedule (the nearest is named), or a number out of range.</exception>
    public static TrainingPlan From(FitOptions options, TrainingDefaults defaults, bool validated)
    {
        Check(options);
        string id = options.Optimizer ?? defaults.Optimizer;
        OptimizerOptions optimizer = OptimizerOptions.Of(id);
        optimizer = optimizer with { L1 = options.L1, L2 = options.L2 ?? (id == defaults.Optimizer ? defaults.L2 : null) ?? optimizer.L2 };
        if (options.Beta2 is { } beta2)
            optimizer = optimizer is AdamOptions adam ? adam with { Beta2 = beta2 } : throw new UsageException($"beta2 is a setting of adam, adamw and amsgrad; the optimiser is {optimizer.Id}.");
        optimizer.Check();
        double rate = options.LearningRate ?? (id == defaults.Optimizer ? defaults.LearningRate : null) ?? optimizer.UsualLearningRate;
        var plan = new TrainingPlan
        {
            Seed = options.Seed,
            Epochs = options.Epochs ?? (options.MaxSteps is null ? defaults.Epochs : int.MaxValue),
            MaxSteps = options.MaxSteps,
            BatchSize = options.BatchSize ?? defaults.BatchSize,
            Accumulate = options.Accumulate,
            Optimizer = optimizer,
            LearningRate = rate,
            Schedule = Warm(options.Schedule ?? (optimizer.FullBatch ? "constant" : defaults.Schedule), options.WarmupSteps),
            WarmupSteps = options.WarmupSteps > 0 ? options.WarmupSteps : null,
            EndLearningRate = options.EndLearningRate ?? (rate * defaults.EndShare),
            ClipNorm = options.ClipNorm ?? defaults.ClipNorm ?? double.PositiveInfinity,
            Ema = options.Ema ?? defaults.Ema,
            Patience = validated ? options.Patience ?? defaults.Patience : null,
            KeepBest = defaults.KeepBest || options.Patience is not null,
            MaxTime = options.MaxTime,
            MaxJoules = options.MaxJoules,
            Threads = options.Threads,
        };
        plan.Check();
        return plan;
    }

    // A number of warm-up steps puts a warm-up before any schedule that has none; 0 takes it off.
    private static string Warm(string schedule, long? steps)
    {
        const string Prefix = "warmup+";
        if (steps is null)
            return schedule;
        string then = schedule == "warmup" ? "constant" : schedule.StartsWith(Prefix, StringComparison.Ordinal) ? schedule[Prefix.Length..] : schedule;
        return steps == 0 ? then : then == "constant" ? "warmup"
            : Training.Schedule.Ids.Contains(Prefix + then) ? Prefix + then
            : throw new UsageException($"--warmup {steps} cannot be put before the schedule '{then}', which warms up by itself. Leave it out, or choose cosine, constant, step or plateau.");
    }

    /// <summary>Checks the numbers of the options that shape the net and its loss rather than the plan; <see cref="From"/> calls it.</summary>
    /// <exception cref="UsageException">One is out of range; the message names it.</exception>
    public static void Check(FitOptions options)
    {
        Require(options.LabelSmoothing is null or (>= 0 and < 1), "label-smoothing", options.LabelSmoothing ?? 0, "in [0, 1)");
        _ = ClassBalance.WeightsOf(options.ClassWeights, []);
        Require(options.Dropout is null or (>= 0 and < 1), "dropout", options.Dropout ?? 0, "in [0, 1)");
        Require(options.Hidden is null || options.Hidden.All(units => units >= 1), "hidden", options.Hidden?.DefaultIfEmpty(1).Min() ?? 1, "at least 1");
    }

    /// <summary>Checks every number.</summary>
    /// <exception cref="UsageException">One is out of range; the message names it.</exception>
    public void Check()
    {
        Require(Epochs >= 1, "epochs", Epochs, "at least 1");
        Require(BatchSize >= 1, "batch-size", BatchSize, "at least 1");
        Require(Accumulate >= 1, "accumulate", Accumulate, "at least 1");
        Require(LearningRate > 0 && double.IsFinite(LearningRate), "learning-rate", LearningRate, "above 0");
        Require(EndLearningRate >= 0 && double.IsFinite(EndLearningRate), "end-learning-rate", EndLearningRate, "0 or more");
        Require(ClipNorm > 0, "clip-norm", ClipNorm, "above 0");
        Require(Ema is >= 0 and < 1, "ema", Ema, "in [0, 1)");
        Require(Threads >= 0, "threads", Threads, "0 or more");
        Optimizer.Check();
        _ = CreateSchedule(1);
    }

    /// <summary>Batches of one epoch.</summary>
    public long BatchesPerEpoch(long rows) => (rows + BatchSize - 1) / BatchSize;

    /// <summary>Batches per step: all of an epoch for full-batch optimisers.</summary>
    public long BatchesPerStep(long rows) => Optimizer.FullBatch ? BatchesPerEpoch(rows) : Accumulate;

    /// <summary>Steps planned in all for so many training rows.</summary>
    public long TotalSteps(long rows)
    {
        long perStep = BatchesPerStep(rows), perEpoch = (BatchesPerEpoch(rows) + perStep - 1) / perStep;
        return Math.Max(1, Math.Min(MaxSteps ?? long.MaxValue, (long)Math.Min((double)Epochs * perEpoch, 1e18)));
    }

    /// <summary>The schedule for so many steps.</summary>
    public Schedule CreateSchedule(long totalSteps) => Training.Schedule.Of(Schedule, LearningRate, totalSteps, WarmupSteps, EndLearningRate);

    /// <summary>The stop rules.</summary>
    public StopRules StopRules => new()
    {
        Epochs = Epochs,
        Steps = MaxSteps,
        Patience = Patience,
        Loss = StopLoss,
        GradientNorm = StopGradientNorm,
        MaxTime = MaxTime,
        MaxJoules = MaxJoules,
    };

    /// <summary>All that decides the weights of a run, as a text: a saved state of another fingerprint is another run's. Limits of time and energy are not in it, nor are threads, which change no bit of the managed engine's results (libtorch's own context names them).</summary>
    internal string Fingerprint() => string.Join(", ", (IEnumerable<string>)
    [
        .. Chosen().OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key} {c.Value}"),
        $"batch-rows {Text(BatchSize)}",
        $"warm-up {(WarmupSteps is { } warm ? Text(warm) : "usual")}",
        $"shuffle {Shuffle}",
        $"stop-loss {StopLoss?.ToString("R", CultureInfo.InvariantCulture)}",
        $"stop-gradient-norm {StopGradientNorm?.ToString("R", CultureInfo.InvariantCulture)}",
        $"{Optimizer}",
    ]);

    /// <summary>The settings by recipe key, for <see cref="FitResult.Chosen"/>.</summary>
    public Dictionary<string, string> Chosen()
    {
        var chosen = new Dictionary<string, string>
        {
            ["epochs"] = Text(Epochs),
            ["batch-size"] = Optimizer.FullBatch ? "all" : Text(BatchSize),
            ["learning-rate"] = Text(LearningRate),
            ["end-learning-rate"] = Text(EndLearningRate),
            ["optimizer"] = Optimizer.Id,
            ["schedule"] = Schedule,
            ["l1"] = Text(Optimizer.L1),
            ["l2"] = Text(Optimizer.L2),
            ["accumulate"] = Text(Accumulate),
            ["ema"] = Text(Ema),
            ["kept-weights"] = KeepBest ? "best" : "last",
            ["seed"] = Text(Seed),
        };
        if (WarmupSteps is { } warmup)
            chosen["warmup"] = Text(warmup);
        if (MaxSteps is { } steps)
            chosen["max-steps"] = Text(steps);
        if (Patience is { } patience)
            chosen["patience"] = Text(patience);
        if (double.IsFinite(ClipNorm))
            chosen["clip-norm"] = Text(ClipNorm);
        return chosen;
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static void Require(bool holds, string name, double received, string needed)
    {
        if (!holds)
            throw new UsageException($"{name} is {received}; it must be {needed}.");
    }
}
