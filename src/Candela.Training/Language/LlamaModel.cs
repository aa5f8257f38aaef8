using System.Text.Json.Nodes;
using Candela.Training.Transformers;
using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>Llama and its kin: Llama 1 to 3, Mistral, Qwen2, Qwen3, SmolLM, TinyLlama. Source: Touvron et al. 2023; keys and defaults as Hugging Face's.</summary>
public sealed record LlamaConfig : CausalLmConfig
{
    /// <summary>Width inside the feed-forward block.</summary>
    public required int HiddenWidth { get; init; }

    /// <summary>Key-value heads, a divisor of the heads; 0 (default) means as many.</summary>
    public int KeyValueHeads { get; init; }

    /// <summary>Numbers per head; 0 (default) means width / heads.</summary>
    public int HeadDimension { get; init; }

    /// <summary>Of the RMS norms. Default 1e-6.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Base of the rotary frequencies. Default 10,000.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Share of a head's numbers that turn. Default all.</summary>
    public double RotaryShare { get; init; } = 1;

    /// <summary>Stretch of the rotary frequencies. Default none.</summary>
    public RopeScaling Scaling { get; init; } = new();

    /// <summary>Offsets of the query, key and value projections (Qwen2). Default none.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Offset of the attention's output projection. Default none.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Offsets of the feed-forward block. Default none.</summary>
    public bool MlpBias { get; init; }

    /// <summary>RMS norms of queries and keys (Qwen3). Default none.</summary>
    public bool NormalizeHeads { get; init; }

    /// <summary>Tokens back that one sees; 0 (default) for all.</summary>
    public int Window { get; init; }

    /// <summary>The layers from this one on have the window, unless <see cref="WindowLayers"/> names them. Default 0.</summary>
    public int FirstWindowLayer { get; init; }

    /// <summary>Of each layer, whether it has the window (<c>layer_types</c> of Qwen2 and Qwen3). Default null: by <see cref="FirstWindowLayer"/>.</summary>
    public IReadOnlyList<bool>? WindowLayers { get; init; }

    /// <summary>Of the gate. Default SiLU.</summary>
    public TransformerActivation Activation { get; init; }

    /// <summary>Of attention weights in training. Default 0.</summary>
    public double AttentionDropout { get; init; }

    /// <inheritdoc/>
    public override int CacheWidth => 2 * Groups * HeadWidth;

    internal override int HeadWidth => HeadDimension > 0 ? HeadDimension : Width / Heads;

    internal int Groups => KeyValueHeads > 0 ? KeyValueHeads : Heads;

    internal int WindowOf(int layer) => (WindowLayers?[layer] ?? layer >= FirstWindowLayer) ? Window : 0;

    internal int RotaryDimensions => (int)(HeadWidth * RotaryShare);

    /// <inheritdoc/>
    public override IEnumerable<TensorSpec> Tensors()
    {
        List<TensorSpec> all = [new("model.embed_tokens.weight", [VocabularySize, Width])];
        for (int i = 0; i < Layers; i++)
        {
            string block = $"model.layers.{i}";
            all.AddRange(TensorSpec.Linear($"{block}.self_attn.q_proj", Heads * HeadWidth, Width, AttentionBias));
            all.AddRange(TensorSpec.Linear($"{block}.self_attn.k_proj", Groups * HeadWidth, Width, AttentionBias));
            all.AddRange(TensorSpec.Linear($"{block}.self_attn.v_proj", Groups * HeadWidth, Width, AttentionBias));
            all.AddRange(TensorSpec.Linear($"{block}.self_attn.o_proj", Width, Heads * HeadWidth, OutputBias));
            if (NormalizeHeads)
                all.AddRange([new($"{block}.self_attn.q_norm.weight", [HeadWidth]), new($"{block}.self_attn.k_norm.weight", [HeadWidth])]);
            all.AddRange(TensorSpec.Linear($"{block}.mlp.gate_proj", HiddenWidth, Width, MlpBias));
            all.AddRange(TensorSpec.Linear($"{block}.mlp.up_proj", HiddenWidth, Width, MlpBias));
            all.AddRange(TensorSpec.Linear($"{block}.mlp.down_proj", Width, HiddenWidth, MlpBias));
            all.AddRange([new($"{block}.input_layernorm.weight", [Width]), new($"{block}.post_attention_layernorm.weight", [Width])]);
        }

        all.Add(new TensorSpec("model.norm.weight", [Width]));
        if (!TiedEmbeddings)
            all.Add(new TensorSpec("lm_head.weight", [VocabularySize, Width]));
        return all;
    }

