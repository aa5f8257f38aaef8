using Candela.Language;
using Candela.Templates;

namespace Candela.Tests.Language;

public sealed class PreferencePairsTests
{
    [Fact, Trait("Kind", "analytic")]
    public void Read_EveryForm_IsRead()
    {
        using var folder = new TemporaryFolder();
        PreferencePairs read = Read(folder, """
            {"prompt":"2 + 2 is ","chosen":"4","rejected":"5","score":1}

            {"prompt":[{"role":"system","content":"Be short."},{"role":"user","content":"Hi"}],"chosen":[{"role":"assistant","content":"Hello"}],"rejected":"Go away"}
            """);
        Assert.Equal(2, read.Pairs.Count);
        Assert.Equal(64, read.DataHash.Length);
        Assert.Equal(("2 + 2 is ", "4", "5", false), (read.Pairs[0].PromptText, read.Pairs[0].Chosen, read.Pairs[0].Rejected, read.Pairs[0].IsChat));
        Assert.Equal([new ChatMessage("system", "Be short.").Content, "Hi"], read.Pairs[1].Prompt.Select(m => m.Content));
        Assert.Equal(("system: Be short.\nuser: Hi", "Hello", "Go away", true), (read.Pairs[1].PromptText, read.Pairs[1].Chosen, read.Pairs[1].Rejected, read.Pairs[1].IsChat));
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("", "there is no pair")]
    [InlineData("[1]", "line 1: a JSON Array was found")]
    [InlineData("{\"prompt\":\"a\",", "line 1: not JSON")]
    [InlineData("{\"prompt\":\"a\",\"choosen\":\"b\",\"rejected\":\"c\"}", "no key 'chosen'. Did you mean 'choosen'?")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}\n{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"b\"}", "line 2: 'chosen' and 'rejected' are the same")]
    [InlineData("{\"prompt\":[],\"chosen\":\"b\",\"rejected\":\"c\"}", "'prompt' is an empty list")]
    [InlineData("{\"prompt\":7,\"chosen\":\"b\",\"rejected\":\"c\"}", "'prompt' is a JSON number")]
    [InlineData("{\"prompt\":[{\"role\":\"user\"}],\"chosen\":\"b\",\"rejected\":\"c\"}", "'prompt' holds what is no message")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"\",\"rejected\":\"c\"}", "'chosen' is empty")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":null,\"rejected\":\"c\"}", "'chosen' is a JSON null")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\",\"content\":\"y\"}]}", "'rejected' has 2 messages")]
    [InlineData("{\"prompt\":\"\\ud800\",\"chosen\":\"b\",\"rejected\":\"c\"}", "an escape that is no character")]
    public void Read_WhatIsNoPair_IsRefusedByLineAndKey(string text, string expected)
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(expected, Assert.Throws<DataException>(() => Read(folder, text)).Message, StringComparison.Ordinal);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Split_PromptsWithSeveralPairs_AreInOnePartOnly()
    {
        PreferencePair[] pairs = [.. Enumerable.Range(0, 30).Select(i => new PreferencePair($"p{i % 10}", $"a{i}", $"b{i}"))];
        IReadOnlyList<PreferencePair> train = PreferencePairs.Split(pairs, 0.2, 3, out IReadOnlyList<PreferencePair> held);
        Assert.Equal((24, 6), (train.Count, held.Count));
        Assert.Empty(train.Select(p => p.PromptText).Intersect(held.Select(p => p.PromptText)));
        Assert.Equal(train, PreferencePairs.Split(pairs, 0.2, 3, out _));
        Assert.NotEqual(train, PreferencePairs.Split(pairs, 0.2, 4, out _));
        Assert.Single(PreferencePairs.Split(pairs[..2], 0.001, 3, out _));
        Assert.Contains("1 different prompt", Assert.Throws<DataException>(() => PreferencePairs.Split([pairs[0], pairs[10]], 0.5, 0, out _)).Message, StringComparison.Ordinal);
    }

    private static PreferencePairs Read(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder.File("p.jsonl"), text);
        return PreferencePairs.Read(folder.File("p.jsonl"), TestContext.Current.CancellationToken);
    }
}
