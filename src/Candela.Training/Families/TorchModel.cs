using Candela.Data;
using Candela.Graphs;
using Candela.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A trained network of layers as a model over encoded rows, run by libtorch: config.json and model.safetensors under PyTorch's keys. Classes only (softmax head).</summary>
public sealed class TorchModel : IFittedModel
{
    private readonly Sequential _network;
    private readonly LayerGraph _graph;
    private readonly FeatureLayout _layout;

    /// <summary>Takes over a network, moved to the CPU and put in evaluation mode.</summary>
    /// <param name="graph">Its layers.</param>
    /// <param name="network">The network.</param>
    /// <param name="layout">What the rows hold.</param>
    public TorchModel(LayerGraph graph, Sequential network, FeatureLayout layout)
    {
        (_graph, _network, _layout) = (graph, network, layout);
        _network.cpu();
        _network.eval();
    }

    /// <inheritdoc/>
    public string Family => _graph.Family;

    /// <inheritdoc/>
    public long ParameterCount => _network.parameters().Sum(p => p.numel());

    /// <summary>Opens what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FileFormatException">A file is missing or damaged, or the two do not fit together.</exception>
    /// <exception cref="ShapeException">The network does not fit the problem or the rows.</exception>
    public static TorchModel Open(string folder, Problem problem, FeatureLayout layout)
    {
        LayerGraph graph = LayerGraphFile.Open(folder);
        Sequential network = GraphBuilder.Open(graph, folder);
        Shape wanted = layout.TokenLength > 0 ? [layout.TokenLength] : Shape.Of(layout.DenseShape), input = Shape.Of(graph.InputShape);
        if (graph.Head == HeadKind.Softmax && input.Equals(wanted) && network.OutputShape(input) is [var outputs] && outputs == problem.Outputs)
            return new TorchModel(graph, network, layout);
        network.Dispose();
        throw new ShapeException($"{Path.Combine(folder, LayerGraphFile.FileName)}: the network takes {input} and ends in {graph.Head}; the rows are {wanted} and the task '{problem.Task}' has {problem.Outputs} scores.");
    }

    /// <inheritdoc/>
    public void Score(FeatureBatch batch, Span<float> scores)
    {
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        int rows = batch.Count;
        Tensor input = _layout.TokenLength > 0
            ? tensor(Array.ConvertAll(batch.Tokens[..(rows * _layout.TokenLength)], t => (long)t), [rows, _layout.TokenLength])
            : TensorMemory.FromSingles(batch.Dense.AsSpan(0, rows * _layout.DenseWidth), [rows, .. Shape.Of(_layout.DenseShape).ToLongs()]);
        TensorMemory.Singles(nn.functional.softmax(_network.call(input), 1).contiguous()).CopyTo(scores);
    }

    /// <inheritdoc/>
    public void Save(string folder)
    {
        LayerGraphFile.Save(_graph, folder);
        GraphBuilder.SaveWeights(_network, Path.Combine(folder, GraphBuilder.WeightsFile));
    }

    /// <inheritdoc/>
    public string Summary() => _network.Summary().ToString();

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
