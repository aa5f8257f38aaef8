namespace Candela.Metrics;

/// <summary>Options of <see cref="Chrf"/>; the defaults are sacreBLEU's (chrF2). <c>WordOrder = 2</c> makes it chrF++.</summary>
public sealed record ChrfOptions : TextMetricOptions
{
    /// <summary>The longest character n-grams, from 1 on. Default 6.</summary>
    public int CharacterOrder { get; init; } = 6;

    /// <summary>The longest word n-grams; 0 for none (chrF), 2 for chrF++. Default 0.</summary>
    public int WordOrder { get; init; }

    /// <summary>How many times recall counts for precision, above 0. Default 2.</summary>
    public double Beta { get; init; } = 2;

    /// <summary>Compare in lower case. Default false.</summary>
    public bool Lowercase { get; init; }

    /// <summary>White space counts as characters. Default false.</summary>
    public bool Whitespace { get; init; }

    /// <summary>Average the F-scores of all orders, missing ones nearly 0, as the author's program does, instead of precision and recall over the orders that occur. Default false.</summary>
    public bool EpsilonSmoothing { get; init; }
}
