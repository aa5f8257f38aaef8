using System.Text;
using Candela.Decoding;
using Candela.Templates;
using Candela.Tests;
using Candela.Tokenization;

namespace Candela.Core.Tests.Decoding;

public class TextGeneratorTests
{
    private const int End = 1, A = 2, B = 3, C3 = 4, A9 = 5, Space = 6;

    // Bytes as tokens: 4 and 5 together are "é".
    private static Tokenizer Bytes(string more = "") => Tokenizer.FromJson(Encoding.UTF8.GetBytes($$"""
        {"version":"1.0","added_tokens":[{"id":0,"content":"<s>","special":true,"normalized":false},{"id":1,"content":"</s>","special":true,"normalized":false}{{more}}],
         "normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false},"post_processor":null,"decoder":{"type":"ByteLevel"},
         "model":{"type":"BPE","vocab":{"<s>":0,"</s>":1,"a":2,"b":3,"Ã":4,"©":5,"Ġ":6},"merges":[]} }
        """), "bytes");

    /// <summary>Gives the ids one after another, whatever is read.</summary>
    private static FunctionModel Script(int promptLength, params int[] ids) => new(10, 32, tokens =>
    {
        var row = new float[10];
        row[ids[Math.Min(tokens.Count - promptLength, ids.Length - 1)]] = 5;
        return row;
    });

    private static readonly GenerationOptions Greedy = new() { Temperature = 0, MaxTokens = 8 };

