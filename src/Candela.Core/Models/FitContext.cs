using Candela.Data;
using Candela.Energy;
using Candela.Experiments;

namespace Candela.Models;

/// <summary>Options of training that mean the same for every family that has them. Null leaves the choice to the family, which records what it chose.</summary>
public sealed record FitOptions
{
    /// <summary>Recipe keys of the options that a family may heed or not.</summary>
    public static IReadOnlyCollection<string> Keys { get; } =
    [
        "epochs", "max-steps", "batch-size", "learning-rate", "end-learning-rate", "beta2", "optimizer", "schedule", "warmup", "patience", "clip-norm", "ema", "accumulate",
        "l1", "l2", "dropout", "hidden", "label-smoothing", "class-weights", "device",
    ];

    private readonly long? _seed;

    /// <summary>Seed of everything random. Default 0.</summary>
    public long Seed { get => _seed ?? 0; init => _seed = value; }

    /// <summary>Whether <see cref="Seed"/> was set; if not, 0 is used.</summary>
    public bool SeedGiven => _seed is not null;

    /// <summary>Passes over the training rows at the most.</summary>
    public int? Epochs { get; init; }

    /// <summary>Optimiser steps at the most.</summary>
    public long? MaxSteps { get; init; }

    /// <summary>Rows per step.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Peak learning rate.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Optimiser id: gd, sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, amsgrad, lion, lbfgs.</summary>
    public string? Optimizer { get; init; }

    /// <summary>Rate at the end of a cosine; null leaves it to the family (0 for tables).</summary>
    public double? EndLearningRate { get; init; }

    /// <summary>Share of the second moment that Adam and its kin keep per step; null takes the optimiser's own.</summary>
    public double? Beta2 { get; init; }

    /// <summary>Schedule id, one of <see cref="OptionNames.Schedules"/>.</summary>
    public string? Schedule { get; init; }

    /// <summary>Steps over which the rate rises before the schedule begins, whichever but one-cycle it is; 0 for none, null for the schedule's own (5 % of all steps where it has a warm-up).</summary>
    public long? WarmupSteps { get; init; }

    /// <summary>L1 penalty (a proximal step). Default 0.</summary>
    public double L1 { get; init; }

    /// <summary>L2 penalty or decoupled weight decay.</summary>
    public double? L2 { get; init; }

    /// <summary>Dropout probability.</summary>
    public double? Dropout { get; init; }

    /// <summary>Hidden widths of dense nets.</summary>
    public IReadOnlyList<int>? Hidden { get; init; }

    /// <summary>Stop after this many epochs without a better validation score.</summary>
    public int? Patience { get; init; }

    /// <summary>Global gradient-norm clip.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>Label smoothing, in [0, 1); 0 is off.</summary>
    public double? LabelSmoothing { get; init; }

    /// <summary>Decay of the exponential moving average of weights, in [0, 1); 0 is off.</summary>
    public double? Ema { get; init; }

    /// <summary>Batches whose gradients are averaged, each by the weight of its rows, before one step. Default 1.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>Class weights: none (default), balanced.</summary>
    public string ClassWeights { get; init; } = "none";

    /// <summary>Wall time at the most: of one fit, or in a <c>TrainRequest</c> of the whole run, whose fits are given what is left.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>Energy at the most, in joules; of a fit or a run as with <see cref="MaxTime"/>.</summary>
    public double? MaxJoules { get; init; }

    /// <summary>Threads; 0 (default) takes the processors available.</summary>
    public int Threads { get; init; }

    /// <summary>cpu, cuda, mps or auto (default: auto).</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The same without what says how to take optimiser steps: epochs, steps, batch, rate, optimiser, schedule, patience and the settings of single steps.
    /// What a net was asked to do would only handicap a family that counts its rounds or iterations otherwise.</summary>
    public FitOptions WithoutSteps()
    {
        var defaults = new FitOptions();
        return this with
        {
            Epochs = null,
            MaxSteps = null,
            BatchSize = null,
            LearningRate = null,
            Optimizer = null,
            Schedule = null,
            WarmupSteps = null,
            EndLearningRate = null,
            Beta2 = null,
            Patience = null,
            ClipNorm = null,
            Ema = null,
            Accumulate = defaults.Accumulate,
        };
    }

    /// <summary>The same without anything meant for the model that was asked for: neither its steps nor its penalties and shape. Seed, class weights, time and energy,
    /// threads and device stay.</summary>
    public FitOptions ForComparator()
    {
        var defaults = new FitOptions();
        return WithoutSteps() with { L1 = defaults.L1, L2 = null, Dropout = null, Hidden = null, LabelSmoothing = null };
    }
}

/// <summary>Everything a family needs to train one model.</summary>
public sealed record FitContext
{
    /// <summary>Task, target and classes.</summary>
    public required Problem Problem { get; init; }

    /// <summary>Training rows.</summary>
    public required IExampleSource Train { get; init; }

    /// <summary>Validation rows for early stopping, or null.</summary>
    public IExampleSource? Valid { get; init; }

    /// <summary>Options.</summary>
    public required FitOptions Options { get; init; }

    /// <summary>Options of nets over text: the model to start from, layers, width, adapters.</summary>
    public SequenceOptions Sequence { get; init; } = new();

    /// <summary>Receives progress; called on the training thread.</summary>
    public IProgress<TrainEvent>? Events { get; init; }

    /// <summary>Existing folder for resumable state, or null when none is kept. If it holds a state of the same context, training goes on from there.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>How often a checkpoint is saved at the most. Default 30 s; zero saves after every epoch.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Counts joules, for the energy stop rule; null when that rule is not used.</summary>
    public IEnergyMeter? Meter { get; init; }

    /// <summary>Clock. Default the system's.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>When cancelled the family saves a checkpoint (if a folder is given) and throws <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>Why training ended.</summary>
public enum StopReason
{
    /// <summary>The asked number of epochs was run.</summary>
    Epochs,

    /// <summary>The asked number of steps was run.</summary>
    Steps,

    /// <summary>No better validation score for the patience given.</summary>
    Patience,

    /// <summary>The asked loss was reached.</summary>
    Loss,

    /// <summary>The gradient norm fell under the bound (converged).</summary>
    GradientNorm,

    /// <summary>The time budget was used.</summary>
    Time,

    /// <summary>The energy budget was used.</summary>
    Energy,

    /// <summary>A closed form or an exact fit: nothing to iterate.</summary>
    Exact,

    /// <summary>The loss stopped being finite; the best weights before that were kept.</summary>
    Diverged,
}

/// <summary>A trained model and how its training went.</summary>
/// <param name="Model">The model; the caller disposes it.</param>
/// <param name="StopReason">Why training ended.</param>
/// <param name="History">One entry per epoch (or per logged round for boosting).</param>
/// <param name="Chosen">The settings used after defaults were filled in, by recipe key, for run.json and recipe.yaml.</param>
public sealed record FitResult(IFittedModel Model, StopReason StopReason, IReadOnlyList<EpochEnded> History, IReadOnlyDictionary<string, string> Chosen);
