using Candela.Classic.Trees;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Tests;

public class BoostingTests
{
    private static readonly BoostingFamily Family = new();

    [Theory, Trait("Kind", "conformance")]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    public void ManagedEvaluator_MixedColumnsWithMissing_EqualsLightGbmsOwnSums(int classes)
    {
        // Numbers, numbers with NaN, and a category with NaN; scored by LightGBM's C interface and by our flat arrays.
        Examples examples = Mixed(2_000, classes, 1);
        Problem problem = classes == 0 ? Examples.Regression : classes == 2 ? Examples.Binary : Examples.Classes(classes);
        TrainingTable table = TrainingTable.OfTraining(examples, problem, new FitOptions(), TestContext.Current.CancellationToken);
        var settings = new BoostingSettings { LearningRate = 0.1, Leaves = 15, MinRowsPerLeaf = 5, L2 = 1, Seed = 3, Threads = 1, RowShare = 0.8 };
        using var booster = new LightGbmBooster(table, null, settings);
        for (int round = 0; round < 40; round++)
            Assert.True(booster.AddRound());
        TreeEnsemble trees = booster.Take(40);
        Assert.Contains(trees.CategorySet, s => s >= 0);
        Assert.Contains(trees.MissingLeft, m => m == 1);
        double[] expected = booster.NativeSums(table.Values, table.Count, 40);
        var sums = new double[trees.Sums];
        for (int i = 0; i < table.Count; i++)
        {
            trees.SumRow(table.Values.AsSpan(i * 4, 4), sums);
            for (int k = 0; k < sums.Length; k++)
                Assert.Equal(expected[(i * sums.Length) + k], sums[k], 1e-5);
        }
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData(500, 2, 2_000, 0.05)]
    [InlineData(60_000, 2, 2_000, 0.05)]
    [InlineData(60_000, 10, 2_000, 0.1)]
    [InlineData(480_000, 0, 1_000, 0.1)]      // (1/8)^(1/3) = 1/2
    [InlineData(480_000, 2, 1_000, 0.1)]
    [InlineData(480_000, 3, 500, 0.2)]        // (1/8)^(2/3) = 1/4
    [InlineData(480_000, 10, 500, 0.2)]
    public void RoundsAndRate_ByRows_AreFewerAndLargerOnlyAboveSixtyThousandRows(int rows, int classes, int rounds, double rate)
    {
        Assert.InRange(BoostingFamily.RoundsFor(rows, classes), rounds - 1, rounds);
        Assert.Equal(rate, BoostingFamily.RateFor(rows, classes), rate * 0.01);
    }

