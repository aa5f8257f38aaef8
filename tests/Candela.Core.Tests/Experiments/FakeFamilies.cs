using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Formats;
using Candela.Models;

namespace Candela.Tests.Experiments;

/// <summary>A softmax or least-squares model trained by seeded mini-batch steps, written plainly, with exact resume: state is saved after every epoch.
/// With <paramref name="epochs"/> 0 it stays at zero: a family that always loses.</summary>
internal sealed class StepFamily(string id, int epochs = 12, Action<int>? onEpoch = null) : IModelFamily
{
    public string Id => id;

    public string Description => "a linear model by steps";

    public bool ConsideredByAuto => true;

    public string? Reason { get; init; }

    public CandelaException? Refusal { get; init; }

    public void CheckOptions(FitOptions options)
    {
        if (Refusal is not null)
            throw Refusal;
    }

    public bool HoldsAllRows { get; init; }

    public bool TakesSteps { get; init; }

    /// <summary>The loss it reports at an epoch; null reports its own.</summary>
    public Func<int, double>? ReportedLoss { get; init; }

    public IReadOnlyCollection<string> Heeds { get; init; } = FitOptions.Keys;

    /// <summary>Code of a warning given by each fit; null gives none.</summary>
    public string? Warns { get; init; }

    public List<long> RowsSeen { get; } = [];

    public List<FitOptions> OptionsSeen { get; } = [];

    public List<int> EpochsRun { get; } = [];

    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) => Reason;

    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => new(FeatureStyle.Scaled);

    public FitResult Fit(FitContext context)
    {
        RowsSeen.Add(context.Train.Count);
        OptionsSeen.Add(context.Options);
        int width = context.Train.Layout.DenseWidth, outputs = context.Problem.Outputs;
        var weights = new float[outputs * (width + 1)];
        int start = 0;
        string? state = context.CheckpointFolder is null ? null : Path.Combine(context.CheckpointFolder, "state.safetensors");
        if (state is not null && File.Exists(state))
        {
            using var file = Safetensors.Open(state);
            weights = file.ReadSingles("weights");
            start = (int)file.ReadInt64("epoch")[0];
        }

        if (Warns is not null)
            context.Events?.Report(new Warned(Warns, $"{id} was given {context.Train.Count} rows"));
        var history = new List<EpochEnded>();
        var scores = new float[64 * outputs];
        for (int epoch = start; epoch < epochs; epoch++)
        {
            onEpoch?.Invoke(epoch);
            EpochsRun.Add(epoch);
            double loss = 0;
            long rows = 0;
            foreach (var batch in context.Train.Batches(new BatchPlan(64) { ShuffleSeed = context.Options.Seed, Epoch = epoch }))
            {
                LinearScores.Score(context.Problem, weights, width, batch, scores);
                for (int i = 0; i < batch.Count; i++)
                {
                    for (int o = 0; o < outputs; o++)
                    {
                        float wanted = context.Problem.IsClassification ? (batch.Labels[i] == o ? 1 : 0) : batch.Targets[i];
                        float error = scores[(i * outputs) + o] - wanted;
                        loss += error * error;
                        var row = weights.AsSpan(o * (width + 1), width + 1);
                        for (int f = 0; f < width; f++)
                            row[f] -= 0.02f * error * batch.Dense[(i * width) + f];
                        row[width] -= 0.02f * error;
                    }
                }

                rows += batch.Count;
            }

            history.Add(new EpochEnded(epoch, epoch + 1, ReportedLoss?.Invoke(epoch) ?? loss / rows, null, null, 0.02, 0));
            if (state is not null)
                Safetensors.Write(state, [RawTensor.Of("weights", [weights.Length], weights), RawTensor.Of("epoch", [1], [epoch + 1L])]);
            context.Events?.Report(history[^1]);
            context.Cancellation.ThrowIfCancellationRequested();
        }

        return new FitResult(new LinearScores(id, context.Problem, weights, width), StopReason.Epochs, history, new Dictionary<string, string> { ["epochs"] = $"{epochs}" });
    }

    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout)
    {
        using var file = Safetensors.Open(Path.Combine(folder, "model.safetensors"));
        return new LinearScores(id, problem, file.ReadSingles("weights"), layout.DenseWidth);
    }
}

internal sealed class LinearScores(string family, Problem problem, float[] weights, int width) : IFittedModel
{
    public string Family => family;

    public long ParameterCount => weights.Length;

    public static void Score(Problem problem, float[] weights, int width, FeatureBatch batch, Span<float> scores)
    {
        int outputs = problem.Outputs;
        for (int i = 0; i < batch.Count; i++)
        {
            var row = scores.Slice(i * outputs, outputs);
            for (int o = 0; o < outputs; o++)
            {
                float sum = weights[(o * (width + 1)) + width];
                for (int f = 0; f < width; f++)
                    sum += weights[(o * (width + 1)) + f] * batch.Dense[(i * width) + f];
                row[o] = sum;
            }

            if (!problem.IsClassification)
                continue;
            float most = float.NegativeInfinity, total = 0;
            foreach (float x in row)
                most = Math.Max(most, x);
            for (int o = 0; o < outputs; o++)
                total += row[o] = MathF.Exp(row[o] - most);
            for (int o = 0; o < outputs; o++)
                row[o] /= total;
        }
    }

    public void Score(FeatureBatch batch, Span<float> scores) => Score(problem, weights, width, batch, scores);

    public void Save(string folder)
    {
        JsonFile.WriteObject(Path.Combine(folder, "config.json"), new JsonObject { ["family"] = family });
        Safetensors.Write(Path.Combine(folder, "model.safetensors"), [new NamedTensor("weights", [weights.Length], weights)]);
    }

    public string Summary() => $"{weights.Length} weights";

    public void Dispose()
    {
    }
}

/// <summary>A family whose fit is refused.</summary>
internal sealed class FailingFamily(Exception error, string id = "failing") : IModelFamily
{
    public string Id => id;

    public string Description => "fails";

    public bool ConsideredByAuto => true;

    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) => null;

    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => new(FeatureStyle.Raw);

    public FitResult Fit(FitContext context) => throw error;

    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => throw error;
}
