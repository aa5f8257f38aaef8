using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>The network of a causal language model: [tokens] of int64 ids -> [tokens, vocabulary] logits. Its parameters' keys are the checkpoint's.</summary>
public abstract class CausalNetwork : Layer
{
    private readonly CausalLmConfig _config;
    private readonly CausalBody _body;
    private readonly Dense? _head;

    /// <param name="config">What it is made of.</param>
    /// <param name="name">The body's key.</param>
    /// <param name="body">All but the head, which is the token table again where the two are tied.</param>
    private protected CausalNetwork(CausalLmConfig config, string name, CausalBody body)
    {
        (_config, _body) = (config, Child(name, body));
        if (!config.TiedEmbeddings)
            _head = Child("lm_head", new Dense(config.VocabularySize, bias: false, initializer: Initializers.Normal(0, config.InitializerRange)));
    }

    /// <summary>Number of logits.</summary>
    public int VocabularySize => _config.VocabularySize;

    /// <summary>The most tokens of one sequence.</summary>
    public int ContextLength => _config.ContextLength;

    /// <inheritdoc/>
    public sealed override Shape OutputShape(Shape input) => input.Count == 1 && input[0] <= ContextLength
        ? [input[0], VocabularySize]
        : throw new ShapeException($"A language model needs examples of [tokens] with 1 to {ContextLength} of them (its context length); got {input}.");

    /// <inheritdoc/>
    protected sealed override void OnBuild(Shape input)
    {
        BuildChild(_body, input);
        if (_head is not null)
            BuildChild(_head, _body.OutputShape(input));
    }

    /// <inheritdoc/>
    protected sealed override Tensor Compute(Tensor input) => Run(input, null, lastOnly: false);

    /// <summary>[B, T] ids -> [B, T, V] logits, or [B, 1, V] after the last token. With a cache, B is 1 and the tokens follow those in it.</summary>
    internal Tensor Run(Tensor ids, KvCache? cache, bool lastOnly)
    {
        using Tensor hidden = _body.Run(ids, cache), wanted = lastOnly ? hidden.narrow(1, hidden.size(1) - 1, 1) : hidden.alias();
        return _head is not null ? _head.call(wanted) : _body.Embedding.Project(wanted);
    }

    /// <summary>All but the head.</summary>
    internal CausalBody Body => _body;

    /// <summary>The output matrix, or null where it is the token table.</summary>
    internal Dense? Head => _head;

    /// <summary>An empty cache for one sequence.</summary>
    internal KvCache NewCache() => new(_config.Layers, _config.ContextLength);

    /// <summary>Ids on the device of the parameters.</summary>
    internal Tensor Place(Tensor ids)
    {
        Tensor first = _body.Embedding.Weight;
        return first.device_type == TorchSharp.DeviceType.CPU ? ids : ids.to(first.device);
    }
}
