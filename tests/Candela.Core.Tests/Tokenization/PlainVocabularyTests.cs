using System.Text.Json.Nodes;
using Candela.Tokenization;

namespace Candela.Tests.Tokenization;

/// <summary>vocab.txt, and vocab.json with merges.txt: the pipelines are those of the trained tokenizers, which are compared with Hugging Face's elsewhere.</summary>
public sealed class PlainVocabularyTests : IDisposable
{
    private const string Text = "The quick brown fox jumps over the lazy dog; the dog naps. Ünïcode, 東京 and naïve café!";
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, Trait("Kind", "conformance")]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_VocabTxt_EncodesAsTheTokenizerItIsOf(bool lowercase)
    {
        Tokenizer trained = TokenizerTrainer.WordPiece([Text, Text], new WordPieceTrainingOptions { VocabularySize = 120, MinFrequency = 1, Lowercase = lowercase });
        Write("vocab.txt", string.Join('\n', Enumerable.Range(0, trained.VocabularySize).Select(trained.TokenOf)));
        if (!lowercase)
            Write("tokenizer_config.json", """{"do_lower_case": false}""");
        Tokenizer read = Tokenizer.Load(_folder);
        TokenEncoding expected = trained.EncodeFull(Text, "the dog"), found = read.EncodeFull(Text, "the dog");
        Assert.Equal(expected.Ids, found.Ids);
        Assert.Equal(expected.TypeIds, found.TypeIds);
        Assert.Equal(trained.IdOf("[CLS]"), found.Ids[0]);
        Assert.Equal(trained.Encode("[MASK] Dog"), read.Encode("[MASK] Dog"));
    }

    [Fact, Trait("Kind", "conformance")]
    public void Load_VocabJsonAndMerges_EncodesAsTheTokenizerTheyAreOf()
    {
        Tokenizer trained = TokenizerTrainer.Bpe([Text, Text], new BpeTrainingOptions { VocabularySize = 300, SpecialTokens = ["<|endoftext|>"] });
        Split(trained);
        Tokenizer read = Tokenizer.Load(_folder);
        Assert.Equal(trained.Encode(Text + "<|endoftext|>"), read.Encode(Text + "<|endoftext|>"));
        Assert.Equal(Text, read.Decode(read.Encode(Text)));
    }

    [Fact, Trait("Kind", "conformance")]
    public void Load_VocabJsonWithSentenceTokens_FramesTextsAsRoberta()
    {
        Split(TokenizerTrainer.Bpe([Text, Text], new BpeTrainingOptions { VocabularySize = 300, SpecialTokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] }));
        Tokenizer read = Tokenizer.Load(_folder);
        int[] pair = read.EncodeFull("a", "b").Ids.ToArray();
        Assert.Equal(["<s>", "a", "</s>", "</s>", "b", "</s>"], pair.Select(read.TokenOf));
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_IncompleteOrForeignFiles_NamesTheFault()
    {
        Write("vocab.json", """{"a":0}""");
        Assert.Equal(Fault.Missing, Assert.Throws<FileFormatException>(() => Tokenizer.Load(_folder)).Fault);
        Write("merges.txt", "#version: 0.2\na b\n");
        Assert.Equal(Fault.Corrupt, Assert.Throws<FileFormatException>(() => Tokenizer.Load(_folder)).Fault);
        Write("vocab.txt", "hello\nworld\n");
        Assert.Contains("[UNK]", Assert.Throws<FileFormatException>(() => Tokenizer.Load(_folder)).Message);
        File.WriteAllBytes(Path.Combine(_folder, "vocab.txt"), [0x5B, 0xFF, 0xFE, 0x0A]);
        Assert.Equal(Fault.WrongFormat, Assert.Throws<FileFormatException>(() => Tokenizer.Load(_folder)).Fault);
    }

    private void Split(Tokenizer trained)
    {
        string path = Path.Combine(_folder, "whole.json");
        trained.Save(path);
        JsonObject model = JsonNode.Parse(File.ReadAllText(path))!["model"]!.AsObject();
        Write("vocab.json", model["vocab"]!.ToJsonString());
        Write("merges.txt", "#version: 0.2\n" + string.Join('\n', model["merges"]!.AsArray().Select(m => m is JsonArray two ? $"{two[0]} {two[1]}" : m!.ToString())) + "\n");
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);
}
