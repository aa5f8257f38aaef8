using Candela.Classic.Forecasting;

namespace Candela.Classic.Tests;

public sealed class LinearAutoregressionTests
{
    [Fact]
    [Trait("Kind", "analytic")]
    public void Fit_SecondOrderProcess_FindsItsCoefficientsAndForecastsByThem()
    {
        // y[t] = 20 + 1.3 y[t-1] - 0.7 y[t-2] + noise; the standard error of a coefficient is about sqrt((1 - 0.49) / n) = 0.010.
        var rng = new Rng(5);
        var values = new List<double> { 50, 50 };
        while (values.Count < 5000)
            values.Add(20 + (1.3 * values[^1]) - (0.7 * values[^2]) + rng.NextGaussian());
        var model = new LinearAutoregression(2);
        Assert.Equal(3, model.Fit([values], TestContext.Current.CancellationToken));
        Assert.InRange(model.Coefficients[0], 1.27, 1.33);
        Assert.InRange(model.Coefficients[1], -0.73, -0.67);
        var forecast = new double[3];
        model.Forecast(0, [60, 55], forecast);
        Assert.Equal(20 + (1.3 * 55) - (0.7 * 60), forecast[0], 1.0);
        Assert.Equal(20 + (1.3 * forecast[0]) - (0.7 * 55), forecast[1], 1.0);
        double far = 20 / 0.4; // the process's mean, where a long forecast ends
        var distant = new double[200];
        model.Forecast(0, [60, 55], distant);
        Assert.Equal(far, distant[^1], 0.5);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Fit_ExactRecurrence_GoesOnExactly()
    {
        double[] sine = [.. Enumerable.Range(0, 60).Select(t => Math.Sin(t / 2.0))]; // sin(x + d) = 2 cos(d) sin(x) - sin(x - d)
        var model = new LinearAutoregression(2);
        model.Fit([sine], TestContext.Current.CancellationToken);
        Assert.Equal(2 * Math.Cos(0.5), model.Coefficients[0], 1e-3);
        Assert.Equal(-1, model.Coefficients[1], 1e-3);
        var forecast = new double[10];
        model.Forecast(0, sine, forecast);
        for (int h = 0; h < forecast.Length; h++)
            Assert.Equal(Math.Sin((60 + h) / 2.0), forecast[h], 0.02);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Fit_NoSeriesLongerThanTheWindow_SaysSo() =>
        Assert.Contains("the longest has 3", Assert.Throws<DataException>(() => new LinearAutoregression(3).Fit([[1, 2, 3]], TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
}
