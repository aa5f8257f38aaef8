using System.Text.Json.Nodes;
using Candela.Training.Transformers;
using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>GPT-2: learned positions, layer norms before each half, GELU. Source: Radford et al. 2019; keys as Hugging Face's <c>GPT2LMHeadModel</c>.</summary>
public sealed record Gpt2Config : CausalLmConfig
{
    /// <summary>Creates a configuration with GPT-2's tied output matrix.</summary>
    public Gpt2Config() => (ModelType, TiedEmbeddings) = ("gpt2", true);

    /// <summary>Width inside the feed-forward block; 0 (default) means 4 x width.</summary>
    public int HiddenWidth { get; init; }

    /// <summary>Of the layer norms. Default 1e-5.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Inside the feed-forward block. Default GELU by tanh.</summary>
    public TransformerActivation Activation { get; init; } = TransformerActivation.GeluTanh;

    /// <summary>Of the sum of embeddings, in training. Default 0.1.</summary>
    public double EmbeddingDropout { get; init; } = 0.1;

    /// <summary>Of what each half of a block adds, in training. Default 0.1.</summary>
    public double ResidualDropout { get; init; } = 0.1;

    /// <summary>Of attention weights, in training. Default 0.1. Above 0 the fused attention kernel is not used while training.</summary>
    public double AttentionDropout { get; init; } = 0.1;

    /// <inheritdoc/>
    public override int CacheWidth => 2 * Width;

    internal override int HeadWidth => Width / Heads;

    internal int Hidden => HiddenWidth > 0 ? HiddenWidth : 4 * Width;

    /// <inheritdoc/>
    public override IEnumerable<TensorSpec> Tensors()
    {
        List<TensorSpec> all = [new("transformer.wte.weight", [VocabularySize, Width]), new("transformer.wpe.weight", [ContextLength, Width])];
        for (int i = 0; i < Layers; i++)
        {
            string block = $"transformer.h.{i}";
            all.AddRange(TensorSpec.Norm($"{block}.ln_1", Width));
            all.AddRange(Transposed($"{block}.attn.c_attn", Width, 3 * Width));
            all.AddRange(Transposed($"{block}.attn.c_proj", Width, Width));
            all.AddRange(TensorSpec.Norm($"{block}.ln_2", Width));
            all.AddRange(Transposed($"{block}.mlp.c_fc", Width, Hidden));
            all.AddRange(Transposed($"{block}.mlp.c_proj", Hidden, Width));
        }

        all.AddRange(TensorSpec.Norm("transformer.ln_f", Width));
        if (!TiedEmbeddings)
            all.Add(new TensorSpec("lm_head.weight", [VocabularySize, Width]));
        return all;
    }

    internal static Gpt2Config Read(ConfigReader json)
    {
        int width = json.Int("n_embd", 1, ConfigReader.MostWidth, 768), heads = json.Int("n_head", 1, ConfigReader.MostWidth, 12);
        if (width % heads != 0)
            throw json.Bad($"'n_embd' is {width} and 'n_head' {heads}: the heads must divide it.");
        foreach (string key in new[] { "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention" })
        {
            if (json.Bool(key, false))
                throw new FileFormatException(json.Path, Fault.Unsupported, $"'{key}' is true; only false is supported.");
        }

        if (!json.Bool("scale_attn_weights", true))
            throw new FileFormatException(json.Path, Fault.Unsupported, "'scale_attn_weights' is false; only true is supported.");
        IReadOnlyList<int> bos = json.Ids("bos_token_id"), pad = json.Ids("pad_token_id");
        return new Gpt2Config
        {
            Source = json.Json,
            VocabularySize = json.Int("vocab_size", 1, ConfigReader.MostVocabulary, 50257),
            ContextLength = json.Int(json.Has("n_positions") ? "n_positions" : "n_ctx", 1, ConfigReader.MostContext, 1024),
            Width = width,
            HiddenWidth = json.Int("n_inner", 1, 4 * ConfigReader.MostWidth, 4 * width),
            Layers = json.Int("n_layer", 1, ConfigReader.MostLayers, 12),
            Heads = heads,
            NormEpsilon = json.Number("layer_norm_epsilon", 1e-30, 1, 1e-5),
            Activation = json.Activation("activation_function", TransformerActivation.GeluTanh),
            EmbeddingDropout = json.Number("embd_pdrop", 0, 0.999, 0.1),
            ResidualDropout = json.Number("resid_pdrop", 0, 0.999, 0.1),
            AttentionDropout = json.Number("attn_pdrop", 0, 0.999, 0.1),
            InitializerRange = json.Number("initializer_range", 1e-9, 10, 0.02),
            TiedEmbeddings = json.Bool("tie_word_embeddings", true),
            BosId = bos.Count > 0 ? bos[0] : null,
            EosIds = json.Ids("eos_token_id"),
            PadId = pad.Count > 0 ? pad[0] : null,
        };
    }

