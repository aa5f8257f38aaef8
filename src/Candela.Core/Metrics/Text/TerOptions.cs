namespace Candela.Metrics;

/// <summary>Options of <see cref="Ter"/>; the defaults are sacreBLEU's: lower case, words between white space.</summary>
public sealed record TerOptions : TextMetricOptions
{
    /// <summary>Cut punctuation from words as Tercom's normalizer does. Default false.</summary>
    public bool Normalized { get; init; }

    /// <summary>Drop points, commas, colons, brackets, quotes and the like. Default false.</summary>
    public bool NoPunctuation { get; init; }

    /// <summary>With <see cref="Normalized"/> each Chinese character is a word; with <see cref="NoPunctuation"/> East Asian punctuation is dropped too. Default false.</summary>
    public bool AsianSupport { get; init; }

    /// <summary>Upper and lower case differ. Default false.</summary>
    public bool CaseSensitive { get; init; }
}
