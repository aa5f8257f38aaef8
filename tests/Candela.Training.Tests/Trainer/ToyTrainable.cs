using Candela.Data;

namespace Candela.Training.Tests.Loops;

/// <summary>Linear regression in plain C#, with input noise that depends on the step (as dropout does) and a running mean (as batch norm has): the smallest engine for the loop.</summary>
internal sealed class ToyTrainable(int width, long seed = 5) : ITrainable<FeatureBatch>
{
    private readonly float[] _parameters = new float[width + 1], _gradients = new float[width + 1], _mean = new float[1];

    public IReadOnlyList<ParameterSegment> Segments { get; } = [new(0, width), new(width, 1, Decays: false)];

    public Span<float> Parameters => _parameters;

    public Span<float> Gradients => _gradients;

    public float RunningMean => _mean[0];

    public double Noise { get; init; } = 0.1;

    public Action<long>? OnStep { get; init; }

    public BatchLoss Differentiate(FeatureBatch batch, long step, bool accumulate, double gradientScale)
    {
        OnStep?.Invoke(step);
        if (!accumulate)
            Array.Clear(_gradients);
        var rng = new Rng(seed, step);
        double sum = 0;
        for (int r = 0; r < batch.Count; r++)
        {
            double output = _parameters[width], x0 = Noise * rng.NextGaussian();
            for (int i = 0; i < width; i++)
                output += _parameters[i] * (batch.Dense[(r * width) + i] + x0);
            double error = output - batch.Targets[r], slope = 2 * error * gradientScale / batch.Count;
            sum += error * error;
            _mean[0] = (0.99f * _mean[0]) + (0.01f * (float)output);
            for (int i = 0; i < width; i++)
                _gradients[i] += (float)(slope * (batch.Dense[(r * width) + i] + x0));
            _gradients[width] += (float)slope;
        }

        return new BatchLoss(sum, batch.Count);
    }

    public ValidationResult Evaluate(IBatchSource<FeatureBatch> rows)
    {
        double sum = 0;
        foreach (FeatureBatch batch in rows.Batches(new BatchPlan(32)))
        {
            for (int r = 0; r < batch.Count; r++)
            {
                double output = _parameters[width];
                for (int i = 0; i < width; i++)
                    output += _parameters[i] * batch.Dense[(r * width) + i];
                sum += (output - batch.Targets[r]) * (output - batch.Targets[r]);
            }
        }

        return new ValidationResult(sum / rows.Count, null);
    }

    public IReadOnlyDictionary<string, float[]> SaveBuffers() => new Dictionary<string, float[]> { ["mean"] = [.. _mean] };

    public void LoadBuffers(IReadOnlyDictionary<string, float[]> buffers) => buffers["mean"].CopyTo(_mean, 0);

    public static ArrayExamples Rows(int count, int width, long stream)
    {
        var rng = new Rng(11, stream);
        float[] x = new float[count * width], y = new float[count];
        for (int r = 0; r < count; r++)
        {
            for (int i = 0; i < width; i++)
                x[(r * width) + i] = (float)rng.NextGaussian();
            y[r] = 1 + (2 * x[r * width]) - (0.5f * x[(r * width) + 1]) + (0.1f * (float)rng.NextGaussian());
        }

        return new ArrayExamples(x, [width], targets: y);
    }
}

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("candela-trainer-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal sealed class EventList : IProgress<Candela.Models.TrainEvent>
{
    public List<Candela.Models.TrainEvent> All { get; } = [];

    public Action<Candela.Models.TrainEvent>? OnEvent { get; init; }

    public void Report(Candela.Models.TrainEvent value)
    {
        All.Add(value);
        OnEvent?.Invoke(value);
    }
}
