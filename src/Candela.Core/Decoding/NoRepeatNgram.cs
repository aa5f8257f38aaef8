namespace Candela.Decoding;

/// <summary>Bans every token that would make a run of n tokens occur a second time, prompt included.</summary>
public sealed class NoRepeatNgram(int n) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits)
    {
        if (tokens.Length < n)
            return;
        ReadOnlySpan<int> last = tokens[(tokens.Length - n + 1)..];
        for (int i = 0; i + n <= tokens.Length; i++)
            if (tokens.Slice(i, n - 1).SequenceEqual(last))
                logits[tokens[i + n - 1]] = float.NegativeInfinity;
    }
}
