using Candela.Data;
using Candela.Models;

namespace Candela.Training.Tests.Loops;

public class TrainingLoopTests
{
    private const int Width = 3;
    private static readonly ArrayExamples Train = ToyTrainable.Rows(100, Width, 0), Valid = ToyTrainable.Rows(40, Width, 1);
    private static readonly TrainingPlan Plan = new() { Seed = 4, Epochs = 4, BatchSize = 16, LearningRate = 0.05, Optimizer = new AdamOptions() };

    [Fact, Trait("Kind", "analytic")]
    public void Run_OnALinearTask_FindsTheCoefficients()
    {
        var model = new ToyTrainable(Width) { Noise = 0 };
        var events = new EventList();
        TrainingOutcome outcome = TrainingLoop.Run(model, Train, Valid, Plan with { Epochs = 60, Schedule = "cosine" }, new TrainingSession { Events = events });
        Assert.Equal(StopReason.Epochs, outcome.StopReason);
        Assert.Equal(60 * 7, outcome.Steps);
        Assert.Equal(60, outcome.History.Count);
        Assert.Equal(2, model.Parameters[0], 0.1);
        Assert.Equal(-0.5, model.Parameters[1], 0.1);
        Assert.Equal(1, model.Parameters[3], 0.1);
        Assert.InRange(outcome.History[^1].ValidLoss!.Value, 0.005, 0.02); // noise variance 0.01
        Assert.Equal(outcome.History, events.All.OfType<EpochEnded>());
        Assert.Equal(1, events.All.OfType<StepEnded>().First().Step);
    }

