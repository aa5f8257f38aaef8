using Candela.Training.Transformers;
using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>A block of a causal network, run within a pass over its sequence.</summary>
internal interface ICausalBlock
{
    /// <summary>[B, T, W] -> [B, T, W].</summary>
    Tensor Run(Tensor x, SequencePass pass, int layer);

    /// <summary>What it is made of.</summary>
    BlockParts Parts { get; }
}

/// <summary>What a causal network is but for its head: embeddings, blocks, last norm. [T] ids -> [T, width].</summary>
/// <param name="width">Numbers per token.</param>
internal abstract class CausalBody(int width) : Layer
{
    /// <summary>The token table, which a tied head uses too.</summary>
    public abstract TokenEmbedding Embedding { get; }

    public sealed override Shape OutputShape(Shape input) => [input[0], width];

    protected sealed override Tensor Compute(Tensor input) => Run(input, null);

    /// <summary>[B, T] ids -> [B, T, width]. With a cache, B is 1 and the tokens follow those in it.</summary>
    public Tensor Run(Tensor ids, KvCache? cache)
    {
        Tensor x = Embed(ids, cache);
        using var pass = new SequencePass((int)ids.size(1), x, Rotary, cache);
        for (int i = 0; i < Blocks.Count; i++)
        {
            Tensor next = Blocks[i].Run(x, pass, i);
            x.Dispose();
            x = next;
        }

        cache?.Advance(pass.Count);
        using Tensor last = x;
        return Norm.call(last);
    }

    public abstract IReadOnlyList<ICausalBlock> Blocks { get; }

    public abstract Layer Norm { get; }

    /// <summary>Rotation of queries and keys, or null where positions are embedded.</summary>
    public virtual RotaryEmbedding? Rotary => null;

    /// <summary>Table of learned positions, or null.</summary>
    public virtual TokenEmbedding? Positions => null;

    /// <summary>Of the sum of embeddings, or null.</summary>
    public virtual Dropout? EmbeddingDropout => null;

    /// <summary>[B, T] ids -> [B, T, width], what the first block takes.</summary>
    protected abstract Tensor Embed(Tensor ids, KvCache? cache);
}
