using System.Text.Json.Nodes;

namespace Candela.Training.Language;

/// <summary>What stands on an encoder.</summary>
public enum BertHead
{
    /// <summary>Nothing: hidden states, and the pooled first token where the family has it.</summary>
    None,

    /// <summary>Masked tokens and next sentence (BERT's own pre-training).</summary>
    PreTraining,

    /// <summary>Masked tokens.</summary>
    MaskedLanguage,

    /// <summary>Whether the second text follows the first (BERT only).</summary>
    NextSentence,

    /// <summary>One label for a text.</summary>
    SequenceClassification,

    /// <summary>One label for each token.</summary>
    TokenClassification,
}

/// <summary>BERT, DistilBERT and RoBERTa: encoders that see both directions. Sources: Devlin et al. 2019; Sanh et al. 2019; Liu et al. 2019; keys as Hugging Face's.</summary>
public sealed record BertConfig : TransformerConfig
{
    /// <summary>Creates a configuration of BERT.</summary>
    public BertConfig() => (ModelType, TiedEmbeddings) = ("bert", true);

    /// <summary>Width inside the feed-forward blocks.</summary>
    public required int HiddenWidth { get; init; }

    /// <summary>Number of segment ids; 0 for none (DistilBERT).</summary>
    public int TokenTypes { get; init; } = 2;

    /// <summary>Of the layer norms. Default 1e-12.</summary>
    public double NormEpsilon { get; init; } = 1e-12;

    /// <summary>Of embeddings and of what each half of a block adds, in training. Default 0.1.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Of attention weights, in training. Default 0.1.</summary>
    public double AttentionDropout { get; init; } = 0.1;

    /// <summary>Before a classifier, in training; null (default) takes <see cref="Dropout"/>.</summary>
    public double? ClassifierDropout { get; init; }

    /// <summary>Inside the feed-forward blocks. Default GELU with erf.</summary>
    public TransformerActivation Activation { get; init; } = TransformerActivation.Gelu;

    /// <summary>What stands on it. Default nothing.</summary>
    public BertHead Head { get; init; }

    /// <summary>The classes of a classification head, by index. Default two.</summary>
    public IReadOnlyList<string> Labels { get; init; } = ["LABEL_0", "LABEL_1"];

    /// <inheritdoc/>
    public override int CacheWidth => 0;

    internal override int HeadWidth => Width / Heads;

    internal BertNames Names => BertNames.Of(ModelType);

    /// <summary>Rows of the position table: RoBERTa's begins behind the padding id.</summary>
    internal int PositionRows => ContextLength + PositionOffset;

    internal int PositionOffset => IsRoberta ? Padding + 1 : 0;

    internal int Padding => PadId ?? (IsRoberta ? 1 : 0);

    internal bool IsRoberta => ModelType is "roberta" or "xlm-roberta";

    internal bool HasPooler => ModelType != "distilbert" && (IsRoberta ? Head == BertHead.None : Head is BertHead.None or BertHead.PreTraining or BertHead.NextSentence or BertHead.SequenceClassification);

    internal string Prefix => $"{Names.Family}."; // for a bare encoder too; both spellings are read

