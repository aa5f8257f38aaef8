using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>x + self_attn(norm(x)); in the decoder + encoder_attn(norm(x)) over what the encoder read; + fc2(relu(fc1(norm(x)))).</summary>
internal sealed class Seq2SeqBlock : Layer
{
    private readonly int _width;
    private readonly SourceAttention _self;
    private readonly SourceAttention? _cross;
    private readonly LayerNorm _selfNorm, _norm;
    private readonly LayerNorm? _crossNorm;
    private readonly Dense _wide, _narrow;
    private readonly Dropout _dropout;

    public Seq2SeqBlock(Seq2SeqConfig config, bool writes)
    {
        _width = config.Width;
        _selfNorm = Child("self_attn_layer_norm", new LayerNorm());
        _self = Child("self_attn", new SourceAttention(config.Width, config.Heads));
        if (writes)
        {
            _crossNorm = Child("encoder_attn_layer_norm", new LayerNorm());
            _cross = Child("encoder_attn", new SourceAttention(config.Width, config.Heads));
        }

        _norm = Child("final_layer_norm", new LayerNorm());
        _wide = Child("fc1", new Dense(config.Hidden, ActivationKind.Relu));
        _narrow = Child("fc2", new Dense(config.Width, initializer: Initializers.XavierUniform));
        _dropout = Child("dropout", new Dropout(config.Dropout));
    }

    public override string TypeId => "seq2seq-block";

    public override Shape OutputShape(Shape input) => input;

    protected override void OnBuild(Shape input)
    {
        foreach (Layer child in new Layer?[] { _self, _selfNorm, _cross, _crossNorm, _norm, _wide, _dropout }.OfType<Layer>())
            BuildChild(child, input);
        BuildChild(_narrow, _wide.OutputShape(input));
    }

    protected override Tensor Compute(Tensor input) => Read(input, null);

    internal override bool TakesOwnInput(string child) => true;

    /// <summary>The encoder's block: [N, S, width] -> the same.</summary>
    public Tensor Read(Tensor x, Tensor? mask)
    {
        using Tensor normal = _selfNorm.call(x), mixed = Own(normal, mask, causal: false, null), middle = Add(x, mixed);
        return Feed(middle);
    }

    /// <summary>The decoder's block: [N, T, width] -> the same.</summary>
    /// <param name="x">The target so far, or with <paramref name="own"/> its last token.</param>
    /// <param name="seen">Of <see cref="CrossKeys"/>.</param>
    /// <param name="mask">Of the source's padding.</param>
    /// <param name="own">Keys and values of earlier tokens, which the block replaces by longer ones; null for all tokens at once.</param>
    public Tensor Write(Tensor x, Tensor[] seen, Tensor? mask, Tensor?[]? own)
    {
        using Tensor normal = _selfNorm.call(x), mixed = Own(normal, null, causal: own is null, own), middle = Add(x, mixed);
        using Tensor again = _crossNorm!.call(middle), looked = _cross!.Attend(again, seen, mask, causal: false), last = Add(middle, looked);
        return Feed(last);
    }

    /// <summary>Keys and values of what the encoder read.</summary>
    public Tensor[] CrossKeys(Tensor memory) => _cross!.KeysAndValues(memory);

    private Tensor Own(Tensor normal, Tensor? mask, bool causal, Tensor?[]? own)
    {
        Tensor[] fresh = _self.KeysAndValues(normal);
        if (own is null)
        {
            Tensor mixed = _self.Attend(normal, fresh, mask, causal && normal.size(1) > 1);
            foreach (Tensor tensor in fresh)
                tensor.Dispose();
            return mixed;
        }

        for (int i = 0; i < fresh.Length; i++)
        {
            Tensor longer = own[i] is { } before ? cat([before, fresh[i]], 2) : fresh[i];
            own[i]?.Dispose();
            own[i] = longer.DetachFromDisposeScope();
        }

        return _self.Attend(normal, [own[0]!, own[1]!], mask, causal: false);
    }

    private Tensor Feed(Tensor x)
    {
        using Tensor normal = _norm.call(x), wide = _wide.call(normal), narrow = _narrow.call(wide);
        return Add(x, narrow);
    }

    private Tensor Add(Tensor x, Tensor part)
    {
        using Tensor kept = _dropout.call(part);
        return x.add(kept);
    }
}

/// <summary>Multi-head attention of one sequence over another or itself, with offsets. Keys <c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c>, <c>out_proj</c>. The weights are not dropped, so that libtorch's fused kernel serves.</summary>
internal sealed class SourceAttention : Layer
{
    private readonly int _heads;
    private readonly Dense _query, _key, _value, _output;

    public SourceAttention(int width, int heads)
    {
        _heads = heads;
        _query = Child("q_proj", new Dense(width, initializer: Initializers.XavierUniform));
        _key = Child("k_proj", new Dense(width, initializer: Initializers.XavierUniform));
        _value = Child("v_proj", new Dense(width, initializer: Initializers.XavierUniform));
        _output = Child("out_proj", new Dense(width, initializer: Initializers.XavierUniform));
    }

    public override string TypeId => "source-attention";

    public override Shape OutputShape(Shape input) => input;

    protected override void OnBuild(Shape input)
    {
        foreach (Layer child in new Layer[] { _query, _key, _value, _output })
            BuildChild(child, input);
    }

    protected override Tensor Compute(Tensor input)
    {
        Tensor[] own = KeysAndValues(input);
        Tensor mixed = Attend(input, own, null, causal: false);
        foreach (Tensor tensor in own)
            tensor.Dispose();
        return mixed;
    }

    internal override bool TakesOwnInput(string child) => true;

    /// <summary>[N, S, width] -> keys and values, [N, H, S, D] each.</summary>
    public Tensor[] KeysAndValues(Tensor memory)
    {
        using Tensor keys = _key.call(memory), values = _value.call(memory);
        return [AttentionOp.Split(keys, _heads), AttentionOp.Split(values, _heads)];
    }

    /// <summary>[N, T, width] -> [N, T, width].</summary>
    public Tensor Attend(Tensor x, Tensor[] seen, Tensor? mask, bool causal)
    {
        using Tensor flat = _query.call(x), queries = AttentionOp.Split(flat, _heads), mixed = AttentionOp.Attend(queries, seen[0], seen[1], mask, causal);
        return _output.call(mixed);
    }
}
