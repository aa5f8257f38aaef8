using Candela.Metrics;

namespace Candela.Tests.Metrics;

public class RegressionMetricsTests
{
    private static readonly float[] Actual = [3f, -0.5f, 2f, 7f];
    private static readonly float[] Predicted = [2.5f, 0f, 2f, 8f];

    [Fact, Trait("Kind", "golden")]
    public void Metrics_ScikitLearnsExample_GiveItsNumbers()
    {
        // documentation of mean_squared_error 0.375, mean_absolute_error 0.5, r2_score 0.948, mean_absolute_percentage_error 0.3273
        Assert.Equal(0.375, RegressionMetrics.Mse(Actual, Predicted), 12);
        Assert.Equal(Math.Sqrt(0.375), RegressionMetrics.Rmse(Actual, Predicted), 12);
        Assert.Equal(0.5, RegressionMetrics.Mae(Actual, Predicted), 12);
        Assert.Equal(0.9486081370449679, RegressionMetrics.R2(Actual, Predicted), 12);
        Assert.Equal(0.3273809523809524, RegressionMetrics.Mape(Actual, Predicted), 12);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Mape_ZeroActual_IsLeftOut() => Assert.Equal(0.5, RegressionMetrics.Mape([0f, 2f], [5f, 3f]), 12);

    [Theory, Trait("Kind", "analytic")]
    [InlineData(4f, 1)]
    [InlineData(5f, 0)]
    public void R2_ConstantActual_IsOneWhenExactElseZero(float predicted, double expected)
        => Assert.Equal(expected, RegressionMetrics.R2([4f, 4f], [4f, predicted]));

    [Fact, Trait("Kind", "analytic")]
    public void R2_MeanAsPrediction_IsZero() => Assert.Equal(0, RegressionMetrics.R2([1f, 2f, 3f], [2f, 2f, 2f]), 12);
}
