namespace Candela.Classic.Linear;

/// <summary>A differentiable convex function of a parameter vector.</summary>
internal interface ISmoothObjective
{
    /// <summary>Number of parameters.</summary>
    int Length { get; }

    /// <summary>The value at <paramref name="parameters"/>; its gradient is written into <paramref name="gradient"/>.</summary>
    double Evaluate(double[] parameters, double[] gradient);
}

/// <summary>How a minimisation ended.</summary>
/// <param name="Value">The objective at the last parameters.</param>
/// <param name="Iterations">Iterations run.</param>
/// <param name="Converged">Whether the tolerance was met.</param>
internal readonly record struct Minimum(double Value, int Iterations, bool Converged);
