namespace Candela.Training.Language.Reference;

/// <summary>The plain twin of <see cref="LlamaModel"/>: one token after the other, double precision, loops as the papers write them, no libtorch. For tests and for reading; slow.</summary>
public sealed class ReferenceLlama
{
    private readonly LlamaConfig _config;
    private readonly Dictionary<string, double[]> _weights;
    private readonly RotaryEmbedding _rotary;

    /// <summary>Takes a configuration and its weights by the checkpoint's keys.</summary>
    public ReferenceLlama(LlamaConfig config, IReadOnlyDictionary<string, float[]> weights)
    {
        _config = config;
        _weights = weights.ToDictionary(w => w.Key, w => Array.ConvertAll(w.Value, x => (double)x));
        _rotary = new RotaryEmbedding(config.RotaryDimensions, config.RopeTheta, config.ContextLength, config.Scaling);
    }

    /// <summary>Logits after each token: [tokens][vocabulary].</summary>
    public double[][] Logits(IReadOnlyList<int> tokens)
    {
        int width = _config.Width, count = tokens.Count;
        double[] frequencies = _rotary.Frequencies(count);
        double[][] x = [.. tokens.Select(id => Row("model.embed_tokens.weight", id, width))];
        for (int layer = 0; layer < _config.Layers; layer++)
        {
            string block = $"model.layers.{layer}";
            double[][] normal = [.. x.Select(v => RmsNorm(v, $"{block}.input_layernorm.weight"))];
            double[][] attended = Attention(normal, block, layer, frequencies);
            for (int t = 0; t < count; t++)
            {
                x[t] = PlainMath.Add(x[t], attended[t]);
                double[] inner = RmsNorm(x[t], $"{block}.post_attention_layernorm.weight");
                double[] gate = Linear(inner, $"{block}.mlp.gate_proj"), up = Linear(inner, $"{block}.mlp.up_proj");
                for (int i = 0; i < gate.Length; i++)
                    gate[i] = PlainMath.Activate(_config.Activation, gate[i]) * up[i];
                x[t] = PlainMath.Add(x[t], Linear(gate, $"{block}.mlp.down_proj"));
            }
        }

        string head = _config.TiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
        return [.. x.Select(v => PlainMath.Linear(RmsNorm(v, "model.norm.weight"), _weights[head], null))];
    }

    private double[][] Attention(double[][] x, string block, int layer, double[] frequencies)
    {
        int count = x.Length, d = _config.HeadWidth, heads = _config.Heads, share = heads / (_config.KeyValueHeads > 0 ? _config.KeyValueHeads : heads);
        int window = _config.WindowOf(layer);
        double[][] q = [.. x.Select(v => Linear(v, $"{block}.self_attn.q_proj"))], k = [.. x.Select(v => Linear(v, $"{block}.self_attn.k_proj"))], v = [.. x.Select(w => Linear(w, $"{block}.self_attn.v_proj"))];
        for (int t = 0; t < count; t++)
        {
            Prepare(q[t], $"{block}.self_attn.q_norm.weight", t, frequencies);
            Prepare(k[t], $"{block}.self_attn.k_norm.weight", t, frequencies);
        }

        var result = new double[count][];
        for (int t = 0; t < count; t++)
        {
            var mixed = new double[heads * d];
            for (int h = 0; h < heads; h++)
            {
                int from = window > 0 ? Math.Max(0, t - window + 1) : 0, g = h / share;
                var scores = new double[t + 1 - from];
                for (int s = from; s <= t; s++)
                    scores[s - from] = PlainMath.Dot(q[t].AsSpan(h * d, d), k[s].AsSpan(g * d, d)) / Math.Sqrt(d);
                PlainMath.Softmax(scores);
                for (int s = from; s <= t; s++)
                {
                    for (int i = 0; i < d; i++)
                        mixed[(h * d) + i] += scores[s - from] * v[s][(g * d) + i];
                }
            }

            result[t] = Linear(mixed, $"{block}.self_attn.o_proj");
        }

        return result;
    }

    // Norm of each head where there is one, then rotation by position.
    private void Prepare(double[] heads, string norm, int position, double[] frequencies)
    {
        int d = _config.HeadWidth, half = frequencies.Length;
        for (int at = 0; at < heads.Length; at += d)
        {
            if (_config.NormalizeHeads)
                RmsNorm(heads[at..(at + d)], norm).CopyTo(heads, at);
            for (int i = 0; i < half; i++)
            {
                double cos = Math.Cos(position * frequencies[i]) * _rotary.AttentionFactor, sin = Math.Sin(position * frequencies[i]) * _rotary.AttentionFactor;
                double a = heads[at + i], b = heads[at + half + i];
                (heads[at + i], heads[at + half + i]) = ((a * cos) - (b * sin), (b * cos) + (a * sin));
            }
        }
    }

    private double[] RmsNorm(double[] x, string key)
    {
        double scale = 1 / Math.Sqrt((PlainMath.Dot(x, x) / x.Length) + _config.NormEpsilon);
        double[] weight = _weights[key];
        return [.. x.Select((value, i) => value * scale * weight[i])];
    }

    private double[] Row(string key, int index, int width) => _weights[key][(index * width)..((index + 1) * width)];

    private double[] Linear(double[] x, string key) => PlainMath.Linear(x, _weights[$"{key}.weight"], _weights.GetValueOrDefault($"{key}.bias"));
}
