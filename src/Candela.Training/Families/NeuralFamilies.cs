using Candela.Models;

namespace Candela.Training;

/// <summary>The model families of this room. Listing them loads no native library.</summary>
public static class NeuralFamilies
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IModelFamily> All { get; } = [];
}
