namespace Candela.Metrics;

/// <summary>chrF of a corpus.</summary>
/// <param name="Name"><c>chrF2</c>, <c>chrF2++</c>: with beta, and a plus for each word order.</param>
/// <param name="Value">The score, 0 to 100, and its interval over segments.</param>
/// <param name="Signature">All that the score depends on, in sacreBLEU's form.</param>
public sealed record ChrfScore(string Name, MetricValue Value, string Signature)
{
    /// <summary>In sacreBLEU's form: <c>chrF2 = 59.73</c>.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Name} = {Value.Value:F2}");
}
