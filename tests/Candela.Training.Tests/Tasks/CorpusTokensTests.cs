using Candela.Data;
using Candela.Language;
using Candela.Tokenization;
using Candela.Training.Tasks;

namespace Candela.Training.Tests.Tasks;

/// <summary>What of a JSON Lines corpus is learned, seen in the targets of its blocks.</summary>
public sealed class CorpusTokensTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-corpus-").FullName;

    // The end-of-text token is learned: a model must know when to stop. It is written as | here.
    private static readonly Tokenizer Letters = TokenizerTrainer.Characters(["abcdefghijklmnopqrstuvwxyz :\n<>?!"], new CharacterTrainingOptions { SpecialTokens = ["<unk>", "<|endoftext|>"], UnknownToken = "<unk>" });

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, Trait("Kind", "golden")]
    [InlineData("{\"text\":\"abc\"}\n{\"text\":\"de\"}", "abc|de|", "bc|de|")]
    [InlineData("{\"prompt\":\"how?\",\"completion\":\"so!\"}\n{\"prompt\":\"x\",\"completion\":\"y\"}", "how?so!|xy|", "___so!|_y|")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":\"yo\"}]}", "user: hi\nassistant: yo\n|", "___________________yo\n|")]
    public void Write_JsonLines_OnlyAnswersAndTextsAreTargets(string lines, string read, string learned)
    {
        (string inputs, string targets, long bytes) = Masked(lines, Letters);
        Assert.Equal(read, inputs);
        Assert.Equal(learned, targets);
        Assert.Equal((lines.Contains("\"text\"", StringComparison.Ordinal) ? "abcde" : lines.Contains("\"prompt\"", StringComparison.Ordinal) ? "so!y" : "yo\n").Length, bytes);
    }

    [Fact, Trait("Kind", "golden")]
    public void Write_MessagesWithATemplate_AssistantTurnsWithTheirEndAreTargets()
    {
        Tokenizer tokenizer = Templated("{% for m in messages %}{% if m.role == 'user' %}<{{ m.content }}>{% else %}?{{ m.content }}!{% endif %}{% endfor %}{% if add_generation_prompt %}?{% endif %}");
        (string inputs, string targets, _) = Masked("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},{\"role\":\"user\",\"content\":\"c\"}]}", tokenizer);
        Assert.Equal("<a>?b!<c>|", inputs);
        Assert.Equal("___b!___|", targets); // the generation prompt (?) is given to the model, so it is only read
    }

    private Tokenizer Templated(string template)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "tokenizer")).FullName;
        Letters.Save(Path.Combine(folder, "tokenizer.json"));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), "{\"eos_token\":\"<|endoftext|>\"}");
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), template);
        return Tokenizer.Load(folder);
    }

    // The tokens read, and the targets with _ for one that is not learned; | is the end of a document.
    private (string Inputs, string Targets, long LearnedBytes) Masked(string lines, Tokenizer tokenizer)
    {
        string file = Path.Combine(_folder, "c.jsonl"), tokens = Path.Combine(_folder, Path.GetRandomFileName());
        File.WriteAllText(file, lines);
        CorpusTokens counted = CorpusTokens.Write(tokens, TextCorpus.Open(file).Read(Part.Train, 0, 0, 0), tokenizer, CancellationToken.None);
        using TokenStore store = TokenStore.Open(tokens);
        Assert.Equal(counted.Tokens, store.Length);
        TokenBatch batch = new TokenBlocks(store, (int)store.Length).Batches(new BatchPlan(1)).Single();
        return (string.Concat(batch.Inputs.Take(batch.Length).Append(batch.Targets[batch.Length - 1]).Select(Letter)), string.Concat(batch.Targets.Take(batch.Length).Select(Letter)), counted.LearnedBytes);

        string Letter(long id) => id == TokenBatch.Ignored ? "_" : id == tokenizer.EosId ? "|" : tokenizer.TokenOf((int)id)!;
    }
}
