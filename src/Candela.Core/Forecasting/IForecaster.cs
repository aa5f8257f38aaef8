namespace Candela.Forecasting;

/// <summary>A method that goes on with a series from its past values. The simple ones that a net has to beat are in <see cref="Forecasters"/>.</summary>
public interface IForecaster
{
    /// <summary>Its id in reports.</summary>
    string Name { get; }

    /// <summary>What it does, in a few words.</summary>
    string Description { get; }

    /// <summary>Learns from the training part; afterwards <see cref="Forecast"/> may be called.</summary>
    /// <param name="training">The first values of each series.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Numbers learned.</returns>
    long Fit(IReadOnlyList<IReadOnlyList<double>> training, CancellationToken cancellation);

    /// <summary>The values after the end of a history.</summary>
    /// <param name="series">Index of the series among those of training.</param>
    /// <param name="history">All values up to now, oldest first, at least 1.</param>
    /// <param name="forecast">Filled.</param>
    void Forecast(int series, ReadOnlySpan<double> history, Span<double> forecast);
}
