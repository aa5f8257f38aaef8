using System.Text.Json.Nodes;

namespace Candela.Cli.Tests;

/// <summary>A language model from <c>train</c> to <c>generate</c>, as a newcomer types it.</summary>
public sealed class LanguageModelVerbTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Text() => _folder.Write("rhyme.txt", string.Concat(Enumerable.Repeat("the cat sat on the mat, the dog sat on the log.\n", 60)));

    private CommandOutcome Train(params string[] more) =>
        _folder.Run(["train", Text(), "--task", "language-model", "--width", "32", "--heads", "2", "--layers", "1", "--block", "32", "--max-steps", "30", "--batch-size", "8", "--evaluate-every", "15", "--threads", "1", "--out", _folder.At("run"), .. more]).Ok();

    [Fact]
    public void Train_Text_ShowsTokensLossAndSamplesAndEveryVerbKnowsTheRun()
    {
        CommandOutcome train = Train();
        Assert.Contains("(language-model)", train.Output);
        Assert.Contains("Tokens: ", train.Output);
        Assert.Contains("valid metric", train.Output);
        Assert.Contains("It writes:", train.Output);
        Assert.DoesNotContain("test metric", train.Output);
        Assert.Matches(@"step 15: loss \d\.\d+, valid loss \d\.\d+, perplexity", train.Error);
        Assert.Matches(@"step 15:[^\n]*\n    \S", train.Error); // what it writes then, indented
        Assert.DoesNotContain("rows/s", train.Error);

        string run = _folder.At("run");
        JsonNode json = _folder.Run("runs", run, "--json").Ok().Json[0]!;
        Assert.Equal("language-model", (string?)json["task"]);
        Assert.NotNull((string?)json["samples"]![0]!["output"]);
        Assert.True((double)json["metrics"]!["valid"]!["loss"]!["value"]! > 0);
        Assert.Contains("valid loss", _folder.Run("runs", run).Ok().Output);
        string doctor = _folder.Run("doctor", "--training", run).Ok().Output;
        Assert.Contains("Only the validation part was scored", doctor);

        CommandOutcome predict = _folder.Run("predict", run, Text());
        Assert.Equal(2, predict.Code);
        Assert.Contains("candela generate", predict.Error);
        JsonNode generated = _folder.Run("generate", run, "--prompt", "the cat ", "--max-tokens", "10", "--temperature", "0", "--json").Ok().Json;
        Assert.Equal(10, ((string)generated["text"]!).Length); // a letter a token
        Assert.Contains("perplexity", _folder.Run("evaluate", run, Text()).Ok().Output);
    }

    [Fact]
    public void Train_TestPart_IsWhatTheRunIsJudgedBy()
    {
        Assert.Contains("test metric", Train("--test", "0.1").Output);
        Assert.Contains("test loss", _folder.Run("runs", _folder.At("run")).Ok().Output);
        Assert.DoesNotContain("test-never-scored", _folder.Run("doctor", "--training", _folder.At("run")).Ok().Output);
    }

    [Fact]
    public void Train_TextWithoutATask_HintsAtTheTask()
    {
        CommandOutcome outcome = _folder.Run("train", Text(), "--out", _folder.At("run"));
        Assert.Equal(2, outcome.Code);
        Assert.Contains("--task language-model", outcome.Error);
        Assert.DoesNotContain("language-model", _folder.Run("train", _folder.Classes(), "--out", _folder.At("run")).Error);
    }

    [Fact]
    public void Lines_OfASample_AreFewShortAndWithoutControlCharacters()
    {
        Assert.Equal(["a [31mb", "c …"], Output.ProgressText.Lines("\n a\u001b[31mb\n\n c \nd", 2).Select(l => l.Trim()));
        Assert.Equal(100, Assert.Single(Output.ProgressText.Lines(new string('x', 400), 2)).Length);
        Assert.Equal(["(nothing)"], Output.ProgressText.Lines(" \n", 2));
    }
}
