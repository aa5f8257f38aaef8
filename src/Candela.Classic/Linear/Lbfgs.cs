using System.Numerics.Tensors;

namespace Candela.Classic.Linear;

/// <summary>Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4 and 7.5) with a weak-Wolfe bisection line search
/// (Lewis and Overton 2013), in double precision.</summary>
internal static class Lbfgs
{
    private const double SufficientDecrease = 1e-4, Curvature = 0.9;

    /// <summary>Minimises from <paramref name="x"/>, which holds the result afterwards.</summary>
    /// <param name="objective">What to minimise.</param>
    /// <param name="x">Start and result.</param>
    /// <param name="tolerance">Stop when no component of the gradient exceeds it.</param>
    /// <param name="maxIterations">Iterations at the most.</param>
    /// <param name="goOn">Receives iteration (from 0) and value; false ends the minimisation there; may throw to cancel.</param>
    public static Minimum Minimise(ISmoothObjective objective, double[] x, double tolerance, int maxIterations, Func<int, double, bool>? goOn = null)
    {
        int n = objective.Length;
        // Two vectors of n doubles per remembered step: at most about 200 MB.
        int memory = (int)Math.Clamp((200L << 20) / (16L * n), 3, 10);
        double[][] steps = new double[memory][], changes = new double[memory][];
        double[] rho = new double[memory], alpha = new double[memory];
        double[] gradient = new double[n], nextGradient = new double[n], next = new double[n], direction = new double[n];
        double value = objective.Evaluate(x, gradient);
        int stored = 0;
        for (int iteration = 0; iteration < maxIterations; iteration++)
        {
            bool goes = goOn?.Invoke(iteration, value) ?? true;
            if (TensorPrimitives.MaxMagnitude<double>(gradient) is var g && Math.Abs(g) <= tolerance)
                return new Minimum(value, iteration, true);
            if (!goes)
                return new Minimum(value, iteration, false);

            TensorPrimitives.Negate<double>(gradient, direction);
            int first = Math.Max(0, stored - memory);
            for (int i = stored - 1; i >= first; i--)
            {
                int k = i % memory;
                alpha[k] = rho[k] * TensorPrimitives.Dot<double>(steps[k], direction);
                TensorPrimitives.MultiplyAdd<double>(changes[k], -alpha[k], direction, direction);
            }

            if (stored > 0)
            {
                int last = (stored - 1) % memory;
                TensorPrimitives.Multiply<double>(direction, 1 / (rho[last] * TensorPrimitives.SumOfSquares<double>(changes[last])), direction);
            }

            for (int i = first; i < stored; i++)
            {
                int k = i % memory;
                double beta = rho[k] * TensorPrimitives.Dot<double>(changes[k], direction);
                TensorPrimitives.MultiplyAdd<double>(steps[k], alpha[k] - beta, direction, direction);
            }

            double slope = TensorPrimitives.Dot<double>(gradient, direction);
            if (!(slope < 0))
            {
                if (stored == 0)
                    return new Minimum(value, iteration, false);
                stored = 0; // The remembered curvature is of no use any more: start again from steepest descent.
                continue;
            }

            double low = 0, high = double.PositiveInfinity;
            double step = stored == 0 ? Math.Min(1, 1 / Math.Sqrt(TensorPrimitives.SumOfSquares<double>(gradient))) : 1;
            double nextValue = value;
            bool accepted = false;
            for (int trial = 0; trial < 50; trial++)
            {
                TensorPrimitives.MultiplyAdd<double>(direction, step, x, next);
                nextValue = objective.Evaluate(next, nextGradient);
                if (!(nextValue <= value + (SufficientDecrease * step * slope)))
                    high = step;
                else if (TensorPrimitives.Dot<double>(nextGradient, direction) < Curvature * slope)
                    low = step;
                else
                {
                    accepted = true;
                    break;
                }

                step = double.IsPositiveInfinity(high) ? 2 * low : (low + high) / 2;
            }

            if (!accepted && !(nextValue < value))
                return new Minimum(value, iteration, false); // Rounding leaves no further decrease.

            int slot = stored % memory;
            double[] s = steps[slot] ??= new double[n], y = changes[slot] ??= new double[n];
            TensorPrimitives.Subtract<double>(next, x, s);
            TensorPrimitives.Subtract<double>(nextGradient, gradient, y);
            double curvature = TensorPrimitives.Dot<double>(s, y);
            if (curvature > 1e-300)
            {
                rho[slot] = 1 / curvature;
                stored++;
            }

            next.CopyTo(x, 0);
            (gradient, nextGradient) = (nextGradient, gradient);
            value = nextValue;
        }

        return new Minimum(value, maxIterations, false);
    }
}
