namespace Candela.Metrics;

/// <summary>Options of <see cref="WordErrorRate"/> and <see cref="CharacterErrorRate"/>; the defaults are jiwer's: text as it is.</summary>
public sealed record ErrorRateOptions : TextMetricOptions
{
    /// <summary>Compare in lower case. Default false.</summary>
    public bool Lowercase { get; init; }

    /// <summary>Drop all Unicode punctuation first. Default false.</summary>
    public bool RemovePunctuation { get; init; }
}
