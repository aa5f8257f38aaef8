namespace Candela.Decoding;

/// <summary>OpenAI's penalties: a token generated c &gt; 0 times so far loses <c>presence + c * frequency</c> of its logit. The prompt does not count.</summary>
public sealed class PresenceFrequencyPenalty(double presence, double frequency) : ILogitsProcessor
{
    private readonly float _presence = (float)presence, _frequency = (float)frequency;
    private TokenSet _seen;

    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits)
    {
        _seen.Clear(logits.Length);
        foreach (int id in tokens[promptLength..])
            logits[id] -= _seen.Add(id) ? _presence + _frequency : _frequency;
    }
}
