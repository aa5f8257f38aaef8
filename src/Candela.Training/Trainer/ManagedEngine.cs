using Candela.Data;
using Candela.Graphs;
using Candela.Training.DenseNets;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Trains a <see cref="Sequential"/> by <see cref="DenseNetwork"/>: its weights are copied there, trained, and copied back.</summary>
internal static class ManagedEngine
{
    /// <summary>Trains the module, or returns null and why the managed engine cannot. Whatever happens in training, the module ends with the weights reached, in evaluation mode.</summary>
    public static TrainingOutcome? TryFit(nn.Module<Tensor, Tensor> module, IExampleSource train, IExampleSource? valid, Loss loss, TrainingPlan plan, TrainingSession session, ValidationScore score, out string? reason)
    {
        DenseLoss? same = LossOf(loss);
        LayerGraph? graph = null;
        reason = WhyNot(module, train.Layout, ref graph)
            ?? (same is null ? $"it has no {loss.GetType().Name} with these options" : WhyNot(same, score, graph!, (Sequential)module, train));
        if (reason is not null)
            return null;
        using var pool = new WorkPool(plan.Threads);
        using var network = new DenseNetwork(graph!, pool);
        IReadOnlyList<TrainableParameter> parameters = TrainableParameter.Of(module);
        for (int i = 0; i < parameters.Count; i++)
            TensorMemory.Read(parameters[i].Value).CopyTo(network.Parameters[network.Layout[i].Offset..]);
        try
        {
            var trainable = new DenseTrainable(network, same!, plan.Seed, selectByLoss: score == ValidationScore.None);
            return TrainingLoop.Run(trainable, train, valid, plan, session with { Context = $"managed {session.Context}" });
        }
        finally
        {
            for (int i = 0; i < parameters.Count; i++)
                TensorMemory.Write(parameters[i].Value, network.Parameters.Slice(network.Layout[i].Offset, network.Layout[i].Length));
            module.eval();
        }
    }

    private static string? WhyNot(nn.Module module, FeatureLayout layout, ref LayerGraph? graph)
    {
        if (module is not Sequential network)
            return "the module is not a Sequential";
        if (network.Children.FirstOrDefault(c => c.Value.GetType().Assembly != typeof(Layer).Assembly || c.Value is ModuleLayer) is { Value: { } own })
            return $"{own.GetType().Name} is not one of Candela's layers";
        if (layout.TokenLength > 0 || !network.InputShape!.Equals(Shape.Of(layout.DenseShape)))
            return $"the net takes {network.InputShape} and the rows are {(layout.TokenLength > 0 ? "tokens" : Shape.Of(layout.DenseShape))}";
        graph = GraphBuilder.Describe(network, "sequential", HeadKind.Linear);
        if (DenseNetwork.WhyNot(graph) is { } refusal)
            return refusal;
        IReadOnlyList<TrainableParameter> trained = TrainableParameter.Of(network);
        return trained.FirstOrDefault(p => p.Value.device_type != DeviceType.CPU || p.Value.dtype != ScalarType.Float32) is { } other ? $"{other.Key} is {other.Value.dtype} on {other.Value.device}; it needs float32 on the CPU"
            : trained.Count == 0 || trained.Count != network.parameters().Count() ? "some parameters are not trained, or layers share them"
            : null;
    }

    private static string? WhyNot(DenseLoss loss, ValidationScore score, LayerGraph graph, Sequential network, IExampleSource train)
    {
        Shape outputs = network.OutputShape(network.InputShape!);
        if (outputs.Count != 1 || (loss.Kind != DenseLossKind.CrossEntropy && outputs.Last != 1))
            return $"the net gives {outputs} for a row; {loss.Kind} needs {(loss.Kind == DenseLossKind.CrossEntropy ? "one number per class" : "one number")}";
        if (score is not (ValidationScore.Auto or ValidationScore.None) && score != (loss.IsClassification ? ValidationScore.Accuracy : ValidationScore.R2))
            return $"it has no score {score} for {loss.Kind}";
        FeatureBatch? first = train.Batches(new BatchPlan(1)).FirstOrDefault(); // sources do not say beforehand whether they have labels or numbers
        return first is not null && (loss.IsClassification ? first.Labels : (Array)first.Targets).Length == 0 ? $"{loss.Kind} needs {(loss.IsClassification ? "class labels" : "numbers")} as targets" : null;
    }

    private static DenseLoss? LossOf(Loss loss) => loss.Reduction != Reduction.Mean ? null : loss switch
    {
        SparseCategoricalCrossEntropy { LabelSmoothing: >= 0 and < 1 } c => new DenseLoss(DenseLossKind.CrossEntropy) { ClassWeights = c.ClassWeights, LabelSmoothing = c.LabelSmoothing },
        CategoricalCrossEntropy { ClassWeights: null, LabelSmoothing: >= 0 and < 1 } c => new DenseLoss(DenseLossKind.CrossEntropy) { LabelSmoothing = c.LabelSmoothing },
        BinaryCrossEntropy { LabelSmoothing: >= 0 and < 1 } c => new DenseLoss(DenseLossKind.BinaryCrossEntropy) { ClassWeights = c.ClassWeights, LabelSmoothing = c.LabelSmoothing },
        MeanSquaredError => new DenseLoss(DenseLossKind.SquaredError),
        MeanAbsoluteError => new DenseLoss(DenseLossKind.AbsoluteError),
        Huber { Delta: > 0 } c => new DenseLoss(DenseLossKind.Huber) { Delta = c.Delta },
        _ => null,
    };
}
