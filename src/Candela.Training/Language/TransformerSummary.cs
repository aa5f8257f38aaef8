using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Candela.Training.Language;

/// <summary>A part of a transformer and its trained numbers.</summary>
/// <param name="Name">Key, with the numbers of repeated blocks as a range: <c>model.layers.0-21.mlp.up_proj</c>.</param>
/// <param name="Shape">Of its weight.</param>
/// <param name="Count">How many there are of it.</param>
/// <param name="Parameters">Of all of them together, offsets included.</param>
public sealed record TransformerPart(string Name, Shape Shape, int Count, long Parameters);

/// <summary>What a transformer is made of and costs, by arithmetic on its configuration: nothing is allocated and libtorch is not loaded.</summary>
/// <param name="Config">The configuration.</param>
/// <param name="Parts">In the order of the checkpoint.</param>
/// <param name="Parameters">Trained numbers.</param>
/// <param name="FlopsPerToken">Of the forward pass of one token that sees only itself, two per multiply-add, the output matrix included.</param>
/// <param name="FlopsPerTokenAtFullContext">The same for the last token of a full context.</param>
public sealed record TransformerSummary(TransformerConfig Config, IReadOnlyList<TransformerPart> Parts, long Parameters, double FlopsPerToken, double FlopsPerTokenAtFullContext)
{
    private long Matrices => Config.Tensors().Where(t => t.Shape.Count == 2).Sum(t => t.Elements);

    /// <summary>Weights as float32.</summary>
    public long BytesF32 => Parameters * 4;

    /// <summary>Weights as float16 or bfloat16.</summary>
    public long BytesF16 => Parameters * 2;

    /// <summary>Matrices in 8-bit blocks of 32 with a half-precision scale (34 bytes, GGUF's Q8_0), the rest float32.</summary>
    public long BytesQ8 => (long)(Matrices / 32.0 * 34) + ((Parameters - Matrices) * 4);

    /// <summary>Matrices in 4-bit blocks of 32 with a half-precision scale (18 bytes, GGUF's Q4_0), the rest float32.</summary>
    public long BytesQ4 => (long)(Matrices / 32.0 * 18) + ((Parameters - Matrices) * 4);

    /// <summary>Keys and values of one token in all layers, float32; 0 for an encoder, which keeps none.</summary>
    public long CacheBytesPerTokenF32 => 4L * Config.CacheWidth * Config.Layers;

    /// <summary>The same in float16.</summary>
    public long CacheBytesPerTokenF16 => 2L * Config.CacheWidth * Config.Layers;

    /// <summary>Float32 weights, their gradients and Adam's two moments, without activations.</summary>
    public long TrainingBytes => 4 * BytesF32;

    /// <summary>Summarises a configuration.</summary>
    public static TransformerSummary Of(TransformerConfig config)
    {
        List<TransformerPart> parts = [];
        foreach (var group in config.Tensors().GroupBy(t => Template(t.Key)))
        {
            TensorSpec first = group.OrderByDescending(t => t.Shape.Count).First();
            int count = group.Select(t => Number(t.Key)).Distinct().Count();
            string name = count == 1 ? group.Key.Replace("#", Number(first.Key), StringComparison.Ordinal) : group.Key.Replace("#", $"0-{count - 1}", StringComparison.Ordinal);
            parts.Add(new TransformerPart(name, first.Shape, count, group.Sum(t => t.Elements)));
        }

        return new TransformerSummary(config, parts, config.ParameterCount, config.FlopsPerToken(1), config.FlopsPerToken(config.ContextLength));
    }

    /// <summary>The fields of <c>candela summary --config --json</c>.</summary>
    public JsonObject ToJson() => new()
    {
        ["modelType"] = Config.ModelType,
        ["parameters"] = Parameters,
        ["layers"] = Config.Layers,
        ["width"] = Config.Width,
        ["heads"] = Config.Heads,
        ["vocabularySize"] = Config.VocabularySize,
        ["contextLength"] = Config.ContextLength,
        ["tiedEmbeddings"] = Config.TiedEmbeddings,
        ["flopsPerToken"] = FlopsPerToken,
        ["flopsPerTokenAtFullContext"] = FlopsPerTokenAtFullContext,
        ["bytesF32"] = BytesF32,
        ["bytesF16"] = BytesF16,
        ["bytesQ8"] = BytesQ8,
        ["bytesQ4"] = BytesQ4,
        ["cacheBytesPerTokenF32"] = CacheBytesPerTokenF32,
        ["cacheBytesPerTokenF16"] = CacheBytesPerTokenF16,
        ["trainingBytes"] = TrainingBytes,
        ["parts"] = new JsonArray([.. Parts.Select(p => new JsonObject
        {
            ["name"] = p.Name,
            ["shape"] = new JsonArray([.. p.Shape.Select(n => (JsonNode?)n)]),
            ["count"] = p.Count,
            ["parameters"] = p.Parameters,
        })]),
    };

    /// <summary>The table people read.</summary>
    public override string ToString()
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.AppendLine(culture, $"{(Config.ModelType.Length > 0 ? Config.ModelType : "llama")}: {Config.Layers} layers, width {Config.Width:N0}, {Config.Heads} heads, vocabulary {Config.VocabularySize:N0}, context {Config.ContextLength:N0}{(Config.TiedEmbeddings ? ", tied embeddings" : "")}");
        int width = Parts.Max(p => p.Name.Length), shape = Parts.Max(p => p.Shape.ToString().Length);
        text.AppendLine($"{"Part".PadRight(width)}  {"Shape".PadRight(shape)}  {"Count",5}  {"Parameters",15}");
        foreach (TransformerPart part in Parts)
            text.AppendLine(culture, $"{part.Name.PadRight(width)}  {part.Shape.ToString().PadRight(shape)}  {part.Count,5}  {part.Parameters,15:N0}");
        text.AppendLine(culture, $"Parameters {Parameters:N0}");
        text.AppendLine(culture, $"Forward {FlopsPerToken / 1e9:N3} GFLOP per token, {FlopsPerTokenAtFullContext / 1e9:N3} at full context");
        text.AppendLine(culture, $"Weights {Mebibytes(BytesF32)} at f32, {Mebibytes(BytesF16)} at f16, {Mebibytes(BytesQ8)} at q8, {Mebibytes(BytesQ4)} at q4; training with Adam {Mebibytes(TrainingBytes)} without activations");
        if (Config.CacheWidth > 0)
            text.AppendLine(culture, $"Cache of keys and values {CacheBytesPerTokenF16 / 1024.0:N1} KiB per token at f16 ({CacheBytesPerTokenF32 / 1024.0:N1} at f32), {Mebibytes(CacheBytesPerTokenF16 * Config.ContextLength)} at full context");
        return text.ToString().TrimEnd();
    }

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:N1} MiB");

    // model.layers.7.mlp.up_proj.weight -> model.layers.#.mlp.up_proj
    private static string Template(string key) => string.Join('.', key.Split('.')[..^1].Select(part => IsNumber(part) ? "#" : part));

    private static string Number(string key) => key.Split('.').FirstOrDefault(IsNumber) ?? "";

    private static bool IsNumber(string part) => part.Length > 0 && part.All(char.IsAsciiDigit);
}
