namespace Candela.Metrics;

/// <summary>Options of <see cref="SquadMatch"/>: those of its intervals only.</summary>
public sealed record SquadOptions : TextMetricOptions;
