namespace Candela.Training.Language.Adapters;

/// <summary>What a <see cref="LoraAdapter"/> is made of.</summary>
public sealed record LoraOptions
{
    /// <summary>Rank of each update, 1 or more. Default 8.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>An update counts <see cref="Alpha"/> / <see cref="Rank"/> times. Default 16.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>Of what the updates read, in training; 0 (default) up to but not 1. The noise is a function of seed and step, as <see cref="Training.Dropout"/>'s.</summary>
    public double Dropout { get; init; }

    /// <summary>The matrices that get an update, by the last part or parts of their path (<c>q_proj</c>, <c>attn.c_proj</c>). Default: the family's <see cref="CausalLmConfig.AttentionProjections"/>.</summary>
    public IReadOnlyList<string>? TargetModules { get; init; }

    /// <summary>Whether an update counts <see cref="Alpha"/> / sqrt(<see cref="Rank"/>) times (Kalajdzievski 2023). Default no.</summary>
    public bool RankStabilized { get; init; }

    internal double Scale => Alpha / (RankStabilized ? Math.Sqrt(Rank) : Rank);

    internal static bool Matches(string path, string target) => path == target || path.EndsWith("." + target, StringComparison.Ordinal);
}
