using Candela.Data;
using Candela.Evaluation;
using Candela.Metrics;

namespace Candela.Tests.Evaluation;

public class EvaluatorTests
{
    private static readonly Problem Binary = new(TaskKind.Binary, "y", ["no", "yes"]);
    private static readonly Problem Regression = new(TaskKind.Regression, "y", []);

    [Fact, Trait("Kind", "conformance")]
    public void Evaluate_Binary_AgreesWithThePlainMetrics()
    {
        var (scores, labels) = Scored(500, 2, seed: 1);
        SplitEvaluation result = Evaluator.Evaluate(Binary, scores, labels, null, 500, seed: 0);
        var positive = Array.ConvertAll(labels, l => l == 1);
        float[] p = [.. Enumerable.Range(0, 500).Select(i => scores[(2 * i) + 1])];
        var confusion = ConfusionMatrix.Of(labels, ProbabilityMetrics.Predict(scores, 2), 2);
        var expected = new Dictionary<string, double>
        {
            ["accuracy"] = confusion.Accuracy,
            ["precisionMacro"] = confusion.PrecisionMacro,
            ["recallMacro"] = confusion.RecallMacro,
            ["precisionWeighted"] = confusion.PrecisionWeighted,
            ["recallWeighted"] = confusion.RecallWeighted,
            ["precisionMicro"] = confusion.Accuracy,
            ["recallMicro"] = confusion.Accuracy,
            ["f1Micro"] = confusion.F1Micro,
            ["f1Macro"] = confusion.F1Macro,
            ["f1Weighted"] = confusion.F1Weighted,
            ["mcc"] = confusion.Mcc,
            ["logLoss"] = ProbabilityMetrics.LogLoss(scores, labels, 2),
            ["brier"] = ProbabilityMetrics.Brier(scores, labels, 2),
            ["ece"] = ProbabilityMetrics.ExpectedCalibrationError(scores, labels, 2),
            ["rocAuc"] = RankingMetrics.RocAuc(p, positive),
            ["prAuc"] = RankingMetrics.AveragePrecision(p, positive),
        };
        AssertValues(expected, result.Metrics);
        Assert.Equal(confusion[0, 1], result.Confusion![0][1]);
        Assert.Equal(confusion.Recall(1), result.Classes![1].Recall);
        Assert.Equal(500, result.Calibration!.Sum(b => b.Count));
        Assert.Equal("yes", Assert.Single(result.Roc!).Name);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Evaluate_EightClasses_AgreesWithThePlainMetricsAndHasTop5()
    {
        var problem = new Problem(TaskKind.Multiclass, "y", ["a", "b", "c", "d", "e", "f", "g", "h"]);
        var (scores, labels) = Scored(400, 8, seed: 2);
        SplitEvaluation result = Evaluator.Evaluate(problem, scores, labels, null, 400, seed: 0);
        Assert.Equal(ProbabilityMetrics.TopK(scores, labels, 8, 5), result.Metrics["top5"].Value, 12);
        Assert.Equal(ProbabilityMetrics.Brier(scores, labels, 8), result.Metrics["brier"].Value, 12);
        Assert.Equal(RankingMetrics.RocAuc(scores, labels, 8), result.Metrics["rocAuc"].Value, 12);
        Assert.Equal(RankingMetrics.AveragePrecision(scores, labels, 8), result.Metrics["prAuc"].Value, 12);
        Assert.Equal(8, result.Roc!.Count);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Evaluate_Regression_AgreesWithThePlainMetrics()
    {
        var (actual, predicted) = Numbers(3000, seed: 3);
        SplitEvaluation result = Evaluator.Evaluate(Regression, predicted, null, actual, 9000, seed: 0);
        AssertValues(
            new Dictionary<string, double>
            {
                ["mse"] = RegressionMetrics.Mse(actual, predicted),
                ["rmse"] = RegressionMetrics.Rmse(actual, predicted),
                ["mae"] = RegressionMetrics.Mae(actual, predicted),
                ["r2"] = RegressionMetrics.R2(actual, predicted),
                ["mape"] = RegressionMetrics.Mape(actual, predicted),
            },
            result.Metrics);
        Assert.Equal((3000, 9000), (result.Rows, result.SplitRows));
        Assert.Equal(1000, result.Residuals!.Count);
        Assert.Null(result.Confusion);
    }

    [Fact, Trait("Kind", "property")]
    public void Evaluate_AnySeed_IntervalsHoldTheValueAndRepeat()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var (scores, labels) = Scored(15 + (7 * seed), 3, seed);
            var problem = new Problem(TaskKind.Multiclass, "y", ["a", "b", "c"]);
            var first = Evaluator.Evaluate(problem, scores, labels, null, labels.Length, seed, 200).Metrics;
            var again = Evaluator.Evaluate(problem, scores, labels, null, labels.Length, seed, 200).Metrics;
            foreach (var (name, metric) in first)
            {
                Assert.True(metric.Low <= metric.Value && metric.Value <= metric.High, $"{name}: {metric}");
                Assert.Equal(metric, again[name]);
            }

            Assert.True(first["accuracy"].High <= 1 && first["accuracy"].Low < first["accuracy"].High);
        }
    }

