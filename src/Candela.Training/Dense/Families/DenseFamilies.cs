using Candela.Models;

namespace Candela.Training.DenseNets;

/// <summary>The families on the dense engine. Naming them loads no libtorch.</summary>
public static class DenseFamilies
{
    /// <summary>mlp, linear-gd, perceptron.</summary>
    public static IReadOnlyList<IModelFamily> All { get; } = [new MlpFamily(), new GradientLinearFamily(), new PerceptronFamily()];
}
