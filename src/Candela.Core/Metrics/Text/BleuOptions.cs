namespace Candela.Metrics;

/// <summary>Options of <see cref="Bleu"/>; the defaults are sacreBLEU's.</summary>
public sealed record BleuOptions : TextMetricOptions
{
    /// <summary>Default 13a; take <see cref="BleuTokenizer.Zh"/> for Chinese.</summary>
    public BleuTokenizer Tokenizer { get; init; } = BleuTokenizer.V13a;

    /// <summary>Default exp.</summary>
    public BleuSmoothing Smoothing { get; init; } = BleuSmoothing.Exp;

    /// <summary>Of floor and add-k; at least 0. Default null: 0.1 and 1.</summary>
    public double? SmoothingValue { get; init; }

    /// <summary>Compare in lower case. Default false.</summary>
    public bool Lowercase { get; init; }

    /// <summary>Leave out orders longer than the hypotheses; wanted for single sentences. Default false.</summary>
    public bool EffectiveOrder { get; init; }

    /// <summary>The longest n-grams, from 1 on. Default 4.</summary>
    public int MaxOrder { get; init; } = 4;
}
