namespace Candela.Forecasting;

/// <summary>Ids of metrics of forecasts that more than one room reads.</summary>
public static class ForecastMetrics
{
    /// <summary>By how much a method's mean absolute error is above that of the run's net, on the same values: below 0 the method is better. See <see cref="BackTest.Excess"/>.</summary>
    public const string Excess = "maeOverNet";

    /// <summary>Share of the values within the bounds, which are made to hold <see cref="ConformalBounds.Level"/> of them.</summary>
    public const string Coverage = "coverage";
}