    /// <inheritdoc/>
    public override IEnumerable<TensorSpec> Tensors()
    {
        BertNames names = Names;
        List<TensorSpec> all = [new($"{Prefix}embeddings.word_embeddings.weight", [VocabularySize, Width]), new($"{Prefix}embeddings.position_embeddings.weight", [PositionRows, Width])];
        if (TokenTypes > 0)
            all.Add(new TensorSpec($"{Prefix}embeddings.token_type_embeddings.weight", [TokenTypes, Width]));
        all.AddRange(TensorSpec.Norm($"{Prefix}embeddings.LayerNorm", Width));
        for (int i = 0; i < Layers; i++)
        {
            string block = $"{Prefix}{names.Blocks}.{i}.";
            foreach (string name in new[] { names.Query, names.Key, names.Value, names.Output })
                all.AddRange(TensorSpec.Linear(block + name, Width, Width, bias: true));
            all.AddRange(TensorSpec.Norm(block + names.AttentionNorm, Width));
            all.AddRange(TensorSpec.Linear(block + names.Wide, HiddenWidth, Width, bias: true));
            all.AddRange(TensorSpec.Linear(block + names.Narrow, Width, HiddenWidth, bias: true));
            all.AddRange(TensorSpec.Norm(block + names.OutputNorm, Width));
        }

        if (HasPooler)
            all.AddRange(TensorSpec.Linear($"{Prefix}pooler.dense", Width, Width, bias: true));
        if (Head is BertHead.PreTraining or BertHead.MaskedLanguage)
        {
            all.AddRange(TensorSpec.Linear(names.MaskedDense, Width, Width, bias: true));
            all.AddRange(TensorSpec.Norm(names.MaskedNorm, Width));
            all.Add(new TensorSpec(names.MaskedBias, [VocabularySize]));
        }

        if (Head is BertHead.PreTraining or BertHead.NextSentence)
            all.AddRange(TensorSpec.Linear("cls.seq_relationship", 2, Width, bias: true));
        if (Head == BertHead.SequenceClassification && names.ClassDense is { } dense)
            all.AddRange(TensorSpec.Linear(dense, Width, Width, bias: true));
        if (Head == BertHead.SequenceClassification)
            all.AddRange(TensorSpec.Linear(names.ClassOutput, Labels.Count, Width, bias: true));
        if (Head == BertHead.TokenClassification)
            all.AddRange(TensorSpec.Linear("classifier", Labels.Count, Width, bias: true));
        return all;
    }

    internal static BertConfig Read(ConfigReader json, string type)
    {
        bool distilled = type == "distilbert", roberta = type is "roberta" or "xlm-roberta";
        string widthKey = distilled ? "dim" : "hidden_size", headsKey = distilled ? "n_heads" : "num_attention_heads";
        int width = json.Int(widthKey, 1, ConfigReader.MostWidth, 768), heads = json.Int(headsKey, 1, ConfigReader.MostWidth, 12);
        if (width % heads != 0)
            throw json.Bad($"'{widthKey}' is {width} and '{headsKey}' {heads}: the heads must divide it.");
        if (json.String("position_embedding_type") is { } positions and not "absolute")
            throw new FileFormatException(json.Path, Fault.Unsupported, $"'position_embedding_type' is '{positions}'; only 'absolute' is supported.");
        if (json.Bool("is_decoder", false))
            throw new FileFormatException(json.Path, Fault.Unsupported, "'is_decoder' is true; only encoders are supported.");
        IReadOnlyList<int> pad = json.Ids("pad_token_id"), bos = json.Ids("bos_token_id");
        int padding = pad.Count > 0 ? pad[0] : roberta ? 1 : 0, rows = json.Int("max_position_embeddings", 1, ConfigReader.MostContext, 512);
        if (roberta && rows <= padding + 1)
            throw json.Bad($"'max_position_embeddings' is {rows}; positions begin behind 'pad_token_id', {padding}, so more than {padding + 1} were needed.");
        string? dropoutKey = distilled ? "seq_classif_dropout" : "classifier_dropout";
        return new BertConfig
        {
            ModelType = type,
            Source = json.Json,
            VocabularySize = json.Int("vocab_size", 1, ConfigReader.MostVocabulary, 30522),
            ContextLength = roberta ? rows - padding - 1 : rows,
            Width = width,
            HiddenWidth = json.Int(distilled ? "hidden_dim" : "intermediate_size", 1, 4 * ConfigReader.MostWidth, 3072),
            Layers = json.Int(distilled ? "n_layers" : "num_hidden_layers", 1, ConfigReader.MostLayers, 12),
            Heads = heads,
            TokenTypes = distilled ? 0 : json.Int("type_vocab_size", 1, 1 << 16, 2),
            NormEpsilon = json.Number("layer_norm_eps", 1e-30, 1, roberta ? 1e-5 : 1e-12),
            Dropout = json.Number(distilled ? "dropout" : "hidden_dropout_prob", 0, 0.999, 0.1),
            AttentionDropout = json.Number(distilled ? "attention_dropout" : "attention_probs_dropout_prob", 0, 0.999, 0.1),
            ClassifierDropout = json.Has(dropoutKey) ? json.Number(dropoutKey, 0, 0.999, 0.1) : null,
            Activation = json.Activation(distilled ? "activation" : "hidden_act", TransformerActivation.Gelu),
            InitializerRange = json.Number("initializer_range", 1e-9, 10, 0.02),
            PadId = padding,
            BosId = bos.Count > 0 ? bos[0] : null,
            EosIds = json.Ids("eos_token_id"),
            Head = HeadOf(json),
            Labels = ReadLabels(json),
        };
    }

