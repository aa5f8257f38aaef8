using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Metrics;
using Candela.Runs;

namespace Candela.Reports.Tests;

/// <summary>The page of a tagger (more F1 is better) and of a forecaster (less error is better).</summary>
public sealed class SequenceReportTests
{
    [Theory, Trait("Kind", "golden")]
    [InlineData(0.60, 0.50, "Yes, the net is worth it here.")]
    [InlineData(0.50, 0.60, "No, a simpler method does better here.")]
    [InlineData(0.50, 0.505, "The net is not clearly worth it here.")]
    [InlineData(0.05, 0.50, "No, the baseline, most frequent tag, does better.")]
    [InlineData(0.21, 0.50, "The net is not clearly better than the baseline, most frequent tag.")]
    public void Of_SpanF1_MoreIsBetter(double net, double simple, string answer) => Assert.Equal(answer, Verdict.Of(Tagger(net, simple)).Answer);

    [Theory, Trait("Kind", "golden")]
    [InlineData(10, 14, "Yes, the net is worth it here.")]
    [InlineData(14, 10, "No, a simpler method does better here.")]
    [InlineData(21, 10, "The net is not clearly better than the baseline, last value.")]
    public void Of_ForecastError_LessIsBetter(double net, double simple, string answer) => Assert.Equal(answer, Verdict.Of(Forecaster(net, simple)).Answer);

    [Fact, Trait("Kind", "golden")]
    public void Of_NetBehindTheBaseline_StillNamesTheBestMethodWithoutANet() =>
        Assert.Contains(Verdict.Of(Tagger(0.05, 0.5)).Reasons, r => r.Contains("CRF over features (feature-crf) is ahead of it", StringComparison.Ordinal));

    [Fact, Trait("Kind", "golden")]
    public void ExamineRecord_NetBehindTheSimpleMethod_Warns()
    {
        Assert.Contains(TrainingDoctor.ExamineRecord(Forecaster(14, 10)), w => w.Code == "no-better-than-baseline" && w.Message.Contains("linear-ar", StringComparison.Ordinal));
        Assert.DoesNotContain(TrainingDoctor.ExamineRecord(Forecaster(10, 14)), w => w.Code == "no-better-than-baseline");
        Assert.Contains(TrainingDoctor.ExamineRecord(Tagger(0.5, 0.6)), w => w.Code == "no-better-than-baseline");
        Assert.Contains(TrainingDoctor.ExamineRecord(Tagger(0.6, 0.5, "valid")), w => w.Code == "test-never-scored");
    }

    [Fact, Trait("Kind", "golden")]
    public void Render_Tagger_CountsTokensAndSentencesAndPutsF1First()
    {
        string page = HtmlReport.Render(Tagger(0.6, 0.5) with { Samples = [new SampleRecord("Ann sings", "Ann/B-PER sings", "Ann/B-PER sings")] });
        _ = System.Xml.Linq.XDocument.Parse(page);
        Assert.Contains("on 999 test tokens", page);
        Assert.Contains("<dt>Sentences</dt>", page);
        Assert.Contains(">Examples</h2>", page);
        int metrics = page.IndexOf("id=\"metrics\"", StringComparison.Ordinal);
        Assert.InRange(page.IndexOf("F1, micro", metrics, StringComparison.Ordinal), metrics, page.IndexOf("share of tokens given the right tag", metrics, StringComparison.Ordinal));
        Assert.DoesNotContain("test rows", page);
    }

    private static Dictionary<string, MetricValue> Metrics(string main, string second, double value, double half) => new() { [main] = new(value, value - half, value + half), [second] = new(0.9, 0.89, 0.91) };

    private static RunRecord Tagger(double net, double simple, string split = "test") => Run(new Problem(TaskKind.TokenClassification, "tag", ["B-PER", "I-PER", "O"]), "lstm", split,
        Metrics("f1Micro", "accuracy", net, 0.02), new BaselineRecord("most frequent tag", "each word's", Metrics("f1Micro", "accuracy", 0.2, 0.02)), "feature-crf", Metrics("f1Micro", "accuracy", simple, 0.02));

    private static RunRecord Forecaster(double net, double simple) => Run(new Problem(TaskKind.Forecast, "passengers", []), "gru", "test",
        Metrics("mae", "mase", net, 1), new BaselineRecord("last value", "the last value", Metrics("mae", "mase", 20, 1)), "linear-ar", Metrics("mae", "mase", simple, 1));

    private static RunRecord Run(Problem problem, string model, string split, Dictionary<string, MetricValue> net, BaselineRecord baseline, string simpler, Dictionary<string, MetricValue> simple) => SampleRuns.Regression() with
    {
        Problem = problem,
        Model = model,
        Rows = new Dictionary<string, long> { ["train"] = 900, [split] = 100 },
        Metrics = new Dictionary<string, SplitEvaluation> { [split] = new() { Rows = 999, SplitRows = 999, Metrics = net } },
        Baseline = baseline,
        Candidates = [new CandidateRecord(model, 10_000, null, net, 60, 400, "chosen"), new CandidateRecord(simpler, 100, null, simple, 1, 7, "without a net")],
        CrossValidation = null,
        Importance = [],
        History = [],
        Profile = new DataProfile(1000, 0, [], []),
        Warnings = [],
    };
}
