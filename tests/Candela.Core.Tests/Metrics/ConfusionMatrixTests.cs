using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Metrics;

public class ConfusionMatrixTests
{
    [Fact, Trait("Kind", "golden")]
    public void Ratios_ScikitLearnsThreeClassExample_GiveItsNumbers()
    {
        // scikit-learn's documented example of precision_score, recall_score and f1_score: macro 0.22, 0.33, 0.26; micro 0.33; weighted f1 0.26.
        var matrix = ConfusionMatrix.Of([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], 3);
        Assert.Equal(2.0 / 9, matrix.PrecisionMacro, 12);
        Assert.Equal(1.0 / 3, matrix.RecallMacro, 12);
        Assert.Equal(0.8 / 3, matrix.F1Macro, 12);
        Assert.Equal(1.0 / 3, matrix.F1Micro, 12);
        Assert.Equal(0.8 / 3, matrix.F1Weighted, 12);
        Assert.Equal([2, 0, 0], matrix.ToRows()[0]);
        Assert.Equal([1, 0, 1], matrix.ToRows()[1]);
    }

    [Fact, Trait("Kind", "golden")]
    public void Mcc_ScikitLearnsExample_IsMinusAThird()
        // y_true = [+1, +1, +1, -1], y_pred = [+1, -1, +1, +1] in the documentation of matthews_corrcoef: -0.33
        => Assert.Equal(-1.0 / 3, ConfusionMatrix.Of([1, 1, 1, 0], [1, 0, 1, 1], 2).Mcc, 12);

    [Fact, Trait("Kind", "analytic")]
    public void Mcc_TwoClasses_IsTheirPearsonCorrelation()
        => Gen.Select(Gen.Int[0, 1].Array[5, 40], Gen.Int[0, 1].Array[5, 40]).Sample((a, b) =>
        {
            int n = Math.Min(a.Length, b.Length);
            double[] x = [.. a.Take(n).Select(v => (double)v)], y = [.. b.Take(n).Select(v => (double)v)];
            double r = MathNet.Numerics.Statistics.Correlation.Pearson(x, y);
            Assert.Equal(double.IsNaN(r) ? 0 : r, ConfusionMatrix.Of(a.AsSpan(0, n), b.AsSpan(0, n), 2).Mcc, 9);
        });

    [Fact, Trait("Kind", "analytic")]
    public void Mcc_Perfect_IsOne() => Assert.Equal(1, ConfusionMatrix.Of([0, 1, 2, 3, 2], [0, 1, 2, 3, 2], 4).Mcc, 12);

    [Fact, Trait("Kind", "analytic")]
    public void Mcc_OneClassOnly_IsZero() => Assert.Equal(0, ConfusionMatrix.Of([1, 1, 1], [1, 1, 1], 2).Mcc);

    [Fact, Trait("Kind", "analytic")]
    public void Macro_ClassThatNeverOccurs_IsLeftOut()
        => Assert.Equal(1, ConfusionMatrix.Of([0, 1, 0], [0, 1, 0], 5).F1Macro);

    [Fact, Trait("Kind", "property")]
    public void Micro_AnyLabels_EqualsAccuracyAndWeightedRecall()
        => Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3]).Array[1, 50].Sample(pairs =>
        {
            var matrix = ConfusionMatrix.Of(pairs.Select(p => p.Item1).ToArray(), pairs.Select(p => p.Item2).ToArray(), 4);
            Assert.Equal(pairs.Count(p => p.Item1 == p.Item2) / (double)pairs.Length, matrix.F1Micro, 12);
            Assert.Equal(matrix.Accuracy, matrix.RecallWeighted, 12);
            Assert.InRange(matrix.Mcc, -1 - 1e-12, 1 + 1e-12);
        });
}
