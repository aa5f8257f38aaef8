using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>The network of a causal language model: [tokens] of int64 ids -> [tokens, vocabulary] logits. Its parameters' keys are the checkpoint's.</summary>
public abstract class CausalNetwork : Layer
{
    private protected CausalNetwork(CausalLmConfig config) => (VocabularySize, ContextLength) = (config.VocabularySize, config.ContextLength);

    /// <summary>Number of logits.</summary>
    public int VocabularySize { get; }

    /// <summary>The most tokens of one sequence.</summary>
    public int ContextLength { get; }

    /// <inheritdoc/>
    public sealed override Shape OutputShape(Shape input) => input.Count == 1 && input[0] <= ContextLength
        ? [input[0], VocabularySize]
        : throw new ShapeException($"A language model needs examples of [tokens] with 1 to {ContextLength} of them (its context length); got {input}.");

    /// <inheritdoc/>
    protected sealed override Tensor Compute(Tensor input) => Run(input, null, lastOnly: false);

    /// <summary>[B, T] ids -> [B, T, V] logits, or [B, 1, V] after the last token. With a cache, B is 1 and the tokens follow those in it.</summary>
    internal abstract Tensor Run(Tensor ids, KvCache? cache, bool lastOnly);

    /// <summary>Any parameter, to know where the network is.</summary>
    private protected abstract Tensor FirstParameter { get; }

    /// <summary>An empty cache for one sequence.</summary>
    internal abstract KvCache NewCache();

    /// <summary>Ids on the device of the parameters.</summary>
    internal Tensor Place(Tensor ids)
    {
        Tensor first = FirstParameter;
        return first.device_type == TorchSharp.DeviceType.CPU ? ids : ids.to(first.device);
    }

    /// <summary>The last token's row, [B, T, W] -> [B, 1, W], or all rows.</summary>
    private protected static Tensor Wanted(Tensor hidden, bool lastOnly) => lastOnly ? hidden.narrow(1, hidden.size(1) - 1, 1) : hidden.alias();
}
