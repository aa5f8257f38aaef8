namespace Candela.Decoding;

/// <summary>The repetition penalty of CTRL (Keskar et al. 2019, section 4.1) as Hugging Face applies it: the logit of every token that occurs in prompt or text,
/// however often, is divided by the penalty when positive and multiplied by it when negative.</summary>
public sealed class RepetitionPenalty(double penalty) : ILogitsProcessor
{
    private readonly float _penalty = (float)penalty;
    private TokenSet _seen;

    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits)
    {
        _seen.Clear(logits.Length);
        foreach (int id in tokens)
            if (_seen.Add(id))
                logits[id] = logits[id] < 0 ? logits[id] * _penalty : logits[id] / _penalty;
    }
}
