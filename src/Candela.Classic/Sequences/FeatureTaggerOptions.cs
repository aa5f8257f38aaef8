using Candela.Language;

namespace Candela.Classic.Sequences;

/// <summary>How to train a <see cref="FeatureTagger"/>.</summary>
public sealed record FeatureTaggerOptions
{
    /// <summary>The features. Default: by the training tokens.</summary>
    public TokenTemplates Templates { get; init; } = TokenTemplates.Auto;

    /// <summary>Features seen fewer times in training are left out; 1 or more. Default 1.</summary>
    public int MinimumCount { get; init; } = 1;

    /// <summary>Weight of half the squared norm of all parameters in the objective (which sums over sentences); above 0. Default 0.3.</summary>
    public double L2 { get; init; } = 0.3;

    /// <summary>Iterations of L-BFGS at the most; 1 or more. Default 100. Fewer run when the objective falls by less than a part in 10,000 over ten of them.</summary>
    public int MaxIterations { get; init; } = 100;

    /// <summary>Hears of each iteration (from 0) with the objective's value. Default: nobody.</summary>
    public Action<int, double>? Progress { get; init; }
}
