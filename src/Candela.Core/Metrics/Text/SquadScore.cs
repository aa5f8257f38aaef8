namespace Candela.Metrics;

/// <summary>How well answers match the accepted ones.</summary>
/// <param name="ExactMatch">Share of the answers that equal an accepted one after normalisation, 0 to 1, with its interval.</param>
/// <param name="F1">Mean F1 of the words in common with the best accepted answer, 0 to 1, with its interval.</param>
public sealed record SquadScore(MetricValue ExactMatch, MetricValue F1);
