namespace Candela.Decoding;

/// <summary>Changes the logits of the next token in view of the tokens so far; applied to greedy choice, sampling and beams alike. Instances may hold scratch memory: one thread at a time.</summary>
public interface ILogitsProcessor
{
    /// <summary>Changes <paramref name="logits"/> in place; negative infinity bans a token.</summary>
    /// <param name="tokens">The prompt and what was generated.</param>
    /// <param name="promptLength">How many of them are the prompt.</param>
    /// <param name="logits">One per id of the vocabulary; under beam search log-probabilities.</param>
    void Process(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits);
}
