namespace Candela.Training.Language.Reference;

/// <summary>The plain twin of <see cref="BertModel"/> for one text: double precision, loops, no libtorch. For tests and for reading; slow.</summary>
public sealed class ReferenceBert
{
    private readonly BertConfig _config;
    private readonly Dictionary<string, double[]> _weights;

    /// <summary>Takes a configuration and its weights by the checkpoint's keys.</summary>
    public ReferenceBert(BertConfig config, IReadOnlyDictionary<string, float[]> weights) =>
        (_config, _weights) = (config, weights.ToDictionary(w => w.Key, w => Array.ConvertAll(w.Value, x => (double)x)));

    /// <summary>Hidden states of the first tokens, [length][width]; later tokens are padding and neither seen nor returned.</summary>
    public double[][] Hidden(IReadOnlyList<int> ids, IReadOnlyList<int>? types, int length)
    {
        string prefix = _config.Prefix;
        var x = new double[length][];
        for (int t = 0, real = 0; t < length; t++)
        {
            bool roberta = _config.ModelType is "roberta" or "xlm-roberta", padding = roberta && ids[t] == _config.Padding;
            int position = !roberta ? t : padding ? _config.Padding : _config.Padding + ++real;
            x[t] = PlainMath.Add(Row("word_embeddings", ids[t]), Row("position_embeddings", position));
            if (_config.TokenTypes > 0)
                x[t] = PlainMath.Add(x[t], Row("token_type_embeddings", types?[t] ?? 0));
            x[t] = Norm(x[t], $"{prefix}embeddings.LayerNorm");
        }

        BertNames names = _config.Names;
        for (int layer = 0; layer < _config.Layers; layer++)
        {
            string block = $"{prefix}{names.Blocks}.{layer}.";
            double[][] q = [.. x.Select(v => Linear(v, block + names.Query))], k = [.. x.Select(v => Linear(v, block + names.Key))], v = [.. x.Select(w => Linear(w, block + names.Value))];
            double[][] mixed = [.. q.Select(query => Mix(query, k, v))];
            for (int t = 0; t < length; t++)
            {
                x[t] = Norm(PlainMath.Add(x[t], Linear(mixed[t], block + names.Output)), block + names.AttentionNorm);
                double[] wide = [.. Linear(x[t], block + names.Wide).Select(w => PlainMath.Activate(_config.Activation, w))];
                x[t] = Norm(PlainMath.Add(x[t], Linear(wide, block + names.Narrow)), block + names.OutputNorm);
            }
        }

        return x;
    }

    /// <summary>The pooled first token, [width].</summary>
    public double[] Pooled(double[][] hidden) => [.. Linear(hidden[0], $"{_config.Prefix}pooler.dense").Select(Math.Tanh)];

    /// <summary>Scores of masked tokens after each token, [length][vocabulary].</summary>
    public double[][] MaskedLogits(double[][] hidden) =>
    [
        .. hidden.Select(h => PlainMath.Linear(
            Norm([.. Linear(h, _config.Names.MaskedDense).Select(v => PlainMath.Activate(_config.Activation, v))], _config.Names.MaskedNorm),
            _weights[$"{_config.Prefix}embeddings.word_embeddings.weight"], _weights[_config.Names.MaskedBias])),
    ];

    /// <summary>Scores of the labels of the text, [labels].</summary>
    public double[] LabelLogits(double[][] hidden) => _config.ModelType switch
    {
        "bert" => Linear(Pooled(hidden), "classifier"),
        "distilbert" => Linear([.. Linear(hidden[0], "pre_classifier").Select(v => Math.Max(0, v))], "classifier"),
        _ => Linear([.. Linear(hidden[0], "classifier.dense").Select(Math.Tanh)], "classifier.out_proj"),
    };

    private double[] Mix(double[] query, double[][] keys, double[][] values)
    {
        int d = _config.Width / _config.Heads;
        var mixed = new double[query.Length];
        for (int h = 0; h < _config.Heads; h++)
        {
            double[] scores = [.. keys.Select(k => PlainMath.Dot(query.AsSpan(h * d, d), k.AsSpan(h * d, d)) / Math.Sqrt(d))];
            PlainMath.Softmax(scores);
            for (int s = 0; s < scores.Length; s++)
            {
                for (int i = 0; i < d; i++)
                    mixed[(h * d) + i] += scores[s] * values[s][(h * d) + i];
            }
        }

        return mixed;
    }

    private double[] Row(string table, int index) => _weights[$"{_config.Prefix}embeddings.{table}.weight"][(index * _config.Width)..((index + 1) * _config.Width)];

    private double[] Norm(double[] x, string key) => PlainMath.LayerNorm(x, _weights[$"{key}.weight"], _weights[$"{key}.bias"], _config.NormEpsilon);

    private double[] Linear(double[] x, string key) => PlainMath.Linear(x, _weights[$"{key}.weight"], _weights[$"{key}.bias"]);
}
