using Candela.Classic.Trees;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Tests;

public class TreeTests
{
    [Fact, Trait("Kind", "analytic")]
    public void Tree_Xor_IsExactAtDepthTwo()
    {
        var examples = new Examples([0, 0, 0, 1, 1, 0, 1, 1], 2, labels: [0, 1, 1, 0]);
        var model = (TreeModel)new TreeFamily().Fit(examples.Context(Examples.Binary)).Model;
        Assert.Equal(2, model.Trees.Depth());
        Assert.Equal(4, model.Trees.LeafCount);
        Assert.Equal(1.0, examples.Accuracy(model, Examples.Binary));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Stump_OneFeature_FindsTheClosedFormSplitAndMeans()
    {
        // Of all cuts of these six targets the one after 2 leaves the least squared error: means 2 and 11.
        var examples = new Examples([0, 1, 2, 3, 4, 5], 1, targets: [1, 2, 3, 10, 11, 12]);
        var model = (TreeModel)TreeFamily.Fit(examples.Context(Examples.Regression), new TreeLimits { Depth = 1 }).Model;
        Assert.Equal(2.5f, Assert.Single(model.Trees.Threshold));
        Assert.Equal([2, 2, 2, 11, 11, 11], examples.Score(model, Examples.Regression).Select(s => MathF.Round(s, 5)));
    }

    [Fact, Trait("Kind", "conformance")]
    public void Stump_RandomRows_EqualsExhaustiveSearch()
    {
        // Independent: try every cut of every feature by its squared error.
        for (long seed = 0; seed < 20; seed++)
        {
            var rng = new Rng(seed);
            float[] dense = [.. Enumerable.Range(0, 60 * 3).Select(_ => (float)rng.Next(30))];
            float[] targets = [.. Enumerable.Range(0, 60).Select(_ => (float)rng.NextGaussian())];
            double best = double.PositiveInfinity;
            for (int f = 0; f < 3; f++)
                for (int cut = 0; cut < 30; cut++)
                {
                    float[] left = [.. targets.Where((_, i) => dense[(i * 3) + f] <= cut)], right = [.. targets.Where((_, i) => dense[(i * 3) + f] > cut)];
                    if (left.Length > 0 && right.Length > 0)
                        best = Math.Min(best, left.Sum(t => Math.Pow(t - left.Average(), 2)) + right.Sum(t => Math.Pow(t - right.Average(), 2)));
                }

            var examples = new Examples(dense, 3, targets: targets);
            IFittedModel model = TreeFamily.Fit(examples.Context(Examples.Regression), new TreeLimits { Depth = 1 }).Model;
            Assert.Equal(best / 60, examples.MeanSquaredError(model), 1e-5);
        }
    }

    [Fact, Trait("Kind", "analytic")]
    public void Stump_Categories_GroupsThemByMeanInOneSplit()
    {
        // Codes 0, 3, 5 mean 1; the others mean 9: no order of codes separates them, one set does.
        int[] codes = [.. Enumerable.Range(0, 70).Select(i => i % 7)];
        var examples = new Examples([.. codes.Select(c => (float)c)], 1, targets: [.. codes.Select(c => c is 0 or 3 or 5 ? 1f : 9f)], cardinalities: [7]);
        var model = (TreeModel)TreeFamily.Fit(examples.Context(Examples.Regression), new TreeLimits { Depth = 1 }).Model;
        Assert.Equal(1, model.Trees.Depth());
        Assert.True(examples.MeanSquaredError(model) < 1e-10);
        int left = Assert.Single(model.Trees.CategoryWords); // either group may be the left one
        Assert.Contains(left, new[] { 0b0101001, 0b1010110 });
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData(true)]
    [InlineData(false)]
    public void Stump_MissingCells_GoToTheSideTheyResemble(bool high)
    {
        float[] x = [0, 0, 0, 1, 1, 1, float.NaN, float.NaN];
        float[] y = [0, 0, 0, 10, 10, 10, high ? 10 : 0, high ? 10 : 0];
        var examples = new Examples(x, 1, targets: y);
        IFittedModel model = TreeFamily.Fit(examples.Context(Examples.Regression), new TreeLimits { Depth = 1 }).Model;
        Assert.True(examples.MeanSquaredError(model) < 1e-10);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Stump_OnlyMissingTells_SplitsMissingFromTheRest()
    {
        float[] x = [1, 1, 1, float.NaN, float.NaN];
        var examples = new Examples(x, 1, targets: [2, 2, 2, 5, 5]);
        IFittedModel model = TreeFamily.Fit(examples.Context(Examples.Regression), new TreeLimits { Depth = 1 }).Model;
        Assert.True(examples.MeanSquaredError(model) < 1e-10);
    }

    [Fact, Trait("Kind", "property")]
    public void Tree_PureNoise_IsPrunedToOneLeaf()
    {
        var rng = new Rng(12);
        float[] dense = [.. Enumerable.Range(0, 400 * 3).Select(_ => (float)rng.NextGaussian())];
        var examples = new Examples(dense, 3, targets: [.. Enumerable.Range(0, 400).Select(_ => (float)rng.NextGaussian())]);
        var model = (TreeModel)new TreeFamily().Fit(examples.Context(Examples.Regression)).Model;
        Assert.Equal(1, model.Trees.LeafCount);
    }

    [Fact, Trait("Kind", "property")]
    public void Forest_NonlinearFunction_BeatsOneTreeAndTheMean()
    {
        Examples train = BoostingTests.Wave(1_000, 1, 0.3), test = BoostingTests.Wave(500, 3);
        double Error(IModelFamily family) => test.MeanSquaredError(family.Fit(train.Context(Examples.Regression, new FitOptions { MaxSteps = 60 })).Model);
        double tree = Error(new TreeFamily()), forest = Error(new ForestFamily());
        double[] targets = [.. test.Batches(new BatchPlan(500)).SelectMany(b => b.Targets.Select(t => (double)t))];
        double variance = targets.Sum(t => Math.Pow(t - targets.Average(), 2)) / targets.Length;
        Assert.True(forest < tree, $"{forest} {tree}");
        Assert.True(forest < variance / 5, $"{forest} of {variance}");
    }

    [Fact, Trait("Kind", "property")]
    public void Forest_AnyThreadCount_GivesTheSameBits()
    {
        Examples examples = BoostingTests.Mixed(500, 3, 2);
        Problem problem = Examples.Classes(3);
        float[] Scores(int threads) => examples.Score(new ForestFamily().Fit(examples.Context(problem, new FitOptions { MaxSteps = 12, Threads = threads })).Model, problem);
        Assert.Equal(Scores(1), Scores(2));
    }

    [Theory, Trait("Kind", "conformance")]
    [InlineData(0, 0.15)]
    [InlineData(2, 0.03)]
    [InlineData(3, 0.05)]
    public void ManagedBoosting_MixedColumns_IsNearlyAsGoodAsLightGbm(int classes, double slack)
    {
        Examples train = BoostingTests.Mixed(1_500, classes, 1), valid = BoostingTests.Mixed(500, classes, 2), test = BoostingTests.Mixed(2_000, classes, 3);
        Problem problem = classes == 0 ? Examples.Regression : classes == 2 ? Examples.Binary : Examples.Classes(classes);
        double Quality(bool native)
        {
            FitResult result = new BoostingFamily(native).Fit(train.Context(problem, new FitOptions { LearningRate = 0.1, Threads = 1 }, valid));
            Assert.Equal(native ? "lightgbm" : "managed", result.Chosen["engine"]);
            return classes == 0 ? test.MeanSquaredError(result.Model) : test.Accuracy(result.Model, problem);
        }

        double lightGbm = Quality(true), managed = Quality(false);
        Assert.True(classes == 0 ? managed < lightGbm * (1 + slack) : managed > lightGbm - slack, $"managed {managed}, LightGBM {lightGbm}");
    }

    [Fact, Trait("Kind", "fault")]
    public void LightGbmLoadFailure_Message_NamesTheDebianPackage()
    {
        EngineException error = LightGbmNative.Unavailable(new DllNotFoundException("Unable to load shared library 'lib_lightgbm'\nlibgomp.so.1: cannot open shared object file: No such file or directory"));
        Assert.Contains("libgomp1", error.Message, StringComparison.Ordinal);
        Assert.Contains("libgomp.so.1", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