    /// <inheritdoc/>
    public override JsonObject ToJson()
    {
        JsonObject json = Source?.DeepClone().AsObject() ?? new JsonObject { ["architectures"] = new JsonArray("GPT2LMHeadModel") };
        WriteTo(json);
        json["model_type"] = "gpt2";
        json["n_positions"] = ContextLength;
        json["n_ctx"] = ContextLength;
        json["n_embd"] = Width;
        json["n_inner"] = Hidden;
        json["n_layer"] = Layers;
        json["n_head"] = Heads;
        json["layer_norm_epsilon"] = NormEpsilon;
        json["activation_function"] = Activation.Id();
        json["embd_pdrop"] = EmbeddingDropout;
        json["resid_pdrop"] = ResidualDropout;
        json["attn_pdrop"] = AttentionDropout;
        return json;
    }

    internal override bool IsLookup(string key) => key is "transformer.wte.weight" or "transformer.wpe.weight";

    internal override string? KeyOf(string stored, IReadOnlySet<string> all)
    {
        if (stored.EndsWith(".attn.bias", StringComparison.Ordinal) || stored.EndsWith(".attn.masked_bias", StringComparison.Ordinal) || (TiedEmbeddings && stored == "lm_head.weight"))
            return null;
        return stored == "lm_head.weight" || stored.StartsWith("transformer.", StringComparison.Ordinal) ? stored : $"transformer.{stored}"; // the published file has no prefix
    }

    internal override CausalNetwork Network() => new Gpt2Model(this);

    /// <inheritdoc/>
    public override IReadOnlyList<string> AttentionProjections { get; } = ["c_attn", "attn.c_proj"];

    internal override bool IsHead(string key) => key.StartsWith("transformer.ln_f.", StringComparison.Ordinal) || key == (TiedEmbeddings ? "transformer.wte.weight" : "lm_head.weight");

    private static TensorSpec[] Transposed(string key, int inputs, int outputs) => [new($"{key}.weight", [inputs, outputs]), new($"{key}.bias", [outputs])];
}

/// <summary>x W + b with W stored [in, out], as GPT-2's "Conv1D".</summary>
internal sealed class TransposedDense(int inputs, int outputs, double deviation) : Layer, ILowRankHost
{
    private LayerParameter? _weight, _bias;

    public override string TypeId => "transposed-dense";

    LayerParameter ILowRankHost.Weight => _weight!;

    LayerParameter? ILowRankHost.Bias => _bias;

    bool ILowRankHost.IsTransposed => true;

    LowRankUpdate? ILowRankHost.Update { get; set; }

    public override Shape OutputShape(Shape input) => input.WithLast(outputs);

    public override double Flops(Shape input) => 2.0 * input.Elements * outputs;

    protected override void OnBuild(Shape input)
    {
        _weight = Parameter("weight", [inputs, outputs], Initializers.Normal(0, deviation), decays: true);
        _bias = Parameter("bias", [outputs], Initializers.Zeros, decays: false);
    }

    protected override Tensor Compute(Tensor input)
    {
        using Tensor turned = _weight!.Value.t();
        Tensor output = Bfloat16Products.Linear(input, turned, _bias!.Value);
        ((ILowRankHost)this).Update?.AddTo(output, input);
        return output;
    }
}

