using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)); its parts are called as the family calls them.</summary>
internal sealed class BertBlock : Layer
{
    private readonly BertConfig _config;
    private readonly Dense _query, _key, _value, _output, _wide, _narrow;
    private readonly LayerNorm _attentionNorm, _outputNorm;
    private readonly Dropout _attentionDropout, _afterAttention, _afterMlp;

    public BertBlock(BertConfig config)
    {
        _config = config;
        BertNames names = config.Names;
        _query = Child(names.Query, BertModel.Linear(config, config.Width));
        _key = Child(names.Key, BertModel.Linear(config, config.Width));
        _value = Child(names.Value, BertModel.Linear(config, config.Width));
        _attentionDropout = Child("attention_dropout", new Dropout(config.AttentionDropout));
        _output = Child(names.Output, BertModel.Linear(config, config.Width));
        _afterAttention = Child("dropout_1", new Dropout(config.Dropout));
        _attentionNorm = Child(names.AttentionNorm, new LayerNorm(config.NormEpsilon));
        _wide = Child(names.Wide, BertModel.Linear(config, config.HiddenWidth));
        _narrow = Child(names.Narrow, BertModel.Linear(config, config.Width));
        _afterMlp = Child("dropout_2", new Dropout(config.Dropout));
        _outputNorm = Child(names.OutputNorm, new LayerNorm(config.NormEpsilon));
    }

    public override string TypeId => "bert-block";

    public override Shape OutputShape(Shape input) => input;

    protected override void OnBuild(Shape input)
    {
        foreach (Layer child in new Layer[] { _query, _key, _value, _attentionDropout, _output, _afterAttention, _attentionNorm, _wide, _afterMlp, _outputNorm })
            BuildChild(child, input);
        BuildChild(_narrow, input.WithLast(_config.HiddenWidth));
    }

    protected override Tensor Compute(Tensor input) => Run(input, null);

    /// <summary>[B, T, W] -> the same; the mask [B, 1, 1, T] is added to scores.</summary>
    public Tensor Run(Tensor x, Tensor? mask)
    {
        using Tensor q = _query.call(x), k = _key.call(x), v = _value.call(x);
        using Tensor queries = AttentionOp.Split(q, _config.Heads), keys = AttentionOp.Split(k, _config.Heads), values = AttentionOp.Split(v, _config.Heads);
        using Tensor mixed = AttentionOp.Attend(queries, keys, values, mask, causal: false, _attentionDropout), attended = _output.call(mixed), keptA = _afterAttention.call(attended), sumA = x.add(keptA);
        using Tensor middle = _attentionNorm.call(sumA), wide = _wide.call(middle), active = _config.Activation.Apply(wide), narrow = _narrow.call(active), keptM = _afterMlp.call(narrow), sumM = middle.add(keptM);
        return _outputNorm.call(sumM);
    }
}

/// <summary>Embeddings, blocks and pooler.</summary>
internal sealed class BertBody : Layer
{
    private readonly BertConfig _config;
    private readonly TokenEmbedding _positions;
    private readonly TokenEmbedding? _types;
    private readonly LayerNorm _norm;
    private readonly Dropout _dropout;
    private readonly List<BertBlock> _blocks = [];
    private readonly Dense? _pooler;

    public BertBody(BertConfig config)
    {
        _config = config;
        double deviation = config.InitializerRange; // normal for all matrices, as the authors' truncated normal without its cut; norms 1, offsets 0
        Words = Child("embeddings.word_embeddings", new TokenEmbedding(config.VocabularySize, config.Width, deviation, config.Padding));
        _positions = Child("embeddings.position_embeddings", new TokenEmbedding(config.PositionRows, config.Width, deviation, config.IsRoberta ? config.Padding : null));
        if (config.TokenTypes > 0)
            _types = Child("embeddings.token_type_embeddings", new TokenEmbedding(config.TokenTypes, config.Width, deviation));
        _norm = Child("embeddings.LayerNorm", new LayerNorm(config.NormEpsilon));
        _dropout = Child("embeddings.dropout", new Dropout(config.Dropout));
        for (int i = 0; i < config.Layers; i++)
            _blocks.Add(Child($"{config.Names.Blocks}.{i}", new BertBlock(config)));
        if (config.HasPooler)
            _pooler = Child("pooler.dense", BertModel.Linear(config, config.Width));
    }

    public TokenEmbedding Words { get; }

    public override string TypeId => "bert-body";

    public override Shape OutputShape(Shape input) => [input[0], _config.Width];

    protected override void OnBuild(Shape input)
    {
        BuildChild(Words, input);
        BuildChild(_positions, input);
        if (_types is not null)
            BuildChild(_types, input);
        foreach (Layer child in new Layer[] { _norm, _dropout }.Concat(_blocks))
            BuildChild(child, OutputShape(input));
        if (_pooler is not null)
            BuildChild(_pooler, [_config.Width]);
    }

    protected override Tensor Compute(Tensor input) => Run(input, null, null);

