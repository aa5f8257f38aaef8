namespace Candela.Metrics;

/// <summary>Translation edit rate of a corpus.</summary>
/// <param name="Value">Edits per 100 words of the references, from 0 (perfect), above 100 possible; with its interval over segments.</param>
/// <param name="Edits">Insertions, deletions, substitutions and shifts; of several references the fewest.</param>
/// <param name="ReferenceLength">Words of the references, averaged over those of a segment.</param>
/// <param name="Signature">All that the score depends on, in sacreBLEU's form.</param>
public sealed record TerScore(MetricValue Value, long Edits, double ReferenceLength, string Signature)
{
    /// <summary>In sacreBLEU's form: <c>TER = 40.00</c>.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"TER = {Value.Value:F2}");
}
