using Candela.Data;
using Candela.Training.DenseNets;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Trains a net of the managed engine on another device through libtorch: the same layers, first weights, batches, loss and optimiser; the trained weights come back.</summary>
internal static class DeviceTraining
{
    /// <summary>The device to train on, or null for the managed engine on the CPU. <c>auto</c> takes a GPU only where the family gains by it and a GPU build of libtorch lies beside the application.</summary>
    /// <exception cref="EngineException">The device or its package is absent; the message names what to add.</exception>
    public static Device? Choose(string name, bool gains)
    {
        if (name == "cpu" || (name == "auto" && !(gains && LibTorch.HasAcceleratorBuild)))
            return null;
        Device device = Devices.Resolve(name);
        return device.type == DeviceType.CPU ? null : device;
    }

    /// <summary>Trains <paramref name="network"/>'s weights on <paramref name="device"/>.</summary>
    /// <exception cref="UsageException">The loss is one only the managed engine has.</exception>
    public static TrainingOutcome Run(DenseNetwork network, DenseLoss loss, Device device, IExampleSource train, IExampleSource? valid, TrainingPlan plan, TrainingSession session)
    {
        Loss same = loss.Kind switch
        {
            DenseLossKind.CrossEntropy => new SparseCategoricalCrossEntropy { ClassWeights = loss.ClassWeights, LabelSmoothing = loss.LabelSmoothing },
            DenseLossKind.BinaryCrossEntropy => new BinaryCrossEntropy { ClassWeights = loss.ClassWeights, LabelSmoothing = loss.LabelSmoothing },
            _ => throw new UsageException($"The family {network.Graph.Family} trains classifiers only on {device}; this is {loss.Kind}. Use --device cpu."),
        };
        using Sequential layers = GraphBuilder.Build(network.Graph);
        IReadOnlyList<TrainableParameter> parameters = TrainableParameter.Of(layers);
        foreach ((TrainableParameter parameter, DenseParameter slot) in parameters.Zip(network.Layout))
            TensorMemory.Write(parameter.Value, network.Parameters.Slice(slot.Offset, slot.Length));
        if (device.type != DeviceType.CPU)
            layers.to(device);
        TrainingOutcome outcome = Trainer.Fit(layers, train, valid, same, plan with { Engine = TrainingEngine.LibTorch }, session);
        foreach ((TrainableParameter parameter, DenseParameter slot) in TrainableParameter.Of(layers).Zip(network.Layout))
            TensorMemory.Read(parameter.Value).CopyTo(network.Parameters[slot.Offset..]);
        return outcome;
    }
}
