using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Graphs;
using Candela.Models;
using Candela.Training.DenseNets;
using TorchSharp;

namespace Candela.Training.Tests.DenseNets;

/// <summary>Families on the dense engine: published numbers, exact resume, files, and agreement with libtorch.</summary>
public sealed class DenseFamilyTests
{
    private static readonly Problem TwoClasses = new(TaskKind.Binary, "y", ["a", "b"]);

    [Fact]
    [Trait("Kind", "golden")]
    public void LinearRegression_On100Points_ReachesTheReferenceCoefficients()
    {
        // Issue 2: the articles' program, 1000 full-batch steps of MSE with rate 0.01.
        string[] lines = File.ReadAllLines(Path.Combine(Root(), "samples", "data", "linear-regression-100.csv"));
        float[][] points = [.. lines.Skip(1).Where(l => l.Length > 0).Select(l => l.Split(',').Select(c => float.Parse(c, CultureInfo.InvariantCulture)).ToArray())];
        Assert.Equal(100, points.Length);
        using DenseNetwork net = Line(1, bias: true);
        (net.Parameters[0], net.Parameters[1]) = (0.3117958819941026f, 0.6963434888154595f);
        var rows = new ArrayExamples([.. points.Select(p => p[0])], [1], targets: [.. points.Select(p => p[1])]);
        Run(net, DenseLossKind.SquaredError, rows, 1000);
        Assert.Equal(2.586954, net.Parameters[0], 2e-5);
        Assert.Equal(2.735247, net.Parameters[1], 2e-5);
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void ThreePoints_HalfSquaredError_ReachTheReferenceWeights()
    {
        using DenseNetwork net = Line(2, bias: false);
        Run(net, DenseLossKind.HalfSquaredError, new ArrayExamples([1, 2, 2, 3, 3, 4], [2], targets: [2, 3, 4]), 1000);
        Assert.Equal(0.293558, net.Parameters[0], 2e-5);
        Assert.Equal(0.796564, net.Parameters[1], 2e-5);
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Mlp_OnXor_GetsAllFourRight()
    {
        var rows = new ArrayExamples([0, 0, 0, 1, 1, 0, 1, 1], [2], [0, 1, 1, 0]);
        FitResult fit = Fit(new MlpFamily(), TwoClasses, rows, null, new FitOptions { Seed = 1, Epochs = 500, Hidden = [8], Dropout = 0, LearningRate = 0.05, L2 = 0 });
        using IFittedModel model = fit.Model;
        var scores = new float[8];
        model.Score(rows.Batches(new BatchPlan(4)).First(), scores);
        Assert.All(new[] { 0, 1, 1, 0 }, (label, i) => Assert.True(scores[(2 * i) + label] > 0.9));
        Assert.Equal(33, model.ParameterCount); // 2*8 + 8 + 8*1 + 1
        Assert.Contains("dense1", model.Summary(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [Trait("Kind", "analytic")]
    public void Perceptron_OnSeparableRows_StopsWithinNovikoffsBound(int seed)
    {
        // Rows with |w x + b| >= margin for the unit vector (w, b): at most (R / margin)^2 mistakes, R the largest norm of (x, 1).
        var rng = new Rng(seed);
        var dense = new List<float>();
        var labels = new List<int>();
        double radius = 0, margin = double.PositiveInfinity;
        while (labels.Count < 200)
        {
            double x = rng.NextGaussian(), y = rng.NextGaussian(), side = (0.6 * x) + (0.64 * y) + 0.48;
            if (Math.Abs(side) < 0.1)
                continue;
            dense.AddRange([(float)x, (float)y]);
            labels.Add(side > 0 ? 1 : 0);
            (radius, margin) = (Math.Max(radius, (x * x) + (y * y) + 1), Math.Min(margin, Math.Abs(side) / Math.Sqrt((0.6 * 0.6) + (0.64 * 0.64) + (0.48 * 0.48))));
        }

        var rows = new ArrayExamples([.. dense], [2], [.. labels]);
        FitResult fit = Fit(new PerceptronFamily(), TwoClasses, rows, null, new FitOptions { Seed = seed, Epochs = 5000 });
        using IFittedModel model = fit.Model;
        Assert.Equal(StopReason.Loss, fit.StopReason);
        double mistakes = fit.History.Sum(e => e.TrainLoss * rows.Count);
        Assert.InRange(mistakes, 1, radius / (margin * margin));
        Assert.Equal(0, fit.History[^1].TrainLoss);
        var scores = new float[400];
        model.Score(rows.Batches(new BatchPlan(200)).First(), scores);
        Assert.All(labels, (label, i) => Assert.Equal(1, scores[(2 * i) + label]));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void LinearGd_Logistic_AgreesWithItsOptimum()
    {
        // At the optimum of logistic regression the mean residual is 0: predicted and actual rates of the positive class are equal.
        (ArrayExamples rows, _) = Rows(3, 400, 2);
        FitResult fit = Fit(new GradientLinearFamily(), TwoClasses, rows, null, new FitOptions { Optimizer = "lbfgs", Epochs = 50 });
        using IFittedModel model = fit.Model;
        var scores = new float[800];
        FeatureBatch all = rows.Batches(new BatchPlan(400)).First();
        model.Score(all, scores);
        Assert.Equal(all.Labels.Average(), Enumerable.Range(0, 400).Average(i => (double)scores[(2 * i) + 1]), 1e-3);
        Assert.Equal("linear-gd", model.Family);
    }

    [Theory]
    [InlineData("mlp", 1)]
    [InlineData("mlp", 3)]
    [InlineData("linear-gd", 2)]
    [Trait("Kind", "fault")]
    public void Fit_CancelledAndResumed_EndsBitEqual(string id, int stopAfterEpochs)
    {
        IModelFamily family = DenseFamilies.All.First(f => f.Id == id);
        (ArrayExamples train, Problem problem) = Rows(5, 300, 3);
        (ArrayExamples valid, _) = Rows(6, 80, 3);
        var options = new FitOptions { Seed = 4, Epochs = 6, Ema = id == "mlp" ? 0.9 : null, Threads = 1 };
        using IFittedModel straight = Fit(family, problem, train, valid, options).Model;
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            using var cancel = new CancellationTokenSource();
            var events = new Watcher(e =>
            {
                if (e is EpochEnded ended && ended.Epoch + 1 == stopAfterEpochs)
                    cancel.Cancel();
            });
            FitContext context = Context(problem, train, valid, options) with { CheckpointFolder = folder, Events = events, Cancellation = cancel.Token };
            Assert.ThrowsAny<OperationCanceledException>(() => family.Fit(context));
            using IFittedModel resumed = family.Fit(context with { Cancellation = default, Events = null, Options = options with { Threads = 2 } }).Model;
            Assert.True(((DenseModel)straight).Network.Parameters.SequenceEqual(((DenseModel)resumed).Network.Parameters));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(TaskKind.Regression)]
    [InlineData(TaskKind.Binary)]
    [InlineData(TaskKind.Multiclass)]
    [Trait("Kind", "conformance")]
    public void Model_SavedAndOpened_ScoresTheSameAndAsLibTorchDoes(TaskKind task)
    {
        (ArrayExamples rows, Problem problem) = task switch
        {
            TaskKind.Regression => (Rows(8, 200, 0).Rows, new Problem(TaskKind.Regression, "y", [])),
            TaskKind.Binary => (Rows(8, 200, 2).Rows, TwoClasses),
            _ => Rows(8, 200, 3),
        };
        using IFittedModel model = Fit(new MlpFamily(), problem, rows, null, new FitOptions { Epochs = 3, Hidden = [9, 5] }).Model;
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            model.Save(folder);
            using IFittedModel opened = new MlpFamily().Open(folder, problem, rows.Layout);
            FeatureBatch batch = rows.Batches(new BatchPlan(200)).First();
            float[] before = new float[200 * problem.Outputs], after = new float[200 * problem.Outputs];
            model.Score(batch, before);
            opened.Score(batch, after);
            Assert.Equal(before, after);
            if (task != TaskKind.Regression)
                Assert.All(before.Chunk(problem.Outputs), p => Assert.Equal(1, p.Sum(), 1e-5));

            LibTorch.Load();
            using Sequential torchNet = GraphBuilder.Open(LayerGraphFile.Open(folder), folder);
            torchNet.eval();
            using torch.Tensor input = torch.tensor(batch.Dense.AsSpan(0, 200 * 4).ToArray(), 200, 4), output = torchNet.call(input);
            float[] theirs = output.data<float>().ToArray();
            ReadOnlySpan<float> ours = ((DenseModel)opened).Network.Forward(batch.Dense, 200);
            for (int i = 0; i < theirs.Length; i++)
                Assert.Equal(theirs[i], ours[i], 1e-5 * Math.Max(1, Math.Abs(theirs[i])));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("relu")]
    [InlineData("tanh")]
    [InlineData("sigmoid")]
    [InlineData("gelu")]
    [InlineData("silu")]
    [InlineData("leaky-relu")]
    [InlineData("elu")]
    [InlineData("softplus")]
    [Trait("Kind", "conformance")]
    public void Gradients_OfEveryActivationAndLoss_EqualLibTorchs(string activation)
    {
        LibTorch.Load();
        foreach (DenseLossKind kind in new[] { DenseLossKind.SquaredError, DenseLossKind.AbsoluteError, DenseLossKind.Huber, DenseLossKind.BinaryCrossEntropy, DenseLossKind.CrossEntropy })
        {
            int outputs = kind == DenseLossKind.CrossEntropy ? 3 : 1;
            var graph = new LayerGraph("mlp", [5], [Layer("d1", 33, activation), Layer("d2", 17, activation), Layer("head", outputs, null)], HeadKind.Linear);
            using var net = new DenseNetwork(graph);
            net.Initialize(7);
            FeatureBatch batch = DenseNetworkTests.Batch(new Rng(3), 37, 5, outputs == 3 ? 3 : 2);
            float[] weights = outputs == 3 ? [1, 2, 0.5f] : [1, 3];
            bool labelled = kind is DenseLossKind.BinaryCrossEntropy or DenseLossKind.CrossEntropy;
            double ours = net.Differentiate(batch, new DenseLoss(kind) { ClassWeights = labelled ? weights : null, LabelSmoothing = labelled ? 0.1 : 0 }, 0, 0);

            using Sequential theirs = GraphBuilder.Build(graph);
            foreach ((string key, torch.Tensor tensor) in theirs.named_parameters().Select(p => (p.name, (torch.Tensor)p.parameter)))
            {
                DenseParameter parameter = net.Layout.Single(p => p.Key == key);
                using IDisposable quiet = torch.no_grad();
                tensor.copy_(torch.tensor(net.Parameters.Slice(parameter.Offset, parameter.Length).ToArray(), [.. parameter.Shape.Select(s => (long)s)]));
            }

            torch.Tensor output = theirs.call(torch.tensor(batch.Dense, 37, 5));
            torch.Tensor labels = torch.tensor(batch.Labels.Select(l => (long)l).ToArray()), targets = torch.tensor(batch.Targets).view(-1, 1);
            torch.Tensor loss = kind switch
            {
                DenseLossKind.SquaredError => torch.nn.functional.mse_loss(output, targets),
                DenseLossKind.AbsoluteError => torch.nn.functional.l1_loss(output, targets),
                DenseLossKind.Huber => torch.nn.functional.huber_loss(output, targets),
                DenseLossKind.CrossEntropy => torch.nn.functional.cross_entropy(output, labels, weight: torch.tensor(weights), label_smoothing: 0.1),
                _ => Weighted(output.view(-1), labels.@float()),
            };
            loss.backward();
            Assert.Equal(loss.item<float>(), ours, 1e-5 * Math.Max(1, ours));
            foreach ((string key, torch.Tensor tensor) in theirs.named_parameters().Select(p => (p.name, (torch.Tensor)p.parameter)))
            {
                DenseParameter parameter = net.Layout.Single(p => p.Key == key);
                float[] expected = tensor.grad!.data<float>().ToArray();
                for (int i = 0; i < expected.Length; i++)
                    Assert.Equal(expected[i], net.Gradients[parameter.Offset + i], 1e-5);
            }
        }

        static torch.Tensor Weighted(torch.Tensor logits, torch.Tensor labels)
        {
            torch.Tensor rows = torch.nn.functional.binary_cross_entropy_with_logits(logits, (labels * 0.9) + 0.05, reduction: torch.nn.Reduction.None), weights = (labels * 2) + 1;
            return (rows * weights).sum() / weights.sum();
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Family_GivenDataOrOptionsItCannotUse_SaysWhy()
    {
        var numbers = new TableSchema([new ColumnSchema("x", ColumnKind.Number)]);
        var texts = new TableSchema([new ColumnSchema("x", ColumnKind.Text)]);
        var regression = new Problem(TaskKind.Regression, "y", []);
        Assert.Null(new MlpFamily().WhyNot(regression, numbers, 100));
        Assert.NotNull(new MlpFamily().WhyNot(regression, texts, 100));
        Assert.NotNull(new PerceptronFamily().WhyNot(regression, numbers, 100));
        (ArrayExamples rows, Problem problem) = Rows(1, 30, 3);
        Assert.Contains("balanced", Assert.Throws<UsageException>(() => Fit(new MlpFamily(), problem, rows, null, new FitOptions { ClassWeights = "balancd" })).Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => Fit(new MlpFamily(), problem, rows, null, new FitOptions { Hidden = [0] }));
        Assert.Throws<UsageException>(() => Fit(new MlpFamily(), problem, rows, null, new FitOptions { Dropout = 1 }));
    }

    private static LayerSpec Layer(string name, int units, string? activation)
    {
        var options = new JsonObject { ["units"] = units };
        if (activation is not null)
            options["activation"] = activation;
        return new LayerSpec("dense", name, options);
    }

    private static DenseNetwork Line(int width, bool bias) =>
        new(new LayerGraph("linear-gd", [width], [new LayerSpec("dense", "linear", new JsonObject { ["units"] = 1, ["bias"] = bias })], HeadKind.Linear));

    private static void Run(DenseNetwork net, DenseLossKind kind, IExampleSource rows, int epochs) =>
        TrainingLoop.Run(new DenseTrainable(net, new DenseLoss(kind)), rows, null, new TrainingPlan { Epochs = epochs, BatchSize = (int)rows.Count, Optimizer = OptimizerOptions.Of("gd"), LearningRate = 0.01 });

    private static FitContext Context(Problem problem, IExampleSource train, IExampleSource? valid, FitOptions options) => new() { Problem = problem, Train = train, Valid = valid, Options = options };

    private static FitResult Fit(IModelFamily family, Problem problem, IExampleSource train, IExampleSource? valid, FitOptions options) => family.Fit(Context(problem, train, valid, options));

    // Four numbers per row; the class (or target) follows the largest of a few noisy linear forms.
    private static (ArrayExamples Rows, Problem Problem) Rows(long seed, int count, int classes)
    {
        var rng = new Rng(seed);
        var dense = new float[count * 4];
        int[] labels = new int[count];
        float[] targets = new float[count];
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < 4; j++)
                dense[(i * 4) + j] = (float)rng.NextGaussian();
            double a = dense[i * 4] + (0.5 * rng.NextGaussian()), b = dense[(i * 4) + 1] - 0.2;
            labels[i] = classes == 2 ? (a > b ? 1 : 0) : a > b ? (a > 0.5 ? 2 : 1) : 0;
            targets[i] = (float)((3 * a) + (b * b) + 10);
        }

        string[] names = ["a", "b", "c"];
        return (classes == 0 ? new ArrayExamples(dense, [4], targets: targets) : new ArrayExamples(dense, [4], labels),
            new Problem(classes == 2 ? TaskKind.Binary : TaskKind.Multiclass, "y", names[..Math.Max(classes, 2)]));
    }

    private static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));

    private sealed class Watcher(Action<TrainEvent> act) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => act(value);
    }
}
