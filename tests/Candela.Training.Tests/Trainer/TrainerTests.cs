using System.Diagnostics;
using Candela.Data;
using Candela.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Loops;

[Collection(TorchRandomness.Name)]
public class TrainerTests
{
    private const string FolderVariable = "CANDELA_TEST_CHECKPOINTS", OutputVariable = "CANDELA_TEST_WEIGHTS";

    public TrainerTests() => LibTorch.Load();

    /// <summary>Two interleaved half-moons: not linearly separable.</summary>
    internal static ArrayExamples Moons(int count, long stream)
    {
        var rng = new Rng(21, stream);
        float[] x = new float[count * 2];
        var labels = new int[count];
        for (int i = 0; i < count; i++)
        {
            double angle = Math.PI * rng.NextDouble();
            labels[i] = i % 2;
            x[2 * i] = (float)((i % 2 == 0 ? Math.Cos(angle) : 1 - Math.Cos(angle)) + (0.1 * rng.NextGaussian()));
            x[(2 * i) + 1] = (float)((i % 2 == 0 ? Math.Sin(angle) : 0.5 - Math.Sin(angle)) + (0.1 * rng.NextGaussian()));
        }

        return new ArrayExamples(x, [2], labels);
    }

    private static Sequential Net() => new(new Dense(24, ActivationKind.Relu), new BatchNorm1d(), new Dropout(0.2), new Dense(16, ActivationKind.Relu), new Dense(2));

    private static readonly TrainingPlan Plan = new()
    {
        Seed = 3,
        Epochs = 6,
        BatchSize = 32,
        Optimizer = new AdamOptions { Decoupled = true, L2 = 0.01 },
        LearningRate = 0.01,
        Schedule = "warmup+cosine",
        Ema = 0.9,
        Threads = 1,
    };

    [Fact, Trait("Kind", "analytic")]
    public void Fit_OnTwoMoons_SeparatesThem()
    {
        using Sequential net = Net();
        var events = new EventList();
        TrainingOutcome outcome = Training.Trainer.Fit(net, Moons(400, 0), Moons(200, 1), new SparseCategoricalCrossEntropy(), Plan with { Epochs = 25 }, new TrainingSession { Events = events });
        Assert.Equal(StopReason.Epochs, outcome.StopReason);
        Assert.True(outcome.History.Max(e => e.ValidScore) > 0.97);
        Assert.False(net.training);
        Assert.All(events.All.OfType<StepEnded>(), e => Assert.True(e.GradientNorm > 0));
    }

