using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Formats;
using Candela.Graphs;
using Candela.Models;

namespace Candela.Classic.Linear;

/// <summary>A trained linear model over dense and sparse features: one linear function for regression and two classes, else one per class.</summary>
/// <remarks>config.json is a <see cref="LayerGraph"/> of one layer called <c>linear</c>: <c>dense</c> without sparse features, else
/// <c>dense-and-ngrams</c>. model.safetensors holds <c>linear.weight</c> [outputs, dense features], <c>linear.bias</c> [outputs],
/// <c>feature.deviation</c> [dense features] (for the summary) and, with n-grams, <c>linear.ngram_index</c> [kept] (ascending) and
/// <c>linear.ngram_weight</c> [kept, outputs]; n-grams that never occurred in training have no entry.</remarks>
internal sealed class LinearModel : IFittedModel
{
    private const string WeightsFile = "model.safetensors";

    private readonly Problem _problem;
    private readonly FeatureLayout _layout;
    private readonly double _scale, _offset;
    private readonly float[] _weights;
    private readonly float[] _bias;
    private readonly float[] _deviations;
    private readonly int[] _sparseIndex;
    private readonly float[] _sparseWeights;
    private readonly int[] _placeOf;

    /// <param name="problem">Task and classes.</param>
    /// <param name="layout">What rows hold.</param>
    /// <param name="scale">Factor of a regression output; 1 for classes.</param>
    /// <param name="offset">Added to a regression output; 0 for classes.</param>
    /// <param name="weights">[outputs, dense features].</param>
    /// <param name="bias">[outputs].</param>
    /// <param name="deviations">Standard deviation of each dense feature over the training rows.</param>
    /// <param name="sparseIndex">Kept sparse features, ascending.</param>
    /// <param name="sparseWeights">[kept, outputs].</param>
    public LinearModel(Problem problem, FeatureLayout layout, double scale, double offset, float[] weights, float[] bias, float[] deviations, int[] sparseIndex, float[] sparseWeights)
    {
        (_problem, _layout, _scale, _offset, _weights, _bias, _deviations) = (problem, layout, scale, offset, weights, bias, deviations);
        (_sparseIndex, _sparseWeights) = (sparseIndex, sparseWeights);
        _placeOf = DesignMatrix.Inverse(sparseIndex, layout.SparseWidth);
    }

    /// <inheritdoc/>
    public string Family => LinearFamily.FamilyId;

    /// <inheritdoc/>
    public long ParameterCount => _weights.Length + _bias.Length + _sparseWeights.Length;

    /// <summary>Dense weights, [outputs, dense features], for the target in its own unit.</summary>
    public IReadOnlyList<double> Coefficients => [.. _weights.Select(w => w * _scale)];

    /// <summary>Intercepts, [outputs], in the target's own unit.</summary>
    public IReadOnlyList<double> Intercepts => [.. _bias.Select(b => (b * _scale) + _offset)];

    /// <inheritdoc/>
    public void Score(FeatureBatch batch, Span<float> scores)
    {
        int width = _layout.DenseWidth, outputs = _bias.Length;
        var row = new double[width];
        var weights = new double[_weights.Length];
        TensorPrimitives.ConvertChecked<float, double>(_weights, weights);
        Span<double> z = outputs <= 256 ? stackalloc double[outputs] : new double[outputs];
        for (int i = 0; i < batch.Count; i++)
        {
            TensorPrimitives.ConvertChecked<float, double>(batch.Dense.AsSpan(i * width, width), row);
            for (int k = 0; k < outputs; k++)
                z[k] = _bias[k] + TensorPrimitives.Dot<double>(weights.AsSpan(k * width, width), row);
            if (_sparseIndex.Length > 0)
                for (int e = batch.SparseStarts[i]; e < batch.SparseStarts[i + 1]; e++)
                    if (_placeOf[batch.SparseIndices[e]] is >= 0 and var place)
                        for (int k = 0; k < outputs; k++)
                            z[k] += (double)_sparseWeights[(place * outputs) + k] * batch.SparseValues[e];
            Link(z, scores.Slice(i * _problem.Outputs, _problem.Outputs));
        }
    }

