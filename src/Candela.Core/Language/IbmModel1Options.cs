namespace Candela.Language;

/// <summary>How <see cref="IbmModel1"/> is trained.</summary>
public sealed record IbmModel1Options
{
    /// <summary>Rounds of expectation and maximisation, 1 or more. Default 10.</summary>
    public int Iterations { get; init; } = 10;

    /// <summary>A null word on the source side, which takes target words that no source word stands for. Default true.</summary>
    public bool NullWord { get; init; } = true;

    /// <summary>Pairs with more words than this on one side are left out of the training. Default 100.</summary>
    public int MaxWords { get; init; } = 100;

    /// <summary>A source word whose expected number of target words is below this is left out of a translation, but for punctuation; 0 leaves none out. Default 0.5.</summary>
    public double MinFertility { get; init; } = 0.5;
}