    [Fact, Trait("Kind", "analytic")]
    public void BestEpoch_WhenLaterOnesAreWorse_IsRestored()
    {
        // a rate far too high at the end: the last epochs are worse than the best one
        var model = new ToyTrainable(Width) { Noise = 1.5 };
        TrainingOutcome outcome = TrainingLoop.Run(model, Train, Valid, Plan with { Epochs = 15, LearningRate = 0.3 });
        EpochEnded best = outcome.History.MinBy(e => e.ValidLoss)!;
        Assert.Equal(best.Epoch, outcome.BestEpoch);
        Assert.NotEqual(14, outcome.BestEpoch);
        Assert.Equal(best.ValidLoss!.Value, model.Evaluate(Valid).Loss);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Patience_WithoutProgress_EndsAndIsRecorded()
    {
        TrainingOutcome outcome = TrainingLoop.Run(new ToyTrainable(Width) { Noise = 1.5 }, Train, Valid, Plan with { Epochs = 200, LearningRate = 0.3, Patience = 3 });
        Assert.Equal(StopReason.Patience, outcome.StopReason);
        Assert.Equal(outcome.BestEpoch + 4, outcome.History.Count);
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData(1), InlineData(3), InlineData(7)]
    public void Accumulation_OfSmallBatches_EqualsOneLargeBatch(int accumulate)
    {
        var (many, one) = (new ToyTrainable(Width) { Noise = 0 }, new ToyTrainable(Width) { Noise = 0 });
        TrainingPlan plan = Plan with { Optimizer = new SgdOptions(), LearningRate = 0.1, Shuffle = false };
        TrainingOutcome a = TrainingLoop.Run(many, Train, null, plan with { BatchSize = 8, Accumulate = accumulate });
        TrainingOutcome b = TrainingLoop.Run(one, Train, null, plan with { BatchSize = 8 * accumulate });
        Assert.Equal(b.Steps, a.Steps);
        for (int i = 0; i <= Width; i++)
            Assert.Equal(one.Parameters[i], many.Parameters[i], 1e-6);
        Assert.Equal(b.History[^1].TrainLoss, a.History[^1].TrainLoss, 1e-6);
    }

    [Fact, Trait("Kind", "analytic")]
    public void GradientDescent_WholeSetInSmallBatches_IsTheFullGradient()
    {
        var model = new ToyTrainable(Width) { Noise = 0 };
        TrainingOutcome outcome = TrainingLoop.Run(model, Train, null, Plan with { Optimizer = OptimizerOptions.Of("gd"), LearningRate = 0.1, Epochs = 1, BatchSize = 9 });
        Assert.Equal(1, outcome.Steps);
        var reference = new ToyTrainable(Width) { Noise = 0 };
        FeatureBatch all = Train.Batches(new BatchPlan(100)).First();
        reference.Differentiate(all, 0, false, 1);
        for (int i = 0; i <= Width; i++)
            Assert.Equal(-0.1 * reference.Gradients[i], model.Parameters[i], 1e-6);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Lbfgs_OnLeastSquares_ConvergesInAFewEpochs()
    {
        var model = new ToyTrainable(Width) { Noise = 0 };
        TrainingOutcome outcome = TrainingLoop.Run(model, Train, Valid, TrainingPlan.From(new FitOptions { Optimizer = "lbfgs", Epochs = 50 }, new TrainingDefaults { Patience = null }, validated: true) with { StopGradientNorm = 1e-5 });
        Assert.Equal(StopReason.GradientNorm, outcome.StopReason);
        Assert.InRange(outcome.Steps, 2, 30);
        Assert.Equal(2, model.Parameters[0], 0.1);
    }

    [Fact, Trait("Kind", "analytic")]
    public void StopRules_Steps_EndInsideAnEpoch()
    {
        TrainingOutcome outcome = TrainingLoop.Run(new ToyTrainable(Width), Train, Valid, Plan with { MaxSteps = 10 });
        Assert.Equal((StopReason.Steps, 10L, 2), (outcome.StopReason, outcome.Steps, outcome.History.Count));
    }

    [Fact, Trait("Kind", "fault")]
    public void Loss_ThatIsNotFinite_IsAnErrorThatSaysWhatToDo()
    {
        DivergedException error = Assert.Throws<DivergedException>(() => TrainingLoop.Run(new ToyTrainable(Width), Train, null, Plan with { Optimizer = new SgdOptions(), LearningRate = 1e12, Epochs = 50 }));
        Assert.Contains("Lower the learning rate", error.Message);
    }

    [Fact, Trait("Kind", "fault")]
    public void Loss_ThatDivergesLate_KeepsTheBestWeights()
    {
        var events = new EventList();
        var model = new ToyTrainable(Width) { Noise = 0 };
        // stable enough for an epoch of 7 steps, overflowing later
        TrainingOutcome outcome = TrainingLoop.Run(model, Train, Valid, Plan with { Optimizer = new SgdOptions(), LearningRate = 3, Epochs = 500 }, new TrainingSession { Events = events });
        Assert.Equal(StopReason.Diverged, outcome.StopReason);
        Assert.Equal("loss-not-finite", events.All.OfType<Warned>().Single().Code);
        Assert.Equal(outcome.History[outcome.BestEpoch].ValidLoss, model.Evaluate(Valid).Loss);
    }

    [Theory, Trait("Kind", "fault"), InlineData(true), InlineData(false)]
    public void Loss_ThatDivergesLate_WithoutABestEpoch_KeepsTheLastFiniteWeights(bool validated)
    {
        var events = new EventList();
        var model = new ToyTrainable(Width) { Noise = 0 };
        TrainingOutcome outcome = TrainingLoop.Run(model, Train, validated ? Valid : null, Plan with { Optimizer = new SgdOptions(), LearningRate = 3, Epochs = 500, KeepBest = false }, new TrainingSession { Events = events });
        Assert.Equal((StopReason.Diverged, -1), (outcome.StopReason, outcome.BestEpoch));
        Assert.Equal("loss-not-finite", events.All.OfType<Warned>().Single().Code);
        Assert.All(model.Parameters.ToArray(), p => Assert.True(float.IsFinite(p)));
        if (validated)
            Assert.Equal(outcome.History[^1].ValidLoss, model.Evaluate(Valid).Loss);
    }

    [Fact, Trait("Kind", "property")]
    public void Noise_OfEveryBatch_HasItsOwnKey()
    {
        var keys = new List<long>();
        TrainingLoop.Run(new ToyTrainable(Width) { OnStep = keys.Add }, Train, null, Plan with { Accumulate = 3, Epochs = 2 });
        Assert.Equal(14, keys.Count);
        Assert.Equal(14, keys.Distinct().Count());
    }

    public static TheoryData<string, TrainingPlan> OtherPlans => new()
    {
        { "beta", Plan with { Optimizer = new AdamOptions { Beta1 = 0.8 } } },
        { "epsilon", Plan with { Optimizer = new AdamOptions { Epsilon = 1e-6 } } },
        { "warm-up", Plan with { WarmupSteps = 3 } },
        { "order", Plan with { Shuffle = false } },
        { "loss", Plan with { StopLoss = 1e-9 } },
    };

    [Theory, MemberData(nameof(OtherPlans)), Trait("Kind", "fault")]
    public void Resume_WithAnythingElseThatChangesWeights_IsRefused(string what, TrainingPlan other)
    {
        using var folder = new TemporaryFolder();
        var session = new TrainingSession { CheckpointFolder = folder.Path };
        TrainingLoop.Run(new ToyTrainable(Width), Train, Valid, Plan, session);
        Assert.NotEmpty(what);
        Assert.Contains("another run", Assert.Throws<UsageException>(() => TrainingLoop.Run(new ToyTrainable(Width), Train, Valid, other, session)).Message);
    }

    public static TheoryData<string, int> Interruptions
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (string id in OptimizerOptions.Ids)
                foreach (int step in new[] { 0, 1, 3, 6, 7, 12, 20 })
                    data.Add(id, step);
            return data;
        }
    }

