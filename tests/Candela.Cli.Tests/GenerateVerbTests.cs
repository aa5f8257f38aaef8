using System.Text.Json.Nodes;
using Candela.Tokenization;
using Candela.Training.Language;

namespace Candela.Cli.Tests;

/// <summary><c>generate</c> and few-shot <c>evaluate</c> on a tiny model folder, as a newcomer types them.</summary>
public sealed class GenerateVerbTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly string _model;

    public GenerateVerbTests()
    {
        Tokenizer letters = TokenizerTrainer.Characters(["abcdefghijklmnopqrstuvwxyzQA:? \n"], new CharacterTrainingOptions { SpecialTokens = ["<unk>"], UnknownToken = "<unk>" });
        _model = _folder.At("model");
        using CausalLm model = CausalLm.Create(new LlamaConfig { VocabularySize = letters.VocabularySize, ContextLength = 256, Width = 16, HiddenWidth = 32, Layers = 1, Heads = 2, InitializerRange = 0.3 }, 3, letters);
        model.SaveTo(_model);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Generate_Prompt_WritesTheContinuationAndFigures()
    {
        CommandOutcome greedy = _folder.Run("generate", _model, "--prompt", "the ", "--max-tokens", "12", "--temperature", "0").Ok();
        Assert.Contains("12 tokens after a prompt of 4", greedy.Error);
        JsonNode json = _folder.Run("generate", _model, "--prompt", "the ", "--max-tokens", "12", "--temperature", "0", "--json", "--logprobs", "2").Ok().Json;
        Assert.Equal(greedy.Output.TrimEnd('\r', '\n'), ((string)json["text"]!).TrimEnd('\r', '\n'));
        Assert.Equal("length", (string?)json["finishReason"]);
        Assert.Equal(12, json["tokens"]!.AsArray().Count);
        Assert.Equal(2, json["logProbabilities"]![0]!["top"]!.AsArray().Count);

        string Sample(string seed) => _folder.Run("generate", _model, "--prompt", "the ", "--max-tokens", "12", "--seed", seed).Ok().Output;
        Assert.Equal(Sample("5"), Sample("5"));
        Assert.NotEqual(Sample("5"), Sample("6"));
    }

    [Fact]
    public void Generate_Beams_WarnsOfWhatBeamSearchDoesNotHeed()
    {
        CommandOutcome beams = _folder.Run("generate", _model, "--prompt", "the ", "--max-tokens", "5", "--beams", "2", "--temperature", "0.5", "--top-p", "0.9").Ok();
        Assert.Contains("warning: --temperature, --top-p change nothing with --beams", beams.Error);
        Assert.DoesNotContain("warning", _folder.Run("generate", _model, "--prompt", "the ", "--max-tokens", "5", "--beams", "2").Ok().Error);
        Assert.Contains("--length-penalty changes nothing without --beams", _folder.Run("generate", _model, "--prompt", "the ", "--max-tokens", "5", "--length-penalty", "2").Ok().Error);
    }

    [Theory]
    [InlineData("no prompt", "--max-tokens", "3")]
    [InlineData("both given", "--prompt", "a", "--prompt-file", "b")]
    [InlineData("--system was given without --chat", "--prompt", "a", "--system", "b")]
    [InlineData("has no chat template", "--prompt", "a", "--chat")]
    [InlineData("TopP: -1", "--prompt", "a", "--top-p", "-1")]
    [InlineData("--logit-bias: 'x'", "--prompt", "a", "--logit-bias", "x")]
    public void Generate_OptionsThatCannotBe_AreRefusedWithTwo(string says, params string[] options)
    {
        CommandOutcome outcome = _folder.Run(["generate", _model, .. options]);
        Assert.Equal(2, outcome.Code);
        Assert.Contains(says, outcome.Error);
    }

    [Fact]
    public void Generate_NoModelOrNoTokenizer_IsRefusedWithTwo()
    {
        Assert.Equal(2, _folder.Run("generate", _folder.At("nothing"), "--prompt", "a").Code);
        File.Delete(Path.Combine(_model, "tokenizer.json"));
        CommandOutcome outcome = _folder.Run("generate", _model, "--prompt", "a");
        Assert.Equal(2, outcome.Code);
        Assert.Contains("no tokenizer", outcome.Error);
    }

    [Fact]
    public void Evaluate_MultipleChoice_ScoresBesideBaselinesAndWritesOutcomes()
    {
        string data = _folder.Write("choices.jsonl", string.Concat(Enumerable.Range(0, 6).Select(i => $"{{\"question\":\"q{(char)('a' + i)}?\",\"choices\":[\"yes\",\"no\",\"maybe\"],\"answer\":{i % 3}}}\n")));
        JsonNode json = _folder.Run("evaluate", _model, data, "--task", "multiple-choice", "--shots", "2", "--out", _folder.At("out.jsonl"), "--json").Ok().Json;
        Assert.Equal((4, 2), ((int)json["rows"]!, (int)json["shots"]!));
        Assert.Equal(1 / 3.0, (double)json["baselines"]!["random"]!, 1e-9);
        Assert.Equal(0.25, (double)json["baselines"]!["majority"]!, 1e-9); // the shots' first place, right once in four
        Assert.InRange((double)json["metrics"]!["accuracy"]!["value"]!, 0, 1);
        Assert.Equal(4, File.ReadAllLines(_folder.At("out.jsonl")).Length);
        Assert.DoesNotContain("majority", _folder.Run("evaluate", _model, data, "--task", "multiple-choice").Ok().Output);
    }

    [Fact]
    public void Evaluate_Questions_GenerateShortAnswers()
    {
        string data = _folder.Write("qa.jsonl", "{\"question\":\"one?\",\"answer\":\"a\"}\n{\"question\":\"two?\",\"answer\":[\"b\",\"c\"]}\n");
        string output = _folder.Run("evaluate", _model, data, "--task", "qa", "--max-tokens", "4").Ok().Output;
        Assert.Contains("exactMatch", output);
        Assert.Contains("2 examples", output);
        CommandOutcome wrong = _folder.Run("evaluate", _model, data, "--task", "questions");
        Assert.Equal(2, wrong.Code);
        Assert.Contains("--task", wrong.Error);
        Assert.Equal(2, _folder.Run("evaluate", _model, data, "--task", "qa", "--shots", "5").Code);
    }
}
