namespace Candela.Decoding;

/// <summary>Bans ids always: those listed, and all from <paramref name="firstWithoutToken"/> on, which the tokenizer has no token for.</summary>
public sealed class SuppressedTokens(IReadOnlyList<int> ids, int firstWithoutToken = int.MaxValue) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits)
    {
        foreach (int id in ids)
            logits[id] = float.NegativeInfinity;
        if (firstWithoutToken < logits.Length)
            logits[firstWithoutToken..].Fill(float.NegativeInfinity);
    }
}
