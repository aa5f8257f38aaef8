using Candela.Metrics;

namespace Candela.Language;

/// <summary>Result of a few-shot evaluation.</summary>
/// <param name="Task">What was asked.</param>
/// <param name="Shots">Solved examples before each question.</param>
/// <param name="Metrics">With 95 % bootstrap intervals: <c>accuracy</c> and <c>accuracyPerByte</c> for choices; <c>exactMatch</c> and <c>f1</c> for texts.</param>
/// <param name="Baselines">What knows no model: <c>random</c> (a fair choice) and <c>majority</c> (always the place or answer the shots have most; absent without shots).</param>
/// <param name="Outcomes">One an example, in order.</param>
public sealed record FewShotReport(FewShotTask Task, int Shots, IReadOnlyDictionary<string, MetricValue> Metrics, IReadOnlyDictionary<string, double> Baselines, IReadOnlyList<FewShotOutcome> Outcomes);
