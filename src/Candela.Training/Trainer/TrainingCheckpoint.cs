using Candela.Models;

namespace Candela.Training;

/// <summary>The whole state of a training run between two steps.</summary>
public sealed record TrainingCheckpoint
{
    /// <summary>What the state belongs to: engine, layout, settings, rows. A run with another context refuses it.</summary>
    public required string Context { get; init; }

    /// <summary>Steps taken.</summary>
    public required long Step { get; init; }

    /// <summary>The epoch the run is in, from 0.</summary>
    public required int Epoch { get; init; }

    /// <summary>Batches of that epoch that are used up: the data cursor.</summary>
    public required long Batch { get; init; }

    /// <summary>Training loss of the epoch so far.</summary>
    public required BatchLoss EpochLoss { get; init; }

    /// <summary>Stop rules' numbers.</summary>
    public required StopState Stop { get; init; }

    /// <summary>The schedule's numbers.</summary>
    public required double[] Schedule { get; init; }

    /// <summary>The optimiser's id.</summary>
    public required string OptimizerId { get; init; }

    /// <summary>Steps the optimiser has counted.</summary>
    public required long OptimizerSteps { get; init; }

    /// <summary>Updates of the weight average.</summary>
    public long AverageUpdates { get; init; }

    /// <summary>Epochs so far.</summary>
    public required IReadOnlyList<EpochEnded> History { get; init; }

    /// <summary>Set when the run is over: nothing is left to do but to restore the weights.</summary>
    public StopReason? Finished { get; init; }

    /// <summary>All numbers by name: <c>weights</c>, <c>average</c>, <c>best</c>, <c>optimizer.*</c>, <c>buffer.*</c>, <c>bestBuffer.*</c>. Not part of the header.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public IReadOnlyDictionary<string, float[]> Tensors { get; init; } = new Dictionary<string, float[]>();
}
