namespace Candela.Training.Language.Reference;

/// <summary>The plain twin of <see cref="TransformerSeq2Seq"/> with sinusoids: loops in double precision over one pair, no cache, no masks but "not later".</summary>
internal sealed class ReferenceSeq2Seq
{
    private const double Epsilon = 1e-5;
    private readonly Seq2SeqConfig _config;
    private readonly Dictionary<string, double[]> _weights;

    public ReferenceSeq2Seq(TransformerSeq2Seq net)
    {
        _config = net.Config;
        _weights = net.AllParameters().ToDictionary(p => p.Key, p => Array.ConvertAll(TensorMemory.Read(p.Value), v => (double)v));
    }

    /// <summary>The logits after each target token.</summary>
    public double[][] Logits(IReadOnlyList<int> source, IReadOnlyList<int> target)
    {
        double[][] memory = Embed(source);
        for (int layer = 0; layer < _config.Layers; layer++)
        {
            string block = $"encoder.layers.{layer}";
            Attend(memory, $"{block}.self_attn", null, causal: false);
            Feed(memory, block);
        }

        memory = [.. memory.Select(x => Norm(x, "encoder.layer_norm"))];
        double[][] rows = Embed(target);
        for (int layer = 0; layer < _config.Layers; layer++)
        {
            string block = $"decoder.layers.{layer}";
            Attend(rows, $"{block}.self_attn", null, causal: true);
            Attend(rows, $"{block}.encoder_attn", memory, causal: false);
            Feed(rows, block);
        }

        return [.. rows.Select(x => PlainMath.Linear(Norm(x, "decoder.layer_norm"), _weights["shared.weight"], null))];
    }

    private double[][] Embed(IReadOnlyList<int> ids)
    {
        int width = _config.Width, half = width / 2;
        return [.. ids.Select((id, position) => (double[])[.. Enumerable.Range(0, width).Select(i =>
        {
            double angle = position / Math.Pow(10000, 2.0 * (i % half) / width);
            return (Math.Sqrt(width) * _weights["shared.weight"][(id * width) + i]) + (i < half ? Math.Sin(angle) : Math.Cos(angle));
        })])];
    }

    // Adds to every row what it sees of the memory, or of the rows themselves.
    private void Attend(double[][] rows, string key, double[][]? memory, bool causal)
    {
        double[][] normal = [.. rows.Select(x => Norm(x, $"{key}_layer_norm"))];
        double[][] keys = [.. (memory ?? normal).Select(x => Project(x, $"{key}.k_proj"))], values = [.. (memory ?? normal).Select(x => Project(x, $"{key}.v_proj"))];
        int head = _config.Width / _config.Heads;
        for (int t = 0; t < rows.Length; t++)
        {
            double[] query = Project(normal[t], $"{key}.q_proj");
            var mixed = new double[_config.Width];
            for (int h = 0; h < _config.Heads; h++)
            {
                int at = h * head, seen = causal ? t + 1 : keys.Length;
                double[] scores = [.. keys.Take(seen).Select(k => PlainMath.Dot(query.AsSpan(at, head), k.AsSpan(at, head)) / Math.Sqrt(head))];
                PlainMath.Softmax(scores);
                for (int s = 0; s < seen; s++)
                    for (int i = at; i < at + head; i++)
                        mixed[i] += scores[s] * values[s][i];
            }

            rows[t] = PlainMath.Add(rows[t], Project(mixed, $"{key}.out_proj"));
        }
    }

    private void Feed(double[][] rows, string block)
    {
        for (int t = 0; t < rows.Length; t++)
        {
            double[] wide = [.. Project(Norm(rows[t], $"{block}.final_layer_norm"), $"{block}.fc1").Select(v => Math.Max(0, v))];
            rows[t] = PlainMath.Add(rows[t], Project(wide, $"{block}.fc2"));
        }
    }

    private double[] Norm(double[] x, string key) => PlainMath.LayerNorm(x, _weights[$"{key}.weight"], _weights[$"{key}.bias"], Epsilon);

    private double[] Project(double[] x, string key) => PlainMath.Linear(x, _weights[$"{key}.weight"], _weights[$"{key}.bias"]);
}
