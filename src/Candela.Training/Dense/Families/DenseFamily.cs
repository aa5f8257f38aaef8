using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Graphs;
using Candela.Models;

namespace Candela.Training.DenseNets;

/// <summary>What the families on the dense engine share: layers and defaults are theirs, fitting, saving and opening are here. None loads libtorch on the CPU; on another device libtorch trains and the weights come back.</summary>
public abstract class DenseFamily : IModelFamily
{
    /// <inheritdoc/>
    public abstract string Id { get; }

    /// <inheritdoc/>
    public abstract string Description { get; }

    /// <inheritdoc/>
    public virtual bool ConsideredByAuto => false;

    /// <inheritdoc/>
    public bool TakesSteps => true;

    /// <inheritdoc/>
    public virtual bool UsesValidation(long trainingRows) => true;

    /// <inheritdoc/>
    public virtual IReadOnlyCollection<string> Heeds => FitOptions.Keys;

    /// <inheritdoc/>
    public virtual string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) =>
        inputs.Columns.All(c => c.Kind is ColumnKind.Text or ColumnKind.Constant or ColumnKind.Identifier) ? $"{Id} needs numbers, categories, dates or images; text columns alone are for the families text and linear" : null;

    /// <inheritdoc/>
    public virtual FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => new(FeatureStyle.Scaled) { TextAsNgrams = false };

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
        IExampleSource train = context.Train;
        IExampleSource? valid = context.Valid is { Count: > 0 } given ? given : null;
        TargetFacts facts = TargetFacts.Of(train, problem);
        TrainingPlan.Check(options);
        DenseLoss loss = Loss(problem, facts, options);
        LayerGraph graph = Graph(problem, train, options, loss);
        TrainingPlan plan = Adjust(TrainingPlan.From(options, Defaults(problem, train, options), valid is not null));
        var pool = new WorkPool(options.Threads);
        var network = new DenseNetwork(graph, pool);
        try
        {
            Initialize(network, options.Seed);
            var trainable = new DenseTrainable(network, loss, options.Seed);
            TrainingSession session = TrainingSession.Of(context) with { Context = string.Create(CultureInfo.InvariantCulture, $"{Id} {loss} [{string.Join(' ', loss.ClassWeights ?? [])}]") };
            TrainingOutcome outcome = DeviceTraining.Choose(options.Device, GainsByAccelerator) is { } device
                ? DeviceTraining.Run(network, loss, device, Augment(train, options.Seed), valid, plan, session)
                : TrainingLoop.Run(trainable, Augment(train, options.Seed), valid, plan, session);
            Dictionary<string, string> chosen = plan.Chosen();
            Describe(chosen, graph, loss);
            return new FitResult(new DenseModel(network, pool), outcome.StopReason, outcome.History, chosen);
        }
        catch
        {
            network.Dispose();
            pool.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => DenseModel.Open(folder, problem, layout);

    /// <summary>True when <c>--device auto</c> is to take a GPU where there is one. Default false: small dense nets are faster on the CPU.</summary>
    private protected virtual bool GainsByAccelerator => false;

    /// <summary>The training rows as the net is to meet them. Default: as they are.</summary>
    private protected virtual IExampleSource Augment(IExampleSource train, long seed) => train;

    /// <summary>The layers for such rows.</summary>
    private protected abstract LayerGraph Graph(Problem problem, IExampleSource train, FitOptions options, DenseLoss loss);

    /// <summary>Settings where the user leaves the choice.</summary>
    private protected abstract TrainingDefaults Defaults(Problem problem, IExampleSource train, FitOptions options);

    private protected virtual DenseLoss Loss(Problem problem, TargetFacts facts, FitOptions options) => problem.Task switch
    {
        TaskKind.Regression => new DenseLoss(DenseLossKind.SquaredError) { Offset = facts.Mean, Scale = facts.Deviation > 0 ? facts.Deviation : 1 },
        TaskKind.Binary => new DenseLoss(DenseLossKind.BinaryCrossEntropy) { LabelSmoothing = options.LabelSmoothing ?? 0, ClassWeights = facts.Weights(options.ClassWeights) },
        _ => new DenseLoss(DenseLossKind.CrossEntropy) { LabelSmoothing = options.LabelSmoothing ?? 0, ClassWeights = facts.Weights(options.ClassWeights) },
    };

    private protected virtual TrainingPlan Adjust(TrainingPlan plan) => plan;

    private protected virtual void Initialize(DenseNetwork network, long seed) => network.Initialize(seed);

    private protected virtual void Describe(Dictionary<string, string> chosen, LayerGraph graph, DenseLoss loss) { }

    private protected static HeadKind Head(Problem problem) => problem.Task switch
    {
        TaskKind.Regression => HeadKind.Linear,
        TaskKind.Binary => HeadKind.Sigmoid,
        _ => HeadKind.Softmax,
    };

    /// <summary>A graph of <paramref name="layers"/> on rows of the source, with its head's scale.</summary>
    private protected LayerGraph Assemble(IExampleSource train, IEnumerable<LayerSpec> layers, HeadKind head, DenseLoss loss)
    {
        IReadOnlyList<int> shape = train.Layout.DenseShape;
        if (train.Layout.DenseWidth < 1)
            throw new DataException($"{Id} has no numbers to learn from: every input column is text, constant or an identifier.");
        IEnumerable<LayerSpec> flat = shape.Count > 1 ? [new LayerSpec("flatten", "flatten", [])] : [];
        return new LayerGraph(Id, shape, [.. flat, .. layers], head) { Scale = loss.Scale, Offset = loss.Offset };
    }

    private protected static LayerSpec DenseLayer(string name, int units, ActivationKind activation = ActivationKind.None)
    {
        var options = new JsonObject { ["units"] = units };
        if (activation != ActivationKind.None)
            options["activation"] = activation.Id();
        return new LayerSpec("dense", name, options);
    }
}
