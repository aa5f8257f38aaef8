using System.Text;
using Candela.Core.Tests.Decoding;
using Candela.Language;
using Candela.Metrics;
using Candela.Tests;
using Candela.Tokenization;

namespace Candela.Core.Tests.Language;

public class FewShotTests
{
    private static readonly string Characters = "abcdefghijklmnopqrstuvwxyzQA:?\n ";

    private static readonly Tokenizer Tokens = Tokenizer.FromJson(Encoding.UTF8.GetBytes($$"""
        {"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"Split","pattern":{"Regex":"[\\s\\S]"},"behavior":"Isolated","invert":false},"post_processor":null,
         "decoder":{"type":"Fuse"},"model":{"type":"WordLevel","unk_token":"?","vocab":{ {{string.Join(",", Characters.Select((c, i) => $"{System.Text.Json.JsonSerializer.Serialize(c.ToString())}:{i}"))}} } } }
        """), "characters");

    /// <summary>After 'a' comes 'b' (e times as likely as any other), after ' ' 'a', after ':' ' ', after 'b' a new line.</summary>
    private static FunctionModel Model()
    {
        var table = new float[Characters.Length][];
        for (int i = 0; i < table.Length; i++)
            table[i] = new float[Characters.Length];
        foreach ((char from, char to) in new[] { ('a', 'b'), (' ', 'a'), (':', ' '), ('b', '\n') })
            table[Characters.IndexOf(from, StringComparison.Ordinal)][Characters.IndexOf(to, StringComparison.Ordinal)] = 2;
        return FunctionModel.Markov(table, contextLength: 400);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Evaluate_Choices_SumsLogProbabilitiesAndNormalizesByBytes()
    {
        // " z" against " abz": the short one is likelier in all, the long one per byte of the choice.
        FewShotExample example = new("q?", ["abz"]) { Choices = ["z", "abz"], Answer = 1 };
        FewShotReport report = new FewShotEvaluator(Model(), Tokens).Evaluate(FewShotTask.MultipleChoice, [example, example with { Choices = ["abz", "z"], Answer = 0 }], [], cancellationToken: TestContext.Current.CancellationToken);
        double peak = Math.Log(Math.Exp(2) + Characters.Length - 1), flat = Math.Log(Characters.Length);
        IReadOnlyList<double> sums = report.Outcomes[0].LogProbabilities;
        Assert.Equal(2 - peak - peak, sums[0], 1e-5); // ':' -> ' ' -> 'z'
        Assert.Equal(3 * (2 - peak) - peak, sums[1], 1e-5); // ':' -> ' ' -> 'a' -> 'b' -> 'z', which is not its new line
        Assert.True(flat < peak);
        Assert.Equal("z", report.Outcomes[0].Prediction);
        Assert.Equal(0, report.Metrics["accuracy"].Value);
        Assert.Equal(1, report.Metrics["accuracyPerByte"].Value);
        Assert.Equal(0.5, report.Baselines["random"]);
        Assert.False(report.Baselines.ContainsKey("majority")); // nothing says what is common before the first question
        FewShotExample[] shots = [example, example with { Choices = ["abz", "z"], Answer = 0 }, example];
        Assert.Equal(1 / 3.0, new FewShotEvaluator(Model(), Tokens).Evaluate(FewShotTask.MultipleChoice, [.. shots.Select(s => s with { Answer = 1 - s.Answer })], shots, cancellationToken: TestContext.Current.CancellationToken).Baselines["majority"], 1e-9);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Evaluate_Questions_GenerateToTheEndOfTheLine()
    {
        FewShotExample[] examples = [new("q?", ["ab"]), new("q?", ["x", "the ab"]), new("q?", ["ab c"])];
        FewShotReport report = new FewShotEvaluator(Model(), Tokens).Evaluate(FewShotTask.QuestionAnswering, examples, [new("q?", ["c"])], cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(report.Outcomes, o => Assert.Equal("ab", o.Prediction));
        Assert.Equal(2 / 3.0, report.Metrics["exactMatch"].Value, 1e-9);
        Assert.Equal((1 + 1 + (2 / 3.0)) / 3, report.Metrics["f1"].Value, 1e-9);
        Assert.Equal(1, report.Shots);
        Assert.InRange(report.Metrics["exactMatch"].Low, 0, 2 / 3.0);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Prompt_Shots_ComeSolvedBeforeTheQuestion()
    {
        FewShotExample shot = new("two?", ["b"]) { Context = "ctx" }, asked = new("one?", ["a"]);
        Assert.Equal("ctx\n\nQuestion: two?\nAnswer: b\n\nQuestion: one?\nAnswer:", asked.Prompt(FewShotTask.QuestionAnswering, [shot]));
        Assert.Equal("ctxtwo?b\n\none?", asked.Prompt(FewShotTask.Generation, [shot]));
    }

    /// <summary>The rules of SQuAD's evaluation script, by hand.</summary>
    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData("The  Cat!", "cat", 1)]
    [InlineData("a cat sat", "the cat", 2 / 3.0)]
    [InlineData("", "the", 1)]
    [InlineData("dog", "cat", 0)]
    [InlineData("cat cat", "cat", 2 / 3.0)]
    public void F1_AnswersByHand(string given, string answer, double f1) => Assert.Equal(f1, SquadMatch.F1(given, [answer]), 1e-9);

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("""{"question":"a"}""", "answer")]
    [InlineData("""{"answer":0,"choices":["a","b"]}""", "question")]
    [InlineData("""{"question":"a","answer":2,"choices":["a","b"]}""", "'answer' 2")]
    [InlineData("""{"question":"a","answer":"c","choices":["a","b"]}""", "'answer'")]
    [InlineData("""{"question":"a","answer":0,"choices":["a"]}""", "choices")]
    [InlineData("[1]", "object")]
    [InlineData("{", "JSON")]
    [InlineData("", "no example")]
    public void Read_BadLine_NamesLineAndField(string line, string named)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("data.jsonl");
        File.WriteAllText(path, line + "\n");
        string message = Assert.Throws<DataException>(() => FewShotFile.Read(path, FewShotTask.MultipleChoice)).Message;
        Assert.Contains(named, message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Read_AnswersInEachForm_AreUnderstood()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("data.jsonl");
        File.WriteAllText(path, """
            {"question":"a","answer":1,"choices":["x","y"]}

            {"prompt":"b","answer":"x","choices":["x","y"],"context":"c"}
            """);
        Assert.Equal([1, 0], FewShotFile.Read(path, FewShotTask.MultipleChoice).Select(e => e.Answer));
        File.WriteAllText(path, """{"question":"a","answers":["x","y"]}""");
        Assert.Equal(["x", "y"], FewShotFile.Read(path, FewShotTask.Generation)[0].Answers);
    }
}
