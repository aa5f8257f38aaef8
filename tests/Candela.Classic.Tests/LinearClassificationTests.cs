using Candela.Classic.Linear;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Tests;

public class LinearClassificationTests
{
    private static readonly LinearFamily Family = new();

    [Fact, Trait("Kind", "analytic")]
    public void Logistic_OneBinaryFeature_EqualsLogOdds()
    {
        // Without a penalty the fit reproduces the observed shares: x=0: 1 of 4 positive, x=1: 3 of 4; b = -log 3, w = 2 log 3.
        var examples = new Examples([0, 0, 0, 0, 1, 1, 1, 1], 1, labels: [1, 0, 0, 0, 1, 1, 1, 0]);
        var model = (LinearModel)Family.Fit(examples.Context(Examples.Binary, new FitOptions { L2 = 0 })).Model;
        Assert.Equal(2 * Math.Log(3), model.Coefficients[0], 1e-5);
        Assert.Equal(-Math.Log(3), model.Intercepts[0], 1e-5);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Logistic_Ridge_EqualsNewtonsMethod()
    {
        (Examples examples, double[,] x, int[] labels) = Blobs(120, 3, 2, 1);
        const double l2 = 0.05;
        var model = (LinearModel)Family.Fit(examples.Context(Examples.Binary, new FitOptions { L2 = l2 })).Model;

        // Independent: full Newton steps with MathNet on the same objective.
        var w = MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(4);
        for (int step = 0; step < 30; step++)
        {
            var gradient = MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(4);
            var hessian = MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.Dense(4, 4);
            for (int i = 0; i < 120; i++)
            {
                var row = MathNet.Numerics.LinearAlgebra.Vector<double>.Build.DenseOfArray([x[i, 0], x[i, 1], x[i, 2], 1]);
                double p = 1 / (1 + Math.Exp(-(w * row)));
                gradient += row * (p - labels[i]) / 120;
                hessian += row.OuterProduct(row) * (p * (1 - p)) / 120;
            }

            for (int j = 0; j < 3; j++)
            {
                gradient[j] += l2 * w[j];
                hessian[j, j] += l2;
            }

            w -= hessian.Solve(gradient);
        }

        for (int j = 0; j < 3; j++)
            Assert.Equal(w[j], model.Coefficients[j], 1e-5);
        Assert.Equal(w[3], model.Intercepts[0], 1e-5);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Softmax_Ridge_EqualsPlainGradientDescent()
    {
        (Examples examples, double[,] x, int[] labels) = Blobs(90, 2, 3, 2);
        const double l2 = 0.1;
        var problem = Examples.Classes(3);
        var model = (LinearModel)Family.Fit(examples.Context(problem, new FitOptions { L2 = l2 })).Model;

        // Independent and slow: gradient descent with a fixed step.
        var w = new double[3, 3];
        for (int step = 0; step < 40_000; step++)
        {
            var g = new double[3, 3];
            for (int i = 0; i < 90; i++)
            {
                double[] e = [.. Enumerable.Range(0, 3).Select(k => Math.Exp((w[k, 0] * x[i, 0]) + (w[k, 1] * x[i, 1]) + w[k, 2]))];
                for (int k = 0; k < 3; k++)
                {
                    double slope = ((e[k] / e.Sum()) - (labels[i] == k ? 1 : 0)) / 90;
                    g[k, 0] += slope * x[i, 0];
                    g[k, 1] += slope * x[i, 1];
                    g[k, 2] += slope;
                }
            }

            for (int k = 0; k < 3; k++)
            {
                w[k, 0] -= 0.1 * (g[k, 0] + (l2 * w[k, 0]));
                w[k, 1] -= 0.1 * (g[k, 1] + (l2 * w[k, 1]));
                w[k, 2] -= 0.1 * g[k, 2];
            }
        }

        for (int k = 0; k < 3; k++)
            for (int j = 0; j < 2; j++)
                Assert.Equal(w[k, j], model.Coefficients[(k * 2) + j], 1e-4);
    }

    [Fact, Trait("Kind", "gradient")]
    public void Objective_SparseWeightedRows_GradientEqualsFiniteDifferences()
    {
        Examples examples = SparseText(40, out _);
        foreach (bool scaled in new[] { false, true })
        {
            EncodedRows rows = EncodedRows.Read(examples, Examples.Classes(3), TestContext.Current.CancellationToken);
            DesignMatrix x = DesignMatrix.OfTraining(rows);
            var objective = new LinearObjective(x, [.. Enumerable.Range(0, 40)], Examples.Classes(3), [1, 2, 0.5], 0, 1, 1, TestContext.Current.CancellationToken) { L2 = 0.3 };
            if (scaled)
                objective.SparseScale = [.. Enumerable.Range(0, 3 * x.SparseWidth).Select(i => 0.5f + (i % 5))];
            var rng = new Rng(4);
            double[] at = [.. Enumerable.Range(0, objective.Length).Select(_ => rng.NextGaussian())];
            double[] gradient = new double[at.Length], scratch = new double[at.Length];
            objective.Evaluate(at, gradient);
            for (int i = 0; i < at.Length; i++)
            {
                double[] up = [.. at], down = [.. at];
                up[i] += 1e-5;
                down[i] -= 1e-5;
                Assert.Equal((objective.Evaluate(up, scratch) - objective.Evaluate(down, scratch)) / 2e-5, gradient[i], 1e-7);
            }
        }
    }

    [Fact, Trait("Kind", "analytic")]
    public void BalancedWeights_RareClass_GetsHalfTheMass()
    {
        // One constant feature: only the intercept is fitted. Unweighted p = 1/10; balanced p = 1/2.
        var examples = new Examples(new float[10], 1, labels: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        IFittedModel plain = Family.Fit(examples.Context(Examples.Binary, new FitOptions { L2 = 0 })).Model;
        IFittedModel balanced = Family.Fit(examples.Context(Examples.Binary, new FitOptions { L2 = 0, ClassWeights = "balanced" })).Model;
        Assert.Equal(0.1, examples.Score(plain, Examples.Binary)[1], 1e-5);
        Assert.Equal(0.5, examples.Score(balanced, Examples.Binary)[1], 1e-5);
    }

    [Fact, Trait("Kind", "property")]
    public void L1_StrongPenalty_ZeroesNoiseExactlyAndKeepsTheSignal()
    {
        var rng = new Rng(9);
        float[] dense = [.. Enumerable.Range(0, 300 * 5).Select(_ => (float)rng.NextGaussian())];
        int[] labels = [.. Enumerable.Range(0, 300).Select(i => dense[i * 5] > 0 ? 1 : 0)];
        var model = (LinearModel)Family.Fit(new Examples(dense, 5, labels).Context(Examples.Binary, new FitOptions { L1 = 0.1 })).Model;
        Assert.True(model.Coefficients[0] > 0.1);
        Assert.All(model.Coefficients.Skip(1), c => Assert.Equal(0.0, c));
    }

    [Fact, Trait("Kind", "property")]
    public void SparseText_WordsThatTell_AreLearntAndScoredAfterReopening()
    {
        Examples examples = SparseText(300, out int[] labels);
        Problem problem = Examples.Classes(3);
        using IFittedModel model = Family.Fit(examples.Context(problem)).Model;
        Assert.True(examples.Accuracy(model, problem) > 0.95);
        string folder = Directory.CreateTempSubdirectory("candela-").FullName;
        try
        {
            model.Save(folder);
            using IFittedModel again = Family.Open(folder, problem, examples.Layout);
            Assert.Equal(examples.Score(model, problem), examples.Score(again, problem));
            Assert.Equal(model.ParameterCount, again.ParameterCount);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact, Trait("Kind", "property")]
    public void Fit_AnyThreadCount_GivesTheSameBits()
    {
        (Examples examples, _, _) = Blobs(5000, 4, 3, 8);
        Problem problem = Examples.Classes(3);
        var one = (LinearModel)Family.Fit(examples.Context(problem, new FitOptions { L2 = 0.01, Threads = 1 })).Model;
        var two = (LinearModel)Family.Fit(examples.Context(problem, new FitOptions { L2 = 0.01, Threads = 2 })).Model;
        Assert.Equal(one.Coefficients, two.Coefficients);
    }

    [Fact, Trait("Kind", "fault")]
    public void Fit_Cancelled_Throws()
    {
        (Examples examples, _, _) = Blobs(50, 2, 2, 3);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Family.Fit(examples.Context(Examples.Binary) with { Cancellation = source.Token }));
    }

    [Fact, Trait("Kind", "fault")]
    public void Fit_UnknownClassWeights_NamesTheNearest()
    {
        (Examples examples, _, _) = Blobs(50, 2, 2, 3);
        var error = Assert.Throws<UsageException>(() => Family.Fit(examples.Context(Examples.Binary, new FitOptions { ClassWeights = "balance" })));
        Assert.Contains("'balanced'", error.Message, StringComparison.Ordinal);
    }

    internal static (Examples Examples, double[,] X, int[] Labels) Blobs(int rows, int width, int classes, long seed)
    {
        var rng = new Rng(seed);
        var dense = new float[rows * width];
        var x = new double[rows, width];
        var labels = new int[rows];
        for (int i = 0; i < rows; i++)
        {
            labels[i] = i % classes;
            for (int j = 0; j < width; j++)
            {
                dense[(i * width) + j] = (float)(rng.NextGaussian() + (j % classes == labels[i] ? 1.5 : 0));
                x[i, j] = dense[(i * width) + j];
            }
        }

        return (new Examples(dense, width, labels), x, labels);
    }

    // Three classes; each row has one telling entry of its class among noise, and one dense feature of no use.
    internal static Examples SparseText(int rows, out int[] labels)
    {
        var rng = new Rng(6);
        labels = [.. Enumerable.Range(0, rows).Select(i => i % 3)];
        int[] own = labels;
        (int, float)[][] sparse = [.. Enumerable.Range(0, rows).Select(i => new[] { (1000 + (own[i] * 10), 1f), (2000 + rng.Next(20), 1f), (5000 + rng.Next(20), 0.5f) })];
        float[] dense = [.. Enumerable.Range(0, rows).Select(_ => (float)rng.NextGaussian())];
        return new Examples(dense, 1, labels, sparse: sparse, sparseWidth: 1 << 14);
    }
}
