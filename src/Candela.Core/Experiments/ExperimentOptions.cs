using Candela.Energy;
using Candela.Models;

namespace Candela.Experiments;

/// <summary>How <see cref="Experiment.Train"/> runs; none of it changes the result.</summary>
public sealed record ExperimentOptions
{
    /// <summary>Goes on with an interrupted run in the folder. Default false.</summary>
    public bool Resume { get; init; }

    /// <summary>Replaces a run that is in the folder. Default false.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Receives every event, on the training thread.</summary>
    public IProgress<TrainEvent>? Events { get; init; }

    /// <summary>When one family is asked for, also trains <see cref="Experiment.Comparators"/> to put beside it in the record. Default true.</summary>
    public bool Compare { get; init; } = true;

    /// <summary>How often a family saves a checkpoint at the most. Default 30 s.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Versions of engines, added to the record's.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();

    /// <summary>Clock. Default the system's.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Counts the run's joules, from now on. Null (default) starts the best meter this machine allows (<see cref="EnergyMeters.Start"/>).</summary>
    public IEnergyMeter? Meter { get; init; }
}
