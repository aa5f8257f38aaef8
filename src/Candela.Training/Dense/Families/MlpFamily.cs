using System.Globalization;
using Candela.Data;
using Candela.Graphs;
using Candela.Models;

namespace Candela.Training.DenseNets;

/// <summary>The multi-layer perceptron: dense layers with dropout, AdamW, one cycle of the learning rate, best weights by validation; numbers also as piecewise-linear
/// codes of quantile bins where there are rows enough (Gorishniy et al. 2022). Defaults depend on the number of rows and the task only.</summary>
public sealed class MlpFamily : DenseFamily
{
    // Rows seen by default at the most: an hour-long epoch count on large tables buys little.
    private const double RowsSeen = 20e6;

    // From here on rows suffice for piecewise-linear codes and for validation to choose an epoch.
    private const long ManyRows = 5000;

    /// <inheritdoc/>
    public override string Id => "mlp";

    /// <inheritdoc/>
    public override string Description => "Multi-layer perceptron: dense layers trained by AdamW with early stopping";

    /// <inheritdoc/>
    public override bool ConsideredByAuto => true;

    /// <inheritdoc/>
    public override bool UsesValidation(long trainingRows) => trainingRows >= ManyRows;

    /// <inheritdoc/>
    public override FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) =>
        base.Request(problem, inputs, trainingRows) with { QuantileBins = trainingRows < ManyRows ? 0 : 32, Skewed = SkewedNumbers.LogOnly };

    // A net can fit a few rows of many classes perfectly; a little label smoothing (Szegedy et al. 2016) keeps it from growing sure of them.
    private protected override DenseLoss Loss(Problem problem, TargetFacts facts, FitOptions options)
    {
        DenseLoss loss = base.Loss(problem, facts, options);
        return problem.Task == TaskKind.Multiclass && options.LabelSmoothing is null && facts.Counts.Sum() < ManyRows ? loss with { LabelSmoothing = 0.05 } : loss;
    }

    private protected override LayerGraph Graph(Problem problem, IExampleSource train, FitOptions options, DenseLoss loss)
    {
        bool few = train.Count < ManyRows;
        IReadOnlyList<int> hidden = options.Hidden ?? (train.Count < 1000 ? [128, 128] : [256, 256]);
        double dropout = options.Dropout ?? (few ? 0.2 : 0.1);
        if (hidden.Any(units => units < 1))
            throw new UsageException($"Hidden widths are {string.Join(", ", hidden)}; each must be at least 1.");
        var layers = new List<LayerSpec>();
        for (int i = 0; i < hidden.Count; i++)
        {
            layers.Add(DenseLayer($"dense{i + 1}", hidden[i], train.Count < 1000 ? ActivationKind.Silu : ActivationKind.Relu));
            if (dropout > 0)
                layers.Add(new LayerSpec("dropout", $"dropout{i + 1}", new() { ["probability"] = dropout }));
        }

        layers.Add(DenseLayer("head", loss.Outputs(problem.Classes.Count)));
        return Assemble(train, layers, Head(problem), loss);
    }

    private protected override TrainingDefaults Defaults(Problem problem, IExampleSource train, FitOptions options)
    {
        long rows = Math.Max(1, train.Count);

        // Few rows: a net (of smooth units below 1000 rows) held down by decay and trained to the end of the schedule, since some dozens of validation rows cannot choose an epoch.
        // Many rows: a wider net on piecewise-linear codes, of which validation keeps the best epoch. Cross-entropy overfits in fewer passes than squared error.
        return rows < ManyRows
            ? new TrainingDefaults { Epochs = rows < 1000 ? 100 : 60, BatchSize = rows < 1000 ? 16 : 32, LearningRate = 2e-3, Schedule = "one-cycle", L2 = rows < 1000 ? 3 : 1, Patience = null, KeepBest = false }
            : new TrainingDefaults
            {
                Epochs = (int)Math.Clamp(RowsSeen / rows, 1, problem.IsClassification ? 12 : 24),
                BatchSize = rows < 20_000 ? 256 : rows < 200_000 ? 512 : 1024,
                LearningRate = 1e-3,
                Schedule = "one-cycle",
                L2 = 0.01,
                Patience = null,
            };
    }

    private protected override void Describe(Dictionary<string, string> chosen, LayerGraph graph, DenseLoss loss)
    {
        chosen["label-smoothing"] = loss.LabelSmoothing.ToString(CultureInfo.InvariantCulture);
        chosen["hidden"] = string.Join(",", graph.Layers.Where(l => l.Type == "dense" && l.Name != "head").Select(l => DenseNetwork.Number(l, "units", 0).ToString(CultureInfo.InvariantCulture)));
        chosen["dropout"] = (graph.Layers.FirstOrDefault(l => l.Type == "dropout") is { } dropout ? DenseNetwork.Number(dropout, "probability", 0) : 0).ToString(CultureInfo.InvariantCulture);
    }
}
