using System.Globalization;

namespace Candela.Metrics;

/// <summary>BLEU of a corpus.</summary>
/// <param name="Value">The score, 0 to 100, and its interval over segments.</param>
/// <param name="Precisions">Of orders 1, 2, ..., smoothed, 0 to 100; 0 where not reached.</param>
/// <param name="BrevityPenalty">0 to 1; 1 when the hypotheses are no shorter than the references.</param>
/// <param name="Matches">n-grams of each order found in a reference.</param>
/// <param name="Totals">n-grams of each order in the hypotheses.</param>
/// <param name="HypothesisLength">Tokens.</param>
/// <param name="ReferenceLength">Tokens of the references closest in length.</param>
/// <param name="Signature">All that the score depends on, in sacreBLEU's form.</param>
public sealed record BleuScore(MetricValue Value, IReadOnlyList<double> Precisions, double BrevityPenalty, IReadOnlyList<long> Matches, IReadOnlyList<long> Totals, long HypothesisLength, long ReferenceLength, string Signature)
{
    /// <summary>In sacreBLEU's form: <c>BLEU = 48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)</c>.</summary>
    public override string ToString()
    {
        string precisions = string.Join('/', Precisions.Select(p => p.ToString("F1", CultureInfo.InvariantCulture)));
        double ratio = ReferenceLength > 0 ? (double)HypothesisLength / ReferenceLength : 0;
        return string.Create(CultureInfo.InvariantCulture, $"BLEU = {Value.Value:F2} {precisions} (BP = {BrevityPenalty:F3} ratio = {ratio:F3} hyp_len = {HypothesisLength} ref_len = {ReferenceLength})");
    }
}
