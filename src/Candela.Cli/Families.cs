using Candela.Classic;
using Candela.Models;
using Candela.Training;

namespace Candela.Cli;

/// <summary>Every model family the command offers. Listing them loads no native library.</summary>
internal static class Families
{
    public static IReadOnlyList<IModelFamily> All { get; } = [.. NeuralFamilies.All, .. ClassicFamilies.All];
}