    /// <inheritdoc/>
    public override JsonObject ToJson()
    {
        JsonObject json = Source?.DeepClone().AsObject() ?? new JsonObject();
        bool distilled = ModelType == "distilbert";
        WriteTo(json);
        json["pad_token_id"] = Padding;
        string family = ModelType switch { "distilbert" => "DistilBert", "roberta" => "Roberta", "xlm-roberta" => "XLMRoberta", _ => "Bert" };
        json["architectures"] = new JsonArray(family + Head switch
        {
            BertHead.PreTraining => "ForPreTraining",
            BertHead.MaskedLanguage => "ForMaskedLM",
            BertHead.NextSentence => "ForNextSentencePrediction",
            BertHead.SequenceClassification => "ForSequenceClassification",
            BertHead.TokenClassification => "ForTokenClassification",
            _ => "Model",
        });
        json[distilled ? "dim" : "hidden_size"] = Width;
        json[distilled ? "hidden_dim" : "intermediate_size"] = HiddenWidth;
        json[distilled ? "n_layers" : "num_hidden_layers"] = Layers;
        json[distilled ? "n_heads" : "num_attention_heads"] = Heads;
        json["max_position_embeddings"] = PositionRows;
        if (!distilled)
            json["type_vocab_size"] = TokenTypes;
        json["layer_norm_eps"] = NormEpsilon;
        json[distilled ? "dropout" : "hidden_dropout_prob"] = Dropout;
        json[distilled ? "attention_dropout" : "attention_probs_dropout_prob"] = AttentionDropout;
        if (ClassifierDropout is { } dropout)
            json[distilled ? "seq_classif_dropout" : "classifier_dropout"] = dropout;
        json[distilled ? "activation" : "hidden_act"] = Activation.Id();
        if (Head is BertHead.SequenceClassification or BertHead.TokenClassification)
        {
            json["id2label"] = new JsonObject(Labels.Select((label, i) => new KeyValuePair<string, JsonNode?>(i.ToString(System.Globalization.CultureInfo.InvariantCulture), label)));
            json["label2id"] = new JsonObject(Labels.Select((label, i) => new KeyValuePair<string, JsonNode?>(label, i)));
        }

        return json;
    }

    internal override bool IsLookup(string key) => key.Contains("embeddings.", StringComparison.Ordinal) && key.EndsWith("_embeddings.weight", StringComparison.Ordinal);

    /// <summary>True for what a checkpoint of the bare encoder lacks: it begins anew when a model is fine-tuned for another task.</summary>
    internal bool IsHead(string key) => !key.StartsWith($"{Prefix}embeddings.", StringComparison.Ordinal) && !key.StartsWith($"{Prefix}{Names.Blocks}.", StringComparison.Ordinal);

    internal override string? KeyOf(string stored, IReadOnlySet<string> all)
    {
        string prefix = $"{Names.Family}.", key = stored;
        if (key.EndsWith(".gamma", StringComparison.Ordinal))
            key = key[..^5] + "weight"; // as the first checkpoints, converted from TensorFlow, spell norms
        else if (key.EndsWith(".beta", StringComparison.Ordinal))
            key = key[..^4] + "bias";
        bool within = key.StartsWith(prefix, StringComparison.Ordinal);
        string bare = within ? key[prefix.Length..] : key;
        if (bare is "embeddings.position_ids" or "embeddings.token_type_ids" || Names.Repeated.Contains(key))
            return null;
        bool body = within || bare.StartsWith("embeddings.", StringComparison.Ordinal) || bare.StartsWith($"{Names.Blocks}.", StringComparison.Ordinal) || bare.StartsWith("pooler.", StringComparison.Ordinal);
        if (body)
            return bare.StartsWith("pooler.", StringComparison.Ordinal) && !HasPooler ? null : Prefix + bare;
        return Head == BertHead.None && BertNames.IsKnownHead(key) ? null : key;
    }

