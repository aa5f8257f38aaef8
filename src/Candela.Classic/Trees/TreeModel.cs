using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Formats;
using Candela.Models;

namespace Candela.Classic.Trees;

/// <summary>A trained tree, forest or boosting model.</summary>
/// <remarks>config.json: <c>model_type</c> <c>candela-trees</c>, format, family, width, link, leaf width, sums, scale, offset, start; model.safetensors holds the flat arrays of
/// <see cref="TreeEnsemble"/> under <c>tree.root</c>, <c>node.*</c>, <c>category.*</c> and <c>leaf.value</c>.</remarks>
internal sealed class TreeModel(string family, Problem problem, FeatureLayout layout, TreeEnsemble trees) : IFittedModel
{
    private const string ModelType = "candela-trees", ConfigFile = "config.json", WeightsFile = "model.safetensors";
    private const int Format = 1;

    /// <summary>The trees.</summary>
    public TreeEnsemble Trees => trees;

    /// <inheritdoc/>
    public string Family => family;

    /// <summary>Thresholds (or category sets) and leaf values.</summary>
    public long ParameterCount => trees.Threshold.Length + trees.Leaves.Length;

    /// <inheritdoc/>
    public void Score(FeatureBatch batch, Span<float> scores) => trees.Score(batch, layout.DenseWidth, scores, problem.Outputs);

