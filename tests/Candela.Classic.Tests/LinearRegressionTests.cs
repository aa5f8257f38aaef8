using Candela.Classic.Linear;
using Candela.Models;
using MathNet.Numerics.LinearAlgebra;

namespace Candela.Classic.Tests;

public class LinearRegressionTests
{
    private static readonly LinearFamily Family = new();

    [Fact, Trait("Kind", "golden")]
    public void Ols_ReferenceHundredRows_GivesThePublishedLine()
    {
        // NumPy seed 0: x = rand(100), y = 2 + 3 x + rand(100); numpy.linalg.lstsq gives w = 2.936551, b = 2.558080.
        string[] lines = File.ReadAllLines(Path.Combine(RepositoryRoot(), "samples", "data", "linear-regression-100.csv"));
        double[][] rows = [.. lines.Skip(1).Where(l => l.Length > 0).Select(l => l.Split(',').Select(c => double.Parse(c, System.Globalization.CultureInfo.InvariantCulture)).ToArray())];
        var examples = new Examples([.. rows.Select(r => (float)r[0])], 1, targets: [.. rows.Select(r => (float)r[1])]);
        var model = (LinearModel)Family.Fit(examples.Context(Examples.Regression)).Model;
        Assert.Equal(100, rows.Length);
        Assert.Equal(2.936551, model.Coefficients[0], 2e-6);
        Assert.Equal(2.558080, model.Intercepts[0], 2e-6);
    }