    /// <summary>28 steps in 4 epochs, cancelled at a step (first, inside an epoch, at its end) and resumed from the folder by a fresh process's objects.</summary>
    [Theory, MemberData(nameof(Interruptions)), Trait("Kind", "property")]
    public void Resume_AfterCancellation_IsBitEqual(string id, int atStep)
    {
        TrainingPlan plan = Plan with
        {
            Optimizer = OptimizerOptions.Of(id) with { L2 = 0.001 },
            LearningRate = 0.02,
            Ema = id is "adam" or "sgd" ? 0.9 : 0,
            Accumulate = id == "momentum" ? 2 : 1,
            Schedule = id == "rmsprop" ? "plateau" : "warmup+cosine",
            Epochs = OptimizerOptions.Of(id).FullBatch ? 28 : 4,
            ClipNorm = id == "lion" ? 1 : double.PositiveInfinity,
        };
        var whole = new ToyTrainable(Width);
        TrainingOutcome expected = TrainingLoop.Run(whole, Train, Valid, plan);

        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        var interrupted = new ToyTrainable(Width) { OnStep = step => { if (step >= Math.Min(atStep, expected.Steps - 2)) cancel.Cancel(); } };
        var session = new TrainingSession { CheckpointFolder = folder.Path, Cancellation = cancel.Token };
        Assert.ThrowsAny<OperationCanceledException>(() => TrainingLoop.Run(interrupted, Train, Valid, plan, session));
        Assert.True(Directory.EnumerateFiles(folder.Path).Any());

        var resumed = new ToyTrainable(Width);
        TrainingOutcome outcome = TrainingLoop.Run(resumed, Train, Valid, plan, session with { Cancellation = default });
        Assert.Equal(whole.Parameters.ToArray(), resumed.Parameters.ToArray());
        Assert.Equal(whole.RunningMean, resumed.RunningMean);
        Assert.Equal(expected.Steps, outcome.Steps);
        Assert.Equal(expected.BestEpoch, outcome.BestEpoch);
        Assert.Equal(expected.History.Select(e => (e.TrainLoss, e.ValidLoss, e.LearningRate)), outcome.History.Select(e => (e.TrainLoss, e.ValidLoss, e.LearningRate)));

        // once over, it stays over
        var again = new ToyTrainable(Width) { OnStep = _ => Assert.Fail("a finished run took a step") };
        TrainingLoop.Run(again, Train, Valid, plan, session with { Cancellation = default });
        Assert.Equal(whole.Parameters.ToArray(), again.Parameters.ToArray());
    }