    [Fact]
    [Trait("Kind", "analytic")]
    public void Generate_EndToken_StopsAndIsNoPartOfTheText()
    {
        FunctionModel model = Script(1, A, B, End);
        GenerationResult result = new TextGenerator(model, Bytes()).Generate("", Greedy, TestContext.Current.CancellationToken);
        Assert.Equal("ab", result.Text);
        Assert.Equal([A, B], result.Tokens);
        Assert.Equal(FinishReason.Stop, result.FinishReason);
        Assert.Equal(1, result.PromptTokens);
        Assert.Equal(3, result.Steps.Count);
        Assert.Equal(5 - Math.Log(Math.Exp(5) + 9), result.Steps[0].LogProbability, 1e-6);
        Assert.Equal(0, model.OpenStates);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Generate_MaxTokensOrContext_EndByLength()
    {
        GenerationResult result = new TextGenerator(Script(1, A), Bytes()).Generate("", Greedy with { MaxTokens = 3 }, TestContext.Current.CancellationToken);
        Assert.Equal(("aaa", FinishReason.Length), (result.Text, result.FinishReason));
        Assert.Equal(31, new TextGenerator(Script(1, A), Bytes()).Generate("", Greedy with { MaxTokens = 100 }, TestContext.Current.CancellationToken).Tokens.Count);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Generate_StopStringAcrossTokens_CutsTheText()
    {
        GenerationResult result = new TextGenerator(Script(1, A, B, A, A, B, B), Bytes()).Generate("", Greedy with { StopStrings = ["aab"] }, TestContext.Current.CancellationToken);
        Assert.Equal("ab", result.Text);
        Assert.Equal([A, B, A, A, B], result.Tokens);
        Assert.Equal((FinishReason.Stop, "aab"), (result.FinishReason, result.StopString));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Generate_MinTokens_BansEndAndIgnoresStops()
    {
        GenerationResult result = new TextGenerator(Script(1, End), Bytes()).Generate("", Greedy with { MinTokens = 2 }, TestContext.Current.CancellationToken);
        Assert.Equal(2, result.Tokens.Count);
        Assert.Equal("aba", new TextGenerator(Script(1, A, B, A, B), Bytes()).Generate("", Greedy with { MinTokens = 2, MaxTokens = 3, StopStrings = ["b"] }, TestContext.Current.CancellationToken).Text);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Stream_BytesOfACharacter_ComeTogether()
    {
        string[] pieces = [.. new TextGenerator(Script(1, A, C3, A9, B, C3, End), Bytes()).Stream([0], Greedy, TestContext.Current.CancellationToken).Select(t => t.Text)];
        Assert.Equal(["a", "", "é", "b", "", "\uFFFD"], pieces);
    }

    [Fact]
    [Trait("Kind", "property")]
    public async Task StreamAsync_EqualsGenerate()
    {
        FunctionModel model = FunctionModel.Hash(7, 11);
        var options = new GenerationOptions { Seed = 5, MaxTokens = 20, TopP = 0.9, RepetitionPenalty = 1.1, IgnoreEndOfText = true, TopLogProbabilities = 2 };
        var generator = new TextGenerator(model, Bytes());
        GenerationResult whole = generator.Generate("ab", options, TestContext.Current.CancellationToken);
        var ids = new List<int>();
        await foreach (GeneratedToken token in generator.StreamAsync(generator.Encode("ab"), options, TestContext.Current.CancellationToken))
            ids.Add(token.Id);
        Assert.Equal(whole.Tokens, ids);
        Assert.Equal(20, ids.Count);
        List<int> read = [A, B];
        foreach (GeneratedToken step in whole.Steps)
        {
            double[] row = model.Reference(read);
            Assert.Equal(row[step.Id], step.LogProbability, 1e-5);
            Assert.Equal(row.Max(), step.Top[0].LogProbability, 1e-5);
            Assert.Equal(2, step.Top.Count);
            read.Add(step.Id);
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Stream_CancelledOrLeft_FreesTheState()
    {
        FunctionModel model = Script(1, A);
        using var cancel = new CancellationTokenSource();
        int steps = 0;
        model.OnAppend = () => { if (++steps == 3) cancel.Cancel(); };
        Assert.Throws<OperationCanceledException>(() => new TextGenerator(model).Generate([0], Greedy, cancel.Token));
        Assert.Equal((3, 0), (steps, model.OpenStates));
        Assert.Equal(A, new TextGenerator(model).Stream([0], Greedy, TestContext.Current.CancellationToken).First().Id);
        Assert.Equal(0, model.OpenStates);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Generate_Beams_StopStringEndsABeam()
    {
        GenerationResult result = new TextGenerator(Script(1, A, B, A), Bytes()).Generate("", new GenerationOptions { Beams = 2, MaxTokens = 6, StopStrings = ["ba"], BeamStopping = BeamStopping.First, MinTokens = 2 }, TestContext.Current.CancellationToken);
        Assert.Equal("a", result.Text);
        Assert.Equal([A, B, A], result.Tokens);
        Assert.Equal((FinishReason.Stop, "ba"), (result.FinishReason, result.StopString));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Generate_IdsWithoutAToken_AreNeverChosen() =>
        Assert.DoesNotContain(new TextGenerator(Script(1, 9), Bytes()).Generate("", new GenerationOptions { MaxTokens = 30, Temperature = 0.1, IgnoreEndOfText = true }, TestContext.Current.CancellationToken).Tokens, id => id >= 7);

    [Fact]
    [Trait("Kind", "analytic")]
    public void Infill_KnownTokens_OrderThePromptAndEndTheText()
    {
        Tokenizer tokenizer = Bytes(""",{"id":7,"content":"<fim_prefix>","special":true},{"id":8,"content":"<fim_suffix>","special":true},{"id":9,"content":"<fim_middle>","special":true}""");
        FillInMiddle format = FillInMiddle.Of(tokenizer);
        Assert.Equal([7, A, 8, B, Space, 9], format.Prompt(tokenizer, "a", "b "));
        Assert.Equal("ab", new TextGenerator(Script(6, A, B, 7), tokenizer).Infill("a", "b ", Greedy, TestContext.Current.CancellationToken).Text);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Refusals_SayWhatToDo()
    {
        var generator = new TextGenerator(Script(1, A), Bytes());
        Assert.Contains("fill-in-the-middle", Assert.Throws<UsageException>(() => generator.Infill("a", "b", Greedy, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Contains("chat template", Assert.Throws<UsageException>(() => generator.EncodeChat([new ChatMessage("user", "a")])).Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => generator.Stream([0], Greedy with { Beams = 2 }, TestContext.Current.CancellationToken));
        Assert.Throws<UsageException>(() => generator.Generate(new int[32], Greedy, TestContext.Current.CancellationToken));
        Assert.Throws<UsageException>(() => new TextGenerator(Script(1, A)).Encode("a"));
        Assert.Throws<UsageException>(() => new TextGenerator(Script(1, A)).Generate([0], Greedy with { StopStrings = ["a"] }, TestContext.Current.CancellationToken));
    }

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData("""{"eos_token_id": 2}""", new[] { 2 })]
    [InlineData("""{"eos_token_id": [5, 7]}""", new[] { 5, 7 })]
    [InlineData("""{"eos_token_id": null}""", new int[0])]
    public void EndTokens_Folder_OneOrSeveral(string json, int[] ids)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "generation_config.json"), json);
        Assert.Equal(ids, EndTokens.Of(folder.Path));
    }
}
