using Candela.Data;
using Candela.Formats;
using Candela.Graphs;
using Candela.Models;

namespace Candela.Training.DenseNets;

/// <summary>A trained dense net: config.json and model.safetensors with PyTorch's keys and shapes, so that <see cref="GraphBuilder"/> opens the same files with libtorch.
/// Scoring needs no libtorch and does not allocate after the first batch.</summary>
public sealed class DenseModel : IFittedModel
{
    /// <summary>The file of weights in a run folder.</summary>
    public const string WeightsFile = "model.safetensors";

    private readonly WorkPool _pool;

    /// <summary>Takes over a net and its threads.</summary>
    public DenseModel(DenseNetwork network, WorkPool pool) => (Network, _pool) = (network, pool);

    /// <summary>The net.</summary>
    public DenseNetwork Network { get; }

    /// <inheritdoc/>
    public string Family => Network.Graph.Family;

    /// <inheritdoc/>
    public long ParameterCount => Network.Parameters.Length;

    /// <summary>Opens what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FileFormatException">A file is missing or damaged, or the two do not fit together.</exception>
    /// <exception cref="ShapeException">The net does not fit the problem or the rows.</exception>
    public static DenseModel Open(string folder, Problem problem, FeatureLayout layout)
    {
        LayerGraph graph = LayerGraphFile.Open(folder);
        string path = Path.Combine(folder, LayerGraphFile.FileName);
        if (DenseNetwork.WhyNot(graph) is { } reason)
            throw new FileFormatException(path, Fault.Unsupported, $"the dense engine cannot run this net: {reason}.");
        var pool = new WorkPool();
        var network = new DenseNetwork(graph, pool);
        try
        {
            int outputs = graph.Head is HeadKind.Softmax || (graph.Head == HeadKind.Step && problem.Outputs > 2) ? problem.Outputs : 1;
            bool fits = graph.Head == HeadKind.Linear ? problem.Task == TaskKind.Regression : problem.IsClassification && (graph.Head != HeadKind.Sigmoid || problem.Outputs == 2);
            if (network.InputWidth != layout.DenseWidth || network.OutputWidth != outputs || !fits)
                throw new ShapeException($"{path}: the net takes {network.InputWidth} numbers and gives {network.OutputWidth} ({graph.Head}); the rows have {layout.DenseWidth} and the task '{problem.Task}' has {problem.Outputs} scores.");
            using SafetensorsFile file = Safetensors.Open(Path.Combine(folder, WeightsFile));
            foreach (DenseParameter parameter in network.Layout)
                file.ReadSingles(parameter.Key, [.. parameter.Shape]).CopyTo(network.Parameters[parameter.Offset..]);
            return new DenseModel(network, pool);
        }
        catch
        {
            network.Dispose();
            pool.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Score(FeatureBatch batch, Span<float> scores)
    {
        int rows = batch.Count, width = Network.OutputWidth;
        ReadOnlySpan<float> outputs = Network.Forward(batch.Dense, rows);
        switch (Network.Graph.Head)
        {
            case HeadKind.Linear:
                for (int i = 0; i < rows; i++)
                    scores[i] = (float)((outputs[i] * Network.Graph.Scale) + Network.Graph.Offset);
                break;
            case HeadKind.Sigmoid:
                for (int i = 0; i < rows; i++)
                {
                    double e = Math.Exp(-Math.Abs((double)outputs[i])), small = e / (1 + e), large = 1 / (1 + e);
                    (scores[2 * i], scores[(2 * i) + 1]) = outputs[i] >= 0 ? ((float)small, (float)large) : ((float)large, (float)small);
                }

                break;
            case HeadKind.Softmax:
                Network.Softmax(rows, scores);
                break;
            default:
                for (int i = 0; i < rows; i++)
                {
                    int classes = width == 1 ? 2 : width;
                    Span<float> own = scores.Slice(i * classes, classes);
                    own.Clear();
                    own[width == 1 ? (outputs[i] > 0 ? 1 : 0) : System.Numerics.Tensors.TensorPrimitives.IndexOfMax(outputs.Slice(i * width, width))] = 1;
                }

                break;
        }
    }

    /// <inheritdoc/>
    public void Save(string folder)
    {
        LayerGraphFile.Save(Network.Graph, folder);
        Safetensors.Write(Path.Combine(folder, WeightsFile), Network.Layout.Select(p => new NamedTensor(p.Key, [.. p.Shape], Network.Parameters.Slice(p.Offset, p.Length).ToArray())));
    }

    /// <inheritdoc/>
    public string Summary() => GraphSummary.Of(Network.Graph).ToString();

    /// <summary>Frees the net and ends its threads.</summary>
    public void Dispose()
    {
        Network.Dispose();
        _pool.Dispose();
    }
}
