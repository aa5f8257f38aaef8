using Candela.Data;
using Candela.Evaluation;
using Candela.Metrics;

namespace Candela.Tests.Evaluation;

public class PerfectScoresTests
{
    [Fact, Trait("Kind", "analytic")]
    public void Evaluate_PerfectBinary_LowerEndsAreTheClosedForms()
    {
        // 20 rows of class 0 and 10 of class 1, all right and in order.
        var labels = new int[30];
        var scores = new float[60];
        for (int i = 0; i < 30; i++)
        {
            labels[i] = i % 3 == 0 ? 1 : 0;
            scores[(2 * i) + 1] = labels[i] == 1 ? 0.9f : 0.1f;
            scores[2 * i] = 1 - scores[(2 * i) + 1];
        }

        var metrics = Evaluator.Evaluate(new Problem(TaskKind.Binary, "y", ["no", "yes"]), scores, labels, null, 30, 0).Metrics;
        double right = Math.Pow(0.025, 1 / 30.0), wrong = 1 - right; // 0.8843
        Assert.Equal((1, right, 1), (metrics["accuracy"].Value, metrics["accuracy"].Low, metrics["accuracy"].High));
        // All wrong rows are of class 1 (share 1/3): its recall is 1 - 3 wrong.
        Assert.Equal((1 + 1 - (3 * wrong)) / 2, metrics["recallMacro"].Low, 1e-6);
        // F1 by hand: class 1 has tp 1/3 - wrong, fn wrong; class 0 has tp 2/3, fp wrong. The other confusion gives tp 2/3 - wrong and fp wrong for class 1's precision.
        double Macro(double tp1, double off, double tp0) => ((2 * tp1 / ((2 * tp1) + off)) + (2 * tp0 / ((2 * tp0) + off))) / 2;
        Assert.Equal(Math.Min(Macro((1 / 3.0) - wrong, wrong, 2 / 3.0), Macro(1 / 3.0, wrong, (2 / 3.0) - wrong)), metrics["f1Macro"].Low, 1e-6);
        // MCC from its definition for both confusions.
        double Mcc(double tp, double fn, double fp, double tn) => ((tp * tn) - (fp * fn)) / Math.Sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
        Assert.Equal(Math.Min(Mcc((1 / 3.0) - wrong, wrong, 0, 2 / 3.0), Mcc(1 / 3.0, 0, wrong, (2 / 3.0) - wrong)), metrics["mcc"].Low, 1e-6);
        // Ten disjoint pairs, all in order.
        Assert.Equal(Math.Pow(0.025, 1 / 10.0), metrics["rocAuc"].Low, 12);
        foreach (string name in (string[])["f1Micro", "f1Weighted", "precisionMacro", "precisionWeighted", "recallWeighted", "prAuc"])
            Assert.True(metrics[name] is { Value: 1, High: 1, Low: > 0.2 and < 0.99 }, $"{name}: {metrics[name]}");
    }

    [Fact, Trait("Kind", "property")]
    public void Precision_IsNotAboveTheAveragePrecisionOfAnyRankingWithThatArea()
    {
        // Rankings of 40 positives among 80 negatives by shifted normals and by a few positives at the very end; each has an area of 1 - d and must not fall below the bound for d.
        for (int trial = 0; trial < 200; trial++)
        {
            var rng = new Rng(trial);
            var positive = new bool[120];
            var scores = new float[120];
            for (int i = 0; i < 120; i++)
            {
                positive[i] = i % 3 == 0;
                scores[i] = (float)(rng.NextGaussian() + (positive[i] ? 4.0 * rng.NextDouble() : 0) - (positive[i] && trial % 2 == 0 && i < 9 ? 10 : 0));
            }

            double missing = 1 - RankingMetrics.RocAuc(scores, positive), r = 2 * missing;
            double least = r <= 1.0 / 6 ? 1 - (Math.Sqrt(6 * r) / 3) : 4 / (9 * (r + 0.5));
            Assert.True(RankingMetrics.AveragePrecision(scores, positive) >= least - 1e-6, $"trial {trial}");
        }

        // And the bound used is that one: m = 40 of 120.
        double d = 2 * (1 - Math.Pow(0.025, 1 / 40.0));
        Assert.Equal(4 / (9 * (d + 0.5)), PerfectScores.Precision([40], 120), 12);
    }

    /// <summary>Whenever a sample from a known, imperfect source looks perfect, the bound is to hold the truth; over all samples it may miss in 2.5 %.</summary>
    [Fact, Trait("Kind", "property")]
    public void Roc_SamplesFromAKnownArea_AreMissedInAtMostTheTail()
    {
        // Positives beat negatives with probability p each, independently of all else: a score of 1 for a positive that "works", -1 for one that does not, 0 for negatives. AUC = p.
        const int Trials = 4000, Positives = 12, Negatives = 18;
        foreach (double p in (double[])[0.6, 0.7, 0.74, 0.9])
        {
            int missed = 0;
            var rng = new Rng(5, (long)(p * 100));
            for (int trial = 0; trial < Trials; trial++)
                missed += Enumerable.Range(0, Positives).All(_ => rng.NextDouble() < p) && PerfectScores.Roc([Positives], Positives + Negatives) > p ? 1 : 0;
            Assert.InRange(missed / (double)Trials, 0, 0.025 + (3 * Math.Sqrt(0.025 * 0.975 / Trials)));
        }
    }

    [Fact, Trait("Kind", "analytic")]
    public void Roc_ThreeClassesOfTen_IsThatOfFifteenPairs()
    {
        Assert.Equal(Math.Pow(0.025, 1 / 15.0), PerfectScores.Roc([10, 10, 10], 30), 12);
        Assert.InRange(PerfectScores.Roc([1, 10, 10], 21), 0.1, 0.9);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Confused_ManyRowsAndClasses_ApproachesOne()
    {
        ConfusionMatrix Of(int classes, long rows)
        {
            var matrix = new ConfusionMatrix(classes);
            for (int c = 0; c < classes; c++)
                matrix.Add(c, c, rows);
            return matrix;
        }

        Assert.InRange(PerfectScores.Confused(Of(10, 1000), m => m.F1Macro), 0.999, 0.9999);
        Assert.InRange(PerfectScores.Confused(Of(10, 1), m => m.F1Macro), 0, 0.8);
        Assert.InRange(PerfectScores.Confused(Of(1000, 3), m => m.Mcc), 0.9, 0.9999);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Evaluate_FourClasses_HasTop3_ThreeClassesDoNot()
    {
        var rng = new Rng(3);
        float[] scores = [.. Enumerable.Range(0, 400).Select(_ => (float)rng.NextDouble())];
        int[] labels = [.. Enumerable.Range(0, 100).Select(i => i % 4)];
        var metrics = Evaluator.Evaluate(new Problem(TaskKind.Multiclass, "y", ["a", "b", "c", "d"]), scores, labels, null, 100, 0).Metrics;
        Assert.Equal(ProbabilityMetrics.TopK(scores, labels, 4, 3), metrics["top3"].Value, 12);
        Assert.False(metrics.ContainsKey("top5"));
        var three = Evaluator.Evaluate(new Problem(TaskKind.Multiclass, "y", ["a", "b", "c"]), scores[..300], Array.ConvertAll(labels, l => l % 3), null, 100, 0).Metrics;
        Assert.False(three.ContainsKey("top3"));
    }
}
