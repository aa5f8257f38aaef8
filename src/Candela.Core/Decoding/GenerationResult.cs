namespace Candela.Decoding;

/// <summary>A generated text.</summary>
/// <param name="Text">The continuation only, cut before a stop string; empty without a tokenizer.</param>
/// <param name="Tokens">The ids chosen, without the end token; after a stop string up to the one that completed it.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="PromptTokens">Length of the prompt.</param>
public sealed record GenerationResult(string Text, IReadOnlyList<int> Tokens, FinishReason FinishReason, int PromptTokens)
{
    /// <summary>The stop string that ended the text, if one did.</summary>
    public string? StopString { get; init; }

    /// <summary>Each step, the end token's included; empty for beam search.</summary>
    public IReadOnlyList<GeneratedToken> Steps { get; init; } = [];

    /// <summary>The best texts of a beam search, the first being this one; else empty.</summary>
    public IReadOnlyList<BeamHypothesis> Beams { get; init; } = [];

    /// <summary>Seed of the sampling.</summary>
    public long Seed { get; init; }

    /// <summary>Time to read the prompt and choose the first token; for beam search zero.</summary>
    public TimeSpan PromptTime { get; init; }

    /// <summary>Time in all.</summary>
    public TimeSpan Time { get; init; }

    /// <summary>Tokens after the first, by the time after the first; for a single token, by the time in all. 0 when no time is measured.</summary>
    public double TokensPerSecond
    {
        get
        {
            int after = Beams.Count > 0 ? Tokens.Count : Steps.Count - 1;
            double seconds = after > 0 ? (Time - PromptTime).TotalSeconds : Time.TotalSeconds;
            return seconds > 0 ? Math.Max(after, 1) / seconds : 0;
        }
    }
}
