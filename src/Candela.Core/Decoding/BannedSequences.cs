namespace Candela.Decoding;

/// <summary>Bans the token that would complete one of the runs ("bad words"), the prompt's end counted in.</summary>
public sealed class BannedSequences(IReadOnlyList<int[]> runs) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits)
    {
        foreach (int[] run in runs)
            if (tokens.EndsWith(run.AsSpan(0, run.Length - 1)))
                logits[run[^1]] = float.NegativeInfinity;
    }
}
