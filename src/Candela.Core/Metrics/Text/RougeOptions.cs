namespace Candela.Metrics;

/// <summary>Options of <see cref="Rouge"/>; the defaults are those of rouge_score.</summary>
public sealed record RougeOptions : TextMetricOptions
{
    /// <summary>Reduce words longer than three letters to their stems (Porter's, for English). Default false.</summary>
    public bool UseStemmer { get; init; }

    /// <summary>Keep Chinese characters, each a token of its own; else everything but a-z and 0-9 is dropped, as by the authors. Default false.</summary>
    public bool ChineseCharacters { get; init; }
}