    [Fact, Trait("Kind", "property")]
    public void Evaluate_KnownDistributions_IntervalsCoverTheTruthInAbout95Percent()
    {
        // Scores of the classes are unit normals one apart: AUC = Phi(1 / sqrt 2). Regression errors have standard deviation 1 and the target 2: mse 1.
        const int Trials = 250;
        int auc = 0, accuracy = 0, mse = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            var rng = new Rng(trial, stream: 77);
            var labels = new int[200];
            var scores = new float[400];
            var (actual, predicted) = Numbers(200, trial);
            for (int i = 0; i < labels.Length; i++)
            {
                labels[i] = i % 2;
                double z = rng.NextGaussian() + labels[i];
                scores[(2 * i) + 1] = (float)(1 / (1 + Math.Exp(-(z - 0.5))));
                scores[2 * i] = 1 - scores[(2 * i) + 1];
            }

            var classes = Evaluator.Evaluate(Binary, scores, labels, null, 200, trial, 400).Metrics;
            var numbers = Evaluator.Evaluate(Regression, predicted, null, actual, 200, trial, 400).Metrics;
            auc += Holds(classes["rocAuc"], 0.760250) ? 1 : 0;
            accuracy += Holds(classes["accuracy"], 0.691462) ? 1 : 0; // Phi(1/2)
            mse += Holds(numbers["mse"], 1) ? 1 : 0;
        }

