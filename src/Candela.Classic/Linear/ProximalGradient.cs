using System.Numerics.Tensors;

namespace Candela.Classic.Linear;

/// <summary>Accelerated proximal gradient descent (FISTA, Beck and Teboulle 2009) with backtracking and adaptive restart
/// (O'Donoghue and Candes 2015), for a smooth convex objective plus an L1 penalty. Weights the penalty wins over are exactly zero.</summary>
internal static class ProximalGradient
{
    /// <summary>Minimises <c>objective(x) + sum penalty[i] |x[i]|</c> from <paramref name="x"/>, which holds the result afterwards.</summary>
    /// <param name="objective">The smooth part.</param>
    /// <param name="penalty">L1 strength per parameter; 0 for intercepts.</param>
    /// <param name="x">Start and result.</param>
    /// <param name="tolerance">Stop when no component of the generalised gradient (step difference / step size) exceeds it.</param>
    /// <param name="maxIterations">Iterations at the most.</param>
    /// <param name="goOn">Receives iteration (from 0) and the smooth value; false ends the minimisation there; may throw to cancel.</param>
    public static Minimum Minimise(ISmoothObjective objective, double[] penalty, double[] x, double tolerance, int maxIterations, Func<int, double, bool>? goOn = null)
    {
        int n = objective.Length;
        double[] ahead = [.. x], gradient = new double[n], next = new double[n], difference = new double[n], scratch = new double[n];
        double size = 1, momentum = 1, value = 0;
        for (int iteration = 0; iteration < maxIterations; iteration++)
        {
            double aheadValue = objective.Evaluate(ahead, gradient);
            if (goOn?.Invoke(iteration, aheadValue) == false)
                return new Minimum(value, iteration, false);
            size *= 1.5;
            for (; ; size /= 2)
            {
                for (int i = 0; i < n; i++)
                {
                    double moved = ahead[i] - (size * gradient[i]), shrink = size * penalty[i];
                    next[i] = moved > shrink ? moved - shrink : moved < -shrink ? moved + shrink : 0;
                }

                TensorPrimitives.Subtract<double>(next, ahead, difference);
                value = objective.Evaluate(next, scratch);
                double bound = aheadValue + TensorPrimitives.Dot<double>(gradient, difference) + (TensorPrimitives.SumOfSquares<double>(difference) / (2 * size));
                if (value <= bound + (1e-14 * Math.Abs(aheadValue)) || size < 1e-18)
                    break;
            }

            if (Math.Abs(TensorPrimitives.MaxMagnitude<double>(difference)) <= tolerance * size)
            {
                next.CopyTo(x, 0);
                return new Minimum(value, iteration, true);
            }

            double progress = 0;
            for (int i = 0; i < n; i++)
                progress += difference[i] * (next[i] - x[i]);
            double nextMomentum = progress < 0 ? 1 : (1 + Math.Sqrt(1 + (4 * momentum * momentum))) / 2;
            double carry = progress < 0 ? 0 : (momentum - 1) / nextMomentum;
            for (int i = 0; i < n; i++)
            {
                ahead[i] = next[i] + (carry * (next[i] - x[i]));
                x[i] = next[i];
            }

            momentum = nextMomentum;
        }

        return new Minimum(value, maxIterations, false);
    }
}
