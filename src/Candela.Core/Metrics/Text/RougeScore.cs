namespace Candela.Metrics;

/// <summary>One ROUGE measure: means over segments, each 0 to 1 with its interval.</summary>
/// <param name="Precision">Share of the hypothesis that is in the reference.</param>
/// <param name="Recall">Share of the reference that is in the hypothesis.</param>
/// <param name="F1">Mean of the segments' harmonic means; the figure usually published (times 100).</param>
public sealed record RougeScore(MetricValue Precision, MetricValue Recall, MetricValue F1);