    [Fact, Trait("Kind", "property")]
    public void OfValidation_BalancedClasses_HasTheTrainingWeights()
    {
        var examples = new Examples([1, 2, 3, 4], 1, labels: [0, 0, 0, 1]);
        TrainingTable train = TrainingTable.OfTraining(examples, Examples.Binary, new FitOptions { ClassWeights = "balanced" }, TestContext.Current.CancellationToken);
        Assert.NotEqual(train.Weights![0], train.Weights[3]);
        Assert.Equal(train.Weights, train.OfValidation(examples, Examples.Binary, TestContext.Current.CancellationToken).Weights);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Boosting_StepFunctionOfOneFeature_ReachesBothLevels()
    {
        float[] x = [.. Enumerable.Range(0, 200).Select(i => (float)i)];
        var examples = new Examples(x, 1, targets: [.. x.Select(v => v < 100 ? -3f : 7f)]);
        using IFittedModel model = Family.Fit(examples.Context(Examples.Regression, new FitOptions { MaxSteps = 300, L2 = 0, Threads = 1 })).Model;
        float[] scores = examples.Score(model, Examples.Regression);
        Assert.Equal(-3, scores[50], 1e-2);
        Assert.Equal(7, scores[150], 1e-2);
    }

    [Fact, Trait("Kind", "property")]
    public void Boosting_NonlinearFunction_LeavesUnderATenthOfTheVariance()
    {
        Examples train = Wave(2_000, 1, 0.3), valid = Wave(500, 2, 0.3), test = Wave(500, 3);
        var result = Family.Fit(train.Context(Examples.Regression, valid: valid));
        using IFittedModel model = result.Model;
        double variance = Wave(500, 3).MeanSquaredError(new MeanModel());
        Assert.True(test.MeanSquaredError(model) < variance / 10, $"{test.MeanSquaredError(model)} of {variance}");
        Assert.Equal(StopReason.Patience, result.StopReason);
        Assert.True(result.History.Count > 3);
        Assert.All(result.History, e => Assert.NotNull(e.ValidLoss));
    }

    [Fact, Trait("Kind", "property")]
    public void Fit_SameSeed_SameBitsAndOtherSeedOtherTrees()
    {
        Examples examples = Mixed(1_500, 2, 5);
        float[] Scores(long seed) => examples.Score(Family.Fit(examples.Context(Examples.Binary, new FitOptions { Seed = seed, MaxSteps = 30, Threads = 2 })).Model, Examples.Binary);
        Assert.Equal(Scores(1), Scores(1));
        Assert.NotEqual(Scores(1), Scores(2));
    }

    [Fact, Trait("Kind", "fault")]
    public void Fit_CancelledInTheMiddle_Throws()
    {
        Examples examples = Mixed(1_000, 2, 5);
        using var source = new CancellationTokenSource();
        var context = examples.Context(Examples.Binary) with { Cancellation = source.Token, Events = new Callback(_ => source.Cancel()) };
        Assert.ThrowsAny<OperationCanceledException>(() => Family.Fit(context));
    }

    [Theory, Trait("Kind", "property")]
    [InlineData(true)]
    [InlineData(false)]
    public void Fit_WithoutValidationRows_ChoosesRoundsOnHeldOutRowsAndStopsEarly(bool native)
    {
        // Half of each target is noise: 2,000 rounds would overfit, and the hold-out inside the training rows must notice.
        Examples train = Wave(600, 1, 1.5), test = Wave(500, 3);
        FitResult result = new BoostingFamily(native).Fit(train.Context(Examples.Regression));
        using IFittedModel model = result.Model;
        Assert.InRange(int.Parse(result.Chosen["rounds"], System.Globalization.CultureInfo.InvariantCulture), 5, 500);
        Assert.True(test.MeanSquaredError(model) < test.MeanSquaredError(new MeanModel()) * 0.6);
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData(true)]
    [InlineData(false)]
    public void Fit_BalancedWeights_RaiseTheRareClassToHalf(bool native)
    {
        // A feature that tells nothing: the probability is the weighted share of the class, 0.1 or 0.5.
        var examples = new Examples([.. Enumerable.Range(0, 200).Select(i => (float)(i / 10 % 2))], 1, labels: [.. Enumerable.Range(0, 200).Select(i => i % 10 == 0 ? 1 : 0)]);
        float Share(string weights)
        {
            using IFittedModel model = new BoostingFamily(native).Fit(examples.Context(Examples.Binary, new FitOptions { ClassWeights = weights, MaxSteps = 50, Threads = 1 })).Model;
            return examples.Score(model, Examples.Binary)[1];
        }

        Assert.Equal(0.1, Share("none"), 0.02);
        Assert.Equal(0.5, Share("balanced"), 0.02);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Fit_NothingToSplit_PredictsTheMean()
    {
        var examples = new Examples(new float[100], 1, targets: [.. Enumerable.Range(0, 100).Select(i => (float)i)]);
        foreach (bool native in new[] { true, false })
        {
            using IFittedModel model = new BoostingFamily(native).Fit(examples.Context(Examples.Regression)).Model;
            Assert.Equal(49.5, examples.Score(model, Examples.Regression)[0], 1e-3);
        }
    }

    [Fact, Trait("Kind", "analytic")]
    public void RoundDown_AnyDouble_IsTheLargestFloatNotAbove()
    {
        foreach (double value in new[] { 0.1, -0.1, 1.0, 1e300, 3.0000000001, -2.9999999999, 1e-50 })
        {
            float down = LightGbmModelText.RoundDown(value);
            Assert.True(down <= value);
            Assert.True(down == float.MaxValue || float.BitIncrement(down) > value, $"{value}");
        }
    }

    /// <summary>LightGBM writes inf where a split parts all numbers from the missing cells: every number, the largest too, goes left of it, and right of -inf.</summary>
    [Theory, Trait("Kind", "analytic"), InlineData("inf", 1f, 1f, 2f), InlineData("-inf", 2f, 2f, 2f)]
    public void ModelText_InfiniteThreshold_SplitsNumbersFromMissing(string threshold, float small, float large, float missing)
    {
        // decision_type 8: missing is NaN, and goes right.
        string text = $"tree\nTree=0\nnum_leaves=2\nsplit_feature=0\nsplit_gain=1\nthreshold={threshold}\ndecision_type=8\nleft_child=-1\nright_child=-2\nleaf_value=1 2\nleaf_count=6 4\ninternal_count=10\n\nend of trees\n";
        var builder = new TreeEnsembleBuilder(1);
        LightGbmModelText.Read(text, builder);
        TreeEnsemble trees = builder.Build(TreeLink.Identity, [0]);
        float Of(float x)
        {
            var sums = new double[1];
            trees.SumRow([x], sums);
            return (float)sums[0];
        }

        Assert.Equal((small, large, missing), (Of(-float.MaxValue), Of(float.MaxValue), Of(float.NaN)));
        Assert.Equal(small, Of(0));
    }

    /// <summary>x0, x1 normal; x2 normal with a fifth missing; x3 a category of 12 codes with some missing.</summary>
    internal static Examples Mixed(int rows, int classes, long seed)
    {
        var rng = new Rng(seed);
        var dense = new float[rows * 4];
        var labels = new int[rows];
        var targets = new float[rows];
        for (int i = 0; i < rows; i++)
        {
            double a = rng.NextGaussian(), b = rng.NextGaussian(), c = rng.NextGaussian();
            int code = rng.Next(12);
            bool missing = rng.NextDouble() < 0.2, noCode = rng.NextDouble() < 0.1;
            (dense[i * 4], dense[(i * 4) + 1], dense[(i * 4) + 2], dense[(i * 4) + 3]) = ((float)a, (float)b, missing ? float.NaN : (float)c, noCode ? float.NaN : code);
            double value = Math.Sin(2 * a) + (b * b / 2) + (missing ? 1 : c) + (noCode ? 0 : code is 2 or 5 or 7 ? 2 : -1) + (0.3 * rng.NextGaussian());
            targets[i] = (float)((value * 10) + 100);
            labels[i] = classes == 0 ? 0 : Math.Clamp((int)Math.Floor((value + 2) / 4 * classes), 0, classes - 1);
        }

        return classes == 0 ? new Examples(dense, 4, targets: targets, cardinalities: [0, 0, 0, 12]) : new Examples(dense, 4, labels, cardinalities: [0, 0, 0, 12]);
    }

    internal static Examples Wave(int rows, long seed, double noise = 0)
    {
        var rng = new Rng(seed);
        float[] dense = [.. Enumerable.Range(0, rows * 2).Select(_ => (float)((rng.NextDouble() * 6) - 3))];
        return new Examples(dense, 2, targets: [.. Enumerable.Range(0, rows).Select(i => (float)((Math.Sin(dense[i * 2] * 2) * dense[(i * 2) + 1]) + (noise * rng.NextGaussian())))]);
    }

    private sealed class Callback(Action<TrainEvent> action) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => action(value);
    }

    private sealed class MeanModel : IFittedModel
    {
        public string Family => "mean";

        public long ParameterCount => 1;

        public void Score(FeatureBatch batch, Span<float> scores) => scores.Clear();

        public void Save(string folder)
        {
        }

        public string Summary() => "";

        public void Dispose()
        {
        }
    }
}