    internal static LlamaConfig Read(ConfigReader json, string type)
    {
        int width = json.Int("hidden_size", 1, ConfigReader.MostWidth), heads = json.Int("num_attention_heads", 1, ConfigReader.MostWidth);
        int groups = json.Int("num_key_value_heads", 1, heads, heads), layers = json.Int("num_hidden_layers", 1, ConfigReader.MostLayers);
        int head = json.Int("head_dim", 1, 1 << 16, type == "qwen3" ? 128 : width / heads);
        if (!json.Has("head_dim") && type != "qwen3" && width % heads != 0)
            throw json.Bad($"'hidden_size' is {width} and 'num_attention_heads' {heads}: the heads must divide it where there is no 'head_dim'.");
        if (heads % groups != 0)
            throw json.Bad($"'num_key_value_heads' is {groups}; it must divide 'num_attention_heads', {heads}.");
        ConfigReader rope = json.Object("rope_parameters") is { } parameters ? json.Inner("rope_parameters", parameters) : json;
        double share = rope.Number("partial_rotary_factor", 0.01, 1, json.Number("partial_rotary_factor", 0.01, 1, 1));
        if ((int)(head * share) is var turning && (turning < 2 || turning % 2 != 0))
            throw json.Bad($"'head_dim' x 'partial_rotary_factor' is {turning}; rotary positions need an even number of 2 or more.");
        bool windowed = type == "mistral" || (type is "qwen2" or "qwen3" && json.Bool("use_sliding_window", false));
        int context = json.Int("max_position_embeddings", 1, ConfigReader.MostContext, 2048);
        RopeScaling scaling = Scale(json, context);
        IReadOnlyList<int> bos = json.Ids("bos_token_id"), pad = json.Ids("pad_token_id");
        bool biased = type == "qwen2" || json.Bool("attention_bias", false);
        return new LlamaConfig
        {
            ModelType = type,
            Source = json.Json,
            VocabularySize = json.Int("vocab_size", 1, ConfigReader.MostVocabulary),
            ContextLength = scaling.Kind == RopeScalingKind.Dynamic ? (int)Math.Min(ConfigReader.MostContext, context * scaling.Factor) : context,
            Width = width,
            HiddenWidth = json.Int("intermediate_size", 1, 4 * ConfigReader.MostWidth),
            Layers = layers,
            Heads = heads,
            KeyValueHeads = groups,
            HeadDimension = head,
            NormEpsilon = json.Number("rms_norm_eps", 1e-30, 1, 1e-6),
            RopeTheta = rope.Number("rope_theta", 1, 1e18, json.Number("rope_theta", 1, 1e18, 10_000)),
            RotaryShare = share,
            Scaling = scaling,
            TiedEmbeddings = json.Bool("tie_word_embeddings", false),
            AttentionBias = biased,
            OutputBias = type != "qwen2" && biased,
            MlpBias = json.Bool("mlp_bias", false),
            NormalizeHeads = type == "qwen3",
            Window = windowed ? json.Int("sliding_window", 1, int.MaxValue, 0) : 0,
            FirstWindowLayer = type == "mistral" ? 0 : json.Int("max_window_layers", 0, ConfigReader.MostLayers, 0),
            WindowLayers = LayerTypes(json, type, layers, windowed),
            Activation = json.Activation("hidden_act", TransformerActivation.Silu),
            AttentionDropout = json.Number("attention_dropout", 0, 0.999, 0),
            InitializerRange = json.Number("initializer_range", 1e-9, 10, 0.02),
            BosId = bos.Count > 0 ? bos[0] : null,
            EosIds = json.Ids("eos_token_id"),
            PadId = pad.Count > 0 ? pad[0] : null,
        };
    }

