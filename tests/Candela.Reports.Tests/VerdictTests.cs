using Candela.Metrics;
using Candela.Runs;

namespace Candela.Reports.Tests;

public class VerdictTests
{
    [Fact, Trait("Kind", "golden")]
    public void Of_NetFarAhead_IsWorthIt()
    {
        Verdict verdict = Verdict.Of(With(("mlp", 0.95, 0.93, 0.97, 60), ("boosting", 0.85, 0.82, 0.88, 6)));
        Assert.Equal("Yes, the net is worth it here.", verdict.Answer);
        Assert.Contains(verdict.Reasons, r => r.Contains("10.0 points of accuracy", StringComparison.Ordinal) && r.Contains("10 times the energy", StringComparison.Ordinal));
    }

    [Fact, Trait("Kind", "golden")]
    public void Of_TreesFarAhead_IsNot()
        => Assert.Equal("No, the net is not worth it here.", Verdict.Of(With(("boosting", 0.95, 0.93, 0.97, 6), ("mlp", 0.85, 0.82, 0.88, 60))).Answer);

    [Fact, Trait("Kind", "golden")]
    public void Of_IntervalsThatOverlap_IsNotClear()
    {
        Verdict verdict = Verdict.Of(With(("mlp", 0.95, 0.91, 0.98, 60), ("boosting", 0.94, 0.90, 0.97, 6), ("linear", 0.80, 0.75, 0.85, 1)));
        Assert.Equal("The net is not clearly worth it here.", verdict.Answer);
        Assert.Contains(verdict.Reasons, r => r.Contains("1.0 points of accuracy apart, within what chance does", StringComparison.Ordinal));
    }

    [Fact, Trait("Kind", "golden")]
    public void Of_CheapNetThatDoesAsWell_CostsNoMore()
        => Assert.Equal("The net costs no more and does as well.", Verdict.Of(With(("mlp", 0.95, 0.91, 0.98, 5), ("boosting", 0.94, 0.90, 0.97, 6))).Answer);

    [Fact, Trait("Kind", "golden")]
    public void Of_IntervalDownToTheBaseline_IsNoBetterThanGuessing()
        => Assert.Equal("No model here is clearly better than guessing.", Verdict.Of(With(("mlp", 0.66, 0.59, 0.70, 60), ("boosting", 0.64, 0.6, 0.7, 6))).Answer);

    [Fact, Trait("Kind", "golden")]
    public void Of_OnlyTrees_SaysThatNoNetWasTried()
    {
        Verdict verdict = Verdict.Of(With(("boosting", 0.95, 0.93, 0.97, 6), ("linear", 0.9, 0.87, 0.93, 1)));
        Assert.Equal("Better than guessing; no net was trained.", verdict.Answer);
        Assert.Contains(verdict.Reasons, r => r.Contains("--model mlp", StringComparison.Ordinal));
    }

    [Fact, Trait("Kind", "golden")]
    public void Of_PerfectScore_AsksForALeak()
        => Assert.Contains(Verdict.Of(With(("mlp", 1, 0.98, 1, 6))).Reasons, r => r.Contains("leans most on 'worst concave points'", StringComparison.Ordinal));

    [Fact, Trait("Kind", "golden")]
    public void Of_NoTestRows_SaysSo() => Assert.StartsWith("The model has not been scored", Verdict.Of(SampleRuns.Bare()).Answer, StringComparison.Ordinal);

    [Fact, Trait("Kind", "golden")]
    public void Of_ImbalancedClasses_WarnsOfAccuracy()
    {
        RunRecord run = With(("mlp", 0.97, 0.96, 0.98, 6));
        run = run with { Baseline = new BaselineRecord("majority", "no", new Dictionary<string, MetricValue> { ["accuracy"] = new(0.95, 0.94, 0.955) }) };
        Assert.Contains(Verdict.Of(run).Reasons, r => r.Contains("accuracy flatters", StringComparison.Ordinal));
    }

    // The first is the chosen one; the baseline scores 0.6.
    private static RunRecord With(params (string Model, double Value, double Low, double High, double Joules)[] candidates)
    {
        RunRecord run = SampleRuns.Binary();
        var records = candidates.Select(c => new CandidateRecord(c.Model, 10, c.Value, Accuracy(c.Value, c.Low, c.High), c.Joules / 10, c.Joules, "")).ToList();
        return run with
        {
            Model = records[0].Model,
            Candidates = records,
            Metrics = new Dictionary<string, Evaluation.SplitEvaluation> { ["test"] = run.Metrics["test"] with { Metrics = records[0].Test! } },
            Baseline = new BaselineRecord("majority", "no", Accuracy(0.6, 0.55, 0.65)),
        };

        static Dictionary<string, MetricValue> Accuracy(double value, double low, double high) => new() { ["accuracy"] = new MetricValue(value, low, high) };
    }
}
