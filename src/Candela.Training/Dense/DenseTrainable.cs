using Candela.Data;

namespace Candela.Training.DenseNets;

/// <summary>A dense net with its loss, as <see cref="TrainingLoop"/> trains it. The validation score is accuracy or R2.</summary>
/// <param name="network">The net; it stays the caller's.</param>
/// <param name="loss">The loss.</param>
/// <param name="seed">Of dropout.</param>
/// <param name="selectByLoss">True keeps the weights of the lowest validation loss instead of the highest score. Default false.</param>
public sealed class DenseTrainable(DenseNetwork network, DenseLoss loss, long seed = 0, bool selectByLoss = false) : ITrainable<FeatureBatch>
{
    private const int EvaluationRows = 1024;
    private const long EvaluationFloats = 16 << 20; // 64 MB of the net's own memory

    // Large images take fewer rows at once; the result does not depend on it.
    private int RowsAtOnce => (int)Math.Clamp(EvaluationFloats / network.FloatsPerRow, 1, EvaluationRows);

    /// <inheritdoc/>
    public IReadOnlyList<ParameterSegment> Segments => network.Segments;

    /// <inheritdoc/>
    public Span<float> Parameters => network.Parameters;

    /// <inheritdoc/>
    public Span<float> Gradients => network.Gradients;

    /// <inheritdoc/>
    public BatchLoss Differentiate(FeatureBatch batch, long step, bool accumulate, double gradientScale) =>
        network.DifferentiateSum(batch, loss, seed, step, accumulate, gradientScale: gradientScale);

    /// <inheritdoc/>
    public double WeightOf(FeatureBatch batch) => loss.WeightOf(batch);

    /// <inheritdoc/>
    public ValidationResult Evaluate(IBatchSource<FeatureBatch> rows)
    {
        BatchLoss total = default;
        var tally = new ScoreTally(loss.IsClassification ? ValidationScore.Accuracy : ValidationScore.R2, loss.Scale, loss.Offset);
        foreach (FeatureBatch batch in rows.Batches(new BatchPlan(RowsAtOnce)))
        {
            total += network.Evaluate(batch, loss);
            tally.Add(network.Outputs(batch.Count), batch);
        }

        return new ValidationResult(total.Mean, selectByLoss ? null : tally.Value);
    }
}