        // 95 % give or take 3 binomial standard errors (1.4 % each), and up to 2 % less for the percentile method on 200 rows.
        Assert.All((int[])[auc, accuracy, mse], hits => Assert.InRange(hits / (double)Trials, 0.89, 0.99));
        Assert.True(auc + accuracy + mse < 3 * Trials);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Evaluate_100000Rows_SampledIntervalHasTheWidthOfAllRows()
    {
        var (scores, labels) = Scored(100_000, 2, seed: 9);
        var metrics = Evaluator.Evaluate(Binary, scores, labels, null, labels.Length, seed: 4).Metrics;
        double p = metrics["accuracy"].Value, half = 1.95996 * Math.Sqrt(p * (1 - p) / labels.Length);
        Assert.InRange((metrics["accuracy"].High - metrics["accuracy"].Low) / 2 / half, 0.9, 1.1); // the binomial standard error
        // Hanley and McNeil's standard error of the area is close for such scores.
        double a = metrics["rocAuc"].Value, q1 = a / (2 - a), q2 = 2 * a * a / (1 + a), n1 = labels.Sum(), n0 = labels.Length - n1;
        double se = Math.Sqrt(((a * (1 - a)) + ((n1 - 1) * (q1 - (a * a))) + ((n0 - 1) * (q2 - (a * a)))) / (n1 * n0));
        Assert.InRange((metrics["rocAuc"].High - metrics["rocAuc"].Low) / 2 / (1.96 * se), 0.8, 1.25);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Evaluate_OneClassInTheSplit_LeavesOutTheAreas()
    {
        var metrics = Evaluator.Evaluate(Binary, [.9f, .1f, .8f, .2f], [0, 0], null, 2, 0).Metrics;
        Assert.False(metrics.ContainsKey("rocAuc"));
        Assert.False(metrics.ContainsKey("prAuc"));
    }

    [Fact, Trait("Kind", "golden")]
    public void Evaluate_EveryRowRight_AccuracyHasTheExactBinomialBound()
    {
        // Clopper and Pearson's lower limit for n of n is (alpha / 2)^(1 / n): 0.6915 for 10 of 10 in the published tables.
        int[] labels = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
        MetricValue accuracy = Evaluator.Evaluate(Binary, [.. labels.SelectMany(l => l == 1 ? new[] { 0.1f, 0.9f } : [0.9f, 0.1f])], labels, null, 10, 0).Metrics["accuracy"];
        Assert.Equal(0.6915, accuracy.Low, 4);
        Assert.Equal((1.0, 1.0), (accuracy.Value, accuracy.High));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Evaluate_AllTargetsZero_LeavesOutMape()
        => Assert.False(Evaluator.Evaluate(Regression, [1f, 2f], null, [0f, 0f], 2, 0).Metrics.ContainsKey("mape"));

    [Fact, Trait("Kind", "fault")]
    public void Evaluate_DivergedModel_NamesTheRow()
    {
        var error = Assert.Throws<CandelaException>(() => Evaluator.Evaluate(Binary, [.5f, .5f, float.NaN, 1f], [0, 1], null, 2, 0));
        Assert.Contains("row 1 is NaN", error.Message, StringComparison.Ordinal);
    }

    [Fact, Trait("Kind", "fault")]
    public void Evaluate_WhatDoesNotFit_IsRefused()
    {
        Assert.Throws<ShapeException>(() => Evaluator.Evaluate(Binary, [.5f, .5f], [0, 1], null, 2, 0));
        Assert.Throws<ShapeException>(() => Evaluator.Evaluate(Binary, [.5f, .5f], [2], null, 1, 0));
        Assert.Throws<ShapeException>(() => Evaluator.Evaluate(Binary, [.5f, .5f], null, [1f], 1, 0));
        Assert.Throws<DataException>(() => Evaluator.Evaluate(Regression, [], null, [], 0, 0));
    }

    private static bool Holds(MetricValue metric, double truth) => metric.Low <= truth && truth <= metric.High;

    private static void AssertValues(Dictionary<string, double> expected, IReadOnlyDictionary<string, MetricValue> actual)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (name, value) in expected)
            Assert.Equal(value, actual[name].Value, 1e-9 * Math.Max(1, Math.Abs(value)));
    }

    // Labels drawn from the very probabilities given as scores: a calibrated model.
    internal static (float[] Scores, int[] Labels) Scored(int rows, int classes, long seed)
    {
        var rng = new Rng(seed, stream: 500);
        var scores = new float[rows * classes];
        var labels = new int[rows];
        for (int i = 0; i < rows; i++)
        {
            double sum = 0;
            var row = new double[classes];
            for (int c = 0; c < classes; c++)
                sum += row[c] = Math.Exp(1.5 * rng.NextGaussian());
            double u = rng.NextDouble() * sum;
            labels[i] = classes - 1;
            for (int c = classes - 1; c >= 0; c--)
            {
                scores[(i * classes) + c] = (float)(row[c] / sum);
                u -= row[c];
                if (u < 0)
                {
                    labels[i] = c;
                    u = double.PositiveInfinity;
                }
            }
        }

        return (scores, labels);
    }

    private static (float[] Actual, float[] Predicted) Numbers(int rows, long seed)
    {
        var rng = new Rng(seed, stream: 600);
        var (actual, predicted) = (new float[rows], new float[rows]);
        for (int i = 0; i < rows; i++)
        {
            predicted[i] = (float)(100 + (Math.Sqrt(3) * rng.NextGaussian()));
            actual[i] = predicted[i] + (float)rng.NextGaussian();
        }

        return (actual, predicted);
    }
}
