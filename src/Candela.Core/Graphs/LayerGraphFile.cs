using System.Text.Json.Nodes;
using Candela.Formats;

namespace Candela.Graphs;

/// <summary>Stores a <see cref="LayerGraph"/> as config.json (<c>model_type</c> <c>candela-graph</c>):
/// <code>{"model_type": "candela-graph", "format_version": 1, "family": "mlp", "input_shape": [30],
///  "layers": [{"type": "dense", "name": "dense1", "options": {"units": 64}, "layers": [...]}], "head": {"kind": "softmax", "scale": 1, "offset": 0}}</code></summary>
public static class LayerGraphFile
{
    /// <summary>The file's name in a run folder.</summary>
    public const string FileName = "config.json";

    /// <summary>The <c>model_type</c> of our own graphs.</summary>
    public const string ModelType = "candela-graph";

    /// <summary>The format written; a larger number in a file is refused.</summary>
    public const int CurrentFormat = 1;

    private const int MaxDepth = 32;

    /// <summary>Writes <paramref name="folder"/>/config.json.</summary>
    public static void Save(LayerGraph graph, string folder) => JsonFile.WriteObject(Path.Combine(folder, FileName), ToJson(graph));

    /// <summary>Reads <paramref name="folder"/>/config.json.</summary>
    /// <exception cref="FileFormatException">It is missing, is not valid JSON, lacks something, or is another kind of model.</exception>
    public static LayerGraph Open(string folder)
    {
        string path = Path.Combine(folder, FileName);
        return FromJson(JsonFile.ReadObject(path), path);
    }

    /// <summary>The graph as a JSON object.</summary>
    public static JsonObject ToJson(LayerGraph graph)
    {
        if (!double.IsFinite(graph.Scale) || !double.IsFinite(graph.Offset))
            throw new ShapeException($"A head's scale and offset must be finite; got {graph.Scale} and {graph.Offset}.");
        return new JsonObject
        {
            ["model_type"] = ModelType,
            ["format_version"] = CurrentFormat,
            ["family"] = graph.Family,
            ["input_shape"] = Numbers(graph.InputShape),
            ["layers"] = Layers(graph.Layers),
            ["head"] = new JsonObject { ["kind"] = HeadName(graph.Head), ["scale"] = graph.Scale, ["offset"] = graph.Offset },
        };
    }

    /// <summary>Reads a graph from a JSON object; <paramref name="path"/> is named in errors.</summary>
    /// <exception cref="FileFormatException">Something is missing or of the wrong type.</exception>
    public static LayerGraph FromJson(JsonObject json, string path)
    {
        string type = Text(json, "model_type", path, "the model");
        if (type != ModelType)
            throw new FileFormatException(path, Fault.Unsupported, $"model_type is '{type}'; '{ModelType}' was needed.");
        int format = Integer(json["format_version"], path, "format_version");
        if (format is < 1 or > CurrentFormat)
            throw new FileFormatException(path, Fault.Unsupported, $"format_version is {format}; this version of Candela reads 1 to {CurrentFormat}. Use a newer Candela.");
        if (json["input_shape"] is not JsonArray shape)
            throw Lacks(path, "input_shape", "the model");
        if (json["head"] is not JsonObject head)
            throw Lacks(path, "head", "the model");
        return new LayerGraph(
            Text(json, "family", path, "the model"),
            [.. shape.Select(n => Integer(n, path, "input_shape"))],
            ReadLayers(json["layers"], path, "the model", 0),
            ReadHead(Text(head, "kind", path, "head"), path))
        {
            Scale = Number(head["scale"], path, "head.scale"),
            Offset = Number(head["offset"], path, "head.offset"),
        };
    }

    private static JsonArray Layers(IReadOnlyList<LayerSpec> layers)
    {
        var array = new JsonArray();
        foreach (var layer in layers)
        {
            var json = new JsonObject { ["type"] = layer.Type, ["name"] = layer.Name, ["options"] = layer.Options.DeepClone() };
            if (layer.Children.Count > 0)
                json["layers"] = Layers(layer.Children);
            array.Add((JsonNode)json);
        }

        return array;
    }

    private static List<LayerSpec> ReadLayers(JsonNode? node, string path, string where, int depth)
    {
        if (depth > MaxDepth)
            throw new FileFormatException(path, Fault.Unsupported, $"layers are nested deeper than {MaxDepth} in {where}.");
        if (node is not JsonArray array)
            throw Lacks(path, "layers", where);
        var layers = new List<LayerSpec>(array.Count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in array)
        {
            string at = $"layer {layers.Count} of {where}";
            if (item is not JsonObject json)
                throw new FileFormatException(path, Fault.Corrupt, $"{at} is not an object.");
            string name = Text(json, "name", path, at);
            if (!names.Add(name))
                throw new FileFormatException(path, Fault.Corrupt, $"{at} is called '{name}' like one before it.");
            if (json["options"] is not JsonObject options)
                throw Lacks(path, "options", at);
            layers.Add(new LayerSpec(Text(json, "type", path, at), name, (JsonObject)options.DeepClone())
            {
                Children = json["layers"] is { } children ? ReadLayers(children, path, $"'{name}'", depth + 1) : [],
            });
        }

        return layers;
    }

    private static JsonArray Numbers(IReadOnlyList<int> numbers)
    {
        var array = new JsonArray();
        foreach (int number in numbers)
            array.Add((JsonNode)number);
        return array;
    }

    private static string HeadName(HeadKind head) => head switch
    {
        HeadKind.Linear => "linear",
        HeadKind.Sigmoid => "sigmoid",
        HeadKind.Softmax => "softmax",
        _ => "step",
    };

    private static HeadKind ReadHead(string kind, string path)
    {
        foreach (var head in Enum.GetValues<HeadKind>())
            if (HeadName(head) == kind)
                return head;
        throw new FileFormatException(path, Fault.Unsupported, $"head.kind is '{kind}'; known are {string.Join(", ", Enum.GetValues<HeadKind>().Select(HeadName))}.");
    }

    private static string Text(JsonObject json, string key, string path, string where) =>
        json[key] is JsonValue value && value.TryGetValue(out string? text) ? text : throw Lacks(path, key, where);

    private static int Integer(JsonNode? node, string path, string what) =>
        node is JsonValue value && value.TryGetValue(out int number) ? number : throw new FileFormatException(path, Fault.Corrupt, $"{what} is not a whole number.");

    private static double Number(JsonNode? node, string path, string what) =>
        node is JsonValue value && value.TryGetValue(out double number) && double.IsFinite(number) ? number : throw new FileFormatException(path, Fault.Corrupt, $"{what} is not a number.");

    private static FileFormatException Lacks(string path, string key, string where) => new(path, Fault.Corrupt, $"{where} lacks '{key}', or it is of the wrong type.");
}
