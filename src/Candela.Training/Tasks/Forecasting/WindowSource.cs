using Candela.Data;
using Candela.Forecasting;

namespace Candela.Training.Tasks;

/// <summary>Windows of series and what follows them, as the net reads them. The arrays are reused by the source that yields the batch.</summary>
internal sealed class WindowBatch : IBatch
{
    /// <inheritdoc/>
    public int Count { get; set; }

    /// <summary>Count x window x (1 + inputs).</summary>
    public required float[] Inputs { get; init; }

    /// <summary>Count x horizon, brought to size as the window is.</summary>
    public required float[] Targets { get; init; }

    /// <summary>What brings forecasts back.</summary>
    public required WindowLevel[] Levels { get; init; }

    /// <summary>Where each stands among the source's origins.</summary>
    public required int[] Rows { get; init; }
}

/// <summary>The windows before some origins, in order or in a seeded one.</summary>
/// <param name="series">The series, whole.</param>
/// <param name="usual">Per series, the standard deviation of its known values: the training part, where there is one.</param>
/// <param name="origins">At least the window's steps behind the start.</param>
/// <param name="shape">Window and horizon.</param>
/// <param name="scaling">Fitted on the training parts.</param>
/// <param name="withTargets">False when what follows is not known.</param>
internal sealed class WindowSource(IReadOnlyList<TimeSeries> series, IReadOnlyList<double> usual, IReadOnlyList<ForecastOrigin> origins, ForecastShape shape, ForecastScaling scaling, bool withTargets = true) : IBatchSource<WindowBatch>
{
    /// <inheritdoc/>
    public long Count => origins.Count;

    /// <inheritdoc/>
    public IEnumerable<WindowBatch> Batches(BatchPlan plan)
    {
        var order = new int[origins.Count];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        if (plan.ShuffleSeed is { } seed)
            new Rng(seed, plan.Epoch).Shuffle(order.AsSpan());
        int size = plan.BatchSize, width = shape.Window * (1 + shape.Inputs);
        var batch = new WindowBatch { Inputs = new float[size * width], Targets = new float[size * shape.Horizon], Levels = new WindowLevel[size], Rows = new int[size] };
        for (long start = plan.Skip * size; start < order.Length; start += size)
        {
            batch.Count = (int)Math.Min(size, order.Length - start);
            for (int i = 0; i < batch.Count; i++)
            {
                int row = order[start + i];
                ForecastOrigin origin = origins[row];
                TimeSeries own = series[origin.Series];
                WindowLevel level = scaling.Write(own, origin.At, shape.Window, usual[origin.Series], batch.Inputs.AsSpan(i * width, width));
                (batch.Levels[i], batch.Rows[i]) = (level, row);
                for (int h = 0; withTargets && h < shape.Horizon; h++)
                    batch.Targets[(i * shape.Horizon) + h] = (float)((own.Values[origin.At + h] - level.Mean) / level.Spread);
            }

            yield return batch;
        }
    }
}
