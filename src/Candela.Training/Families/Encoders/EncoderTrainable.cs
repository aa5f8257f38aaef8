using Candela.Data;
using Candela.Tokenization;
using Candela.Training.Language;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>An encoder with a classification head over texts, as <see cref="TrainingLoop"/> trains it.</summary>
internal sealed class EncoderTrainable(BertModel network, EncoderInputs inputs, SparseCategoricalCrossEntropy loss, long seed) : LayerTrainable<FeatureBatch>(network, seed)
{
    // Tokens of an evaluation batch, padding included.
    private const int TokensAtOnce = 4096;

    /// <inheritdoc/>
    public override double WeightOf(FeatureBatch batch)
    {
        double sum = 0;
        for (int row = 0; row < batch.Count; row++)
            sum += batch.WeightOf(row) * (loss.ClassWeights is { } weights ? weights[batch.Labels[row]] : 1.0);
        return sum;
    }

    /// <inheritdoc/>
    public override ValidationResult Evaluate(IBatchSource<FeatureBatch> rows)
    {
        BeginEvaluation();
        BatchLoss total = default;
        var tally = new ScoreTally(ValidationScore.Accuracy);
        using IDisposable quiet = no_grad();
        foreach (FeatureBatch batch in rows.Batches(new BatchPlan(256)))
        {
            using TensorScope scope = TensorScope.Begin();
            long classes = 0;
            float[] logits = Logits(network, inputs, batch, Device, ref classes);
            double weight = WeightOf(batch);
            if (weight > 0)
                total += new BatchLoss((double)loss.Of(tensor(logits, [batch.Count, classes]), Labels(batch), RowWeights(batch)).ToSingle() * weight, weight);
            tally.Add(logits, batch);
        }

        return new ValidationResult(total.Mean, tally.Value);
    }

    /// <summary>Scores of every row, [rows, classes]. Rows of like length are read together, so that padding costs little.</summary>
    public static float[] Logits(BertModel network, EncoderInputs inputs, FeatureBatch batch, Device device, ref long classes)
    {
        using IDisposable quiet = no_grad();
        TokenEncoding[] rows = inputs.Read(batch);
        int[] order = [.. Enumerable.Range(0, rows.Length).OrderBy(i => rows[i].Count)];
        float[] all = [];
        for (int from = 0; from < order.Length;)
        {
            int to = from;
            while (to < order.Length && (to == from || (to + 1 - from) * rows[order[to]].Count <= TokensAtOnce))
                to++;
            using TensorScope scope = TensorScope.Begin();
            Tensor logits = network.LabelLogits(inputs.Hidden(network, [.. order[from..to].Select(i => rows[i])], device));
            classes = logits.size(1);
            if (all.Length == 0)
                all = new float[rows.Length * classes];
            ReadOnlySpan<float> read = TensorMemory.Read(logits);
            for (int i = from; i < to; i++)
                read.Slice((i - from) * (int)classes, (int)classes).CopyTo(all.AsSpan(order[i] * (int)classes));
            from = to;
        }

        return all;
    }

    /// <inheritdoc/>
    protected override Tensor MeanLoss(FeatureBatch batch) => loss.Of(network.LabelLogits(inputs.Hidden(network, inputs.Read(batch), Device)), Labels(batch).to(Device), RowWeights(batch)?.to(Device));

    private static Tensor Labels(FeatureBatch batch) => tensor(Array.ConvertAll(batch.Labels[..batch.Count], label => (long)label));

    private static Tensor? RowWeights(FeatureBatch batch) => batch.Weights.Length == 0 ? null : tensor(batch.Weights[..batch.Count]);
}