/// <summary>Attention with one projection for queries, keys and values.</summary>
internal sealed class Gpt2Attention : Layer
{
    private readonly int _heads;
    private readonly TransposedDense _project, _output;
    private readonly Dropout _dropout;

    public Gpt2Attention(Gpt2Config config)
    {
        _heads = config.Heads;
        _project = Child("c_attn", new TransposedDense(config.Width, 3 * config.Width, config.InitializerRange));
        _output = Child("c_proj", new TransposedDense(config.Width, config.Width, Gpt2Block.ResidualDeviation(config)));
        _dropout = Child("attn_dropout", new Dropout(config.AttentionDropout));
    }

    public override string TypeId => "gpt2-attention";

    public override Shape OutputShape(Shape input) => input;

    protected override void OnBuild(Shape input)
    {
        BuildChild(_project, input);
        BuildChild(_output, input);
        BuildChild(_dropout, input);
    }

    protected override Tensor Compute(Tensor input)
    {
        using var pass = new SequencePass((int)input.size(1), input);
        return Attend(input, pass, 0);
    }

    public AttentionParts Parts => new([_project], _output, _heads, _heads, InputShape!.Last / _heads) { Dropout = _dropout };

    public Tensor Attend(Tensor x, SequencePass pass, int layer)
    {
        long width = x.size(-1);
        using Tensor all = _project.call(x), q = all.narrow(-1, 0, width), k = all.narrow(-1, width, width), v = all.narrow(-1, 2 * width, width);
        using Tensor queries = AttentionOp.Split(q, _heads), keys = AttentionOp.Split(k, _heads), values = AttentionOp.Split(v, _heads);
        using Tensor mixed = Mix(queries, keys, values, pass, layer);
        return _output.call(mixed);
    }

    private Tensor Mix(Tensor queries, Tensor keys, Tensor values, SequencePass pass, int layer)
    {
        Tensor? mask = pass.Mask(0, 0);
        bool causal = mask is null && pass.Count > 1;
        if (pass.Cache is not { } cache)
            return AttentionOp.Attend(queries, keys, values, mask, causal, _dropout);
        cache.Write(layer, keys, values);
        int end = pass.Start + pass.Count;
        using Tensor allKeys = cache.Keys(layer, 0, end), allValues = cache.Values(layer, 0, end);
        return AttentionOp.Attend(queries, allKeys, allValues, mask, causal, _dropout);
    }
}

/// <summary>projection(act(fc(x))).</summary>
internal sealed class Gpt2Mlp : Layer
{
    private readonly int _hidden;
    private readonly TransformerActivation _activation;
    private readonly TransposedDense _wide, _output;

    public Gpt2Mlp(Gpt2Config config)
    {
        (_hidden, _activation) = (config.Hidden, config.Activation);
        _wide = Child("c_fc", new TransposedDense(config.Width, config.Hidden, config.InitializerRange));
        _output = Child("c_proj", new TransposedDense(config.Hidden, config.Width, Gpt2Block.ResidualDeviation(config)));
    }

    public override string TypeId => "gpt2-mlp";

    public override Shape OutputShape(Shape input) => input;

    protected override void OnBuild(Shape input)
    {
        BuildChild(_wide, input);
        BuildChild(_output, input.WithLast(_hidden));
    }

    public FeedForwardParts Parts => new(null, _wide, _output, _activation);

    protected override Tensor Compute(Tensor input)
    {
        using Tensor wide = _wide.call(input), active = _activation.Apply(wide);
        return _output.call(active);
    }
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
internal sealed class Gpt2Block : Layer, ICausalBlock
{
    private readonly LayerNorm _before, _between;
    private readonly Gpt2Attention _attention;
    private readonly Gpt2Mlp _mlp;
    private readonly Dropout _afterAttention, _afterMlp;

