using Candela.Decoding;

namespace Candela.Core.Tests.Decoding;

/// <summary>Each change of the logits against numbers worked out by hand from its paper's or vendor's definition.</summary>
[Trait("Kind", "analytic")]
public class LogitsProcessorTests
{
    private const float Banned = float.NegativeInfinity;

    private static float[] Apply(ILogitsProcessor processor, int[] tokens, int promptLength, params float[] logits)
    {
        var changed = (float[])logits.Clone();
        processor.Process(tokens, promptLength, changed);
        return changed;
    }

    [Fact]
    public void RepetitionPenalty_SeenTokens_DividesPositiveMultipliesNegativeOnce() =>
        Assert.Equal([1f, -2f, 3f, 0f], Apply(new RepetitionPenalty(2), [0, 1, 0, 3, 1], 2, 2f, -1f, 3f, 0f));

    [Fact]
    public void RepetitionPenalty_SecondCall_ForgetsTheFirst()
    {
        var penalty = new RepetitionPenalty(2);
        Apply(penalty, [0], 1, 2f, 2f);
        Assert.Equal([2f, 1f], Apply(penalty, [1], 1, 2f, 2f));
    }

    [Fact]
    public void PresenceFrequencyPenalty_CountsGeneratedOnly_AsOpenAiDefines() =>
        // Token 0 is in the prompt only; 1 was generated once, 2 three times: 1 - (0.5 + 0.25), 1 - (0.5 + 3 * 0.25).
        Assert.Equal([1f, 0.25f, -0.25f, 1f], Apply(new PresenceFrequencyPenalty(0.5, 0.25), [0, 0, 2, 1, 2, 2], 2, 1f, 1f, 1f, 1f));

    [Fact]
    public void LogitBias_AddsAndBans() =>
        Assert.Equal([3f, Banned, 1f], Apply(new LogitBias(new Dictionary<int, float> { [0] = 2, [1] = Banned }), [0], 1, 1f, 1f, 1f));

    [Theory]
    [InlineData(1, new[] { 0, 2 }, new[] { 0, 2 })]
    [InlineData(2, new[] { 0, 1, 2, 0 }, new[] { 1 })]
    [InlineData(2, new[] { 0, 1, 0, 2, 0 }, new[] { 1, 2 })]
    [InlineData(3, new[] { 0, 1, 2, 0, 1 }, new[] { 2 })]
    [InlineData(3, new[] { 0, 1 }, new int[0])]
    [InlineData(4, new[] { 0, 0, 0, 0 }, new[] { 0 })]
    public void NoRepeatNgram_History_BansWhatWouldRepeat(int n, int[] tokens, int[] banned)
    {
        float[] logits = Apply(new NoRepeatNgram(n), tokens, 1, 1f, 1f, 1f);
        Assert.Equal(banned, Enumerable.Range(0, 3).Where(i => logits[i] == Banned));
    }

    [Fact]
    public void BannedSequences_History_BansLastTokenOfAMatchedRun()
    {
        var processor = new BannedSequences([[2], [0, 1], [1, 1, 0]]);
        Assert.Equal([1f, Banned, Banned], Apply(processor, [1, 0], 1, 1f, 1f, 1f));
        Assert.Equal([Banned, 1f, Banned], Apply(processor, [1, 1], 2, 1f, 1f, 1f));
        Assert.Equal([1f, 1f, Banned], Apply(processor, [1], 1, 1f, 1f, 1f));
    }

    [Fact]
    public void MinimumTokens_UntilEnough_BansEndTokens()
    {
        var processor = new MinimumTokens(2, [0, 2]);
        Assert.Equal([Banned, 1f, Banned], Apply(processor, [1, 1], 1, 1f, 1f, 1f));
        Assert.Equal([1f, 1f, 1f], Apply(processor, [1, 1, 1], 1, 1f, 1f, 1f));
    }

    [Fact]
    public void SuppressedTokens_ListedAndBeyondTheTokenizer_AreBanned() =>
        Assert.Equal([Banned, 1f, Banned, Banned], Apply(new SuppressedTokens([0], firstWithoutToken: 2), [1], 1, 1f, 1f, 1f, 1f));

    [Fact]
    public void Options_OutOfRange_NameTheOption()
    {
        foreach ((GenerationOptions options, string name) in new (GenerationOptions, string)[]
        {
            (new() { MaxTokens = 0 }, "MaxTokens"), (new() { Temperature = -1 }, "Temperature"), (new() { Temperature = double.NaN }, "Temperature"), (new() { TopK = -1 }, "TopK"),
            (new() { TopP = 0 }, "TopP"), (new() { MinP = 1.5 }, "MinP"), (new() { TypicalP = double.NaN }, "TypicalP"), (new() { RepetitionPenalty = 0 }, "RepetitionPenalty"),
            (new() { Beams = 2, BestOfBeams = 3 }, "BestOfBeams"), (new() { LogitBias = new Dictionary<int, float> { [9] = 1 } }, "LogitBias"), (new() { StopTokens = [-1] }, "StopTokens"),
            (new() { StopStrings = [""] }, "StopStrings"), (new() { BannedSequences = [[]] }, "BannedSequences"), (new() { SuppressedTokens = [5] }, "SuppressedTokens"),
        })
            Assert.StartsWith(name, Assert.Throws<UsageException>(() => options.Validate(5)).Message, StringComparison.Ordinal);
    }
}
