using Candela.Data;
using Candela.Models;

namespace Candela.Classic;

/// <summary>Row weights from <see cref="FitOptions.ClassWeights"/>.</summary>
internal static class ClassWeighting
{
    /// <summary>As <see cref="ClassBalance"/> weighs these labels; null for regression or <c>none</c>.</summary>
    /// <exception cref="UsageException">The name is neither.</exception>
    public static double[]? Of(Problem problem, FitOptions options, ReadOnlySpan<int> labels)
    {
        var counts = new long[problem.IsClassification ? problem.Classes.Count : 0];
        if (problem.IsClassification)
            foreach (int label in labels)
                counts[label]++;
        double[]? weights = ClassBalance.WeightsOf(options.ClassWeights, counts);
        return problem.IsClassification ? weights : null;
    }
}
