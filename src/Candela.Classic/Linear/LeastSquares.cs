using System.Numerics.Tensors;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Linear;

/// <summary>Least squares from the covariance of the training rows, read in two streamed passes (means, then centred products), all in double:
/// ordinary and ridge regression by Cholesky factorisation, lasso and elastic net by coordinate descent with covariance updates
/// (Friedman, Hastie and Tibshirani 2010). Memory 16 F^2 bytes; time rows x F^2 / 2 + F^3.</summary>
/// <remarks>The objective is <c>1/2 mean squared error + l1 |w| + l2/2 |w|^2</c> with the target divided by its standard deviation, so a
/// penalty means the same whatever the target's unit. The intercept is not penalised.</remarks>
internal sealed class LeastSquares
{
    private readonly double[] _covariance; // [F, F], symmetric
    private readonly double[] _withTarget; // [F], covariance with the standardised target
    private readonly double[] _means;
    private readonly int _width;

    private LeastSquares(double[] means, double targetMean, double targetScale, double[] covariance, double[] withTarget, long count)
        => (_means, TargetMean, TargetScale, _covariance, _withTarget, _width, Count) = (means, targetMean, targetScale, covariance, withTarget, means.Length, count);

    public long Count { get; }

    public double TargetMean { get; }

    /// <summary>Standard deviation of the training targets, or 1 when they are all equal.</summary>
    public double TargetScale { get; }

    /// <summary>Standard deviation of each feature over the training rows.</summary>
    public float[] FeatureDeviations()
    {
        var deviations = new float[_width];
        for (int i = 0; i < _width; i++)
            deviations[i] = (float)Math.Sqrt(_covariance[(i * _width) + i]);
        return deviations;
    }

    /// <summary>Reads the training rows twice.</summary>
    public static LeastSquares Of(IExampleSource source, CancellationToken cancellation)
    {
        int width = source.Layout.DenseWidth;
        var means = new double[width];
        var row = new double[width];
        double targetMean = 0;
        long count = 0;
        foreach (FeatureBatch batch in source.Batches(new BatchPlan(1024)))
        {
            cancellation.ThrowIfCancellationRequested();
            for (int i = 0; i < batch.Count; i++)
            {
                // Running means: no large sums to lose digits in.
                double share = 1.0 / ++count;
                for (int j = 0; j < width; j++)
                    means[j] += (batch.Dense[(i * width) + j] - means[j]) * share;
                targetMean += (batch.Targets[i] - targetMean) * share;
            }
        }

        if (count == 0)
            throw new DataException("There are no training rows; give a larger file or smaller validation and test shares.");
        // A mean over rows is finite only if every row is.
        int bad = Array.FindIndex(means, m => !double.IsFinite(m));
        if (bad >= 0 || !double.IsFinite(targetMean))
            throw new DataException($"{(bad < 0 ? "The target" : bad < source.Layout.DenseNames.Count ? $"Feature '{source.Layout.DenseNames[bad]}'" : $"Feature {bad}")} holds NaN or infinite values; least squares needs finite numbers. Fill or drop them.");
        var covariance = new double[width * width];
        var withTarget = new double[width];
        double targetSquares = 0;
        foreach (FeatureBatch batch in source.Batches(new BatchPlan(1024)))
        {
            cancellation.ThrowIfCancellationRequested();
            for (int i = 0; i < batch.Count; i++)
            {
                TensorPrimitives.ConvertChecked<float, double>(batch.Dense.AsSpan(i * width, width), row);
                TensorPrimitives.Subtract<double>(row, means, row);
                double target = batch.Targets[i] - targetMean;
                targetSquares += target * target;
                TensorPrimitives.MultiplyAdd<double>(row, target, withTarget, withTarget);
                for (int j = 0; j < width; j++)
                    if (row[j] != 0)
                    {
                        Span<double> slot = covariance.AsSpan((j * width) + j, width - j);
                        TensorPrimitives.MultiplyAdd(row.AsSpan(j), row[j], slot, slot);
                    }
            }
        }

        double scale = Math.Sqrt(targetSquares / count);
        if (!(scale > 0))
            scale = 1;
        TensorPrimitives.Multiply<double>(covariance, 1.0 / count, covariance);
        TensorPrimitives.Multiply<double>(withTarget, 1 / (count * scale), withTarget);
        for (int i = 0; i < width; i++)
            for (int j = 0; j < i; j++)
                covariance[(i * width) + j] = covariance[(j * width) + i];
        return new LeastSquares(means, targetMean, scale, covariance, withTarget, count);
    }

    /// <summary>Weights (for the standardised target) of the ridge solution, or null when the matrix is not positive definite to working precision.</summary>
    public double[]? Ridge(double l2) => Factor(l2) is { } factor ? Solve(factor, _withTarget) : null;

    /// <summary>The ridge solution with the smallest addition to <paramref name="l2"/> that makes the matrix positive definite: with linearly
    /// dependent features close to the least-squares solution of minimum norm.</summary>
    public double[] NearMinimumNorm(double l2)
    {
        double unit = 0;
        for (int i = 0; i < _width; i++)
            unit = Math.Max(unit, _covariance[(i * _width) + i]);
        if (unit == 0)
            return new double[_width];
        for (double added = 1e-10 * unit; ; added *= 10)
            if (Ridge(l2 + added) is { } weights)
                return weights;
    }

