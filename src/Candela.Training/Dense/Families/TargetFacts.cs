using Candela.Data;
using Candela.Models;

namespace Candela.Training.DenseNets;

/// <summary>What is learnt from the training targets before training: mean and deviation, or rows per class.</summary>
internal sealed record TargetFacts(double Mean, double Deviation, long[] Counts)
{
    /// <summary>From the encoder where it was fitted on these rows, else by reading all rows once.</summary>
    public static TargetFacts Of(IExampleSource train, Problem problem)
    {
        if (train is EncodedTable { Part: Part.Train, Encoder: var encoder } && encoder.TrainingRows == train.Count)
            return new TargetFacts(encoder.TargetMean, encoder.TargetDeviation, [.. encoder.ClassCounts]);
        long rows = 0;
        double mean = 0, squares = 0;
        var counts = new long[problem.Classes.Count];
        foreach (FeatureBatch batch in train.Batches(new BatchPlan(train.Layout.ReadingRows) { TargetsOnly = true }))
        {
            for (int i = 0; i < batch.Count; i++)
            {
                rows++;
                if (problem.IsClassification)
                {
                    counts[batch.Labels[i]]++;
                    continue;
                }

                double before = batch.Targets[i] - mean; // Welford 1962
                mean += before / rows;
                squares += before * (batch.Targets[i] - mean);
            }
        }

        return new TargetFacts(mean, rows > 0 ? Math.Sqrt(squares / rows) : 0, counts);
    }

    /// <summary>Class weights by name; see <see cref="ClassBalance"/>.</summary>
    public float[]? Weights(string name) => ClassBalance.WeightsOf(name, Counts) is { } weights ? Array.ConvertAll(weights, w => (float)w) : null;
}
