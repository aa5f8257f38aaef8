using Candela.Data;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Trains any TorchSharp module. A <see cref="Sequential"/> of dense, convolution, pooling, dropout and activation layers is trained by the managed kernels where they are
/// faster (see <see cref="TrainingPlan.Engine"/>), everything else by libtorch:
/// <code>
/// var net = new Sequential(new Dense(64, ActivationKind.Relu), new Dense(10));
/// TrainingOutcome outcome = Trainer.Fit(net, train, valid, new SparseCategoricalCrossEntropy(), new TrainingPlan { Epochs = 20 });
/// </code></summary>
public static class Trainer
{
    /// <summary>Trains the module; afterwards it has the weights of the best validated epoch and is in evaluation mode. While the managed engine trains, the module keeps its first
    /// weights, and its hooks are not called.</summary>
    /// <param name="module">A <see cref="Layer"/> (built here if it is not) or any TorchSharp module from [N, ...] to outputs; float32 parameters on one device.</param>
    /// <param name="train">Training rows.</param>
    /// <param name="valid">Validation rows for the choice of weights and patience, or null.</param>
    /// <param name="loss">Of raw outputs.</param>
    /// <param name="plan">All settings; null for <see cref="TrainingPlan"/>'s defaults.</param>
    /// <param name="session">Progress, folder for exact resume, cancellation; null for none.</param>
    /// <param name="score">The validation score. Default by the loss.</param>
    /// <returns>Why it ended, the curve, and which epoch's weights were kept.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; a state is saved if the session has a folder.</exception>
    /// <exception cref="ShapeException">Outputs and targets do not fit, or the module's parameters cannot be trained.</exception>
    /// <exception cref="UsageException">The plan asks for the managed engine, which cannot train this; the message says why.</exception>
    public static TrainingOutcome Fit(nn.Module<Tensor, Tensor> module, IExampleSource train, IExampleSource? valid, Loss loss, TrainingPlan? plan = null, TrainingSession? session = null, ValidationScore score = ValidationScore.Auto)
    {
        plan ??= new TrainingPlan();
        session ??= new TrainingSession();
        TorchTrainable.Build(module, train.Layout, plan.Seed);
        if (plan.Engine != TrainingEngine.LibTorch)
        {
            if (ManagedEngine.TryFit(module, train, valid, loss, plan, session, score, out string? reason) is { } outcome)
                return outcome;
            if (plan.Engine == TrainingEngine.Managed)
                throw new UsageException($"The managed engine cannot train this: {reason}. Leave the plan's Engine at Auto, or choose LibTorch.");
        }

        LibTorch.SetThreads(plan.Threads);
        using var trainable = new TorchTrainable(module, loss, train.Layout, (int)Math.Min(plan.BatchSize, Math.Max(1, Math.Max(train.Count, valid?.Count ?? 0))), plan.Seed, score);
        return TrainingLoop.Run(trainable, train, valid, plan, session with { Context = $"{session.Context} libtorch, threads {plan.Threads}" });
    }
}