    /// <summary>[B, T] ids -> [B, T, W].</summary>
    public Tensor Run(Tensor ids, Tensor? types, Tensor? mask)
    {
        using Tensor words = Words.call(ids), positions = Positions(ids), placed = words.add(positions);
        Tensor x;
        using (Tensor sum = AddTypes(placed, types), normal = _norm.call(sum))
            x = _dropout.call(normal);
        using Tensor? added = mask is null ? null : Additive(mask, x);
        foreach (BertBlock block in _blocks)
        {
            Tensor next = block.Run(x, added);
            x.Dispose();
            x = next;
        }

        return x;
    }

    /// <summary>[B, T, W] -> [B, W]: tanh of a projection of the first token.</summary>
    public Tensor Pool(Tensor hidden)
    {
        using Tensor first = hidden.select(1, 0), projected = _pooler!.call(first);
        return projected.tanh();
    }

    private Tensor Positions(Tensor ids)
    {
        if (!_config.IsRoberta)
            return _positions.Rows(0, (int)ids.size(1));
        using Tensor real = ids.ne(_config.Padding), ones = real.to(ScalarType.Int64), counted = ones.cumsum(1), masked = counted.mul(ones), index = masked.add(_config.Padding); // padding stays at its own row
        return _positions.call(index);
    }

    private Tensor AddTypes(Tensor x, Tensor? types)
    {
        if (_types is null)
            return x.alias();
        using Tensor chosen = types is null ? _types.Rows(0, 1) : _types.call(types);
        return x.add(chosen);
    }

    // 1 for a token that is seen, 0 for padding -> 0 and -1e9 added to scores; finite, so that a row of nothing but padding stays a number.
    private static Tensor Additive(Tensor mask, Tensor like)
    {
        using Tensor flags = mask.to(like.dtype), missing = flags.sub(1), scores = missing.mul(1e9);
        return scores.view(mask.size(0), 1, 1, mask.size(1));
    }
}

/// <summary>The network of a <see cref="BertConfig"/>. Run alone, on [tokens] of int64 ids, it gives its head's scores: [tokens, vocabulary] of masked tokens, [labels] of a text, [tokens, labels], [2] for next sentence,
/// or without a head the hidden states [tokens, width]; pre-training's two scores have functions of their own.</summary>
public sealed class BertModel : Layer
{
    private readonly BertConfig _config;
    private readonly BertBody _body;
    private readonly Dense? _maskedDense, _nextSentence, _classDense, _classOutput;
    private readonly LayerNorm? _maskedNorm;
    private readonly Offset? _maskedBias;
    private readonly Dropout _dropout;

    /// <summary>Creates it, unbuilt.</summary>
    /// <exception cref="UsageException">The heads do not divide the width, or the family has no such head.</exception>
    public BertModel(BertConfig config)
    {
        if (config.Width % config.Heads != 0)
            throw new UsageException($"BERT needs a width that its heads divide; got {config.Width} and {config.Heads}.");
        if (config.Head is BertHead.PreTraining or BertHead.NextSentence && config.ModelType != "bert")
            throw new UsageException($"'{config.ModelType}' has no head for next sentences; use MaskedLanguage.");
        _config = config;
        BertNames names = config.Names;
        _body = Child(names.Family, new BertBody(config));
        _dropout = Child("classifier_dropout", new Dropout(config.ClassifierDropout ?? config.Dropout));
        if (config.Head is BertHead.PreTraining or BertHead.MaskedLanguage)
        {
            _maskedBias = Child(names.MaskedBias[..names.MaskedBias.LastIndexOf('.')], new Offset(config.VocabularySize)); // first: the others may lie within it
            _maskedDense = Child(names.MaskedDense, Linear(config, config.Width));
            _maskedNorm = Child(names.MaskedNorm, new LayerNorm(config.NormEpsilon));
        }

        if (config.Head is BertHead.PreTraining or BertHead.NextSentence)
            _nextSentence = Child("cls.seq_relationship", Linear(config, 2));
        if (config.Head == BertHead.SequenceClassification && names.ClassDense is { } dense)
            _classDense = Child(dense, Linear(config, config.Width));
        if (config.Head == BertHead.SequenceClassification)
            _classOutput = Child(names.ClassOutput, Linear(config, config.Labels.Count));
        if (config.Head == BertHead.TokenClassification)
            _classOutput = Child("classifier", Linear(config, config.Labels.Count));
    }

