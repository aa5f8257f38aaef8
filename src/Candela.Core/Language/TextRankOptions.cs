namespace Candela.Language;

/// <summary>How <see cref="TextRank"/> summarises.</summary>
public sealed record TextRankOptions
{
    /// <summary>Sentences of the summary at the most; 1 or more. Default 3.</summary>
    public int Sentences { get; init; } = 3;

    /// <summary>The damping d of PageRank, 0 or more and below 1. Default 0.85.</summary>
    public double Damping { get; init; } = 0.85;

    /// <summary>Words that do not count as shared, in lower case. Default: none.</summary>
    public IReadOnlySet<string> StopWords { get; init; } = new HashSet<string>();
}
