using Candela.Data;

namespace Candela.Training;

/// <summary>Loss of some rows: their (weighted) sum and what to divide it by.</summary>
/// <param name="Sum">Sum of row weight x row loss.</param>
/// <param name="Weight">Sum of row weights; the number of rows when they are all 1.</param>
public readonly record struct BatchLoss(double Sum, double Weight)
{
    /// <summary>The mean, 0 when there is no weight.</summary>
    public double Mean => Weight > 0 ? Sum / Weight : 0;

    /// <summary>The loss of both.</summary>
    public static BatchLoss operator +(BatchLoss a, BatchLoss b) => new(a.Sum + b.Sum, a.Weight + b.Weight);

    /// <summary>The loss of both.</summary>
    public static BatchLoss Add(BatchLoss a, BatchLoss b) => a + b;
}

/// <summary>How good the model is on the validation rows.</summary>
/// <param name="Loss">Mean loss.</param>
/// <param name="Score">Higher is better: accuracy, R2. Null when no score applies.</param>
public sealed record ValidationResult(double Loss, double? Score);

/// <summary>A model that <see cref="TrainingLoop"/> can train: flat parameters and gradients, and two verbs. Engines: a TorchSharp module
/// (through Trainer) and the managed dense net.</summary>
public interface ITrainable<TBatch>
    where TBatch : class, IBatch
{
    /// <summary>The layout of both buffers.</summary>
    IReadOnlyList<ParameterSegment> Segments { get; }

    /// <summary>All trained numbers, read and written in place. Between calls the loop may replace any of them.</summary>
    Span<float> Parameters { get; }

    /// <summary>Their gradients.</summary>
    Span<float> Gradients { get; }

    /// <summary>Runs a batch forwards and backwards in training mode.</summary>
    /// <param name="batch">The rows; valid during the call.</param>
    /// <param name="step">Number of the pass: steps taken so far x batches per step + batches before it in the step. Dropout noise is a pure function of it, of the seed and of nothing else.</param>
    /// <param name="accumulate">True adds to the gradients, false replaces them.</param>
    /// <param name="gradientScale">Factor of this batch's mean-loss gradient.</param>
    /// <returns>The loss, not scaled.</returns>
    BatchLoss Differentiate(TBatch batch, long step, bool accumulate, double gradientScale);

    /// <summary>Rows a training batch needs: 2 with batch norm over single rows. A last batch of fewer is left out; with shuffling it is of other rows every epoch. Default 1.</summary>
    int FewestRows => 1;

    /// <summary>What a batch's mean loss is divided by: the sum of its rows' weights. Default: its number of rows.</summary>
    double WeightOf(TBatch batch) => batch.Count;

    /// <summary>Evaluates all rows in evaluation mode; gradients may be overwritten.</summary>
    ValidationResult Evaluate(IBatchSource<TBatch> rows);

    /// <summary>A copy of what is not trained by gradients but belongs to the model (running means of batch norm), by name. Default: nothing.</summary>
    IReadOnlyDictionary<string, float[]> SaveBuffers() => new Dictionary<string, float[]>();

    /// <summary>Whether a buffer is averaged together with the weights where these are; false for counters and the like, which are taken as they are. Default true.</summary>
    bool IsAveraged(string buffer) => true;

    /// <summary>Restores what <see cref="SaveBuffers"/> gave.</summary>
    void LoadBuffers(IReadOnlyDictionary<string, float[]> buffers) { }
}