    public Gpt2Block(Gpt2Config config)
    {
        _before = Child("ln_1", new LayerNorm(config.NormEpsilon));
        _attention = Child("attn", new Gpt2Attention(config));
        _afterAttention = Child("resid_dropout_1", new Dropout(config.ResidualDropout));
        _between = Child("ln_2", new LayerNorm(config.NormEpsilon));
        _mlp = Child("mlp", new Gpt2Mlp(config));
        _afterMlp = Child("resid_dropout_2", new Dropout(config.ResidualDropout));
    }

    public override string TypeId => "gpt2-block";

    /// <summary>Of the matrices that write into the residual stream: 0.02 / sqrt(2 layers), from section 2.3 of Radford et al. 2019.</summary>
    public static double ResidualDeviation(Gpt2Config config) => config.InitializerRange / Math.Sqrt(2 * config.Layers);

    public override Shape OutputShape(Shape input) => input;

    protected override void OnBuild(Shape input)
    {
        foreach (Layer child in new Layer[] { _before, _attention, _afterAttention, _between, _mlp, _afterMlp })
            BuildChild(child, input);
    }

    protected override Tensor Compute(Tensor input)
    {
        using var pass = new SequencePass((int)input.size(1), input);
        return Run(input, pass, 0);
    }

    public BlockParts Parts => new(_before, _attention.Parts, _between, _mlp.Parts) { AttentionDropout = _afterAttention, FeedForwardDropout = _afterMlp };

    public Tensor Run(Tensor x, SequencePass pass, int layer)
    {
        using Tensor normal = _before.call(x), attended = _attention.Attend(normal, pass, layer), keptA = _afterAttention.call(attended), middle = x.add(keptA);
        using Tensor again = _between.call(middle), fed = _mlp.call(again), keptM = _afterMlp.call(fed);
        return middle.add(keptM);
    }
}

/// <summary>Embeddings, blocks and last norm: the keys that begin with <c>transformer.</c>.</summary>
internal sealed class Gpt2Body : CausalBody
{
    private readonly TokenEmbedding _positions;
    private readonly Dropout _dropout;
    private readonly BlockList<Gpt2Block> _blocks;
    private readonly LayerNorm _norm;

    public Gpt2Body(Gpt2Config config) : base(config.Width)
    {
        if (config.Width % config.Heads != 0)
            throw new UsageException($"GPT-2 needs a width that its heads divide; got {config.Width} and {config.Heads}.");
        Embedding = Child("wte", new TokenEmbedding(config.VocabularySize, config.Width, config.InitializerRange));
        _positions = Child("wpe", new TokenEmbedding(config.ContextLength, config.Width, config.InitializerRange));
        _dropout = Child("drop", new Dropout(config.EmbeddingDropout));
        _blocks = Child("h", new BlockList<Gpt2Block>(Enumerable.Range(0, config.Layers).Select(_ => new Gpt2Block(config))));
        _norm = Child("ln_f", new LayerNorm(config.NormEpsilon));
    }

    public override TokenEmbedding Embedding { get; }

    public override string TypeId => "gpt2-body";

    protected override void OnBuild(Shape input)
    {
        BuildChild(Embedding, input);
        BuildChild(_positions, input);
        foreach (Layer child in new Layer[] { _dropout, _blocks, _norm })
            BuildChild(child, OutputShape(input));
    }

    public override IReadOnlyList<ICausalBlock> Blocks => _blocks.Blocks;

    public override Layer Norm => _norm;

    public override TokenEmbedding Positions => _positions;

    public override Dropout EmbeddingDropout => _dropout;

    protected override Tensor Embed(Tensor ids, KvCache? cache)
    {
        using Tensor tokens = Embedding.call(ids), positions = _positions.Rows(cache?.Length ?? 0, (int)ids.size(1)), sum = tokens.add(positions);
        return _dropout.call(sum);
    }
}

/// <summary>The network of a <see cref="Gpt2Config"/>.</summary>
public sealed class Gpt2Model : CausalNetwork
{
    /// <summary>Creates it, unbuilt.</summary>
    public Gpt2Model(Gpt2Config config) : base(config, "transformer", new Gpt2Body(config))
    {
    }

    /// <inheritdoc/>
    public override string TypeId => "gpt2";
}
