using Candela.Data;
using Candela.Graphs;
using Candela.Models;
using Candela.Training.DenseNets;

namespace Candela.Training.Tests;

public sealed class FamilyTests : IDisposable
{
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())).FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void CheckOptions_UnknownClassWeights_AreRefusedByEveryNet()
    {
        foreach (IModelFamily family in new IModelFamily[] { new TextFamily(), new CnnFamily(), new MlpFamily() })
            Assert.Contains("balanced", Assert.Throws<UsageException>(() => family.CheckOptions(new FitOptions { ClassWeights = "balancd" })).Message, StringComparison.Ordinal);
    }

    // The article's network on 28x28x1 and ten classes has 225,034 parameters; dropout adds none.
    [Fact]
    [Trait("Kind", "golden")]
    public void Cnn_OnTheArticlesImages_HasItsParametersAndShapes()
    {
        var graph = new LayerGraph("cnn", [1, 28, 28], CnnFamily.Layers([1, 28, 28], 10, [128], 0.25), HeadKind.Softmax);
        ModelSummary summary = GraphSummary.Of(graph);
        Assert.Equal(225_034, summary.Parameters);
        Assert.Equal(["[32, 26, 26]", "[32, 13, 13]", "[64, 11, 11]", "[64, 5, 5]", "[1600]"], summary.Layers.Take(5).Select(l => l.OutputShape.ToString()));
        Assert.Null(DenseNetwork.WhyNot(graph));
    }

    [Theory]
    [InlineData(1, 4, 4)]
    [InlineData(1, 8, 8)]
    [InlineData(3, 9, 17)]
    [InlineData(3, 32, 32)]
    [InlineData(3, 64, 48)]
    [InlineData(3, 224, 224)]
    [Trait("Kind", "property")]
    public void Cnn_AnyImageSize_GivesANetworkTheManagedEngineRuns(int channels, int height, int width)
    {
        var graph = new LayerGraph("cnn", [channels, height, width], CnnFamily.Layers([channels, height, width], 3, [128], 0.1), HeadKind.Softmax);
        Assert.Null(DenseNetwork.WhyNot(graph));
        Assert.Equal("[3]", GraphSummary.Of(graph).OutputShape.ToString());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [Trait("Kind", "property")]
    public void Cnn_BarsOfDifferentDirection_LearnsSavesReopensAndRepeats(int classes)
    {
        ArrayExamples train = Bars(300, classes, 1), test = Bars(150, classes, 2);
        var problem = new Problem(classes == 2 ? TaskKind.Binary : TaskKind.Multiclass, "bar", [.. Enumerable.Range(0, classes).Select(i => $"c{i}")]);
        var family = new CnnFamily();
        FitContext context = new() { Problem = problem, Train = train, Valid = Bars(60, classes, 3), Options = new FitOptions { Seed = 4, Epochs = 4, Threads = 2 } };
        FitResult first = family.Fit(context), again = family.Fit(context with { Options = context.Options with { Threads = 1 } });
        using IFittedModel a = first.Model, b = again.Model;
        float[] scores = Scores(a, test, classes);
        Assert.Equal(scores, Scores(b, test, classes));
        Assert.InRange(Accuracy(scores, test, classes), 0.97, 1);
        a.Save(_folder);
        using IFittedModel opened = family.Open(_folder, problem, train.Layout);
        Assert.Equal(scores, Scores(opened, test, classes));
        Assert.Contains("conv1", opened.Summary(), StringComparison.Ordinal);

        // The same folder opens with libtorch's layers and gives the same probabilities.
        if (classes == 3)
        {
            using TorchModel torch = TorchModel.Open(_folder, problem, train.Layout);
            foreach ((float expected, float actual) in scores.Zip(Scores(torch, test, classes)))
                Assert.Equal(expected, actual, 1e-5);
        }
    }

    [Fact]
    [Trait("Kind", "property")]
    public void ShiftedImages_EveryEpoch_MoveByAtMostTheReach_AndSkipAgrees()
    {
        float[] pixels = [.. Enumerable.Range(0, 5 * 28 * 28).Select(i => (float)i)];
        var images = new ArrayExamples(pixels, [1, 28, 28], [0, 1, 2, 3, 4]);
        var shifted = new ShiftedImages(images, ShiftedImages.Reach([1, 28, 28]), 9);
        float[] At(int epoch, long skip) => [.. shifted.Batches(new BatchPlan(2) { Epoch = epoch, Skip = skip }).SelectMany(b => b.Dense[..(b.Count * 784)])];
        float[] first = At(0, 0);
        Assert.Equal(first, At(0, 0));
        Assert.NotEqual(first, At(1, 0));
        Assert.Equal(first[(4 * 784)..], At(0, 2));
        for (int n = 0; n < 5; n++)
        {
            // In a ramp a pixel tells where it came from.
            int middle = (int)first[(n * 784) + (14 * 28) + 14] - (n * 784), y = middle / 28, x = middle % 28;
            Assert.InRange(y, 12, 16);
            Assert.InRange(x, 12, 16);
            Assert.Equal((n * 784) + (Math.Clamp(y - 14, 0, 27) * 28) + Math.Clamp(x - 14, 0, 27), first[n * 784]);
        }

        Assert.Equal(0, ShiftedImages.Reach([1, 8, 8]));
    }

    // The path that cuda and mps take, here on libtorch's CPU: without dropout both engines take the same steps.
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [Trait("Kind", "conformance")]
    public void DeviceTraining_OnLibtorch_EndsWithTheManagedEnginesWeights(int classes)
    {
        var loss = new DenseLoss(classes == 2 ? DenseLossKind.BinaryCrossEntropy : DenseLossKind.CrossEntropy) { LabelSmoothing = 0.1 };
        var graph = new LayerGraph("cnn", [1, 12, 12], CnnFamily.Layers([1, 12, 12], loss.Outputs(classes), [16], 0), HeadKind.Softmax);
        using DenseNetwork managed = new(graph), onDevice = new(graph);
        managed.Initialize(3);
        onDevice.Initialize(3);
        ArrayExamples train = Bars(64, classes, 1);
        var plan = new TrainingPlan { Epochs = 2, BatchSize = 16, LearningRate = 1e-3, Threads = 1 };
        TrainingOutcome a = TrainingLoop.Run(new DenseTrainable(managed, loss, 0), train, null, plan, new TrainingSession());
        TrainingOutcome b = DeviceTraining.Run(onDevice, loss, TorchSharp.torch.CPU, train, null, plan, new TrainingSession());
        Assert.Equal(a.History[^1].TrainLoss, b.History[^1].TrainLoss, 1e-3);
        double worst = 0;
        for (int i = 0; i < managed.Parameters.Length; i++)
            worst = Math.Max(worst, Math.Abs(managed.Parameters[i] - onDevice.Parameters[i]));
        Assert.InRange(worst, 0, 2e-3); // Adam's first steps are +-rate wherever a gradient is near 0, so a sign may differ there
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Fit_OnADeviceThatIsNotThere_NamesThePackage()
    {
        if (Devices.Available().Any(d => d.StartsWith("cuda", StringComparison.Ordinal)))
            return; // a machine with a GPU and the CUDA build
        var problem = new Problem(TaskKind.Binary, "bar", ["a", "b"]);
        var error = Assert.Throws<EngineException>(() => new CnnFamily().Fit(new FitContext { Problem = problem, Train = Bars(20, 2, 1), Options = new FitOptions { Device = "cuda" } }));
        Assert.Contains("libtorch-cuda", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Text_TokensThatTellTheClass_LearnsSavesAndReopens()
    {
        var train = new TokenRows(400, 1);
        var test = new TokenRows(200, 2);
        var problem = new Problem(TaskKind.Binary, "label", ["no", "yes"]);
        var family = new TextFamily();
        FitResult fit = family.Fit(new FitContext { Problem = problem, Train = train, Valid = new TokenRows(80, 3), Options = new FitOptions { Seed = 1, Epochs = 5, Threads = 1, Device = "cpu", ClassWeights = "balanced" } });
        using IFittedModel model = fit.Model;
        float[] scores = Scores(model, test, 2);
        Assert.InRange(Accuracy(scores, test, 2), 0.95, 1);
        Assert.All(Enumerable.Range(0, 200), i => Assert.Equal(1, scores[2 * i] + scores[(2 * i) + 1], 1e-5));
        model.Save(_folder);
        using IFittedModel opened = family.Open(_folder, problem, train.Layout);
        Assert.Equal(scores, Scores(opened, test, 2));
        Assert.Equal(model.ParameterCount, opened.ParameterCount);
        Assert.Throws<ShapeException>(() => family.Open(_folder, problem with { Task = TaskKind.Multiclass, Classes = ["a", "b", "c"] }, train.Layout));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void WhyNot_OtherInputs_SaysWhatIsNeeded()
    {
        var classes = new Problem(TaskKind.Binary, "y", ["0", "1"]);
        TableSchema Columns(params ColumnKind[] kinds) => new([.. kinds.Select((k, i) => new ColumnSchema($"c{i}", k) { Image = k == ColumnKind.Image ? new ImageShape(1, 28, 28) : null })]);
        Assert.Null(new CnnFamily().WhyNot(classes, Columns(ColumnKind.Image), 100));
        Assert.NotNull(new CnnFamily().WhyNot(classes, Columns(ColumnKind.Number), 100));
        Assert.NotNull(new CnnFamily().WhyNot(classes, Columns(ColumnKind.Image, ColumnKind.Number), 100));
        Assert.Null(new TextFamily().WhyNot(classes, Columns(ColumnKind.Text, ColumnKind.Identifier), 100));
        Assert.NotNull(new TextFamily().WhyNot(classes, Columns(ColumnKind.Text, ColumnKind.Number), 100));
        Assert.NotNull(new TextFamily().WhyNot(new Problem(TaskKind.Regression, "y", []), Columns(ColumnKind.Text), 100));
        Assert.Throws<UsageException>(() => new CnnFamily().Fit(new FitContext { Problem = classes, Train = Bars(20, 2, 1), Options = new FitOptions { Dropout = 1 } }));
    }

    [Fact]
    public void All_HasEachIdOnce()
    {
        Assert.Equal(["bert", "cnn", "gru", "linear-gd", "lstm", "mlp", "perceptron", "rnn", "text"], NeuralFamilies.All.Select(f => f.Id).Order());
        Assert.All(NeuralFamilies.All, f => Assert.NotEmpty(f.Description));
    }

    // Noisy images with one horizontal, vertical or diagonal bar.
    private static ArrayExamples Bars(int count, int classes, long seed)
    {
        var rng = new Rng(seed);
        var pixels = new float[count * 144];
        var labels = new int[count];
        for (int n = 0; n < count; n++)
        {
            labels[n] = rng.Next(classes);
            Span<float> image = pixels.AsSpan(n * 144, 144);
            foreach (ref float pixel in image)
                pixel = (float)(0.4 * rng.NextGaussian());
            int at = 3 + rng.Next(6);
            for (int i = 2; i < 10; i++)
                image[labels[n] switch { 0 => (at * 12) + i, 1 => (i * 12) + at, _ => (i * 12) + i }] += 2.5f;
        }

        return new ArrayExamples(pixels, [1, 12, 12], labels);
    }

    private static float[] Scores(IFittedModel model, IExampleSource rows, int classes)
    {
        var scores = new float[rows.Count * classes];
        int at = 0;
        foreach (FeatureBatch batch in rows.Batches(new BatchPlan(64)))
        {
            model.Score(batch, scores.AsSpan(at * classes, batch.Count * classes));
            at += batch.Count;
        }

        return scores;
    }

    private static double Accuracy(float[] scores, IExampleSource rows, int classes)
    {
        int right = 0, at = 0;
        foreach (FeatureBatch batch in rows.Batches(new BatchPlan(64)))
            for (int i = 0; i < batch.Count; i++, at++)
                right += System.Numerics.Tensors.TensorPrimitives.IndexOfMax(scores.AsSpan(at * classes, classes)) == batch.Labels[i] ? 1 : 0;
        return (double)right / at;
    }

    /// <summary>Rows of 12 ids of which some are padding; class 1 has id 5 somewhere, class 0 has id 6.</summary>
    private sealed class TokenRows(int count, long seed) : IExampleSource
    {
        public long Count => count;

        public FeatureLayout Layout { get; } = new() { DenseShape = [0], TokenLength = 12, TokenVocabulary = 40 };

        public IEnumerable<FeatureBatch> Batches(BatchPlan plan)
        {
            var rng = new Rng(seed);
            var rows = new (int[] Ids, int Label)[count];
            for (int n = 0; n < count; n++)
            {
                var ids = new int[12];
                int used = 4 + rng.Next(9), label = rng.Next(2);
                for (int i = 0; i < used; i++)
                    ids[i] = 7 + rng.Next(33);
                ids[rng.Next(used)] = label == 1 ? 5 : 6;
                rows[n] = (ids, label);
            }

            if (plan.ShuffleSeed is { } shuffle)
                new Rng(shuffle, plan.Epoch).Shuffle(rows.AsSpan());
            for (long start = plan.Skip * plan.BatchSize; start < count; start += plan.BatchSize)
            {
                (int[] Ids, int Label)[] part = rows[(int)start..(int)Math.Min(count, start + plan.BatchSize)];
                yield return new FeatureBatch { Count = part.Length, Tokens = [.. part.SelectMany(r => r.Ids)], Labels = [.. part.Select(r => r.Label)] };
            }
        }
    }
}
