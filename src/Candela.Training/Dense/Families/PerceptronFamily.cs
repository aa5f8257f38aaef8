using Candela.Data;
using Candela.Graphs;
using Candela.Models;

namespace Candela.Training.DenseNets;

/// <summary>Rosenblatt's perceptron (1958): from zero weights, each row on the wrong side is added to (or taken from) the weights; one output against the rest for more than
/// two classes. Ends when a pass makes no mistake, which on separable rows comes after at most (R / margin)^2 mistakes (Novikoff 1962). With validation rows the
/// best pass is kept (Gallant's pocket, 1990).</summary>
public sealed class PerceptronFamily : DenseFamily
{
    /// <inheritdoc/>
    public override string Id => "perceptron";

    /// <inheritdoc/>
    public override string Description => "Rosenblatt's perceptron rule, one class against the rest";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Heeds => [.. FitOptions.Keys.Except(["dropout", "hidden", "label-smoothing", "class-weights"])];

    /// <inheritdoc/>
    public override string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) =>
        problem.IsClassification ? base.WhyNot(problem, inputs, trainingRows) : "the perceptron rule is for classes, not for numbers";

    private protected override DenseLoss Loss(Problem problem, TargetFacts facts, FitOptions options) => new(DenseLossKind.Perceptron);

    private protected override LayerGraph Graph(Problem problem, IExampleSource train, FitOptions options, DenseLoss loss) =>
        Assemble(train, [DenseLayer("linear", loss.Outputs(problem.Classes.Count))], HeadKind.Step, loss);

    private protected override TrainingDefaults Defaults(Problem problem, IExampleSource train, FitOptions options) => new()
    {
        Epochs = (int)Math.Clamp(5e6 / train.Count, 1, 100),
        BatchSize = 1,
        Optimizer = "sgd",
        LearningRate = 1,
        Schedule = "constant",
        L2 = 0,
        Patience = null,
    };

    private protected override TrainingPlan Adjust(TrainingPlan plan) => plan with { StopLoss = 0 };

    private protected override void Initialize(DenseNetwork network, long seed) { }
}
