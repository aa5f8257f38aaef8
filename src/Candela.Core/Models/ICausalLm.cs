namespace Candela.Models;

/// <summary>A causal language model: tokens in, logits of the next token out. Sampling is not its business (see <c>Candela.Decoding</c>). One thread at a time per model, its states included.
/// Implementations: the training engine's models and the inference engine.</summary>
public interface ICausalLm : IDisposable
{
    /// <summary>Number of logits; token ids are 0 to this, exclusive. May exceed the tokenizer's vocabulary (padding of the matrix).</summary>
    int VocabularySize { get; }

    /// <summary>The most tokens one state can hold.</summary>
    int ContextLength { get; }

    /// <summary>An empty state, which the caller disposes, before the model.</summary>
    ICausalState Begin();
}

/// <summary>The tokens a model has read so far, with its cache of keys and values. Cached and uncached logits are equal up to rounding (1e-5 in float32).</summary>
public interface ICausalState : IDisposable
{
    /// <summary>Tokens read so far.</summary>
    int Length { get; }

    /// <summary>Reads tokens and gives the logits after the last of them.</summary>
    /// <param name="tokens">At least one id.</param>
    /// <param name="logits">Receives VocabularySize unnormalised log-probabilities of the token that follows.</param>
    /// <exception cref="UsageException">No token, an id outside the vocabulary, or more than ContextLength tokens in all; nothing has been read then.</exception>
    /// <exception cref="ShapeException"><paramref name="logits"/> has another length.</exception>
    void Append(ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>Reads tokens and gives the logits after each of them.</summary>
    /// <param name="tokens">At least one id.</param>
    /// <param name="logits">Receives [tokens, VocabularySize], row-major: row i is what follows token i.</param>
    /// <inheritdoc cref="Append"/>
    void AppendAll(ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>An independent copy of this state, which the caller disposes. Costs a copy of the cache's filled part, or less.</summary>
    ICausalState Fork();

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    /// <param name="length">0 to <see cref="Length"/>.</param>
    /// <exception cref="UsageException">It is outside that range.</exception>
    void RollBack(int length);
}
