namespace Candela.Training.Transformers;

/// <summary>What an attention layer is made of, for the engine that runs it without libtorch.</summary>
/// <param name="Projections">One matrix for queries, keys and values, or one for each.</param>
/// <param name="Output">After the heads.</param>
/// <param name="Heads">Of queries.</param>
/// <param name="Groups">Key-value heads.</param>
/// <param name="HeadWidth">Numbers of a head.</param>
internal sealed record AttentionParts(IReadOnlyList<ILowRankHost> Projections, ILowRankHost Output, int Heads, int Groups, int HeadWidth)
{
    /// <summary>RMS norms of each head before it turns, or null.</summary>
    public RmsNorm? QueryNorm { get; init; }

    public RmsNorm? KeyNorm { get; init; }

    public RotaryEmbedding? Rotary { get; init; }

    /// <summary>Tokens back that are seen; 0 for all.</summary>
    public int Window { get; init; }

    /// <summary>Of the weights, or null.</summary>
    public Dropout? Dropout { get; init; }
}

/// <summary>down(act(up(x))), or with a gate down(act(gate(x)) * up(x)).</summary>
internal sealed record FeedForwardParts(ILowRankHost? Gate, ILowRankHost Up, ILowRankHost Down, TransformerActivation Activation);

/// <summary>x + attention(norm(x)), then x + feed-forward(norm(x)).</summary>
internal sealed record BlockParts(Layer Before, AttentionParts Attention, Layer Between, FeedForwardParts FeedForward)
{
    /// <summary>Of what each half adds, or null.</summary>
    public Dropout? AttentionDropout { get; init; }

    public Dropout? FeedForwardDropout { get; init; }
}
