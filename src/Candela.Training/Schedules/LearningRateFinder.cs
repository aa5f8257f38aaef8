using Candela.Data;

namespace Candela.Training;

/// <summary>One sweep of the learning-rate finder.</summary>
/// <param name="Rates">Tried, ascending by a constant factor.</param>
/// <param name="Losses">Raw training loss at each.</param>
/// <param name="Smoothed">Bias-corrected moving averages of the losses.</param>
/// <param name="Suggested">A tenth of the rate whose smoothed loss is the lowest.</param>
public sealed record LearningRateSweep(IReadOnlyList<double> Rates, IReadOnlyList<double> Losses, IReadOnlyList<double> Smoothed, double Suggested);

/// <summary>The learning-rate range test (Smith 2017): one step per rate, rising exponentially, until the loss blows up.</summary>
public static class LearningRateFinder
{
    /// <summary>Sweeps a model over its training rows, one batch per rate, with a fresh optimiser; the model's weights are restored afterwards.</summary>
    /// <param name="model">Its weights are the starting point.</param>
    /// <param name="train">Training rows; read again from the start when they end.</param>
    /// <param name="plan">Batch size, seed and optimiser.</param>
    /// <param name="from">First rate. Default 1e-7.</param>
    /// <param name="to">Last rate. Default 10.</param>
    /// <param name="steps">Rates tried at the most. Default 100.</param>
    /// <exception cref="UsageException">See <see cref="Run"/>; or the optimiser searches along lines (lbfgs), which has no rate to find.</exception>
    public static LearningRateSweep Sweep(ITrainable<FeatureBatch> model, IExampleSource train, TrainingPlan plan, double from = 1e-7, double to = 10, int steps = 100)
    {
        if (plan.Optimizer is LbfgsOptions)
            throw new UsageException("lbfgs finds its step lengths itself; choose another optimiser for a learning-rate sweep.");
        float[] weights = model.Parameters.ToArray();
        IReadOnlyDictionary<string, float[]> buffers = model.SaveBuffers();
        Optimizer optimizer = Optimizer.Create(plan.Optimizer, model.Segments);
        using IEnumerator<FeatureBatch> batches = Forever(train, plan).GetEnumerator();
        try
        {
            return Run(rate =>
            {
                batches.MoveNext();
                double loss = model.Differentiate(batches.Current, optimizer.Steps, accumulate: false, gradientScale: 1).Mean;
                optimizer.Step(model.Parameters, model.Gradients, rate, plan.ClipNorm);
                return loss;
            }, from, to, steps);
        }
        finally
        {
            weights.CopyTo(model.Parameters);
            model.LoadBuffers(buffers);
        }
    }

    private static IEnumerable<FeatureBatch> Forever(IExampleSource rows, TrainingPlan plan)
    {
        if (rows.Count == 0)
            throw new DataException("There are no training rows.");
        for (int epoch = 0; ; epoch++)
            foreach (FeatureBatch batch in rows.Batches(new BatchPlan(plan.BatchSize) { ShuffleSeed = plan.Seed, Epoch = epoch }))
                yield return batch;
    }

    /// <summary>Runs the sweep. The weights are changed by it: keep a copy, or sweep a copy of the model.</summary>
    /// <param name="step">Takes one training step at the given rate and returns the batch's loss before it.</param>
    /// <param name="from">First rate, above 0. Default 1e-7.</param>
    /// <param name="to">Last rate, above <paramref name="from"/>. Default 10.</param>
    /// <param name="steps">Rates tried at the most, at least 2. Default 100. The sweep ends early when the smoothed loss exceeds four times the lowest, or is not finite.</param>
    /// <exception cref="UsageException">A number is out of range, or already the first loss is not finite.</exception>
    public static LearningRateSweep Run(Func<double, double> step, double from = 1e-7, double to = 10, int steps = 100)
    {
        if (!(from > 0 && to > from && double.IsFinite(to)) || steps < 2)
            throw new UsageException($"The learning-rate sweep got {steps} rates from {from} to {to}; it needs at least 2, rising from above 0.");
        const double Keep = 0.9;
        List<double> rates = [], losses = [], smoothed = [];
        double average = 0, lowest = double.PositiveInfinity, best = from;
        for (int i = 0; i < steps; i++)
        {
            double rate = from * Math.Pow(to / from, (double)i / (steps - 1)), loss = step(rate);
            if (!double.IsFinite(loss))
                break;
            average = (Keep * average) + ((1 - Keep) * loss);
            double smooth = average / (1 - Math.Pow(Keep, i + 1));
            rates.Add(rate);
            losses.Add(loss);
            smoothed.Add(smooth);
            if (smooth < lowest)
                (lowest, best) = (smooth, rate);
            if (smooth > lowest + (3 * Math.Abs(lowest)))
                break;
        }

        return rates.Count > 0 ? new LearningRateSweep(rates, losses, smoothed, best / 10)
            : throw new UsageException($"The loss is not finite at the first learning rate ({from}): look at the inputs, or start lower.");
    }
}