    [Fact, Trait("Kind", "property")]
    public void Resume_InterruptedAtEveryStep_IsBitEqual()
    {
        var whole = new ToyTrainable(Width);
        TrainingLoop.Run(whole, Train, Valid, Plan);
        using var folder = new TemporaryFolder();
        for (int runs = 1; ; runs++)
        {
            using var cancel = new CancellationTokenSource();
            int left = 2;
            var model = new ToyTrainable(Width) { OnStep = _ => { if (--left == 0) cancel.Cancel(); } };
            try
            {
                TrainingLoop.Run(model, Train, Valid, Plan, new TrainingSession { CheckpointFolder = folder.Path, Cancellation = cancel.Token });
                Assert.Equal(whole.Parameters.ToArray(), model.Parameters.ToArray());
                Assert.True(runs > 10);
                return;
            }
            catch (OperationCanceledException)
            {
                Assert.True(runs < 40);
            }
        }
    }

    [Fact, Trait("Kind", "fault")]
    public void Resume_WithOtherSettings_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var session = new TrainingSession { CheckpointFolder = folder.Path };
        TrainingLoop.Run(new ToyTrainable(Width), Train, Valid, Plan, session);
        UsageException error = Assert.Throws<UsageException>(() => TrainingLoop.Run(new ToyTrainable(Width), Train, Valid, Plan with { BatchSize = 8 }, session));
        Assert.Contains("batch-size 16", error.Message);
        Assert.Contains("batch-size 8", error.Message);
    }

    /// <summary>Cut or flip each saved state at many places: the other one is used, with a warning, and the weights are the same in the end; with both broken it is refused by name.</summary>
    [Fact, Trait("Kind", "fault")]
    public void Resume_FromADamagedState_UsesTheOtherOrRefuses()
    {
        var whole = new ToyTrainable(Width);
        TrainingLoop.Run(whole, Train, Valid, Plan);
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        var session = new TrainingSession { CheckpointFolder = folder.Path, CheckpointEvery = TimeSpan.FromTicks(1), Cancellation = cancel.Token };
        Assert.ThrowsAny<OperationCanceledException>(() => TrainingLoop.Run(new ToyTrainable(Width) { OnStep = step => { if (step == 12) cancel.Cancel(); } }, Train, Valid, Plan, session));
        string[] files = [.. Directory.EnumerateFiles(folder.Path).Order()];
        Assert.Equal(2, files.Length);
        byte[][] contents = [.. files.Select(File.ReadAllBytes)];
        session = session with { Cancellation = default, CheckpointEvery = TimeSpan.FromHours(1) };
        for (int file = 0; file < 2; file++)
        {
            for (int place = 0; place < 20; place++)
            {
                foreach (bool cut in new[] { true, false })
                {
                    byte[] broken = [.. contents[file]];
                    int at = (int)((long)broken.Length * place / 20);
                    if (cut)
                        broken = broken[..at];
                    else
                        broken[at] ^= 0x10;
                    File.WriteAllBytes(files[file], broken);
                    File.WriteAllBytes(files[1 - file], contents[1 - file]);
                    var (events, model) = (new EventList(), new ToyTrainable(Width));
                    TrainingLoop.Run(model, Train, Valid, Plan, session with { Events = events });
                    Assert.Equal(whole.Parameters.ToArray(), model.Parameters.ToArray());
                    Assert.Contains(events.All.OfType<Warned>(), w => w.Code == "checkpoint-damaged" && w.Message.Contains(files[file]));
                }
            }
        }

        File.WriteAllBytes(files[0], contents[0][..^1]);
        File.WriteAllBytes(files[1], contents[1][..^1]);
        Assert.Contains("training-", Assert.Throws<FileFormatException>(() => TrainingLoop.Run(new ToyTrainable(Width), Train, Valid, Plan, session)).Path);
    }

    [Fact, Trait("Kind", "analytic")]
    public void LearningRateSweep_OnLeastSquares_SuggestsARateThatTrainsAndRestoresTheWeights()
    {
        var model = new ToyTrainable(Width) { Noise = 0 };
        LearningRateSweep sweep = LearningRateFinder.Sweep(model, Train, Plan with { Optimizer = new SgdOptions() }, 1e-5, 100);
        Assert.All(model.Parameters.ToArray(), p => Assert.Equal(0, p));
        // the loss's Hessian is 2 X'X / n, about 2: gradient descent is stable below a rate of about 1
        Assert.InRange(sweep.Suggested, 0.001, 0.9);
        TrainingOutcome outcome = TrainingLoop.Run(model, Train, Valid, Plan with { Optimizer = new SgdOptions(), LearningRate = sweep.Suggested, Epochs = 40 });
        Assert.InRange(outcome.History[^1].ValidLoss!.Value, 0, 0.1);
    }

    [Fact, Trait("Kind", "fault")]
    public void Train_WithoutRows_IsADataError() =>
        Assert.Throws<DataException>(() => TrainingLoop.Run(new ToyTrainable(Width), new ArrayExamples([], [Width], targets: []), null, Plan));

    [Fact, Trait("Kind", "analytic")]
    public void Plan_FromOptions_FillsInAndReports()
    {
        TrainingPlan plan = TrainingPlan.From(new FitOptions { Optimizer = "sgd", L1 = 0.1, ClipNorm = 2 }, new TrainingDefaults { LearningRate = 0.003, BatchSize = 32 }, validated: false);
        Assert.Equal(0.1, plan.LearningRate); // sgd's usual rate: 0.003 was meant for adamw
        Assert.Equal(0.1, plan.Optimizer.L1);
        Assert.Null(plan.Patience);
        Assert.Equal(("sgd", "32", "2"), (plan.Chosen()["optimizer"], plan.Chosen()["batch-size"], plan.Chosen()["clip-norm"]));
        Assert.Equal(0.003, TrainingPlan.From(new FitOptions(), new TrainingDefaults { LearningRate = 0.003 }, true).LearningRate);
        Assert.Contains("Did you mean 'adam'", Assert.Throws<UsageException>(() => TrainingPlan.From(new FitOptions { Optimizer = "adamm" }, new TrainingDefaults(), true)).Message);
        foreach ((FitOptions options, string name) in new[] { (new FitOptions { LabelSmoothing = 3 }, "label-smoothing"), (new FitOptions { LabelSmoothing = 1 }, "label-smoothing"), (new FitOptions { Dropout = 1 }, "dropout"), (new FitOptions { Ema = 1 }, "ema"), (new FitOptions { LearningRate = -1 }, "learning-rate"), (new FitOptions { Hidden = [8, 0] }, "hidden") })
            Assert.Contains(name, Assert.Throws<UsageException>(() => TrainingPlan.From(options, new TrainingDefaults(), true)).Message);
        Assert.Equal(0, TrainingPlan.From(new FitOptions { Ema = 0 }, new TrainingDefaults { Ema = 0.9 }, true).Ema);
        Assert.Equal(0.9, TrainingPlan.From(new FitOptions(), new TrainingDefaults { Ema = 0.9 }, true).Ema);
        Assert.Contains("batch-size", Assert.Throws<UsageException>(() => TrainingPlan.From(new FitOptions { BatchSize = 0 }, new TrainingDefaults(), true)).Message);
    }
}
