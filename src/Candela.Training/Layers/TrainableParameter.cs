using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A trained tensor of a network, by its key in a checkpoint.</summary>
/// <param name="Key">For example <c>conv1.weight</c>.</param>
/// <param name="Value">The tensor; the network owns it. An optimiser changes its values in place.</param>
/// <param name="Decays">False for biases and norms.</param>
public sealed record TrainableParameter(string Key, Parameter Value, bool Decays)
{
    /// <summary>All trained tensors of a network, in the order of its keys' registration. For a module that is not a <see cref="Layer"/>,
    /// tensors of two or more axes decay and the others (biases, norms) do not.</summary>
    public static IReadOnlyList<TrainableParameter> Of(nn.Module module)
    {
        if (module is Layer { IsBuilt: false } layer)
            throw new ShapeException($"The network's input shape is not known yet: call Build(inputShape), or the network once, before asking for the parameters of {layer.GetName()}.");
        List<TrainableParameter> found = [];
        Collect(module, "", found);
        return found;
    }

    private static void Collect(nn.Module module, string prefix, List<TrainableParameter> into)
    {
        if (module is Layer layer)
        {
            foreach (LayerParameter own in layer.OwnParameters)
                Add(prefix + own.Name, own.Value, own.Decays, into);
        }
        else
        {
            foreach ((string name, Parameter value) in module.named_parameters(recurse: false))
                Add(prefix + name, value, value.dim() > 1, into);
        }

        foreach ((string name, nn.Module child) in module.named_children())
            Collect(child, $"{prefix}{name}.", into);
    }

    private static void Add(string key, Parameter value, bool decays, List<TrainableParameter> into)
    {
        if (value.requires_grad && !into.Exists(p => p.Value.Handle == value.Handle))
            into.Add(new TrainableParameter(key, value, decays));
    }
}
