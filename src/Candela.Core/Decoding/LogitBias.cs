namespace Candela.Decoding;

/// <summary>Adds a number to the logits of chosen ids; negative infinity bans one.</summary>
public sealed class LogitBias(IReadOnlyDictionary<int, float> bias) : ILogitsProcessor
{
    private readonly KeyValuePair<int, float>[] _bias = [.. bias];

    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits)
    {
        foreach ((int id, float value) in _bias)
            logits[id] += value;
    }
}