    /// <inheritdoc/>
    public void Save(string folder)
    {
        int nodes = trees.Feature.Length;
        Safetensors.Write(Path.Combine(folder, WeightsFile),
        [
            RawTensor.Of("tree.root", [trees.Roots.Length], trees.Roots),
            RawTensor.Of("node.feature", [nodes], trees.Feature),
            RawTensor.Of("node.threshold", [nodes], trees.Threshold),
            RawTensor.Of("node.left", [nodes], trees.Left),
            RawTensor.Of("node.right", [nodes], trees.Right),
            RawTensor.Of("node.missing_left", [nodes], trees.MissingLeft),
            RawTensor.Of("node.category_set", [nodes], trees.CategorySet),
            RawTensor.Of("node.gain", [nodes], trees.Gain),
            RawTensor.Of("category.start", [trees.CategoryStarts.Length], trees.CategoryStarts),
            RawTensor.Of("category.words", [trees.CategoryWords.Length], trees.CategoryWords),
            RawTensor.Of("leaf.value", [trees.LeafCount, trees.LeafWidth], trees.Leaves),
        ]);
        var start = new JsonArray();
        foreach (double value in trees.Start)
            start.Add((JsonNode)value);
        JsonFile.WriteObject(Path.Combine(folder, ConfigFile), new JsonObject
        {
            ["model_type"] = ModelType,
            ["format_version"] = Format,
            ["family"] = family,
            ["features"] = layout.DenseWidth,
            ["link"] = LinkName(trees.Link),
            ["start"] = start,
            ["scale"] = trees.Scale,
            ["offset"] = trees.Offset,
        });
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FileFormatException">A file is missing, damaged, or does not belong to this family, problem and layout.</exception>
    public static TreeModel Open(string family, string folder, Problem problem, FeatureLayout layout)
    {
        string path = Path.Combine(folder, ConfigFile);
        JsonObject json = JsonFile.ReadObject(path);
        FileFormatException Bad(string what) => new(path, Fault.Corrupt, what + " The file is damaged or belongs to another run: restore it or train again.");
        T Value<T>(string key) => json[key] is JsonValue value && value.TryGetValue(out T? result) ? result : throw Bad($"'{key}' is missing or of the wrong type.");
        if (Value<string>("model_type") is var type && type != ModelType)
            throw new FileFormatException(path, Fault.WrongFormat, $"model_type is '{type}'; '{ModelType}' was needed.");
        if (Value<int>("format_version") is var format && format != Format)
            throw new FileFormatException(path, Fault.Unsupported, $"format_version is {format}; this version of Candela reads {Format}.");
        if (Value<string>("family") is var savedFamily && savedFamily != family)
            throw Bad($"The family is '{savedFamily}'; '{family}' was needed.");
        if (Value<int>("features") is var features && features != layout.DenseWidth)
            throw Bad($"The trees read {features} features; rows have {layout.DenseWidth}.");
        string linkName = Value<string>("link");
        TreeLink? link = Enum.GetValues<TreeLink>().Cast<TreeLink?>().FirstOrDefault(l => LinkName(l!.Value) == linkName);
        bool fits = link switch
        {
            TreeLink.Identity => !problem.IsClassification,
            TreeLink.Sigmoid => problem.Task == TaskKind.Binary,
            TreeLink.Softmax => problem.IsClassification,
            TreeLink.Mean => true,
            _ => false,
        };
        if (!fits)
            throw Bad($"The link '{linkName}' does not fit the task {problem.Task}.");
        if (json["start"] is not JsonArray array || array.Any(n => n is not JsonValue v || !v.TryGetValue(out double d) || !double.IsFinite(d)))
            throw Bad("'start' is missing or not a list of numbers.");
        double[] start = [.. array.Select(n => n!.GetValue<double>())];
        if (start.Length != (link is TreeLink.Sigmoid or TreeLink.Identity ? 1 : problem.Outputs))
            throw Bad($"'start' has {start.Length} numbers, which does not fit {problem.Outputs} outputs.");
        double scale = Value<double>("scale"), offset = Value<double>("offset");

        string weights = Path.Combine(folder, WeightsFile);
        using SafetensorsFile file = Safetensors.Open(weights);
        int[] feature = ModelTensors.Integers(file, "node.feature", [-1]);
        int nodes = feature.Length, leafWidth = link == TreeLink.Mean ? problem.Outputs : 1;
        var trees = new TreeEnsemble
        {
            Roots = ModelTensors.Integers(file, "tree.root", [-1]),
            Feature = feature,
            Threshold = ModelTensors.Singles(file, "node.threshold", [nodes]),
            Left = ModelTensors.Integers(file, "node.left", [nodes]),
            Right = ModelTensors.Integers(file, "node.right", [nodes]),
            MissingLeft = ModelTensors.Integers(file, "node.missing_left", [nodes]),
            CategorySet = ModelTensors.Integers(file, "node.category_set", [nodes]),
            Gain = ModelTensors.Singles(file, "node.gain", [nodes]),
            CategoryStarts = ModelTensors.Integers(file, "category.start", [-1]),
            CategoryWords = ModelTensors.Integers(file, "category.words", [-1]),
            Leaves = ModelTensors.Singles(file, "leaf.value", [-1, leafWidth]),
            LeafWidth = leafWidth,
            Start = start,
            Link = link!.Value,
            Scale = scale,
            Offset = offset,
        };
        if (Inconsistency(trees, layout.DenseWidth) is { } problemText)
            throw new FileFormatException(weights, Fault.Corrupt, problemText + " The file is damaged: restore it or train again.");
        return new TreeModel(family, problem, layout, trees);
    }

    /// <inheritdoc/>
    public string Summary()
    {
        var text = new StringBuilder();
        string kind = family == TreeFamily.FamilyId ? "Decision tree" : trees.Link == TreeLink.Mean ? $"Forest of {trees.Roots.Length:N0} trees"
            : $"Gradient boosting: {trees.Roots.Length / trees.Sums:N0} rounds, {trees.Roots.Length:N0} trees";
        text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"{kind}, depth at most {trees.Depth()}, {trees.LeafCount:N0} leaves, {ParameterCount:N0} parameters"));
        var gains = new double[layout.DenseWidth];
        for (int n = 0; n < trees.Feature.Length; n++)
            gains[trees.Feature[n]] += trees.Gain[n];
        double total = gains.Sum();
        if (total > 0)
        {
            text.AppendLine("  share of the loss reduction by feature:");
            foreach (int j in Enumerable.Range(0, gains.Length).OrderByDescending(j => gains[j]).ThenBy(j => j).Take(10).Where(j => gains[j] > 0))
                text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"  {(j < layout.DenseNames.Count ? layout.DenseNames[j] : $"feature {j}")}: {gains[j] / total:P1}"));
        }

        return text.ToString().TrimEnd();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static string LinkName(TreeLink link) => link switch { TreeLink.Identity => "identity", TreeLink.Sigmoid => "sigmoid", TreeLink.Softmax => "softmax", _ => "mean" };

    // Null when every index is in range and every walk ends; else what is wrong. A child always comes after its parent, so no walk can loop.
    private static string? Inconsistency(TreeEnsemble trees, int width)
    {
        bool IsPlace(int place, int parent) => place >= 0 ? place > parent && place < trees.Feature.Length : ~place < trees.LeafCount;
        if (trees.Roots.Length == 0 || (trees.LeafWidth == 1 && trees.Roots.Length % trees.Sums != 0))
            return $"There are {trees.Roots.Length} trees for {trees.Sums} sums.";
        foreach (int root in trees.Roots)
            if (!IsPlace(root, -1))
                return $"A tree begins at {root}, which does not exist.";
        if (trees.CategoryStarts.Length == 0 || trees.CategoryStarts[0] != 0 || trees.CategoryStarts[^1] != trees.CategoryWords.Length)
            return "The category sets do not cover their words.";
        for (int s = 1; s < trees.CategoryStarts.Length; s++)
            if (trees.CategoryStarts[s] < trees.CategoryStarts[s - 1])
                return $"Category set {s} begins before the one before it.";
        for (int n = 0; n < trees.Feature.Length; n++)
        {
            if (trees.Feature[n] < 0 || trees.Feature[n] >= width)
                return $"Node {n} reads feature {trees.Feature[n]} of {width}.";
            if (!IsPlace(trees.Left[n], n) || !IsPlace(trees.Right[n], n))
                return $"Node {n} has the children {trees.Left[n]} and {trees.Right[n]}, which cannot be.";
            if (trees.CategorySet[n] < -1 || trees.CategorySet[n] >= trees.CategoryStarts.Length - 1)
                return $"Node {n} has the category set {trees.CategorySet[n]}, which does not exist.";
        }

        return null;
    }
}
