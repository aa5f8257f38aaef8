using System.Text.Json.Nodes;
using Candela.Graphs;

namespace Candela.Training;

/// <summary>Layers from their specifications in config.json.</summary>
internal static class LayerFactory
{
    private static readonly string[] Types =
    [
        "dense", "conv1d", "conv2d", "max-pool1d", "max-pool2d", "avg-pool1d", "avg-pool2d", "global-average-pool", "global-max-pool", "flatten", "dropout",
        "batch-norm1d", "batch-norm2d", "layer-norm", "embedding", "activation", "swap-axes", "rnn", "lstm", "gru", "recurrent-text", "sequential", "branches", "residual",
    ];

    /// <summary>The layer of a specification, not built.</summary>
    /// <exception cref="FileFormatException">The type or an option is unknown, missing or of the wrong kind.</exception>
    public static Layer Make(LayerSpec spec, string source)
    {
        var o = new Options(spec, source);
        ActivationKind activation = o.Activation();
        return spec.Type switch
        {
            "dense" => new Dense(o.Int("units"), activation, o.Bool("bias", true)) { Name = spec.Name },
            "conv1d" => new Conv1d(o.Int("filters"), o.Int("kernel"), o.Int("stride", 1), o.Padding(), o.Int("dilation", 1), o.Int("groups", 1), activation, o.Bool("bias", true)) { Name = spec.Name },
            "conv2d" => new Conv2d(o.Int("filters"), o.Size("kernel"), o.Size("stride", 1), o.Padding(), o.Size("dilation", 1), o.Int("groups", 1), activation, o.Bool("bias", true)) { Name = spec.Name },
            "max-pool1d" => new MaxPool1d(o.Int("size"), o.Int("stride", o.Int("size")), o.Int("padding", 0)) { Name = spec.Name },
            "max-pool2d" => new MaxPool2d(o.Size("size"), o.Size("stride", o.Size("size")), o.Int("padding", 0)) { Name = spec.Name },
            "avg-pool1d" => new AvgPool1d(o.Int("size"), o.Int("stride", o.Int("size")), o.Int("padding", 0)) { Name = spec.Name },
            "avg-pool2d" => new AvgPool2d(o.Size("size"), o.Size("stride", o.Size("size")), o.Int("padding", 0)) { Name = spec.Name },
            "global-average-pool" => new GlobalAveragePool { Name = spec.Name },
            "global-max-pool" => new GlobalMaxPool { Name = spec.Name },
            "flatten" => new Flatten { Name = spec.Name },
            "dropout" => new Dropout(o.Double("probability")) { Name = spec.Name },
            "batch-norm1d" => new BatchNorm1d(o.Double("momentum", 0.1), o.Double("epsilon", 1e-5)) { Name = spec.Name },
            "batch-norm2d" => new BatchNorm2d(o.Double("momentum", 0.1), o.Double("epsilon", 1e-5)) { Name = spec.Name },
            "layer-norm" => new LayerNorm(o.Double("epsilon", 1e-5)) { Name = spec.Name },
            "embedding" => new Embedding(o.Int("vocabulary"), o.Int("width"), o.Has("paddingId") ? o.Int("paddingId") : null) { Name = spec.Name },
            "activation" => new Activation(activation) { Name = spec.Name },
            "swap-axes" => new SwapAxes { Name = spec.Name },
            "rnn" => new Rnn(o.Int("units"), o.Int("layers", 1), o.Bool("bidirectional", false), o.Double("dropout", 0), o.Bool("bias", true), o.Bool("sequence", true)) { Name = spec.Name },
            "lstm" => new Lstm(o.Int("units"), o.Int("layers", 1), o.Bool("bidirectional", false), o.Double("dropout", 0), o.Bool("bias", true), o.Bool("sequence", true), o.Int("memory", 0)) { Name = spec.Name },
            "gru" => new Gru(o.Int("units"), o.Int("layers", 1), o.Bool("bidirectional", false), o.Double("dropout", 0), o.Bool("bias", true), o.Bool("sequence", true), o.Int("memory", 0)) { Name = spec.Name },
            "recurrent-text" => new RecurrentText(o.Name("cell"), o.Int("vocabulary"), o.Int("width"), o.Int("units"), o.Int("layers", 1), o.Bool("bidirectional", true), o.Double("dropout", 0)) { Name = spec.Name },
            "sequential" => new Sequential(o.Children()) { Name = spec.Name },
            "branches" => new Branches(o.Children()) { Name = spec.Name },
            "residual" => new Residual([.. o.Children().Where(c => c.Name != "projection")], o.Children().FirstOrDefault(c => c.Name == "projection"), activation) { Name = spec.Name },
            _ => throw new FileFormatException(source, Fault.Unsupported, $"layer '{spec.Name}' has the unknown type '{spec.Type}'.{NearestName.Hint(spec.Type, Types)}"),
        };
    }

    /// <summary>Reads one layer's options with errors that name it.</summary>
    private sealed class Options(LayerSpec spec, string source)
    {
        private List<Layer>? _children;

        public bool Has(string key) => spec.Options.ContainsKey(key);

        public int Int(string key, int? fallback = null) => Read<int>(key, fallback, "a whole number");

        public double Double(string key, double? fallback = null) => Read<double>(key, fallback, "a number");

        public bool Bool(string key, bool fallback) => Read<bool>(key, fallback, "true or false");

        public ActivationKind Activation() => Has("activation") ? ActivationNames.Parse(Text("activation")) : ActivationKind.None;

        public Padding Padding() => Has("padding") ? Training.Padding.Parse(Text("padding")) : Training.Padding.Valid;

        public Size2 Size(string key, Size2? fallback = null)
        {
            if (spec.Options[key] is not JsonArray { Count: 2 } pair)
                return Has(key) ? Int(key) : fallback ?? throw Wrong(key, "a number or a pair of numbers");
            return pair[0] is JsonValue h && h.TryGetValue(out int height) && pair[1] is JsonValue w && w.TryGetValue(out int width)
                ? new Size2(height, width)
                : throw Wrong(key, "a pair of whole numbers");
        }

        public List<Layer> Children() => _children ??= [.. spec.Children.Select(child => Make(child, source))];

        public string Name(string key) => Text(key);

        private string Text(string key) => Read<string>(key, null, "text");

        private T Read<T>(string key, object? fallback, string wanted) =>
            spec.Options[key] is JsonValue value && value.TryGetValue(out T? read) && read is not null ? read
            : !Has(key) && fallback is T given ? given
            : throw Wrong(key, wanted);

        private FileFormatException Wrong(string key, string wanted) =>
            new(source, Fault.Corrupt, $"layer '{spec.Name}' ({spec.Type}) needs {wanted} for '{key}'; got {spec.Options[key]?.ToJsonString() ?? "nothing"}.");
    }
}