    /// <inheritdoc/>
    public override string TypeId => "bert";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        if (input.Count != 1 || input[0] > _config.ContextLength)
            throw new ShapeException($"An encoder needs examples of [tokens] with 1 to {_config.ContextLength} of them; got {input}.");
        return _config.Head switch
        {
            BertHead.MaskedLanguage or BertHead.PreTraining => [input[0], _config.VocabularySize],
            BertHead.NextSentence => [2],
            BertHead.SequenceClassification => [_config.Labels.Count],
            BertHead.TokenClassification => [input[0], _config.Labels.Count],
            _ => [input[0], _config.Width],
        };
    }

    /// <summary>[B, T] int64 ids -> [B, T, width].</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="types">Segment of each token, [B, T] int64; null for all 0. Not for DistilBERT, which has none.</param>
    /// <param name="mask">1 for tokens, 0 for padding, [B, T]; null where nothing is padded.</param>
    /// <exception cref="ShapeException">Shapes or types are others, an id or segment is out of range, or there are more tokens than the context.</exception>
    public Tensor Hidden(Tensor ids, Tensor? types = null, Tensor? mask = null)
    {
        Check("ids", ids, ids, _config.VocabularySize);
        _ = OutputShape([checked((int)ids.size(1))]);
        if (types is not null)
            Check("segments", types, ids, Math.Max(1, _config.TokenTypes));
        if (mask is not null && !mask.shape.AsSpan().SequenceEqual(ids.shape))
            throw new ShapeException($"The mask needs the shape of the ids, [{string.Join(", ", ids.shape)}]; got [{string.Join(", ", mask.shape)}].");
        return _body.Run(ids, types, mask);
    }

    /// <summary>[B, T, width] -> [B, width]: what next-sentence and BERT's text labels are read from.</summary>
    public Tensor Pooled(Tensor hidden) => _config.HasPooler ? _body.Pool(hidden) : throw NoHead("pooler");

    /// <summary>[B, T, width] (or [N, width], the masked positions alone) -> scores of each token of the vocabulary.</summary>
    public Tensor MaskedLogits(Tensor hidden)
    {
        if (_maskedDense is null)
            throw NoHead("head for masked tokens");
        using Tensor dense = _maskedDense.call(hidden), active = _config.Activation.Apply(dense), normal = _maskedNorm!.call(active);
        return _body.Words.Project(normal, _maskedBias!.Value);
    }

    /// <summary>[B, width] pooled -> [B, 2]: index 0 means the second text follows the first.</summary>
    public Tensor NextSentenceLogits(Tensor pooled) => _nextSentence?.call(pooled) ?? throw NoHead("head for next sentences");

    /// <summary>[B, T, width] -> [B, labels] of texts or [B, T, labels] of tokens.</summary>
    public Tensor LabelLogits(Tensor hidden)
    {
        if (_classOutput is null)
            throw NoHead("classification head");
        if (_config.Head == BertHead.TokenClassification)
        {
            using Tensor keptTokens = _dropout.call(hidden);
            return _classOutput.call(keptTokens);
        }

        using Tensor summary = Summary(hidden), kept = _dropout.call(summary);
        return _classOutput.call(kept);
    }

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        BuildChild(_body, input);
        Shape tokens = [input[0], _config.Width];
        foreach (Layer? child in new Layer?[] { _dropout, _maskedDense, _maskedNorm, _maskedBias, _nextSentence, _classDense, _classOutput })
        {
            if (child is not null)
                BuildChild(child, tokens);
        }
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        Tensor hidden = Hidden(input);
        if (_config.Head == BertHead.None)
            return hidden;
        using Tensor used = hidden;
        if (_maskedDense is not null)
            return MaskedLogits(hidden);
        if (_config.Head != BertHead.NextSentence)
            return LabelLogits(hidden);
        using Tensor pooled = Pooled(hidden);
        return NextSentenceLogits(pooled);
    }

    internal static Dense Linear(BertConfig config, int outputs) => new(outputs, initializer: Initializers.Normal(0, config.InitializerRange));

    // What a text's label is read from: BERT's pooled token, DistilBERT's and RoBERTa's first token through a layer of the head.
    private Tensor Summary(Tensor hidden)
    {
        if (_classDense is null)
            return Pooled(hidden);
        using Tensor first = hidden.select(1, 0);
        if (!_config.IsRoberta)
        {
            using Tensor projected = _classDense.call(first);
            return projected.relu();
        }

        using Tensor kept = _dropout.call(first), dense = _classDense.call(kept);
        return dense.tanh();
    }

    private static void Check(string what, Tensor tensor, Tensor like, int limit)
    {
        if (tensor.dim() != 2 || tensor.dtype != ScalarType.Int64 || tensor.numel() == 0 || !tensor.shape.AsSpan().SequenceEqual(like.shape))
            throw new ShapeException($"The {what} must be int64 [batch, tokens]; got {tensor.dtype} [{string.Join(", ", tensor.shape)}].");
        using Tensor least = tensor.min(), most = tensor.max();
        if (least.ToInt64() < 0 || most.ToInt64() >= limit)
            throw new ShapeException($"The {what} must be 0 to {limit - 1}; got {least.ToInt64()} to {most.ToInt64()}.");
    }

    private UsageException NoHead(string what) => new($"This model ({_config.ModelType}, {_config.Head}) has no {what}.");

    // A vector that is added, key bias.
    private sealed class Offset(int width) : Layer
    {
        private LayerParameter? _bias;

        public override string TypeId => "offset";

        public Tensor Value => _bias!.Value;

        public override Shape OutputShape(Shape input) => input;

        protected override void OnBuild(Shape input) => _bias = Parameter("bias", [width], Initializers.Zeros, decays: false);

        protected override Tensor Compute(Tensor input) => input.add(Value);
    }
}
