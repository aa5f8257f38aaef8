using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Candela.Formats;
using Candela.Graphs;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Networks to and from files: <see cref="LayerGraph"/> (config.json) and model.safetensors, under PyTorch's keys.</summary>
public static class GraphBuilder
{
    /// <summary>The weights' file in a run folder.</summary>
    public const string WeightsFile = "model.safetensors";

    /// <summary>The graph of a network, so that <see cref="Build"/> makes an equal one.</summary>
    /// <exception cref="UsageException">A layer is not one of Candela's.</exception>
    public static LayerGraph Describe(Sequential network, string family, HeadKind head) =>
        new(family, [.. network.InputShape ?? throw new ShapeException("The network's input shape is not known yet: call Build(inputShape) before it is described.")], Describe(network.Children), head);

    /// <summary>A network of a graph, built for its input shape with first weights from <paramref name="seed"/>.</summary>
    /// <exception cref="FileFormatException">A layer's type or an option is unknown or out of range; names <paramref name="source"/>.</exception>
    public static Sequential Build(LayerGraph graph, long seed = 0, string source = LayerGraphFile.FileName)
    {
        Sequential network = Construct(graph, source);
        network.Build(Shape.Of(graph.InputShape), seed);
        return network;
    }

    /// <summary>Opens the network of a folder: its graph from config.json (already read) and its weights.</summary>
    /// <exception cref="FileFormatException">The weights are missing, damaged, or do not fit the graph.</exception>
    public static Sequential Open(LayerGraph graph, string folder)
    {
        string config = Path.Combine(folder, LayerGraphFile.FileName);
        Sequential network = Construct(graph, config);
        try
        {
            // Counted before anything of that size is allocated: a damaged config may ask for terabytes.
            long wanted = network.Summary(Shape.Of(graph.InputShape)).Parameters;
            string path = Path.Combine(folder, WeightsFile);
            using (SafetensorsFile file = Safetensors.Open(path))
            {
                long stored = file.Tensors.Sum(t => t.Bytes / Safetensors.ElementBytes(t.Type));
                if (wanted > stored)
                    throw new FileFormatException(path, Fault.Corrupt, $"it holds {stored} numbers; the layers in {config} need {wanted}.");
            }

            network.Build(Shape.Of(graph.InputShape));
            LoadWeights(network, path);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Writes all weights and running statistics of a network in one step.</summary>
    /// <param name="network">A layer or any TorchSharp module.</param>
    /// <param name="path">The file; replaced.</param>
    /// <param name="metadata">Free text entries.</param>
    public static void SaveWeights(nn.Module network, string path, IReadOnlyDictionary<string, string>? metadata = null) =>
        Safetensors.Write(path, [.. network.state_dict().Select(entry => Raw(entry.Key, entry.Value))], metadata);

    /// <summary>Reads all weights and running statistics into a network; its keys and shapes must be those of the file.</summary>
    /// <exception cref="FileFormatException">The file is damaged, lacks a key, has one too many, or a shape differs.</exception>
    public static void LoadWeights(nn.Module network, string path)
    {
        using SafetensorsFile file = Safetensors.Open(path);
        Dictionary<string, Tensor> state = network.state_dict();
        if (file.Tensors.FirstOrDefault(t => !state.ContainsKey(t.Name)) is { } extra)
            throw new FileFormatException(path, Fault.Corrupt, $"it holds the tensor '{extra.Name}', which the network does not have.{NearestName.Hint(extra.Name, state.Keys)}");
        foreach ((string key, Tensor value) in state)
        {
            int[] shape = Array.ConvertAll(value.shape, s => checked((int)s));
            if (value.dtype != ScalarType.Int64)
                TensorMemory.Write(value, file.ReadSingles(key, shape));
            else if (file.Info(key) is { Type: TensorType.I64 } info && info.Shape.SequenceEqual(shape))
                file.ReadBytes(key).CopyTo(value.bytes);
            else
                throw new FileFormatException(path, Fault.Corrupt, $"tensor '{key}' is not of type I64 and shape [{string.Join(", ", shape)}].");
        }
    }

    private static RawTensor Raw(string key, Tensor tensor)
    {
        int[] shape = Array.ConvertAll(tensor.shape, s => checked((int)s));
        if (tensor.dtype == ScalarType.Int64)
        {
            using var scope = TensorScope.Begin();
            return new RawTensor(key, TensorType.I64, shape, tensor.cpu().contiguous().bytes.ToArray());
        }

        return new RawTensor(key, TensorType.F32, shape, MemoryMarshal.AsBytes(TensorMemory.Read(tensor).AsSpan()).ToArray());
    }

    private static List<LayerSpec> Describe(IEnumerable<KeyValuePair<string, Layer>> children)
    {
        List<LayerSpec> specs = [];
        foreach ((string name, Layer layer) in children)
        {
            var options = new JsonObject();
            layer.WriteOptions(options);
            specs.Add(new LayerSpec(layer.TypeId, name, options)
            {
                Children = Describe(layer.Children.Where(c => c.Value is not Activation || layer is Sequential || c.Key != "activation")),
            });
        }

        return specs;
    }

    private static Sequential Construct(LayerGraph graph, string source)
    {
        if (graph.Layers.Count == 0)
            throw new FileFormatException(source, Fault.Corrupt, "the model has no layers.");
        try
        {
            return new Sequential([.. graph.Layers.Select(spec => LayerFactory.Make(spec, source))]);
        }
        catch (UsageException error)
        {
            throw new FileFormatException(source, Fault.Corrupt, error.Message, error);
        }
    }
}
