using Candela.Data;
using TorchSharp;

namespace Candela.Training.Tests.Loops;

/// <summary>A weight per row, from the example source to loss, gradient and score, on both engines.</summary>
public class RowWeightTests
{
    public RowWeightTests() => LibTorch.Load();

    private static readonly float[] X = [1, 2, -1, 0.5f], Y = [2, 1, 3, -1], W = [1, 0, 2, 0.5f];

    [Theory, Trait("Kind", "analytic"), InlineData(TrainingEngine.Managed, 4), InlineData(TrainingEngine.LibTorch, 4), InlineData(TrainingEngine.Managed, 2), InlineData(TrainingEngine.LibTorch, 2)]
    public void Fit_WeightedSquaredError_IsTheHandComputedLossGradientAndR2(TrainingEngine engine, int batchSize)
    {
        using var net = new Sequential(new Dense(1));
        net.Build([1], 4);
        (double a, double b) = Weights(net);
        var rows = new ArrayExamples(X, [1], targets: Y, weights: W);
        // One step over all rows, as one batch or as two that are accumulated.
        TrainingOutcome outcome = Training.Trainer.Fit(net, rows, rows, new MeanSquaredError(), new TrainingPlan { Engine = engine, Epochs = 1, BatchSize = batchSize, Accumulate = 4 / batchSize, Optimizer = new SgdOptions(), LearningRate = 0.1, Schedule = "constant", Shuffle = false, KeepBest = false });

        double sum = W.Sum(w => (double)w), loss = 0, da = 0, db = 0;
        for (int i = 0; i < 4; i++)
        {
            double error = (a * X[i]) + b - Y[i];
            loss += W[i] * error * error / sum;
            da += W[i] * 2 * error * X[i] / sum;
            db += W[i] * 2 * error / sum;
        }

        Assert.Equal(loss, outcome.History[0].TrainLoss, 1e-5);
        (double a1, double b1) = Weights(net);
        Assert.Equal(a - (0.1 * da), a1, 1e-6);
        Assert.Equal(b - (0.1 * db), b1, 1e-6);
        double mean = Enumerable.Range(0, 4).Sum(i => W[i] * Y[i]) / sum, squared = Enumerable.Range(0, 4).Sum(i => W[i] * Math.Pow((a1 * X[i]) + b1 - Y[i], 2)), deviation = Enumerable.Range(0, 4).Sum(i => W[i] * Math.Pow(Y[i] - mean, 2));
        Assert.Equal(squared / sum, outcome.History[0].ValidLoss!.Value, 1e-5);
        Assert.Equal(1 - (squared / deviation), outcome.History[0].ValidScore!.Value, 1e-5);
    }

    [Theory, Trait("Kind", "property"), InlineData(TrainingEngine.Managed), InlineData(TrainingEngine.LibTorch)]
    public void Fit_MaskedRows_AreAsIfTheyWereNotThere(TrainingEngine engine)
    {
        foreach (Loss loss in (Loss[])[new SparseCategoricalCrossEntropy { ClassWeights = [1, 3], LabelSmoothing = 0.1 }, new SparseCategoricalCrossEntropy(), new BinaryCrossEntropy { ClassWeights = [2, 1] }])
        {
            int outputs = loss is BinaryCrossEntropy ? 1 : 2;
            float[] masked = Trained(new ArrayExamples([1, 2, 9, 9, -1, 0, 2, 1, -7, 3], [2], [0, 1, 1, 0, 1], weights: [1, 0, 1, 1, 0]), 5);
            float[] fewer = Trained(new ArrayExamples([1, 2, -1, 0, 2, 1], [2], [0, 1, 0]), 3);
            for (int i = 0; i < fewer.Length; i++)
                Assert.Equal(fewer[i], masked[i], 1e-5f);

            float[] Trained(ArrayExamples rows, int size)
            {
                using var net = new Sequential(new Dense(3, ActivationKind.Tanh), new Dense(outputs));
                net.Build([2], 6);
                TrainingOutcome outcome = Training.Trainer.Fit(net, rows, rows, loss, new TrainingPlan { Engine = engine, Epochs = 5, BatchSize = size, LearningRate = 0.05, Schedule = "constant", Shuffle = false, KeepBest = false });
                return [.. net.parameters().SelectMany(p => p.data<float>().ToArray()), (float)outcome.History[^1].TrainLoss, (float)outcome.History[^1].ValidLoss!.Value, (float)outcome.History[^1].ValidScore!.Value];
            }
        }
    }

    [Fact, Trait("Kind", "fault")]
    public void ArrayExamples_BadWeights_AreRefused()
    {
        Assert.Throws<ShapeException>(() => new ArrayExamples(X, [1], targets: Y, weights: [1, 2]));
        Assert.Throws<ShapeException>(() => new ArrayExamples(X, [1], targets: Y, weights: [1, 2, -1, 0]));
        Assert.Throws<ShapeException>(() => new ArrayExamples(X, [1], targets: Y, weights: [1, 2, float.NaN, 0]));
    }

    /// <summary>Batch norm first, one batch of all rows: after t steps the running mean is m (1 - 0.9^t) and the running variance 0.9^t + v (1 - 0.9^t), whatever the weights do.</summary>
    [Theory, Trait("Kind", "analytic"), InlineData(false), InlineData(true)]
    public void Fit_AveragedWeights_ComeWithAveragedRunningStatistics(bool validate)
    {
        using var net = new Sequential(new BatchNorm1d(), new Dense(1));
        var rows = new ArrayExamples([3, 5, 10, 2], [1], targets: [1, 2, 3, 4]);
        Training.Trainer.Fit(net, rows, validate ? rows : null, new MeanSquaredError(), new TrainingPlan { Engine = TrainingEngine.LibTorch, Epochs = 6, BatchSize = 4, LearningRate = 0.01, Schedule = "constant", Ema = 0.5, KeepBest = false });

        const double Mean = 5, Variance = 38.0 / 3; // unbiased: (4 + 0 + 25 + 9) / 3
        double mean = 0, variance = 1;
        for (int t = 1; t <= 6; t++)
        {
            double keep = Math.Min(0.5, (1.0 + t) / (10 + t)), left = Math.Pow(0.9, t);
            mean = (keep * mean) + ((1 - keep) * Mean * (1 - left));
            variance = (keep * variance) + ((1 - keep) * (left + (Variance * (1 - left))));
        }

        Dictionary<string, torch.Tensor> buffers = net.named_buffers(true).ToDictionary(b => b.name.Split('.')[^1], b => b.buffer);
        Assert.Equal(mean, buffers["running_mean"].item<float>(), 1e-4);
        Assert.Equal(variance, buffers["running_var"].item<float>(), 1e-4);
        Assert.Equal(6, buffers["num_batches_tracked"].item<long>());
    }

    private static (double Slope, double Offset) Weights(Sequential net)
    {
        float[] all = [.. net.parameters().SelectMany(p => p.data<float>().ToArray())];
        return (all[0], all[1]);
    }
}