    [Theory, Trait("Kind", "fault"), InlineData(1), InlineData(2)]
    public void Fit_WithBatchNorm_LeavesOutALastBatchOfOneRow(int accumulate)
    {
        using Sequential net = Net();
        TrainingOutcome outcome = Training.Trainer.Fit(net, Moons(65, 0), null, new SparseCategoricalCrossEntropy(), Plan with { Epochs = 3, Accumulate = accumulate });
        Assert.Equal((3, 6 / accumulate), (outcome.History.Count, outcome.Steps));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Fit_RegressionWithOneOutput_ScoresR2()
    {
        ArrayExamples rows = ToyTrainable.Rows(300, 3, 0), valid = ToyTrainable.Rows(100, 3, 1);
        using var net = new Sequential(new Dense(1));
        TrainingOutcome outcome = Training.Trainer.Fit(net, rows, valid, new MeanSquaredError(), Plan with { Epochs = 30, LearningRate = 0.05, Ema = 0 });
        EpochEnded best = outcome.History[outcome.BestEpoch];
        // R2 = 1 - MSE / variance, from the definition
        float[] y = [.. valid.Batches(new BatchPlan(100)).First().Targets];
        double variance = y.Average(v => (v - y.Average()) * (v - y.Average()));
        Assert.Equal(1 - (best.ValidLoss!.Value / variance), best.ValidScore!.Value, 1e-5);
        Assert.True(best.ValidScore > 0.99);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Fit_BinaryFromOneLogit_ScoresAccuracy()
    {
        using var net = new Sequential(new Dense(24, ActivationKind.Relu), new Dense(1));
        TrainingOutcome outcome = Training.Trainer.Fit(net, Moons(400, 0), Moons(200, 1), new BinaryCrossEntropy(), Plan with { Epochs = 40, LearningRate = 0.03, Ema = 0 });
        Assert.InRange(outcome.History[outcome.BestEpoch].ValidScore!.Value, 0.96, 1);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Fit_BinaryWithFloatTargets_ScoresTheRightSides()
    {
        FeatureBatch all = Moons(200, 0).Batches(new BatchPlan(200)).First();
        var rows = new ArrayExamples([.. all.Dense], [2], targets: [.. all.Labels.Take(200).Select(l => (float)l)]);
        using var net = new Sequential(new Dense(24, ActivationKind.Relu), new Dense(1));
        TrainingOutcome outcome = Training.Trainer.Fit(net, rows, rows, new BinaryCrossEntropy(), Plan with { Epochs = 40, LearningRate = 0.03, Ema = 0, Engine = TrainingEngine.LibTorch });
        Assert.InRange(outcome.History[outcome.BestEpoch].ValidScore!.Value, 0.95, 1);
    }

    /// <summary>Against p -= rate g by hand, in a loop that calls module.zero_grad(), after which backward fills fresh gradient tensors.</summary>
    [Fact, Trait("Kind", "analytic")]
    public void TorchOptimizer_AfterModuleZeroGrad_FollowsPlainDescent()
    {
        using var net = nn.Linear(1, 1, hasBias: false);
        using (no_grad())
            net.weight!.fill_(1f);
        using var optimizer = new TorchOptimizer(net, new SgdOptions());
        double expected = 1;
        for (int step = 0; step < 5; step++)
        {
            using var scope = TensorScope.Begin();
            net.zero_grad();
            (net.call(tensor([2f]).view(1, 1)) - (step + 1)).square().sum().backward();
            optimizer.Step(0.01);
            expected -= 0.01 * 2 * 2 * ((2 * expected) - (step + 1));
            Assert.Equal(expected, net.weight!.ToSingle(), 1e-5);
        }
    }

    [Theory, Trait("Kind", "analytic"), InlineData(TrainingEngine.Managed, "gd"), InlineData(TrainingEngine.LibTorch, "gd"), InlineData(TrainingEngine.Managed, "lbfgs"), InlineData(TrainingEngine.LibTorch, "lbfgs")]
    public void ClassWeights_OverSeveralBatches_EqualOneBatch(TrainingEngine engine, string id)
    {
        // 30 rows of class 0, then 10 of class 1: batches of 10 have very different weights.
        FeatureBatch moons = Moons(80, 0).Batches(new BatchPlan(80)).First();
        int[] chosen = [.. Enumerable.Range(0, 30).Select(i => 2 * i), .. Enumerable.Range(0, 10).Select(i => (2 * i) + 1)];
        var rows = new ArrayExamples([.. chosen.SelectMany(i => new[] { moons.Dense[2 * i], moons.Dense[(2 * i) + 1] })], [2], [.. chosen.Select(i => i % 2)]);
        using var many = new Sequential(new Dense(2));
        using var one = new Sequential(new Dense(2));
        var loss = new SparseCategoricalCrossEntropy { ClassWeights = [40 / 60f, 2] };
        TrainingPlan plan = new() { Optimizer = OptimizerOptions.Of(id), LearningRate = 0.5, Epochs = 5, Engine = engine, Threads = 1 };
        TrainingOutcome a = Training.Trainer.Fit(many, rows, null, loss, plan with { BatchSize = 10 }), b = Training.Trainer.Fit(one, rows, null, loss, plan with { BatchSize = 40 });
        double tolerance = id == "gd" ? 1e-6 : 1e-3; // a line search repeats rounding differences
        Assert.Equal(b.History[^1].TrainLoss, a.History[^1].TrainLoss, tolerance);
        foreach ((TrainableParameter p, TrainableParameter q) in TrainableParameter.Of(many).Zip(TrainableParameter.Of(one)))
            Assert.All(TensorMemory.Read(p.Value).Zip(TensorMemory.Read(q.Value)), pair => Assert.Equal(pair.Second, pair.First, tolerance));
    }

    [Theory, Trait("Kind", "property")]
    [InlineData(0, true), InlineData(5, true), InlineData(12, true), InlineData(13, true), InlineData(40, true), InlineData(70, true), InlineData(5, false), InlineData(30, false)]
    public void Resume_AfterCancellation_IsBitEqual(int atStep, bool layers)
    {
        // layers: ours, with dropout and batch norm; otherwise a plain TorchSharp net with its own dropout
        ArrayExamples train = Moons(400, 0), valid = Moons(100, 1);
        var loss = new SparseCategoricalCrossEntropy { LabelSmoothing = 0.05 };
        float[] expected = Weights(layers, net => Training.Trainer.Fit(net, train, valid, loss, Plan));
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        var counting = new CountingExamples(train, batches => { if (batches > atStep) cancel.Cancel(); });
        var session = new TrainingSession { CheckpointFolder = folder.Path, Cancellation = cancel.Token };
        float[] stopped = Weights(layers, net => Assert.ThrowsAny<OperationCanceledException>(() => Training.Trainer.Fit(net, counting, valid, loss, Plan, session)));
        Assert.NotEqual(expected, stopped);
        float[] resumed = Weights(layers, net => Training.Trainer.Fit(net, train, valid, loss, Plan, session with { Cancellation = default }));
        Assert.Equal(expected, resumed);
    }

    /// <summary>A child process trains with frequent states and is killed (SIGKILL) at arbitrary moments, again and again; the run that ends at last has the weights of an uninterrupted one.</summary>
    [Fact, Trait("Kind", "fault")]
    public void Resume_AfterKill9_IsBitEqual()
    {
        float[] expected = Weights(true, net => Training.Trainer.Fit(net, Moons(400, 0), Moons(100, 1), new SparseCategoricalCrossEntropy(), Slow));
        using var folder = new TemporaryFolder();
        string output = Path.Combine(folder.Path, "weights.bin");
        int kills = 0;
        for (int run = 0; !File.Exists(output) && run < 30; run++)
        {
            using Process child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--filter-method", $"*{nameof(TrainerTests)}.{nameof(Child_ForKilling_Trains)}"])
            {
                Environment = { [FolderVariable] = folder.Path, [OutputVariable] = output },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            // wait for a state newer than the one before, then a little, then kill; the third child is left alone
            long states = States(folder.Path);
            var waited = Stopwatch.StartNew();
            while (!child.HasExited && States(folder.Path) < states + 2 && waited.Elapsed < TimeSpan.FromSeconds(60))
                Thread.Sleep(5);
            if (kills < 2)
            {
                Thread.Sleep(7 * kills);
                child.Kill();
                kills++;
            }

            child.StandardOutput.ReadToEnd();
            child.WaitForExit();
        }

        Assert.Equal(2, kills);
        byte[] bytes = File.ReadAllBytes(output);
        Assert.Equal(expected, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray());
    }

    private static readonly TrainingPlan Slow = Plan with { Epochs = 40 };

    /// <summary>The child of the test above; on its own it checks that training twice gives the same bits.</summary>
    [Fact, Trait("Kind", "property")]
    public void Child_ForKilling_Trains()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        TrainingPlan plan = folder is null ? Plan with { Epochs = 2 } : Slow;
        var session = new TrainingSession { CheckpointFolder = folder, CheckpointEvery = TimeSpan.FromMilliseconds(1) };
        float[] weights = Weights(true, net => Training.Trainer.Fit(net, Moons(400, 0), Moons(100, 1), new SparseCategoricalCrossEntropy(), plan, session));
        if (folder is null)
            Assert.Equal(weights, Weights(true, net => Training.Trainer.Fit(net, Moons(400, 0), Moons(100, 1), new SparseCategoricalCrossEntropy(), plan)));
        else
            AtomicFile.Write(Environment.GetEnvironmentVariable(OutputVariable)!, stream => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(weights.AsSpan())));
    }

    /// <summary>One's own loop: our batches, losses, optimiser and scopes, no Fit.</summary>
    [Fact, Trait("Kind", "analytic")]
    public void OpenLoop_WithOwnStep_Trains()
    {
        ArrayExamples train = Moons(400, 0);
        using var net = new Sequential(new Dense(24, ActivationKind.Relu), new Dense(2));
        net.Build([2], seed: 1);
        using var batch = new TensorBatch(train.Layout, 32);
        using var optimizer = new TorchOptimizer(net, new AdamOptions());
        var loss = new SparseCategoricalCrossEntropy();
        Schedule schedule = Schedule.Of("cosine", 0.02, 25 * 13);
        var curve = new List<float>();
        for (int epoch = 0, step = 0; epoch < 25; epoch++)
        {
            float sum = 0;
            foreach (FeatureBatch rows in train.Batches(new BatchPlan(32) { ShuffleSeed = 1, Epoch = epoch }))
            {
                using var scope = TensorScope.Begin();
                batch.Fill(rows);
                optimizer.ZeroGrad();
                Tensor value = loss.Of(net.call(batch.Inputs), batch.Targets(loss.Targets));
                value.backward();
                optimizer.Step(schedule.RateAt(step++), maxNorm: 5);
                sum += value.ToSingle();
            }

            curve.Add(sum / 13);
        }

        Assert.True(curve[^1] < 0.05 && curve[0] > 0.2, string.Join(" ", curve));
    }

    /// <summary>Three thousand steps of several nets: no tensor more is alive at the end than after the first ones.</summary>
    [Fact, Trait("Kind", "leak")]
    public void Fit_ManySteps_KeepsNoTensors() => Leak(3_000);

    /// <summary>The full figure: 100,000 steps, run when CANDELA_SLOW=1; otherwise 500 with the memory bound.</summary>
    [Fact, Trait("Kind", "leak")]
    public void Fit_HundredThousandSteps_HasFlatMemory()
    {
        bool slow = Environment.GetEnvironmentVariable("CANDELA_SLOW") == "1";
        Leak(1_000);
        long before = ResidentBytes();
        Leak(slow ? 100_000 : 500);
        long grown = ResidentBytes() - before;
        Assert.True(grown < 32 << 20, $"{grown >> 20} MiB more resident memory");
    }

    private static void Leak(long steps)
    {
        ArrayExamples train = Moons(64, 0);
        using Sequential net = Net();
        net.Build([2]);
        long alive = 0, worst = 0;
        var counting = new CountingExamples(train, batches =>
        {
            if (batches == 20)
                alive = TensorScope.LiveTensors;
            else if (batches > 20)
                worst = Math.Max(worst, TensorScope.LiveTensors - alive);
        });
        long start = TensorScope.LiveTensors;
        Training.Trainer.Fit(net, counting, train, new SparseCategoricalCrossEntropy(), Plan with { Epochs = int.MaxValue, MaxSteps = steps, BatchSize = 8, Schedule = "constant" });
        Assert.Equal(0, worst);
        Assert.InRange(TensorScope.LiveTensors - start, -100, 0);
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static long States(string folder)
    {
        // the sum of both files' write times grows with every state
        return Directory.EnumerateFiles(folder, "training-?.safetensors").Sum(f => File.GetLastWriteTimeUtc(f).Ticks / 10_000 % 1_000_000_000);
    }

    private static float[] Weights(bool layers, Action<nn.Module<Tensor, Tensor>> train)
    {
        random.manual_seed(99);
        using nn.Module<Tensor, Tensor> net = layers ? Net() : nn.Sequential(("a", nn.Linear(2, 24)), ("b", nn.ReLU()), ("c", nn.Dropout(0.2)), ("d", nn.BatchNorm1d(24)), ("e", nn.Linear(24, 2)));
        train(net);
        return [.. net.state_dict().OrderBy(t => t.Key, StringComparer.Ordinal).SelectMany(t => TensorMemory.Read(t.Value))];
    }

    private sealed class CountingExamples(IExampleSource inner, Action<long> onBatch) : IExampleSource
    {
        private long _batches;

        public long Count => inner.Count;

        public FeatureLayout Layout => inner.Layout;

        public IEnumerable<FeatureBatch> Batches(BatchPlan plan)
        {
            foreach (FeatureBatch batch in inner.Batches(plan))
            {
                onBatch(++_batches);
                yield return batch;
            }
        }
    }
}
