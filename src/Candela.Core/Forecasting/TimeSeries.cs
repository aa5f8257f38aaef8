namespace Candela.Forecasting;

/// <summary>One series: the values of a target at equal steps, and of other columns at the same times.</summary>
/// <param name="Name">The group it belongs to; empty when the file holds one series.</param>
/// <param name="Values">The target, oldest first, all finite.</param>
/// <param name="Inputs">Other columns, each as long as <paramref name="Values"/>, all finite.</param>
/// <param name="Times">What the time column holds, or null without one.</param>
public sealed record TimeSeries(string Name, IReadOnlyList<double> Values, IReadOnlyList<IReadOnlyList<double>> Inputs, TimeAxis? Times = null)
{
    /// <summary>How the series is called in messages: <c>the series</c>, or <c>series 'NAME'</c>.</summary>
    public string Called => Name.Length == 0 ? "the series" : $"series '{Name}'";
}

/// <summary>What a file is read for.</summary>
/// <param name="Target">The column to forecast: its name, <c>#INDEX</c> or <c>last</c>.</param>
public sealed record TimeSeriesOptions(string Target)
{
    /// <summary>The column of times (dates, or numbers that rise); null takes the only column of dates if there is one, else rows count as equal steps.</summary>
    public string? Time { get; init; }

    /// <summary>The column that names the series a row belongs to; null for one series.</summary>
    public string? Group { get; init; }

    /// <summary>Other columns of numbers to learn from.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>How the file is read.</summary>
    public Data.TableOptions Table { get; init; } = new();
}
