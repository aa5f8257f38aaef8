using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Graphs;
using Candela.Models;
using Candela.Training.DenseNets;
using TorchSharp;

namespace Candela.Training;

/// <summary>A text classifier over token ids: a trained vector per token; the mean of the vectors (layer-normalised) beside the largest responses of a convolution
/// over three tokens (Kim 2014); dropout; the head. Trained by libtorch from first weights, without pretrained vectors.</summary>
public sealed class TextFamily : IModelFamily
{
    // Rows seen by default at the most beyond four epochs.
    private const double RowsSeen = 100_000;

    /// <inheritdoc/>
    public string Id => "text";

    /// <inheritdoc/>
    public string Description => "Text classifier: token vectors, their mean and a convolution over them, dropout";

    /// <inheritdoc/>
    public bool ConsideredByAuto => true;

    /// <inheritdoc/>
    public bool TakesSteps => true;

    /// <inheritdoc/>
    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows)
    {
        List<ColumnSchema> used = [.. inputs.Columns.Where(c => c.Kind is not (ColumnKind.Constant or ColumnKind.Identifier))];
        return used.Count == 0 || used.Exists(c => c.Kind != ColumnKind.Text) ? "text reads text columns only, and there are none or others beside them"
            : !problem.IsClassification ? "text is a classifier and the target is a number"
            : null;
    }

    /// <inheritdoc/>
    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => new(FeatureStyle.Scaled) { TextAsNgrams = false, TextAsTokens = true };

    /// <summary>The layers for rows of token ids.</summary>
    /// <param name="vocabulary">Number of ids; 0 is padding.</param>
    /// <param name="width">Numbers per token vector.</param>
    /// <param name="filters">Filters of the convolution; 0 for the mean alone.</param>
    /// <param name="outputs">Outputs of the head.</param>
    /// <param name="dropout">Dropped share of the token vectors' numbers (half of it) and before the head.</param>
    public static IReadOnlyList<LayerSpec> Layers(int vocabulary, int width, int filters, int outputs, double dropout)
    {
        LayerSpec mean = new("sequential", "mean", [])
        {
            Children = [new LayerSpec("global-average-pool", "pool1", []), new LayerSpec("layer-norm", "norm1", [])],
        };
        LayerSpec phrases = new("sequential", "phrases", [])
        {
            Children =
            [
                new LayerSpec("conv1d", "conv1", new JsonObject { ["filters"] = filters, ["kernel"] = 3, ["padding"] = "same", ["activation"] = "relu" }),
                new LayerSpec("global-max-pool", "pool1", []),
            ],
        };
        List<LayerSpec> layers =
        [
            new("embedding", "embedding", new JsonObject { ["vocabulary"] = vocabulary, ["width"] = width, ["paddingId"] = 0 }),
            new("swap-axes", "swap1", []),
            new("branches", "features", []) { Children = filters > 0 ? [mean, phrases] : [mean] },
            new("dense", "head", new JsonObject { ["units"] = outputs }),
        ];
        if (dropout > 0)
        {
            layers.Insert(1, new LayerSpec("dropout", "dropout1", new JsonObject { ["probability"] = dropout / 2 }));
            layers.Insert(4, new LayerSpec("dropout", "dropout2", new JsonObject { ["probability"] = dropout }));
        }

        return layers;
    }

    /// <inheritdoc/>
    public void CheckOptions(FitOptions options)
    {
        TrainingPlan.Check(options);
        Devices.Check(options.Device);
    }

    /// <inheritdoc/>
    public FitResult Fit(FitContext context)
    {
        Problem problem = context.Problem;
        FitOptions options = context.Options;
        FeatureLayout layout = context.Train.Layout;
        if (layout.TokenLength < 1)
            throw new DataException("text has no tokens to learn from: no input column is text.");
        double dropout = options.Dropout ?? 0.6;
        TrainingPlan.Check(options);
        IExampleSource? valid = context.Valid is { Count: > 0 } given ? given : null;
        int width = options.Hidden is [var first, ..] ? first : 64, filters = options.Hidden is [_, var second, ..] ? second : 64;
        var graph = new LayerGraph(Id, [layout.TokenLength], Layers(layout.TokenVocabulary, width, filters, problem.Outputs, dropout), HeadKind.Softmax);
        var loss = new SparseCategoricalCrossEntropy { LabelSmoothing = options.LabelSmoothing ?? 0, ClassWeights = Weights(context.Train, problem, options.ClassWeights) };
        TrainingPlan plan = TrainingPlan.From(options, Defaults(context.Train.Count), valid is not null);
        TorchSharp.torch.Device device = Devices.Resolve(options.Device);
        Sequential network = GraphBuilder.Build(graph, options.Seed);
        try
        {
            if (device.type != TorchSharp.DeviceType.CPU)
                network.to(device);
            TrainingSession session = TrainingSession.Of(context) with { Context = string.Create(CultureInfo.InvariantCulture, $"{Id} {layout.TokenVocabulary}x{width}+{filters} {layout.TokenLength} {options.ClassWeights} {options.LabelSmoothing} {dropout}") };
            TrainingOutcome outcome = Trainer.Fit(network, context.Train, valid, loss, plan, session, ValidationScore.Accuracy);
            Dictionary<string, string> chosen = plan.Chosen();
            chosen["hidden"] = string.Create(CultureInfo.InvariantCulture, $"{width},{filters}");
            chosen["dropout"] = dropout.ToString(CultureInfo.InvariantCulture);
            return new FitResult(new TorchModel(graph, network, layout), outcome.StopReason, outcome.History, chosen);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => TorchModel.Open(folder, problem, layout);

    private static TrainingDefaults Defaults(long rows) => new()
    {
        Epochs = (int)Math.Clamp(RowsSeen / rows, 4, 20),
        BatchSize = rows < 5000 ? 32 : 64,
        LearningRate = 2e-3,
        Schedule = "warmup+cosine",
        L2 = 0.01,
        Patience = 3,
    };

    private static float[]? Weights(IExampleSource rows, Problem problem, string how) => how == "none" ? null : TargetFacts.Of(rows, problem).Weights(how);
}
