namespace Candela.Classic.Trees;

/// <summary>What a booster needs to know besides the rows.</summary>
internal sealed record BoostingSettings
{
    /// <summary>Factor on each tree.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Leaves per tree at the most.</summary>
    public required int Leaves { get; init; }

    /// <summary>Training rows per leaf at the least.</summary>
    public required int MinRowsPerLeaf { get; init; }

    /// <summary>L2 penalty on leaf values.</summary>
    public required double L2 { get; init; }

    /// <summary>L1 penalty on leaf values.</summary>
    public double L1 { get; init; }

    /// <summary>Share of the rows each tree sees.</summary>
    public double RowShare { get; init; } = 1;

    /// <summary>Share of the features each tree sees.</summary>
    public double FeatureShare { get; init; } = 1;

    /// <summary>Seed of row and feature sampling.</summary>
    public required long Seed { get; init; }

    /// <summary>Threads; 0 takes the processors available.</summary>
    public int Threads { get; init; }
}