    /// <inheritdoc/>
    public override JsonObject ToJson()
    {
        JsonObject json = Source?.DeepClone().AsObject() ?? new JsonObject();
        WriteTo(json);
        string type = ModelType.Length > 0 ? ModelType : NormalizeHeads ? "qwen3" : AttentionBias && !OutputBias ? "qwen2" : Window > 0 ? "mistral" : "llama";
        json["model_type"] = type;
        json["architectures"] ??= new JsonArray($"{char.ToUpperInvariant(type[0])}{type[1..]}ForCausalLM");
        json["hidden_size"] = Width;
        json["intermediate_size"] = HiddenWidth;
        json["num_hidden_layers"] = Layers;
        json["num_attention_heads"] = Heads;
        json["num_key_value_heads"] = Groups;
        json["head_dim"] = HeadWidth;
        json["max_position_embeddings"] = Source?["max_position_embeddings"]?.DeepClone() ?? (Scaling is { Kind: RopeScalingKind.Dynamic, OriginalContextLength: > 0 } ? Scaling.OriginalContextLength : ContextLength);
        json["rms_norm_eps"] = NormEpsilon;
        json["hidden_act"] = Activation.Id();
        json["attention_dropout"] = AttentionDropout;
        if (json["rope_parameters"] is null)
        {
            json["rope_theta"] = RopeTheta;
            if (Scaling.Kind != RopeScalingKind.None && json["rope_scaling"] is null)
                json["rope_scaling"] = ScalingJson();
            if (RotaryShare != 1)
                json["partial_rotary_factor"] = RotaryShare;
        }

        if (type != "qwen2")
            json["attention_bias"] = AttentionBias;
        if (MlpBias || json["mlp_bias"] is not null)
            json["mlp_bias"] = MlpBias;
        if (Window > 0)
        {
            json["sliding_window"] = Window;
            if (type is "qwen2" or "qwen3")
                (json["use_sliding_window"], json["max_window_layers"]) = (true, FirstWindowLayer);
            if (WindowLayers is { } sliding)
                json["layer_types"] = new JsonArray([.. sliding.Select(s => (JsonNode?)(s ? "sliding_attention" : "full_attention"))]);
        }

        return json;
    }

    internal override bool IsLookup(string key) => key == "model.embed_tokens.weight";

    internal override string? KeyOf(string stored, IReadOnlySet<string> all)
    {
        if (stored.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (TiedEmbeddings && stored == "lm_head.weight"))
            return null;
        return stored == "lm_head.weight" || stored.StartsWith("model.", StringComparison.Ordinal) ? stored : $"model.{stored}"; // saved without its head
    }

    internal override CausalNetwork Network() => new LlamaModel(this);

    /// <inheritdoc/>
    public override IReadOnlyList<string> AttentionProjections { get; } = ["q_proj", "k_proj", "v_proj", "o_proj"];

