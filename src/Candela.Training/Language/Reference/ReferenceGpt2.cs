namespace Candela.Training.Language.Reference;

/// <summary>The plain twin of <see cref="Gpt2Model"/>: double precision, loops, no libtorch. For tests and for reading; slow.</summary>
public sealed class ReferenceGpt2
{
    private readonly Gpt2Config _config;
    private readonly Dictionary<string, double[]> _weights;

    /// <summary>Takes a configuration and its weights by the checkpoint's keys.</summary>
    public ReferenceGpt2(Gpt2Config config, IReadOnlyDictionary<string, float[]> weights) =>
        (_config, _weights) = (config, weights.ToDictionary(w => w.Key, w => Array.ConvertAll(w.Value, x => (double)x)));

    /// <summary>Logits after each token: [tokens][vocabulary].</summary>
    public double[][] Logits(IReadOnlyList<int> tokens)
    {
        int width = _config.Width, count = tokens.Count;
        double[] embedding = _weights["transformer.wte.weight"], positions = _weights["transformer.wpe.weight"];
        double[][] x = [.. tokens.Select((id, t) => PlainMath.Add(embedding[(id * width)..((id + 1) * width)], positions[(t * width)..((t + 1) * width)]))];
        for (int layer = 0; layer < _config.Layers; layer++)
        {
            string block = $"transformer.h.{layer}";
            double[][] all = [.. x.Select(v => Project(Norm(v, $"{block}.ln_1"), $"{block}.attn.c_attn"))];
            for (int t = 0; t < count; t++)
                x[t] = PlainMath.Add(x[t], Project(Attend(all, t), $"{block}.attn.c_proj"));
            for (int t = 0; t < count; t++)
            {
                double[] inner = Project(Norm(x[t], $"{block}.ln_2"), $"{block}.mlp.c_fc");
                x[t] = PlainMath.Add(x[t], Project([.. inner.Select(v => PlainMath.Activate(_config.Activation, v))], $"{block}.mlp.c_proj"));
            }
        }

        double[] head = _config.TiedEmbeddings ? embedding : _weights["lm_head.weight"];
        return [.. x.Select(v => PlainMath.Linear(Norm(v, "transformer.ln_f"), head, null))];
    }

    private double[] Attend(double[][] all, int t)
    {
        int width = _config.Width, d = width / _config.Heads;
        var mixed = new double[width];
        for (int h = 0; h < _config.Heads; h++)
        {
            var scores = new double[t + 1];
            for (int s = 0; s <= t; s++)
                scores[s] = PlainMath.Dot(all[t].AsSpan(h * d, d), all[s].AsSpan(width + (h * d), d)) / Math.Sqrt(d);
            PlainMath.Softmax(scores);
            for (int s = 0; s <= t; s++)
            {
                for (int i = 0; i < d; i++)
                    mixed[(h * d) + i] += scores[s] * all[s][(2 * width) + (h * d) + i];
            }
        }

        return mixed;
    }

    private double[] Norm(double[] x, string key) => PlainMath.LayerNorm(x, _weights[$"{key}.weight"], _weights[$"{key}.bias"], _config.NormEpsilon);

    private double[] Project(double[] x, string key) => PlainMath.TransposedLinear(x, _weights[$"{key}.weight"], _weights[$"{key}.bias"]);
}
