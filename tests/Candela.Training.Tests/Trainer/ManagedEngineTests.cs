using Candela.Data;
using Candela.Models;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Loops;

/// <summary><see cref="Training.Trainer.Fit"/> on the managed engine; the independent implementation is libtorch under the same plan.</summary>
public class ManagedEngineTests
{
    public ManagedEngineTests() => LibTorch.Load();

    private static readonly TrainingPlan Plan = new() { Seed = 4, Epochs = 3, BatchSize = 16, Optimizer = new AdamOptions { Decoupled = true, L2 = 0.01 }, LearningRate = 0.003, ClipNorm = 2, Accumulate = 2, Threads = 2 };

    private static Sequential Cnn() => new(new Conv2d(5, 3, padding: Padding.Same, activation: ActivationKind.Relu), new MaxPool2d(2), new Dropout(0.25), new Conv2d(4, new Size2(2, 3)), new Activation(ActivationKind.Tanh),
        new Flatten(), new Dense(12, ActivationKind.Relu), new Dropout(0.5), new Dense(3));

    private static Sequential Mlp() => new(new Dense(16, ActivationKind.Gelu), new Dropout(0.3), new Dense(8, ActivationKind.Sigmoid, bias: false), new Dense(1));

    // Labels and targets that the features tell.
    private static ArrayExamples Rows(int count, int[] shape, long stream, int classes)
    {
        var rng = new Rng(8, stream);
        int width = shape.Aggregate(1, (a, b) => a * b);
        float[] x = new float[count * width], y = new float[count];
        foreach (ref float value in x.AsSpan())
            value = (float)rng.NextGaussian();
        for (int i = 0; i < count; i++)
            y[i] = x[i * width] + (0.5f * x[(i * width) + 1]);
        return classes == 0 ? new ArrayExamples(x, shape, targets: y) : new ArrayExamples(x, shape, [.. y.Select(v => v < -0.5f ? 0 : v < 0.5f || classes == 2 ? 1 : 2)]);
    }

    public static TheoryData<string> Cases => ["cross-entropy", "one-hot", "binary", "squared", "absolute", "huber"];

    private static (Func<Sequential> Net, Loss Loss, ArrayExamples Train, ArrayExamples Valid) Case(string name)
    {
        ArrayExamples images = Rows(75, [2, 7, 8], 0, 3), tests = Rows(40, [2, 7, 8], 1, 3);
        return name switch
        {
            "cross-entropy" => (Cnn, new SparseCategoricalCrossEntropy { LabelSmoothing = 0.1, ClassWeights = [1, 2, 0.5f] }, images, tests),
            "one-hot" => (Cnn, new CategoricalCrossEntropy { LabelSmoothing = 0.1 }, images, tests),
            "binary" => (Mlp, new BinaryCrossEntropy { ClassWeights = [1, 3] }, Rows(75, [5], 0, 2), Rows(40, [5], 1, 2)),
            _ => (Mlp, name == "squared" ? new MeanSquaredError() : name == "absolute" ? new MeanAbsoluteError() : new Huber { Delta = 0.5 }, Rows(75, [5], 0, 0), Rows(40, [5], 1, 0)),
        };
    }

    [Theory, Trait("Kind", "conformance"), MemberData(nameof(Cases))]
    public void Fit_ManagedAndLibTorch_EndWithTheSameWeights(string name)
    {
        (Func<Sequential> make, Loss loss, ArrayExamples train, ArrayExamples valid) = Case(name);
        foreach (double average in new[] { 0, 0.8 })
        {
            using Sequential a = make(), b = make();
            TrainingPlan plan = Plan with { Ema = average };
            TrainingOutcome managed = Training.Trainer.Fit(a, train, valid, loss, plan with { Engine = TrainingEngine.Managed }, score: ValidationScore.None);
            TrainingOutcome torch = Training.Trainer.Fit(b, train, valid, loss, plan with { Engine = TrainingEngine.LibTorch }, score: ValidationScore.None);
            Assert.Equal(torch.BestEpoch, managed.BestEpoch);
            Assert.Equal(torch.Steps, managed.Steps);
            Assert.All(Weights(a).Zip(Weights(b)), pair => Assert.Equal(pair.Second, pair.First, 2e-4));
            Assert.NotEqual(Weights(Built(make(), train)), Weights(a));
            Assert.False(a.training);
        }
    }

    [Fact, Trait("Kind", "conformance")]
    public void Fit_Auto_IsTheManagedEngineAndScoresAlike()
    {
        (Func<Sequential> make, Loss loss, ArrayExamples train, ArrayExamples valid) = Case("cross-entropy");
        using Sequential a = make(), b = make(), c = make();
        EpochEnded automatic = Training.Trainer.Fit(a, train, valid, loss, Plan).History[^1], managed = Training.Trainer.Fit(b, train, valid, loss, Plan with { Engine = TrainingEngine.Managed }).History[^1];
        EpochEnded torch = Training.Trainer.Fit(c, train, valid, loss, Plan with { Engine = TrainingEngine.LibTorch }).History[^1];
        Assert.Equal(Weights(b), Weights(a)); // bit by bit, which libtorch's are not
        Assert.NotEqual(Weights(c), Weights(a));
        Assert.Equal(torch.ValidScore!.Value, automatic.ValidScore!.Value, 0.03);
        Assert.Equal(managed.ValidLoss, automatic.ValidLoss);
    }