    internal override bool IsHead(string key) => key == "model.norm.weight" || key == (TiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight");

    // Hugging Face heeds layer_types in Qwen only; another family that has them must say what it does anyway.
    private static bool[]? LayerTypes(ConfigReader json, string type, int layers, bool windowed)
    {
        const string Key = "layer_types", Full = "full_attention", Sliding = "sliding_attention";
        if (!json.Has(Key))
            return null;
        string?[] kinds = json.Json[Key] is JsonArray array ? [.. array.Select(k => k is JsonValue value && value.TryGetValue(out string? text) ? text : null)] : [];
        if (kinds.Length != layers)
            throw json.Bad($"'{Key}' has {kinds.Length} entries; one for each of the {layers} layers was needed.");
        if (kinds.FirstOrDefault(k => k is not (Full or Sliding), Full) is var odd && odd != Full)
            throw new FileFormatException(json.Path, Fault.Unsupported, $"'{Key}' holds '{odd}'; supported are {Full} and {Sliding}.");
        if (type is "qwen2" or "qwen3")
            return windowed ? [.. kinds.Select(k => k == Sliding)] : null;
        string usual = windowed && json.Has("sliding_window") ? Sliding : Full;
        return kinds.All(k => k == usual) ? null : throw new FileFormatException(json.Path, Fault.Unsupported, $"'{Key}' of a {type} model holds '{kinds.First(k => k != usual)}'; supported is {usual} in all layers.");
    }

    private static RopeScaling Scale(ConfigReader json, int context)
    {
        string key = json.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
        if (json.Object(key) is not { } scaling)
            return new RopeScaling();
        ConfigReader rope = json.Inner(key, scaling);
        string type = rope.String("rope_type") ?? rope.String("type") ?? "default";
        RopeScalingKind kind = type switch
        {
            "default" => RopeScalingKind.None,
            "linear" => RopeScalingKind.Linear,
            "dynamic" => RopeScalingKind.Dynamic,
            "llama3" => RopeScalingKind.Llama3,
            "yarn" => RopeScalingKind.Yarn,
            _ => throw new FileFormatException(rope.Path, Fault.Unsupported, $"'rope_type' is '{type}'; supported are default, linear, dynamic, llama3, yarn."),
        };
        if (kind == RopeScalingKind.None)
            return new RopeScaling();
        int original = rope.Int("original_max_position_embeddings", 1, ConfigReader.MostContext, 0);
        if (kind is not RopeScalingKind.Llama3 and not RopeScalingKind.Yarn)
            original = 0; // their rule is by the model's own context
        double factor = rope.Number("factor", 1, 1e6, original > 0 ? (double)context / original : double.NaN);
        if (double.IsNaN(factor))
            throw rope.Bad("'factor' is missing; a number of 1 or more was needed.");
        var result = new RopeScaling
        {
            Kind = kind,
            Factor = factor,
            OriginalContextLength = original > 0 ? original : context,
            LowFrequencyFactor = rope.Number("low_freq_factor", 1e-3, 1e6, 1),
            HighFrequencyFactor = rope.Number("high_freq_factor", 1e-3, 1e6, 4),
            BetaFast = rope.Number("beta_fast", 1e-3, 1e6, 32),
            BetaSlow = rope.Number("beta_slow", 1e-3, 1e6, 1),
            AttentionFactor = rope.Has("attention_factor") ? rope.Number("attention_factor", 1e-6, 1e6, 1) : null,
            MScale = rope.Number("mscale", 0, 1e6, 0),
            MScaleAllDimensions = rope.Number("mscale_all_dim", 0, 1e6, 0),
            Truncate = rope.Bool("truncate", true),
        };
        return kind != RopeScalingKind.Llama3 || result.HighFrequencyFactor > result.LowFrequencyFactor ? result
            : throw rope.Bad($"'high_freq_factor' is {result.HighFrequencyFactor}; it must be above 'low_freq_factor', {result.LowFrequencyFactor}.");
    }

    private JsonObject ScalingJson()
    {
        var json = new JsonObject { ["rope_type"] = Scaling.Kind.ToString().ToLowerInvariant(), ["factor"] = Scaling.Factor };
        if (Scaling.Kind is RopeScalingKind.Llama3 or RopeScalingKind.Yarn && Scaling.OriginalContextLength > 0)
            json["original_max_position_embeddings"] = Scaling.OriginalContextLength;
        if (Scaling.Kind == RopeScalingKind.Llama3)
            (json["low_freq_factor"], json["high_freq_factor"]) = (Scaling.LowFrequencyFactor, Scaling.HighFrequencyFactor);
        if (Scaling.Kind == RopeScalingKind.Yarn)
        {
            (json["beta_fast"], json["beta_slow"], json["truncate"]) = (Scaling.BetaFast, Scaling.BetaSlow, Scaling.Truncate);
            if (Scaling.AttentionFactor is { } attention)
                json["attention_factor"] = attention;
            if (Scaling.MScale > 0)
                (json["mscale"], json["mscale_all_dim"]) = (Scaling.MScale, Scaling.MScaleAllDimensions);
        }

        return json;
    }
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
internal sealed class LlamaBlock : Layer, ICausalBlock
{
    private readonly RmsNorm _before, _between;
    private readonly MultiHeadAttention _attention;
    private readonly SwiGlu _mlp;

    public LlamaBlock(LlamaConfig config, int index, RotaryEmbedding rotary)
    {
        Initializer initializer = Initializers.Normal(0, config.InitializerRange); // Hugging Face's: one deviation for all matrices
        _attention = Child("self_attn", new MultiHeadAttention(new AttentionOptions
        {
            Heads = config.Heads,
            KeyValueHeads = config.Groups,
            HeadDimension = config.HeadWidth,
            Bias = config.AttentionBias,
            OutputBias = config.OutputBias,
            NormalizeHeads = config.NormalizeHeads,
            Epsilon = config.NormEpsilon,
            Rotary = rotary,
            Window = config.WindowOf(index),
            Dropout = config.AttentionDropout,
            Initializer = initializer,
        }));
        _mlp = Child("mlp", new SwiGlu(config.HiddenWidth, config.MlpBias, config.Activation, initializer));
        _before = Child("input_layernorm", new RmsNorm(config.NormEpsilon));
        _between = Child("post_attention_layernorm", new RmsNorm(config.NormEpsilon));
    }

    public override string TypeId => "llama-block";

    public override Shape OutputShape(Shape input) => input;

    protected override void OnBuild(Shape input)
    {
        BuildChild(_attention, input);
        BuildChild(_mlp, input);
        BuildChild(_before, input);
        BuildChild(_between, input);
    }

    protected override Tensor Compute(Tensor input) => throw new ShapeException("A block runs within its model.");

    public BlockParts Parts => new(_before, _attention.Parts, _between, _mlp.Parts);

    public Tensor Run(Tensor x, SequencePass pass, int layer)
    {
        using Tensor normal = _before.call(x), attended = _attention.Attend(normal, pass, layer), middle = x.add(attended);
        using Tensor again = _between.call(middle), fed = _mlp.call(again);
        return middle.add(fed);
    }
}

/// <summary>Embeddings, blocks and last norm: the keys that begin with <c>model.</c>.</summary>
internal sealed class LlamaBody : CausalBody
{
    private readonly RotaryEmbedding _rotary;
    private readonly BlockList<LlamaBlock> _blocks;
    private readonly RmsNorm _norm;

    public LlamaBody(LlamaConfig config) : base(config.Width)
    {
        _rotary = new RotaryEmbedding(config.RotaryDimensions, config.RopeTheta, config.ContextLength, config.Scaling);
        Embedding = Child("embed_tokens", new TokenEmbedding(config.VocabularySize, config.Width, config.InitializerRange, config.PadId));
        _blocks = Child("layers", new BlockList<LlamaBlock>(Enumerable.Range(0, config.Layers).Select(i => new LlamaBlock(config, i, _rotary))));
        _norm = Child("norm", new RmsNorm(config.NormEpsilon));
    }

    public override TokenEmbedding Embedding { get; }

    public override string TypeId => "llama-body";

    protected override void OnBuild(Shape input)
    {
        BuildChild(Embedding, input);
        BuildChild(_blocks, OutputShape(input));
        BuildChild(_norm, OutputShape(input));
    }

    public override IReadOnlyList<ICausalBlock> Blocks => _blocks.Blocks;

    public override Layer Norm => _norm;

    public override RotaryEmbedding Rotary => _rotary;

    protected override Tensor Embed(Tensor ids, KvCache? cache) => Embedding.call(ids);
}

/// <summary>The network of a <see cref="LlamaConfig"/>.</summary>
public sealed class LlamaModel : CausalNetwork
{
    /// <summary>Creates it, unbuilt.</summary>
    public LlamaModel(LlamaConfig config) : base(config, "model", new LlamaBody(config))
    {
    }

    /// <inheritdoc/>
    public override string TypeId => "llama";
}
