using Candela.Data;
using Candela.Evaluation;
using Candela.Metrics;
using Candela.Models;
using Candela.Runs;

namespace Candela.Reports.Tests;

/// <summary>The page of a language model: less loss is better, and n-grams are what the net must beat.</summary>
public sealed class LanguageModelReportTests
{
    [Theory, Trait("Kind", "golden")]
    [InlineData(1.40, 1.70, "Yes, the net is worth it here.")]
    [InlineData(1.70, 1.40, "No, counting predicts this text better so far.")]
    [InlineData(1.70, 1.69, "The net is not clearly worth it here.")]
    [InlineData(3.35, 1.70, "This net has learned nothing that counting tokens does not give.")]
    public void Of_LossBesideNGrams_LessIsBetter(double net, double ngrams, string answer) => Assert.Equal(answer, Verdict.Of(Run(net, ngrams)).Answer);

    [Fact, Trait("Kind", "golden")]
    public void Of_NetAhead_GivesThePerplexityItSaves()
    {
        // exp(-0.3) = 0.741: 26 % less.
        Assert.Contains(Verdict.Of(Run(1.4, 1.7)).Reasons, r => r.Contains("0.3 nats a token: 26 % less perplexity", StringComparison.Ordinal));
        Assert.Contains(Verdict.Of(Run(1.4, 1.7)).Reasons, r => r.Contains("There was no test part", StringComparison.Ordinal));
        Assert.DoesNotContain(Verdict.Of(Run(1.4, 1.7, "test")).Reasons, r => r.Contains("There was no test part", StringComparison.Ordinal));
    }

    [Fact, Trait("Kind", "golden")]
    public void Of_Curve_SaysWhetherItStillFallsOrRises()
    {
        RunRecord run = Run(1.4, 1.7);
        Assert.Contains(Verdict.Of(run with { History = Curve(3, 2, 1.5, 1.4) }).Reasons, r => r.Contains("still falling", StringComparison.Ordinal));
        Assert.Contains(Verdict.Of(run with { History = Curve(3, 1.4, 1.5, 1.7) }).Reasons, r => r.Contains("rose again", StringComparison.Ordinal));
        Assert.DoesNotContain(Verdict.Of(run with { History = Curve(3, 1.4, 1.4, 1.4) }).Reasons, r => r.Contains("falling", StringComparison.Ordinal) || r.Contains("rose", StringComparison.Ordinal));
    }

    [Theory, Trait("Kind", "golden")]
    [InlineData("valid", "validation tokens")]
    [InlineData("test", "test tokens")]
    public void Render_NamesThePartAndTheUnitAndLeavesEmptySectionsOut(string split, string expected)
    {
        string page = HtmlReport.Render(Run(1.4, 1.7, split) with { History = Curve(3, 2, 1.5, 1.4), Samples = [new SampleRecord("", "To be <b>\n\u001b[31mor not")] });
        _ = System.Xml.Linq.XDocument.Parse(page);
        Assert.Contains("Predicting the <span class=\"name\">next token</span>", page);
        Assert.Contains(expected, page);
        Assert.Contains("To be &lt;b&gt;\n\uFFFD[31mor not", page);
        Assert.Contains("Perplexity. training from", page);
        Assert.All((string[])["id=\"data\"", "id=\"confusion\"", "id=\"importance\"", "id=\"residuals\"", " rows"], absent => Assert.DoesNotContain(absent, page));
        // Best first: the net with the smaller loss above the n-grams, these above the baseline.
        int board = page.IndexOf("scoreboard", page.IndexOf("</style>", StringComparison.Ordinal), StringComparison.Ordinal);
        int[] order = [.. new[] { "Llama transformer", "6-gram", "count single tokens" }.Select(n => page.IndexOf(n, board, StringComparison.Ordinal))];
        Assert.True(board > 0 && order[0] < order[1] && order[1] < order[2] && order[0] > 0, string.Join(' ', order));
    }

    [Fact, Trait("Kind", "golden")]
    public void Of_NotScored_SaysSo()
        => Assert.Equal("The model has not been scored on text it has not seen.", Verdict.Of(Run(1.4, 1.7) with { Metrics = new Dictionary<string, SplitEvaluation>() }).Answer);

    private static EpochEnded[] Curve(params double[] valid) => [.. valid.Select((v, i) => new EpochEnded(i, 50 * (i + 1), v + 0.1, v, null, 1e-3, i))];

    private static Dictionary<string, MetricValue> Metrics(double loss)
    {
        const double Half = 0.02;
        return new()
        {
            ["loss"] = new(loss, loss - Half, loss + Half),
            ["perplexity"] = new(Math.Exp(loss), Math.Exp(loss - Half), Math.Exp(loss + Half)),
            ["bitsPerByte"] = new(loss / Math.Log(2), (loss - Half) / Math.Log(2), (loss + Half) / Math.Log(2)),
        };
    }

    private static RunRecord Run(double net, double ngrams, string split = "valid") => SampleRuns.Regression() with
    {
        Problem = new Problem(TaskKind.LanguageModel, "next token", []),
        Model = "llama",
        ModelReason = "Trained from random weights.",
        Rows = new Dictionary<string, long> { ["train"] = 9000, [split] = 1000 },
        Metrics = new Dictionary<string, SplitEvaluation> { [split] = new() { Rows = 999, SplitRows = 1000, Metrics = Metrics(net) } },
        Baseline = new BaselineRecord("unigram", "each token as often as in the training text", Metrics(3.35)),
        Candidates = [new CandidateRecord("llama", 812_544, -net, Metrics(net), 60, 400, "chosen"), new CandidateRecord("6-gram", 459_128, null, Metrics(ngrams), 0, 0, "lexical baseline")],
        CrossValidation = null,
        Importance = [],
        History = [],
        Profile = new DataProfile(10_000, 0, [], []),
        Warnings = [],
    };
}
