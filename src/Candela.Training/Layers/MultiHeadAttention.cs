using System.Text.Json.Nodes;
using Candela.Training.Transformers;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>What a <see cref="MultiHeadAttention"/> is made of.</summary>
public sealed record AttentionOptions
{
    /// <summary>Query heads, at least 1.</summary>
    public required int Heads { get; init; }

    /// <summary>Key-value heads, a divisor of <see cref="Heads"/>. Default: as many.</summary>
    public int KeyValueHeads { get; init; }

    /// <summary>Numbers per head. Default: width / heads, which must be whole.</summary>
    public int HeadDimension { get; init; }

    /// <summary>Offsets of the query, key and value projections. Default none.</summary>
    public bool Bias { get; init; }

    /// <summary>Offset of the output projection. Default none.</summary>
    public bool OutputBias { get; init; }

    /// <summary>RMS norm of each head's queries and keys before they turn (Qwen3), keys <c>q_norm</c> and <c>k_norm</c>. Default none.</summary>
    public bool NormalizeHeads { get; init; }

    /// <summary>Epsilon of that norm. Default 1e-6.</summary>
    public double Epsilon { get; init; } = 1e-6;

    /// <summary>Rotation of queries and keys by position. Default none.</summary>
    public RotaryEmbedding? Rotary { get; init; }

    /// <summary>How many tokens back one sees, itself included (Mistral); 0, the default, for all.</summary>
    public int Window { get; init; }

    /// <summary>Of attention weights in training, 0 (default) up to but not 1. Above 0 the fused kernel is not used, because its noise can not be repeated.</summary>
    public double Dropout { get; init; }

    /// <summary>How the projections begin. Default normal with deviation 0.02.</summary>
    public Initializer? Initializer { get; init; }
}

/// <summary>Causal multi-head attention with grouped key-value heads: [T, width] -> [T, width]. Keys <c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c>, <c>o_proj</c> (<c>weight</c>, <c>bias</c>), as Hugging Face's Llama.
/// Sources: Vaswani et al. 2017; Ainslie et al. 2023 (grouped heads); checked against a double-precision twin.</summary>
public sealed class MultiHeadAttention : Layer
{
    private readonly AttentionOptions _options;
    private readonly int _keyValueHeads;
    private readonly Dropout? _dropout;
    private readonly RmsNorm? _queryNorm, _keyNorm;
    private Dense? _query, _key, _value, _output;

    /// <summary>Creates it.</summary>
    public MultiHeadAttention(AttentionOptions options)
    {
        _keyValueHeads = options.KeyValueHeads > 0 ? options.KeyValueHeads : options.Heads;
        if (options.Heads < 1 || options.Heads % _keyValueHeads != 0 || options.HeadDimension < 0 || options.Window < 0)
            throw new UsageException($"Attention needs 1 head or more and key-value heads that divide them; got {options.Heads} and {_keyValueHeads}.");
        _options = options;
        if (options.NormalizeHeads)
            (_queryNorm, _keyNorm) = (Child("q_norm", new RmsNorm(options.Epsilon)), Child("k_norm", new RmsNorm(options.Epsilon)));
        if (options.Dropout > 0)
            _dropout = Child("attn_dropout", new Dropout(options.Dropout));
    }