    [Theory, Trait("Kind", "property"), InlineData(0), InlineData(3), InlineData(8)]
    public void Resume_AfterCancellation_IsBitEqualAndKeepsWhatWasReached(int atStep)
    {
        (Func<Sequential> make, Loss loss, ArrayExamples train, ArrayExamples valid) = Case("cross-entropy");
        TrainingPlan plan = Plan with { Engine = TrainingEngine.Managed, Ema = 0.8, Accumulate = 1 };
        using Sequential whole = make(), part = make();
        Training.Trainer.Fit(whole, train, valid, loss, plan);
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        int seen = 0;
        var counting = new Watched(train, () => { if (++seen > atStep + 1) cancel.Cancel(); }); // one batch is looked at beforehand
        var session = new TrainingSession { CheckpointFolder = folder.Path, Cancellation = cancel.Token };
        Assert.ThrowsAny<OperationCanceledException>(() => Training.Trainer.Fit(part, counting, valid, loss, plan, session));
        Assert.False(part.training);
        Assert.Equal(atStep == 0, Weights(part).SequenceEqual(Weights(Built(make(), train))));
        session = session with { Cancellation = default };
        using Sequential other = make(), resumed = make();
        Assert.Contains("another run", Assert.Throws<UsageException>(() => Training.Trainer.Fit(other, train, valid, loss, plan with { Engine = TrainingEngine.LibTorch }, session)).Message);
        Training.Trainer.Fit(resumed, train, valid, loss, plan, session);
        Assert.Equal(Weights(whole), Weights(resumed));
    }

    public static TheoryData<string, string> Refused => new()
    {
        { "module", "not a Sequential" }, { "own layer", "is not one of Candela's layers" }, { "layer", "batch-norm1d" }, { "axes", "put a flatten before" }, { "frozen", "not trained" },
        { "loss", "KullbackLeibler" }, { "outputs", "needs one number" }, { "targets", "class labels" }, { "score", "no score Accuracy" },
    };

    [Theory, Trait("Kind", "fault"), MemberData(nameof(Refused))]
    public void Managed_OfWhatItCannotTrain_SaysWhy(string what, string why)
    {
        ArrayExamples rows = Rows(20, [5], 0, what is "score" or "targets" or "outputs" ? 0 : 2), images = Rows(20, [1, 4, 5], 0, 2);
        using nn.Module<Tensor, Tensor> net = what switch
        {
            "module" => nn.Linear(5, 2),
            "own layer" => new Sequential(new ModuleLayer(nn.Linear(5, 2))),
            "layer" => new Sequential(new Dense(4), new BatchNorm1d(), new Dense(2)),
            "axes" => new Sequential(new Dense(2), new Flatten()),
            "score" => new Sequential(new Dense(1)),
            _ => new Sequential(new Dense(2)),
        };
        if (what == "frozen")
            Built((Sequential)net, rows).parameters().First().requires_grad = false;
        Loss loss = what is "score" or "outputs" ? new MeanSquaredError() : what == "loss" ? new KullbackLeibler() : new SparseCategoricalCrossEntropy();
        UsageException error = Assert.Throws<UsageException>(() => Training.Trainer.Fit(net, what == "axes" ? images : rows, null, loss, Plan with { Engine = TrainingEngine.Managed }, score: what == "score" ? ValidationScore.Accuracy : ValidationScore.Auto));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Fact, Trait("Kind", "property")]
    public void Auto_WithAFrozenLayer_LeavesItAsItIs()
    {
        ArrayExamples rows = Rows(40, [5], 0, 2);
        using Sequential net = Built(new Sequential(new Dense(4, ActivationKind.Relu), new Dense(2)), rows);
        foreach (TorchSharp.Modules.Parameter parameter in net.Children[0].Value.parameters())
            parameter.requires_grad = false;
        float[] before = Weights(net);
        Training.Trainer.Fit(net, rows, null, new SparseCategoricalCrossEntropy(), Plan);
        Assert.Equal(before[..24], Weights(net)[..24]);
        Assert.NotEqual(before[24..], Weights(net)[24..]);
    }

    private static Sequential Built(Sequential net, IExampleSource rows)
    {
        net.Build(Shape.Of(rows.Layout.DenseShape), Plan.Seed);
        return net;
    }

    private static float[] Weights(Sequential net) => [.. net.state_dict().OrderBy(t => t.Key, StringComparer.Ordinal).SelectMany(t => TensorMemory.Read(t.Value))];

    private sealed class Watched(IExampleSource inner, Action onBatch) : IExampleSource
    {
        public long Count => inner.Count;

        public FeatureLayout Layout => inner.Layout;

        public IEnumerable<FeatureBatch> Batches(BatchPlan plan)
        {
            foreach (FeatureBatch batch in inner.Batches(plan))
            {
                onBatch();
                yield return batch;
            }
        }
    }
}
