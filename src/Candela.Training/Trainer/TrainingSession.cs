using Candela.Energy;
using Candela.Models;

namespace Candela.Training;

/// <summary>What surrounds a training run and does not change its result: who listens, where states are saved, what time it is.</summary>
public sealed record TrainingSession
{
    /// <summary>Receives progress on the training thread.</summary>
    public IProgress<TrainEvent>? Events { get; init; }

    /// <summary>Existing folder for resumable states; null keeps none.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Time between states at the least; zero saves after every epoch only. Default 30 s.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Counts joules; needed by an energy limit.</summary>
    public IEnergyMeter? Meter { get; init; }

    /// <summary>Clock. Default the system's.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>When cancelled, a state is saved (if there is a folder) and <see cref="OperationCanceledException"/> is thrown.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Names the data and the loss for the check that a saved state belongs to this run. Default empty.</summary>
    public string Context { get; init; } = "";

    /// <summary>The session of a family's fit.</summary>
    public static TrainingSession Of(FitContext context) => new()
    {
        Events = context.Events,
        CheckpointFolder = context.CheckpointFolder,
        CheckpointEvery = context.CheckpointEvery,
        Meter = context.Meter,
        Clock = context.Clock,
        Cancellation = context.Cancellation,
    };
}
