namespace Candela.Decoding;

/// <summary>Bans the end tokens until enough tokens were generated.</summary>
public sealed class MinimumTokens(int count, IReadOnlyList<int> endTokens) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits)
    {
        if (tokens.Length - promptLength >= count)
            return;
        foreach (int id in endTokens)
            logits[id] = float.NegativeInfinity;
    }
}
