using Candela.Classic.Linear;
using Candela.Classic.Trees;
using Candela.Models;

namespace Candela.Classic;

/// <summary>The model families of this room: <c>linear</c>, <c>boosting</c>, <c>forest</c> and <c>tree</c>.</summary>
public static class ClassicFamilies
{
    /// <summary>One instance of each; they hold no state and can be shared.</summary>
    public static IReadOnlyList<IModelFamily> All { get; } = [new LinearFamily(), new BoostingFamily(), new ForestFamily(), new TreeFamily()];
}