    /// <inheritdoc/>
    public override string TypeId => "multi-head-attention";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        if (input.Count != 2 || (_options.HeadDimension == 0 && input.Last % _options.Heads != 0))
            throw new ShapeException($"Attention with {_options.Heads} heads needs examples [tokens, width] whose width they divide; got {input}.");
        if (InputShape is { } built && built.Last != input.Last)
            throw new ShapeException($"Attention was built for examples of width {built.Last}; got {input}.");
        return input;
    }

    /// <inheritdoc/>
    public override double Flops(Shape input) => 4.0 * input[0] * input[0] * _options.Heads * HeadWidth(input.Last);

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        int width = input.Last, head = HeadWidth(width), tokens = input[0];
        Initializer initializer = _options.Initializer ?? Initializers.Normal(0, 0.02);
        if (_query is null)
        {
            _query = Child("q_proj", new Dense(_options.Heads * head, bias: _options.Bias, initializer: initializer));
            _key = Child("k_proj", new Dense(_keyValueHeads * head, bias: _options.Bias, initializer: initializer));
            _value = Child("v_proj", new Dense(_keyValueHeads * head, bias: _options.Bias, initializer: initializer));
            _output = Child("o_proj", new Dense(width, bias: _options.OutputBias, initializer: initializer));
        }

        BuildChild(_query, input);
        BuildChild(_key!, input);
        BuildChild(_value!, input);
        BuildChild(_output!, [tokens, _options.Heads * head]);
        if (_queryNorm is not null)
        {
            BuildChild(_queryNorm, [tokens, _options.Heads, head]);
            BuildChild(_keyNorm!, [tokens, _keyValueHeads, head]);
        }
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        using var pass = new SequencePass((int)input.size(1), input, _options.Rotary);
        return Attend(input, pass, 0);
    }

    internal override bool TakesOwnInput(string child) => true;

    internal override Shape? InnerInput(string child, Shape input) => child switch
    {
        "o_proj" => [input[0], _options.Heads * HeadWidth(input.Last)],
        "q_norm" => [input[0], _options.Heads, HeadWidth(input.Last)],
        "k_norm" => [input[0], _keyValueHeads, HeadWidth(input.Last)],
        _ => null,
    };

    /// <summary>[B, T, width] -> [B, T, width] within a pass; with a cache B is 1 and earlier tokens are seen too.</summary>
    internal Tensor Attend(Tensor x, SequencePass pass, int layer)
    {
        using Tensor queries = Heads(_query!, _queryNorm, x, _options.Heads, pass), keys = Heads(_key!, _keyNorm, x, _keyValueHeads, pass);
        using Tensor flat = _value!.call(x), values = AttentionOp.Split(flat, _keyValueHeads);
        using Tensor mixed = Mix(queries, keys, values, pass, layer);
        return _output!.call(mixed);
    }

    private Tensor Mix(Tensor queries, Tensor keys, Tensor values, SequencePass pass, int layer)
    {
        if (pass.Cache is not { } cache)
        {
            Tensor? window = pass.Mask(_options.Window, 0);
            return AttentionOp.Attend(queries, keys, values, window, window is null && pass.Count > 1, _dropout);
        }

        cache.Write(layer, keys, values);
        int end = pass.Start + pass.Count;
        int from = pass.Count == 1 && _options.Window > 0 ? Math.Max(0, end - _options.Window) : 0; // one token needs no mask if it is shown its window alone
        using Tensor allKeys = cache.Keys(layer, from, end - from), allValues = cache.Values(layer, from, end - from);
        Tensor? mask = pass.Mask(_options.Window, from);
        return AttentionOp.Attend(queries, allKeys, allValues, mask, mask is null && pass.Count > 1, _dropout);
    }

    private static Tensor Heads(Dense projection, RmsNorm? norm, Tensor x, int heads, SequencePass pass)
    {
        using Tensor flat = projection.call(x);
        Tensor split;
        if (norm is null)
        {
            split = AttentionOp.Split(flat, heads);
        }
        else
        {
            using Tensor apart = flat.view(x.size(0), x.size(1), heads, flat.size(2) / heads), normal = norm.call(apart);
            split = normal.transpose(1, 2);
        }

        if (pass.Cosines is null)
            return split;
        Tensor turned = RotaryEmbedding.Rotate(split, pass.Cosines, pass.Sines!);
        split.Dispose();
        return turned;
    }

    /// <summary>What it is made of.</summary>
    internal AttentionParts Parts => new([_query!, _key!, _value!], _output!, _options.Heads, _keyValueHeads, HeadWidth(InputShape!.Last))
    {
        QueryNorm = _queryNorm,
        KeyNorm = _keyNorm,
        Rotary = _options.Rotary,
        Window = _options.Window,
        Dropout = _dropout,
    };

    private int HeadWidth(int width) => _options.HeadDimension > 0 ? _options.HeadDimension : width / _options.Heads;

    internal override void WriteOptions(JsonObject options)
    {
        options["heads"] = _options.Heads;
        options["keyValueHeads"] = _keyValueHeads;
    }
}