    [Theory, Trait("Kind", "conformance")]
    [InlineData(0.0)]
    [InlineData(0.01)]
    [InlineData(1.0)]
    public void Ridge_RandomRows_EqualsNormalEquationsByMathNet(double l2)
    {
        var examples = Random(200, 6, 3, out double[,] x, out double[] y);
        var model = (LinearModel)Family.Fit(examples.Context(Examples.Regression, new FitOptions { L2 = l2 })).Model;

        // Independent: centre, standardise the target, solve (X'X/n + l2 I) w = X'y/n with MathNet's LU.
        Matrix<double> rows = Matrix<double>.Build.DenseOfArray(x);
        Vector<double> target = Vector<double>.Build.DenseOfArray(y);
        Vector<double> means = rows.ColumnSums() / 200;
        Matrix<double> centred = Matrix<double>.Build.Dense(200, 6, (i, j) => rows[i, j] - means[j]);
        double mean = target.Average(), deviation = Math.Sqrt(target.Select(t => (t - mean) * (t - mean)).Average());
        Vector<double> w = ((centred.TransposeThisAndMultiply(centred) / 200) + (Matrix<double>.Build.DenseIdentity(6) * l2))
            .Solve(centred.TransposeThisAndMultiply((target - mean) / deviation) / 200) * deviation;
        for (int j = 0; j < 6; j++)
            Assert.Equal(w[j], model.Coefficients[j], 1e-5);
        Assert.Equal(mean - (w * means), model.Intercepts[0], 1e-5);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Lasso_OneFeature_EqualsSoftThreshold()
    {
        // x is standardised (mean 0, variance 1) and so is y = 2 x: w = S(1, l1) in units of y's deviation 2.
        float[] x = [-1, 1, -1, 1];
        var examples = new Examples(x, 1, targets: [.. x.Select(v => 2 * v)]);
        var model = (LinearModel)Family.Fit(examples.Context(Examples.Regression, new FitOptions { L1 = 0.3 })).Model;
        Assert.Equal(2 * (1 - 0.3), model.Coefficients[0], 1e-6);
        var gone = (LinearModel)Family.Fit(examples.Context(Examples.Regression, new FitOptions { L1 = 1.01 })).Model;
        Assert.Equal(0.0, gone.Coefficients[0]);
    }

    [Fact, Trait("Kind", "conformance")]
    public void ElasticNet_CoordinateDescent_EqualsProximalGradient()
    {
        // Two solvers that share no code: covariance-update coordinate descent, and FISTA over the rows.
        var examples = Random(150, 8, 11, out _, out _);
        var options = new FitOptions { L1 = 0.05, L2 = 0.02, Threads = 1 };
        FitContext context = examples.Context(Examples.Regression, options);
        var first = (LinearModel)Family.Fit(context).Model;
        var second = (LinearModel)new LinearSearch(context).Fit().Model;
        Assert.Contains(first.Coefficients, c => c == 0);
        Assert.Contains(first.Coefficients, c => c != 0);
        for (int j = 0; j < 8; j++)
        {
            Assert.Equal(first.Coefficients[j], second.Coefficients[j], 1e-4);
            Assert.Equal(first.Coefficients[j] == 0, second.Coefficients[j] == 0);
        }
    }

    [Fact, Trait("Kind", "analytic")]
    public void LeastSquares_DependentColumns_StillFitsExactly()
    {
        // Two equal columns: no unique solution; any with w0 + w1 = 3 fits, and the one of least norm shares equally.
        float[] dense = [.. Enumerable.Range(0, 20).SelectMany(i => new float[] { i, i })];
        var examples = new Examples(dense, 2, targets: [.. Enumerable.Range(0, 20).Select(i => 3f * i + 1)]);
        var model = (LinearModel)Family.Fit(examples.Context(Examples.Regression, new FitOptions { L2 = 0 })).Model;
        Assert.Equal(1.5, model.Coefficients[0], 1e-4);
        Assert.Equal(1.5, model.Coefficients[1], 1e-4);
        Assert.True(examples.MeanSquaredError(model) < 1e-6);
    }

    [Fact, Trait("Kind", "analytic")]
    public void LeastSquares_HugeOffset_LosesNoDigits()
    {
        // Features around 1e6 with unit spread: uncentred sums would lose half the digits.
        float[] x = [.. Enumerable.Range(0, 64).Select(i => 1e6f + i)];
        var examples = new Examples(x, 1, targets: [.. Enumerable.Range(0, 64).Select(i => 5f * i)]);
        var model = (LinearModel)Family.Fit(examples.Context(Examples.Regression, new FitOptions { L2 = 0 })).Model;
        Assert.Equal(5.0, model.Coefficients[0], 1e-5);
    }

    [Fact, Trait("Kind", "property")]
    public void CrossValidatedStrength_PureNoiseOnManyFeatures_ShrinksMoreThanStrongSignal()
    {
        var rng = new Rng(5);
        float[] dense = [.. Enumerable.Range(0, 60 * 40).Select(_ => (float)rng.NextGaussian())];
        float[] noise = [.. Enumerable.Range(0, 60).Select(_ => (float)rng.NextGaussian())];
        float[] signal = [.. Enumerable.Range(0, 60).Select(i => dense.AsSpan(i * 40, 40).ToArray().Sum())];
        double onNoise = LeastSquares.Of(new Examples(dense, 40, targets: noise), TestContext.Current.CancellationToken).StrengthByCrossValidation();
        double onSignal = LeastSquares.Of(new Examples(dense, 40, targets: signal), TestContext.Current.CancellationToken).StrengthByCrossValidation();
        Assert.True(onNoise >= 1, $"{onNoise}");
        Assert.True(onSignal <= 1e-3, $"{onSignal}");
    }

    private static Examples Random(int rows, int width, long seed, out double[,] x, out double[] y)
    {
        var rng = new Rng(seed);
        var dense = new float[rows * width];
        var targets = new float[rows];
        x = new double[rows, width];
        y = new double[rows];
        for (int i = 0; i < rows; i++)
        {
            double sum = 4;
            for (int j = 0; j < width; j++)
            {
                float value = (float)(rng.NextGaussian() + j);
                dense[(i * width) + j] = value;
                x[i, j] = value;
                sum += value * (j % 2 == 0 ? 0 : j);
            }

            targets[i] = (float)(sum + rng.NextGaussian());
            y[i] = targets[i];
        }

        return new Examples(dense, width, targets: targets);
    }

    private static string RepositoryRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Candela.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The repository root was not found above the test assembly.");
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData(float.NaN, 1f, "x1")]
    [InlineData(float.PositiveInfinity, 1f, "x1")]
    [InlineData(1f, float.NaN, "target")]
    public void LeastSquares_NumberThatIsNotFinite_IsRefused(float feature, float target, string named)
    {
        var examples = new Examples([1, 2, 3, feature, 5, 6], 2, targets: [1, target, 3]);
        var error = Assert.Throws<DataException>(() => LeastSquares.Of(examples, TestContext.Current.CancellationToken));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }
}