    /// <inheritdoc/>
    public void Save(string folder)
    {
        int outputs = _bias.Length, width = _layout.DenseWidth;
        bool sparse = _layout.SparseWidth > 0;
        var layers = new List<LayerSpec>();
        if (!sparse && _layout.DenseShape.Count > 1)
            layers.Add(new LayerSpec("flatten", "flatten", []));
        layers.Add(sparse
            ? new LayerSpec("dense-and-ngrams", "linear", new JsonObject { ["units"] = outputs, ["ngrams"] = _layout.SparseWidth })
            : new LayerSpec("dense", "linear", new JsonObject { ["units"] = outputs }));
        var graph = new LayerGraph(Family, _layout.DenseShape, layers, HeadOf(_problem)) { Scale = _scale, Offset = _offset };
        var tensors = new List<RawTensor>
        {
            RawTensor.Of("linear.weight", [outputs, width], _weights),
            RawTensor.Of("linear.bias", [outputs], _bias),
            RawTensor.Of("feature.deviation", [width], _deviations),
        };
        if (sparse)
        {
            tensors.Add(RawTensor.Of("linear.ngram_index", [_sparseIndex.Length], _sparseIndex));
            tensors.Add(RawTensor.Of("linear.ngram_weight", [_sparseIndex.Length, outputs], _sparseWeights));
        }

        Safetensors.Write(Path.Combine(folder, WeightsFile), tensors);
        LayerGraphFile.Save(graph, folder);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FileFormatException">A file is missing, damaged, or does not belong to this problem and layout.</exception>
    public static LinearModel Open(string folder, Problem problem, FeatureLayout layout)
    {
        LayerGraph graph = LayerGraphFile.Open(folder);
        string configPath = Path.Combine(folder, LayerGraphFile.FileName), path = Path.Combine(folder, WeightsFile);
        bool sparse = layout.SparseWidth > 0;
        if (graph.Family != LinearFamily.FamilyId || graph.Layers.Count == 0 || graph.Layers[^1].Type != (sparse ? "dense-and-ngrams" : "dense"))
            throw new FileFormatException(configPath, Fault.Corrupt, $"the family is '{graph.Family}' with {graph.Layers.Count} layers; a linear model of one {(sparse ? "dense-and-ngrams" : "dense")} layer was needed.");
        if (graph.Head != HeadOf(problem))
            throw new FileFormatException(configPath, Fault.Corrupt, $"the head is {graph.Head}, but the task is {problem.Task}.");
        int outputs = LinearObjective.OutputsOf(problem), width = layout.DenseWidth;
        using SafetensorsFile file = Safetensors.Open(path);
        int[] index = [];
        float[] sparseWeights = [];
        if (sparse)
        {
            index = ModelTensors.Integers(file, "linear.ngram_index", [-1]);
            for (int i = 0; i < index.Length; i++)
                if (index[i] < 0 || index[i] >= layout.SparseWidth || (i > 0 && index[i] <= index[i - 1]))
                    throw new FileFormatException(path, Fault.Corrupt, $"linear.ngram_index[{i}] is {index[i]}; ascending indices under {layout.SparseWidth} were needed.");
            sparseWeights = ModelTensors.Singles(file, "linear.ngram_weight", [index.Length, outputs]);
        }

        return new LinearModel(problem, layout, graph.Scale, graph.Offset,
            ModelTensors.Singles(file, "linear.weight", [outputs, width]),
            ModelTensors.Singles(file, "linear.bias", [outputs]),
            ModelTensors.Singles(file, "feature.deviation", [width]),
            index, sparseWeights);
    }

    /// <inheritdoc/>
    public string Summary()
    {
        var text = new StringBuilder();
        int outputs = _bias.Length, width = _layout.DenseWidth;
        string kind = _problem.Task switch { TaskKind.Regression => "Linear regression", TaskKind.Binary => "Logistic regression", _ => $"Softmax regression over {outputs} classes" };
        text.Append(Invariant($"{kind}: {width} dense features"));
        if (_layout.SparseWidth > 0)
            text.Append(Invariant($", {_sparseIndex.Length:N0} n-gram features"));
        text.Append(Invariant($", {ParameterCount:N0} parameters"));
        int zeros = _weights.Count(w => w == 0);
        if (zeros > 0)
            text.Append(Invariant($", {zeros:N0} dense weights exactly zero"));
        text.AppendLine();
        if (outputs == 1)
            text.AppendLine(Invariant($"  intercept {(_bias[0] * _scale) + _offset:G6}"));
        // A weight times its feature's deviation: the change of the output for one deviation of the feature, comparable across features.
        double Standardised(int j) => Enumerable.Range(0, outputs).Max(k => Math.Abs(_weights[(k * width) + j] * _scale)) * _deviations[j];
        foreach (int j in Enumerable.Range(0, width).OrderByDescending(Standardised).ThenBy(j => j).Take(10).Where(j => Standardised(j) > 0))
        {
            string name = j < _layout.DenseNames.Count ? _layout.DenseNames[j] : Invariant($"feature {j}");
            int k = Enumerable.Range(0, outputs).MaxBy(o => Math.Abs(_weights[(o * width) + j]));
            double weight = _weights[(k * width) + j] * _scale;
            string of = outputs > 1 ? $" for {_problem.Classes[k]}" : _problem.Task == TaskKind.Binary ? $" for {_problem.Classes[1]}" : "";
            text.AppendLine(Invariant($"  {name}: {weight:G5}{of} (per deviation {weight * _deviations[j]:G4})"));
        }

        if (width > 10)
            text.AppendLine(Invariant($"  ... and {width - 10:N0} more"));
        return text.ToString().TrimEnd();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static HeadKind HeadOf(Problem problem) => problem.Task switch { TaskKind.Regression => HeadKind.Linear, TaskKind.Binary => HeadKind.Sigmoid, _ => HeadKind.Softmax };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void Link(ReadOnlySpan<double> z, Span<float> scores)
    {
        switch (_problem.Task)
        {
            case TaskKind.Regression:
                scores[0] = (float)((z[0] * _scale) + _offset);
                break;
            case TaskKind.Binary:
                double p = 1 / (1 + Math.Exp(-z[0]));
                (scores[0], scores[1]) = ((float)(1 - p), (float)p);
                break;
            default:
                double max = TensorPrimitives.Max(z), sum = 0;
                foreach (double value in z)
                    sum += Math.Exp(value - max);
                for (int k = 0; k < z.Length; k++)
                    scores[k] = (float)(Math.Exp(z[k] - max) / sum);
                break;
        }
    }
}