    /// <summary>The ridge strength by generalised cross-validation (Golub, Heath and Wahba 1979): of 0 and 10^-8 .. 10 times the mean feature
    /// variance, the smallest whose score is within 0.1 % of the best, so that plain least squares is used wherever it does as well.</summary>
    public double StrengthByCrossValidation()
    {
        double unit = 0;
        for (int i = 0; i < _width; i++)
            unit += _covariance[(i * _width) + i] / _width;
        if (!(unit > 0))
            return 0;
        var scores = new List<RidgeScore>();
        for (int exponent = -9; exponent <= 1; exponent++)
        {
            double l2 = exponent == -9 ? 0 : unit * Math.Pow(10, exponent);
            if (Factor(l2) is { } factor)
            {
                double[] weights = Solve(factor, _withTarget);
                double freedom = 1 + _width - (l2 * InverseTrace(factor)), left = 1 - (freedom / Count);
                if (left > 1e-9)
                    scores.Add(new RidgeScore(l2, Math.Max(0, MeanSquaredError(weights)) / (left * left)));
            }
        }

        if (scores.Count == 0)
            return unit;
        double best = scores.Min(s => s.Score);
        return scores.First(s => s.Score <= best * 1.001).L2;
    }

    /// <summary>Weights (for the standardised target) of the elastic net; zeros are exact.</summary>
    public double[] ElasticNet(double l1, double l2, CancellationToken cancellation, FitLimits? limits = null)
    {
        var weights = new double[_width];
        var rest = (double[])_withTarget.Clone(); // withTarget - covariance . weights
        for (int sweep = 0; sweep < 100_000; sweep++)
        {
            cancellation.ThrowIfCancellationRequested();
            double largest = 0;
            for (int j = 0; j < _width; j++)
            {
                double variance = _covariance[(j * _width) + j];
                if (variance + l2 <= 0)
                    continue;
                double pull = rest[j] + (variance * weights[j]);
                double next = (pull > l1 ? pull - l1 : pull < -l1 ? pull + l1 : 0) / (variance + l2), change = next - weights[j];
                if (change == 0)
                    continue;
                weights[j] = next;
                TensorPrimitives.MultiplyAdd(_covariance.AsSpan(j * _width, _width), -change, rest, rest);
                largest = Math.Max(largest, Math.Abs(change) * Math.Sqrt(variance));
            }

            if (largest < 1e-10 || limits?.Reached() == true)
                break;
        }

        return weights;
    }

    /// <summary>Mean squared error of the weights on the training rows, as a share of the target's variance.</summary>
    public double MeanSquaredError(double[] weights)
    {
        double total = 1;
        for (int i = 0; i < _width; i++)
            total += weights[i] * (TensorPrimitives.Dot(_covariance.AsSpan(i * _width, _width), weights) - (2 * _withTarget[i]));
        return total;
    }

    /// <summary>The intercept in the target's unit, for weights in the target's unit.</summary>
    public double Intercept(ReadOnlySpan<double> weights) => TargetMean - TensorPrimitives.Dot(weights, _means);

    // Lower Cholesky factor of covariance + l2 I.
    private double[]? Factor(double l2)
    {
        int n = _width;
        var factor = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            Span<double> own = factor.AsSpan(i * n, n);
            for (int j = 0; j < i; j++)
            {
                ReadOnlySpan<double> other = factor.AsSpan(j * n, n);
                own[j] = (_covariance[(i * n) + j] - TensorPrimitives.Dot(own[..j], other[..j])) / other[j];
            }

            double diagonal = _covariance[(i * n) + i] + l2, pivot = diagonal - TensorPrimitives.SumOfSquares(own[..i]);
            if (!(pivot > 1e-11 * diagonal))
                return null;
            own[i] = Math.Sqrt(pivot);
        }

        return factor;
    }

    private double[] Solve(double[] factor, double[] right)
    {
        int n = _width;
        var x = (double[])right.Clone();
        for (int i = 0; i < n; i++)
            x[i] = (x[i] - TensorPrimitives.Dot(factor.AsSpan(i * n, i), x.AsSpan(0, i))) / factor[(i * n) + i];
        for (int i = n - 1; i >= 0; i--)
        {
            x[i] /= factor[(i * n) + i];
            TensorPrimitives.MultiplyAdd(factor.AsSpan(i * n, i), -x[i], x.AsSpan(0, i), x.AsSpan(0, i));
        }

        return x;
    }

    // trace((L L')^-1) = |L^-1|^2, column by column of L^-1.
    private double InverseTrace(double[] factor)
    {
        int n = _width;
        double trace = 0;
        var column = new double[n];
        for (int c = 0; c < n; c++)
        {
            Array.Clear(column);
            column[c] = 1 / factor[(c * n) + c];
            for (int i = c + 1; i < n; i++)
                column[i] = -TensorPrimitives.Dot(factor.AsSpan((i * n) + c, i - c), column.AsSpan(c, i - c)) / factor[(i * n) + i];
            trace += TensorPrimitives.SumOfSquares<double>(column);
        }

        return trace;
    }

    private readonly record struct RidgeScore(double L2, double Score);
}
