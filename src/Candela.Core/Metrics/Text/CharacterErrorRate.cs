namespace Candela.Metrics;

/// <summary>Character error rate with jiwer's defaults: Unicode characters, inner white space included, that at the ends not. 0 is perfect, and it can exceed 1. Checked against jiwer's own tests.
/// Cost: time of the product of the lengths, memory of one.</summary>
public sealed class CharacterErrorRate(ErrorRateOptions? options = null)
{
    private readonly ErrorRateOptions _options = options ?? new ErrorRateOptions();

    /// <summary>Scores a corpus: errors and characters are summed over segments.</summary>
    /// <exception cref="DataException">No segment, or not as many references as hypotheses.</exception>
    public ErrorRate Score(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references)
        => EditCounts.Rate("Character error rate", hypotheses, references, _options, segment => [.. PythonText.CodePoints(PythonText.Trim(segment))]);
}