    private static BertHead HeadOf(ConfigReader json)
    {
        string name = json.Json["architectures"] is JsonArray { Count: > 0 } list && list[0] is JsonValue value && value.TryGetValue(out string? text) ? text : "";
        return name switch
        {
            _ when name.EndsWith("ForPreTraining", StringComparison.Ordinal) => BertHead.PreTraining,
            _ when name.EndsWith("ForMaskedLM", StringComparison.Ordinal) => BertHead.MaskedLanguage,
            _ when name.EndsWith("ForNextSentencePrediction", StringComparison.Ordinal) => BertHead.NextSentence,
            _ when name.EndsWith("ForSequenceClassification", StringComparison.Ordinal) => BertHead.SequenceClassification,
            _ when name.EndsWith("ForTokenClassification", StringComparison.Ordinal) => BertHead.TokenClassification,
            _ => BertHead.None,
        };
    }

    private static string[] ReadLabels(ConfigReader json)
    {
        int count = json.Int("num_labels", 1, 1 << 20, 2);
        if (json.Object("id2label") is not { Count: > 0 } names)
            return [.. Enumerable.Range(0, count).Select(i => $"LABEL_{i}")];
        var labels = new string[names.Count];
        foreach ((string id, JsonNode? node) in names)
        {
            if (!int.TryParse(id, out int index) || index < 0 || index >= labels.Length || node is not JsonValue value || !value.TryGetValue(out string? label))
                throw json.Bad($"'id2label' has the entry '{id}'; the numbers 0 to {labels.Length - 1}, each with a text, were needed.");
            labels[index] = label;
        }

        return labels;
    }
}

/// <summary>How a family calls its parts.</summary>
internal sealed record BertNames(
    string Family, string Blocks, string Query, string Key, string Value, string Output, string AttentionNorm, string Wide, string Narrow, string OutputNorm,
    string MaskedDense, string MaskedNorm, string MaskedBias, string? ClassDense, string ClassOutput, IReadOnlyList<string> Repeated)
{
    private static readonly BertNames Bert = new(
        "bert", "encoder.layer", "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm",
        "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias", null, "classifier", ["cls.predictions.decoder.weight", "cls.predictions.decoder.bias"]);

    private static readonly BertNames Roberta = Bert with
    {
        Family = "roberta",
        MaskedDense = "lm_head.dense",
        MaskedNorm = "lm_head.layer_norm",
        MaskedBias = "lm_head.bias",
        ClassDense = "classifier.dense",
        ClassOutput = "classifier.out_proj",
        Repeated = ["lm_head.decoder.weight", "lm_head.decoder.bias"],
    };

    private static readonly BertNames Distilled = new(
        "distilbert", "transformer.layer", "attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm",
        "vocab_transform", "vocab_layer_norm", "vocab_projector.bias", "pre_classifier", "classifier", ["vocab_projector.weight"]);

    public static BertNames Of(string type) => type switch { "distilbert" => Distilled, "roberta" or "xlm-roberta" => Roberta, _ => Bert };

    /// <summary>True for a tensor of some head of the family.</summary>
    public static bool IsKnownHead(string key) => key.StartsWith("cls.", StringComparison.Ordinal) || key.StartsWith("lm_head.", StringComparison.Ordinal) || key.StartsWith("vocab_", StringComparison.Ordinal)
        || key.StartsWith("classifier.", StringComparison.Ordinal) || key.StartsWith("pre_classifier.", StringComparison.Ordinal) || key.StartsWith("qa_outputs.", StringComparison.Ordinal);
}
