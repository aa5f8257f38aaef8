using Candela.Data;
using Candela.Models;

namespace Candela.Classic;

/// <summary>Row weights from <see cref="FitOptions.ClassWeights"/>.</summary>
internal static class ClassWeighting
{
    /// <summary>One weight per class with mean 1 over the rows: 1 for <c>none</c>, rows / (classes x rows of the class) for <c>balanced</c>
    /// (classes without rows get 0). Null for regression or <c>none</c>.</summary>
    /// <exception cref="UsageException">The name is neither.</exception>
    public static double[]? Of(Problem problem, FitOptions options, ReadOnlySpan<int> labels)
    {
        if (options.ClassWeights is not ("none" or "balanced"))
            throw new UsageException($"Class weights '{options.ClassWeights}' are not known; use none or balanced.{NearestName.Hint(options.ClassWeights, ["none", "balanced"])}");
        if (!problem.IsClassification || options.ClassWeights == "none")
            return null;
        var counts = new double[problem.Classes.Count];
        foreach (int label in labels)
            counts[label]++;
        int present = counts.Count(c => c > 0);
        var weights = new double[counts.Length];
        for (int k = 0; k < weights.Length; k++)
            weights[k] = counts[k] == 0 ? 0 : labels.Length / (present * counts[k]);
        return weights;
    }
}
