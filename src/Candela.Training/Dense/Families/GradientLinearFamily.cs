using Candela.Data;
using Candela.Graphs;
using Candela.Models;

namespace Candela.Training.DenseNets;

/// <summary>Linear, logistic or softmax regression by gradient descent with any optimiser, from zero weights. For teaching and for comparing optimisers: the family
/// <c>linear</c> solves the same problem exactly and faster.</summary>
public sealed class GradientLinearFamily : DenseFamily
{
    /// <inheritdoc/>
    public override string Id => "linear-gd";

    /// <inheritdoc/>
    public override string Description => "Linear, logistic or softmax regression by gradient descent";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Heeds => [.. FitOptions.Keys.Except(["dropout", "hidden"])];

    private protected override LayerGraph Graph(Problem problem, IExampleSource train, FitOptions options, DenseLoss loss) =>
        Assemble(train, [DenseLayer("linear", loss.Outputs(problem.Classes.Count))], Head(problem), loss);

    private protected override TrainingDefaults Defaults(Problem problem, IExampleSource train, FitOptions options) => new()
    {
        Epochs = (int)Math.Clamp(20e6 / train.Count, 1, 200),
        BatchSize = train.Count < 5000 ? 32 : 256,
        Optimizer = "adam",
        LearningRate = 0.01,
        Schedule = "cosine",
        Patience = null,
    };

    private protected override void Initialize(DenseNetwork network, long seed) { }
}
