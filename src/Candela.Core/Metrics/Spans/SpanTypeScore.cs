namespace Candela.Metrics;

/// <summary>Counts of the spans of one type, or of all. A ratio without a denominator is 0, as in conlleval.</summary>
/// <param name="Type">The type; <c>*</c> for all types together.</param>
/// <param name="Actual">Spans that are there (the support).</param>
/// <param name="Predicted">Spans that were found.</param>
/// <param name="Correct">Spans found with the right start, end and type.</param>
public sealed record SpanTypeScore(string Type, long Actual, long Predicted, long Correct)
{
    /// <summary>Correct over predicted, 0..1.</summary>
    public double Precision => Predicted == 0 ? 0 : (double)Correct / Predicted;

    /// <summary>Correct over actual, 0..1.</summary>
    public double Recall => Actual == 0 ? 0 : (double)Correct / Actual;

    /// <summary>The harmonic mean of precision and recall, 2 correct / (actual + predicted).</summary>
    public double F1 => Actual + Predicted == 0 ? 0 : 2.0 * Correct / (Actual + Predicted);
}
