using Candela.Formats;
using Candela.Inference.Weights;

namespace Candela.Inference.Models;

/// <summary>A decoder of the Llama family out of a GGUF file: sizes from its metadata, weights by llama.cpp's names.</summary>
internal static class GgufModel
{
    /// <summary>Values of <c>general.architecture</c> that are read.</summary>
    public static IReadOnlyList<string> Architectures { get; } = ["llama", "qwen2", "qwen3"];

    private const int Most = 1 << 20;

    public static ModelShape Shape(GgufFile file)
    {
        string architecture = file.Text("general.architecture") ?? throw Bad(file, "there is no 'general.architecture'");
        if (!Architectures.Contains(architecture))
            throw new FileFormatException(file.Path, Fault.Unsupported, $"the architecture is '{architecture}'. Read are: {string.Join(", ", Architectures)}.");
        int width = Int("embedding_length"), heads = Int("attention.head_count"), head = Int("attention.key_length", width / heads), layers = Int("block_count"), groups = Int("attention.head_count_kv", heads);
        int turning = Int("rope.dimension_count", head), context = Int("context_length");
        if (heads % groups != 0 || turning > head || turning % 2 != 0 || Int("attention.value_length", head) != head)
            throw Bad(file, $"{heads} heads of {head} numbers with {groups} heads of keys and {turning} turning numbers do not fit together");
        GgufTensor embedding = file.Info("token_embd.weight");
        return new ModelShape
        {
            Vocabulary = checked((int)embedding.Dimensions[1]),
            Context = context,
            Width = width,
            Hidden = Int("feed_forward_length"),
            Layers = layers,
            Heads = heads,
            Groups = groups,
            HeadWidth = head,
            Epsilon = (float)(file.Number($"{architecture}.attention.layer_norm_rms_epsilon") ?? 1e-5),
            Frequencies = Frequencies(file, architecture, turning),
            AdjacentPairs = architecture == "llama",
            Window = Int("attention.sliding_window", 0, allowZero: true),
        };

        int Int(string key, int? fallback = null, bool allowZero = false)
        {
            long value = file.Integer($"{architecture}.{key}") ?? fallback ?? throw Bad(file, $"there is no '{architecture}.{key}'");
            return value is >= 0 and <= Most && (value > 0 || allowZero) ? (int)value : throw Bad(file, $"'{architecture}.{key}' is {value}");
        }
    }

    public static DecoderWeights Weights(GgufFile file, ModelShape shape)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        int q = shape.Heads * shape.HeadWidth, kv = shape.Groups * shape.HeadWidth;
        Matrix embedding = Matrix("token_embd.weight", shape.Vocabulary, shape.Width);
        var layers = new List<LayerWeights>();
        for (int l = 0; l < shape.Layers; l++)
        {
            string block = $"blk.{l}.";
            layers.Add(new LayerWeights
            {
                AttentionNorm = Vector(block + "attn_norm.weight", shape.Width)!,
                Query = Linear(block + "attn_q", q, shape.Width),
                Key = Linear(block + "attn_k", kv, shape.Width),
                Value = Linear(block + "attn_v", kv, shape.Width),
                Output = Linear(block + "attn_output", shape.Width, q),
                QueryNorm = Vector(block + "attn_q_norm.weight", shape.HeadWidth, optional: true),
                KeyNorm = Vector(block + "attn_k_norm.weight", shape.HeadWidth, optional: true),
                HiddenNorm = Vector(block + "ffn_norm.weight", shape.Width)!,
                Gate = Linear(block + "ffn_gate", shape.Hidden, shape.Width),
                Up = Linear(block + "ffn_up", shape.Hidden, shape.Width),
                Down = Linear(block + "ffn_down", shape.Width, shape.Hidden),
            });
        }

        float[] norm = Vector("output_norm.weight", shape.Width)!;
        Matrix output = file.Contains("output.weight") ? Matrix("output.weight", shape.Vocabulary, shape.Width) : embedding;
        _ = seen.Add("rope_freqs.weight");
        string[] left = [.. file.Tensors.Select(t => t.Name).Where(n => !seen.Contains(n))];
        return left.Length == 0 ? new DecoderWeights(embedding, layers, norm, output)
            : throw Bad(file, $"the architecture has no use for {left.Length} tensors: {string.Join(", ", left.Take(20))}");

        Linear Linear(string name, int rows, int columns) => new(Matrix(name + ".weight", rows, columns), Vector(name + ".bias", rows, optional: true));

        Matrix Matrix(string name, int rows, int columns)
        {
            GgufTensor tensor = Need(name, [rows, columns]);
            long rowBytes = GgmlTypes.Bytes(tensor.Type, columns);
            return Inference.Weights.Matrix.Create(tensor.Type, rows, columns, (row, bytes) => file.ReadAt(tensor.Offset + (row * rowBytes), bytes));
        }

        float[]? Vector(string name, int length, bool optional = false)
        {
            if (optional && !file.Contains(name))
                return null;
            GgufTensor tensor = Need(name, [length]);
            var values = new float[length];
            Quantization.BlockDecoder.Decode(tensor.Type, file.ReadBytes(name), values);
            return values;
        }

        GgufTensor Need(string name, int[] dimensions)
        {
            GgufTensor tensor = file.Info(name);
            _ = seen.Add(name);
            return tensor.Dimensions.SequenceEqual(dimensions.Reverse().Select(d => (long)d)) ? tensor
                : throw Bad(file, $"tensor '{name}' is [{string.Join(", ", tensor.Dimensions.Reverse())}]; [{string.Join(", ", dimensions)}] was needed");
        }
    }

    // Llama 3's stretching is stored as a divisor of each frequency.
    private static float[] Frequencies(GgufFile file, string architecture, int turning)
    {
        double theta = file.Number($"{architecture}.rope.freq_base") ?? 10_000, factor = 1;
        string scaling = file.Text($"{architecture}.rope.scaling.type") ?? "none";
        if (scaling == "linear")
            factor = file.Number($"{architecture}.rope.scaling.factor") ?? 1;
        else if (scaling != "none")
            throw new FileFormatException(file.Path, Fault.Unsupported, $"the rotary scaling is '{scaling}'. Read are: none, linear, and divisors in rope_freqs.weight.");
        float[]? divisors = null;
        if (file.Contains("rope_freqs.weight"))
        {
            divisors = new float[turning / 2];
            GgufTensor tensor = file.Info("rope_freqs.weight");
            Quantization.BlockDecoder.Decode(tensor.Type, file.ReadBytes(tensor.Name), divisors);
        }

        return [.. Enumerable.Range(0, turning / 2).Select(i => (float)(Math.Pow(theta, -2.0 * i / turning) / factor / (divisors?[i] ?? 1)))];
    }

    private static FileFormatException Bad(GgufFile file, string what) => new(file.Path, Fault.Corrupt, $"{what}. Convert the model again.");
}
