namespace Candela.Models;

/// <summary>Weights of classes in a loss, by the name <see cref="FitOptions.ClassWeights"/> gives.</summary>
public static class ClassBalance
{
    /// <summary>One weight per class, with mean 1 over the rows: rows / (classes that occur x rows of the class) for <c>balanced</c>, 0 for a class without rows. Null for <c>none</c>.</summary>
    /// <param name="name">none or balanced.</param>
    /// <param name="counts">Training rows per class.</param>
    /// <exception cref="UsageException">The name is neither.</exception>
    public static double[]? WeightsOf(string name, IReadOnlyList<long> counts)
    {
        if (!OptionNames.ClassWeights.Contains(name))
            throw new UsageException($"There are no class weights '{name}'.{NearestName.Hint(name, OptionNames.ClassWeights)} Known: {string.Join(", ", OptionNames.ClassWeights)}.");
        if (name == "none")
            return null;
        double rows = counts.Sum(), occurring = counts.Count(c => c > 0);
        return [.. counts.Select(c => c > 0 ? rows / (occurring * c) : 0)];
    }
}
