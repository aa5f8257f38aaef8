using System.Globalization;
using Candela.Data;
using Candela.Graphs;
using Candela.Models;
using Candela.Training.DenseNets;
using TorchSharp;

namespace Candela.Training;

/// <summary>A text classifier over token ids of an own vocabulary (words, and the characters of scripts without spaces), trained by libtorch from first weights, without pretrained vectors.</summary>
public abstract class TokenFamily : IModelFamily
{
    // Rows seen by default at the most beyond four epochs.
    private const double RowsSeen = 100_000;

    private protected TokenFamily()
    {
    }

    /// <inheritdoc/>
    public abstract string Id { get; }

    /// <inheritdoc/>
    public abstract string Description { get; }

    /// <inheritdoc/>
    public abstract bool ConsideredByAuto { get; }

    /// <inheritdoc/>
    public bool TakesSteps => true;

    /// <inheritdoc/>
    public abstract IReadOnlyCollection<string> Heeds { get; }

    /// <inheritdoc/>
    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) => WhyNotText(Id, problem, inputs);

    /// <inheritdoc/>
    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => new(FeatureStyle.Scaled) { TextAsNgrams = false, TextAsTokens = true };

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
            throw new DataException($"{Id} has no tokens to learn from: no input column is text.");
        TrainingPlan.Check(options);
        IExampleSource? valid = context.Valid is { Count: > 0 } given ? given : null;
        var chosen = new Dictionary<string, string>();
        IReadOnlyList<LayerSpec> layers = Layers(context, layout, problem.Outputs, chosen);
        var graph = new LayerGraph(Id, [layout.TokenLength], layers, HeadKind.Softmax);
        float[]? weights = options.ClassWeights == "none" ? null : TargetFacts.Of(context.Train, problem).Weights(options.ClassWeights);
        var loss = new SparseCategoricalCrossEntropy { LabelSmoothing = options.LabelSmoothing ?? 0, ClassWeights = weights };
        TrainingPlan plan = TrainingPlan.From(options, Defaults(context.Train.Count), valid is not null);
        TorchSharp.torch.Device device = Devices.Resolve(options.Device);
        Sequential network = GraphBuilder.Build(graph, options.Seed);
        try
        {
            if (device.type != DeviceType.CPU)
                network.to(device);
            string net = string.Join(' ', chosen.Select(c => $"{c.Key} {c.Value}"));
            TrainingSession session = TrainingSession.Of(context) with { Context = string.Create(CultureInfo.InvariantCulture, $"{Id} {layout.TokenVocabulary} {layout.TokenLength} {net} {options.ClassWeights} {options.LabelSmoothing}") };
            TrainingOutcome outcome = Trainer.Fit(network, context.Train, valid, loss, plan, session, ValidationScore.Accuracy);
            foreach ((string key, string value) in plan.Chosen())
                chosen[key] = value;
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

    /// <summary>Null where a classifier of texts can be trained; else the reason.</summary>
    internal static string? WhyNotText(string id, Problem problem, TableSchema inputs)
    {
        List<ColumnSchema> used = [.. inputs.Columns.Where(c => c.Kind is not (ColumnKind.Constant or ColumnKind.Identifier))];
        return used.Count == 0 || used.Exists(c => c.Kind != ColumnKind.Text) ? $"{id} reads text columns only, and there are none or others beside them"
            : !problem.IsClassification ? $"{id} is a classifier and the target is a number"
            : null;
    }

    /// <summary>The layers for rows of token ids, what was chosen of them by recipe key.</summary>
    private protected abstract IReadOnlyList<LayerSpec> Layers(FitContext context, FeatureLayout layout, int outputs, Dictionary<string, string> chosen);

    /// <summary>How it is trained where the options leave it open.</summary>
    private protected virtual TrainingDefaults Defaults(long rows) => new()
    {
        Epochs = (int)Math.Clamp(RowsSeen / rows, 4, 20),
        BatchSize = rows < 5000 ? 32 : 64,
        LearningRate = 2e-3,
        Schedule = "warmup+cosine",
        L2 = 0.01,
        Patience = 3,
    };
}
