using Candela.Evaluation;
using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Metrics;

public class RankingMetricsTests
{
    private static readonly float[] ExampleScores = [0.1f, 0.4f, 0.35f, 0.8f];
    private static readonly bool[] ExampleLabels = [false, false, true, true];

    // Few distinct values, so that ties are common.
    private static readonly Gen<(float, bool)[]> Rows = Gen.Select(Gen.Int[0, 12].Select(v => v / 12f), Gen.Bool).Array[2, 60];

    [Fact, Trait("Kind", "golden")]
    public void RocAuc_ScikitLearnsExample_IsThreeQuarters() => Assert.Equal(0.75, RankingMetrics.RocAuc(ExampleScores, ExampleLabels), 12);

    [Fact, Trait("Kind", "golden")]
    public void AveragePrecision_ScikitLearnsExample_Is083() => Assert.Equal(5.0 / 6, RankingMetrics.AveragePrecision(ExampleScores, ExampleLabels), 12); // documented as 0.83

    [Fact, Trait("Kind", "conformance")]
    public void RocAuc_AnyRows_EqualsTheCountOverAllPairs()
        => Rows.Sample(rows =>
        {
            var (scores, positive) = Split(rows);
            double wins = 0, pairs = 0;
            for (int i = 0; i < rows.Length; i++)
                for (int j = 0; j < rows.Length; j++)
                    if (positive[i] && !positive[j])
                    {
                        pairs++;
                        wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                    }

            Assert.Equal(pairs == 0 ? double.NaN : wins / pairs, RankingMetrics.RocAuc(scores, positive), 10);
        });

    [Fact, Trait("Kind", "conformance")]
    public void AveragePrecision_AnyRows_EqualsTheSumOverThresholds()
        => Rows.Sample(rows =>
        {
            var (scores, positive) = Split(rows);
            double area = 0, lastRecall = 0, all = positive.Count(p => p);
            foreach (float threshold in scores.Distinct().OrderDescending())
            {
                double hits = rows.Count(r => r.Item1 >= threshold && r.Item2), chosen = rows.Count(r => r.Item1 >= threshold);
                area += ((hits / all) - lastRecall) * (hits / chosen);
                lastRecall = hits / all;
            }

            Assert.Equal(area, RankingMetrics.AveragePrecision(scores, positive), 10);
        });

    [Fact, Trait("Kind", "property")]
    public void RocAuc_MonotoneMapOfScores_StaysTheSame()
        => Rows.Sample(rows =>
        {
            var (scores, positive) = Split(rows);
            float[] mapped = Array.ConvertAll(scores, s => MathF.Exp(3 * s) - 7);
            Assert.Equal(RankingMetrics.RocAuc(scores, positive), RankingMetrics.RocAuc(mapped, positive), 12);
            Assert.Equal(RankingMetrics.AveragePrecision(scores, positive), RankingMetrics.AveragePrecision(mapped, positive), 12);
            Assert.Equal(1 - RankingMetrics.RocAuc(scores, positive), RankingMetrics.RocAuc(Array.ConvertAll(scores, s => -s), positive), 10);
        });

    [Fact, Trait("Kind", "analytic")]
    public void RocAuc_ThreeClasses_AveragesOneAgainstTheRest()
    {
        // Class 0 against the rest is perfect (1), class 1: 1 of 2 pairs wins + ... counted by hand below.
        float[] p = [0.7f, 0.2f, 0.1f, 0.2f, 0.5f, 0.3f, 0.1f, 0.6f, 0.3f];
        int[] labels = [0, 1, 2];
        // class 0 scores .7 .2 .1 -> 1; class 1 scores .2 (neg) .5 (pos) .6 (neg) -> 1/2; class 2 scores .1 (neg) .3 (neg) .3 (pos) -> (1 + 1/2)/2
        Assert.Equal((1 + 0.5 + 0.75) / 3, RankingMetrics.RocAuc(p, labels, 3), 12);
    }

    [Fact, Trait("Kind", "property")]
    public void Curves_ManyRows_KeepEndsOrderAndArea()
    {
        var rng = new Rng(3);
        var positive = new bool[20_000];
        var scores = new float[positive.Length];
        for (int i = 0; i < scores.Length; i++)
        {
            positive[i] = rng.NextDouble() < 0.3;
            scores[i] = (float)(rng.NextGaussian() + (positive[i] ? 1 : 0));
        }

        Curve roc = RankingMetrics.RocCurve("p", scores, positive), pr = RankingMetrics.PrecisionRecallCurve("p", scores, positive);
        foreach (Curve curve in new[] { roc, pr })
        {
            Assert.InRange(curve.X.Count, 150, 200);
            Assert.Equal((0.0, 1.0), (curve.X[0], curve.X[^1]));
            Assert.Equal(curve.X.Order(), curve.X);
        }

        Assert.Equal(0, roc.Y[0]);
        Assert.Equal(1, roc.Y[^1]);
        double trapezoids = 0;
        for (int i = 1; i < roc.X.Count; i++)
            trapezoids += (roc.X[i] - roc.X[i - 1]) * (roc.Y[i] + roc.Y[i - 1]) / 2;
        Assert.Equal(roc.Area, trapezoids, 3);
        // Two unit normals one apart: AUC = Phi(1 / sqrt 2) = 0.7602; 5 standard errors of about 0.0035.
        Assert.InRange(roc.Area, 0.7602 - 0.0175, 0.7602 + 0.0175);
    }

    private static (float[] Scores, bool[] Positive) Split((float, bool)[] rows) => ([.. rows.Select(r => r.Item1)], [.. rows.Select(r => r.Item2)]);
}
