namespace Candela.Data;

/// <summary>How rows are shared out.</summary>
public sealed record SplitOptions
{
    /// <summary>Share of all rows for validation, 0..1. Default 0.15; 0 for none.</summary>
    public double ValidFraction { get; init; } = 0.15;

    /// <summary>Share of all rows for the test, 0..1. Default 0.2; 0 for none.</summary>
    public double TestFraction { get; init; } = 0.2;

    /// <summary>Seed. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Keep the shares of each class (or each tenth of a regression target's range of ranks) equal in all parts. Default true.</summary>
    public bool Stratify { get; init; } = true;
}
