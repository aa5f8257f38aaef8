namespace Candela.Metrics;

/// <summary>A metric with its 95 % bootstrap interval.</summary>
/// <param name="Value">On all rows of the split.</param>
/// <param name="Low">Lower end (2.5 % quantile of the resamples).</param>
/// <param name="High">Upper end.</param>
public sealed record MetricValue(double Value, double Low, double High)
{
    /// <summary>For people: <c>0.9565 [0.9130, 0.9855]</c>.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Value:G4} [{Low:G4}, {High:G4}]");
}
