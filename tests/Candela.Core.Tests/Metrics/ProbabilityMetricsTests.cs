using Candela.Metrics;

namespace Candela.Tests.Metrics;

public class ProbabilityMetricsTests
{
    [Fact, Trait("Kind", "golden")]
    public void LogLoss_ScikitLearnsExample_Is021616()
        // log_loss(["spam", "ham", "ham", "spam"], [[.1, .9], [.9, .1], [.8, .2], [.35, .65]]) = 0.21616
        => Assert.Equal(0.21616, ProbabilityMetrics.LogLoss([.1f, .9f, .9f, .1f, .8f, .2f, .35f, .65f], [1, 0, 0, 1], 2), 5);

    [Fact, Trait("Kind", "analytic")]
    public void LogLoss_ZeroProbability_IsFloored() => Assert.Equal(-Math.Log(1e-15), ProbabilityMetrics.LogLoss([1f, 0f], [1], 2), 9);

    [Fact, Trait("Kind", "golden")]
    public void Brier_ScikitLearnsBinaryExample_Is00375()
        // brier_score_loss([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]) = 0.037
        => Assert.Equal(0.0375, ProbabilityMetrics.Brier([.9f, .1f, .1f, .9f, .2f, .8f, .7f, .3f], [0, 1, 1, 0], 2), 7);

    [Fact, Trait("Kind", "golden")]
    public void Brier_ThreeClasses_SumsOverClasses()
        // by hand: (.2^2 + .1^2 + .1^2) = .06 and (.2^2 + .6^2 + .4^2) = .56
        => Assert.Equal(0.31, ProbabilityMetrics.Brier([.8f, .1f, .1f, .2f, .4f, .4f], [0, 1], 3), 6);

    [Fact, Trait("Kind", "analytic")]
    public void ExpectedCalibrationError_HandExample_WeighsTheGapsOfBins()
    {
        // Bins of width 1/15: 0.95 twice (one right): |0.5 - 0.95| x 2/4; 0.6 (right): 0.4 x 1/4; 0.7 (right): 0.3 x 1/4.
        float[] p = [.95f, .05f, .95f, .05f, .4f, .6f, .7f, .3f];
        Assert.Equal((0.45 * 0.5) + (0.4 * 0.25) + (0.3 * 0.25), ProbabilityMetrics.ExpectedCalibrationError(p, [0, 1, 1, 0], 2), 6);
    }

    [Fact, Trait("Kind", "analytic")]
    public void TopK_HandExample_CountsLabelsAmongTheLargest()
    {
        float[] p = [.5f, .3f, .2f, .1f, .2f, .7f];
        Assert.Equal(0, ProbabilityMetrics.TopK(p, [1, 1], 3, 1));
        Assert.Equal(1, ProbabilityMetrics.TopK(p, [1, 1], 3, 2));
        Assert.Equal(0.5, ProbabilityMetrics.TopK(p, [2, 1], 3, 2));
        Assert.Equal(1, ProbabilityMetrics.TopK(p, [2, 0], 3, 3));
    }

    [Fact, Trait("Kind", "analytic")]
    public void TopK_OneAndTies_AgreesWithPredict()
    {
        float[] p = [.4f, .4f, .2f, .25f, .25f, .5f];
        Assert.Equal([0, 2], ProbabilityMetrics.Predict(p, 3));
        Assert.Equal(0.5, ProbabilityMetrics.Accuracy(p, [1, 2], 3));
    }

    [Fact, Trait("Kind", "fault")]
    public void Metrics_WrongLength_AreRefused()
    {
        var error = Assert.Throws<ShapeException>(() => ProbabilityMetrics.LogLoss([.5f, .5f, .5f], [0], 2));
        Assert.Contains("3 numbers", error.Message, StringComparison.Ordinal);
    }
}
