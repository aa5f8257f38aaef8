using Candela.Data;
using Candela.Evaluation;
using Candela.Runs;

namespace Candela.Tests.Evaluation;

public class BaselineTests
{
    [Fact, Trait("Kind", "analytic")]
    public void OfLabels_ThreeToOne_PredictsTheMajorityWithItsFrequency()
    {
        var problem = new Problem(TaskKind.Binary, "y", ["no", "yes"]);
        Baseline baseline = Baseline.OfLabels(problem, [1, 0, 1, 1]);
        Assert.Equal(("majority", "yes"), (baseline.Name, baseline.Prediction));
        BaselineRecord record = baseline.Evaluate(problem, [1, 1, 0, 0, 0], null, seed: 1);
        Assert.Equal(0.4, record.Metrics["accuracy"].Value, 12);
        Assert.Equal(0.5, record.Metrics["rocAuc"].Value, 12); // ties all the way
        Assert.Equal(0.4, record.Metrics["prAuc"].Value, 12); // the prevalence
        Assert.Equal(-((2 * Math.Log(0.75)) + (3 * Math.Log(0.25))) / 5, record.Metrics["logLoss"].Value, 9);
    }

    [Fact, Trait("Kind", "analytic")]
    public void OfTargets_TrainingMean_HasR2AtMostZero()
    {
        var problem = new Problem(TaskKind.Regression, "y", []);
        Baseline baseline = Baseline.OfTargets([1f, 2f, 6f]);
        Assert.Equal(("mean", "3"), (baseline.Name, baseline.Prediction));
        BaselineRecord record = baseline.Evaluate(problem, null, [2f, 6f], seed: 1);
        Assert.Equal(5, record.Metrics["mse"].Value, 9); // (1 + 9) / 2
        Assert.Equal(-0.25, record.Metrics["r2"].Value, 9); // 1 - 10 / 8
    }

    [Fact, Trait("Kind", "fault")]
    public void OfLabels_NoRows_IsRefused()
        => Assert.Throws<DataException>(() => Baseline.OfLabels(new Problem(TaskKind.Binary, "y", ["a", "b"]), []));

    [Fact, Trait("Kind", "analytic")]
    public void Summarize_ThreeFolds_GivesMeanAndTInterval()
    {
        var record = CrossValidation.Summarize([
            new Dictionary<string, double> { ["accuracy"] = 0.8, ["rocAuc"] = 0.9 },
            new Dictionary<string, double> { ["accuracy"] = 0.9 },
            new Dictionary<string, double> { ["accuracy"] = 1.0, ["rocAuc"] = 0.7 },
        ]);
        Assert.Equal(3, record.Folds);
        double half = 4.302653 * 0.1 / Math.Sqrt(3); // t(0.975, 2) x s / sqrt(k)
        Assert.Equal(0.9, record.Metrics["accuracy"].Value, 12);
        Assert.Equal(0.9 - half, record.Metrics["accuracy"].Low, 6);
        Assert.Equal(0.9 + half, record.Metrics["accuracy"].High, 6);
        Assert.Equal([0.8, 0.9, 1.0], record.PerFold["accuracy"]);
        Assert.Equal(0.8, record.Metrics["rocAuc"].Value, 12);
    }
}
