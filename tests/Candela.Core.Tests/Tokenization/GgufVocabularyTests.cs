using System.Text;
using Candela.Formats;
using Candela.Templates;
using Candela.Tokenization;

namespace Candela.Tests.Tokenization;

public class GgufVocabularyTests
{
    /// <summary>All pairs of texts and ids that llama.cpp keeps with its vocabularies, in the folder <c>tok-gguf</c> of CANDELA_DATA; without that variable there is nothing to check.</summary>
    [Theory]
    [Trait("Kind", "conformance")]
    [InlineData("gpt-2")]
    [InlineData("llama-spm")]
    [InlineData("bert-bge")]
    public void Encode_PairsOfLlamaCpp_GivesEveryId(string name)
    {
        if (Environment.GetEnvironmentVariable("CANDELA_DATA") is not { Length: > 0 } data)
            return;
        string path = Path.Combine(data, "tok-gguf", $"ggml-vocab-{name}.gguf");
        string[] texts = File.ReadAllText(path + ".inp").Split("\n__ggml_vocab_test__\n");
        string[] expected = File.ReadAllText(path + ".out").Split('\n');
        var tokenizer = Tokenizer.Load(path);

        // the last segment is empty in both
        Assert.Equal(expected.Length, texts.Length);
        Assert.True(texts.Length > 40);
        var wrong = new List<string>();
        for (int i = 0; i < texts.Length; i++)
        {
            string ids = string.Join(' ', tokenizer.Encode(texts[i], addSpecialTokens: false));
            if (ids != expected[i].Trim())
                wrong.Add($"{i} '{texts[i]}': {expected[i].Trim()} but {ids}");
        }

        Assert.Empty(wrong);
    }

    /// <summary>Llama's vocabulary of CANDELA_DATA on Tiny Shakespeare against the algorithm of SentencePiece written plainly: of all neighbours the pair of the highest score, the first among equals.</summary>
    [Fact]
    [Trait("Kind", "conformance")]
    public void Encode_LlamaVocabularyOnABook_GivesWhatThePlainAlgorithmGives()
    {
        if (Environment.GetEnvironmentVariable("CANDELA_DATA") is not { Length: > 0 } data)
            return;
        string path = Path.Combine(data, "tok-gguf", "ggml-vocab-llama-spm.gguf");
        using var file = GgufFile.Open(path);
        string[] tokens = file.Texts("tokenizer.ggml.tokens")!;
        float[] scores = file.Singles("tokenizer.ggml.scores")!;
        var index = tokens.Select((token, id) => (token, id)).ToDictionary(t => t.token, t => t.id, StringComparer.Ordinal);
        var tokenizer = Tokenizer.Load(path);
        string book = File.ReadAllText(Path.Combine(data, "txt-shakespeare", "input.txt"));
        for (int at = 0; at + 150 <= 150_000; at += 150)
        {
            string text = book.Substring(at, 150);
            List<int> ids = [.. ("\u2581" + text.Replace(' ', '\u2581')).Select(c => index.TryGetValue(c.ToString(), out int id) ? id : 3 + c)];
            while (true)
            {
                var best = Enumerable.Range(0, ids.Count - 1).Select(i => (At: i, Id: index.GetValueOrDefault(tokens[ids[i]] + tokens[ids[i + 1]], -1))).Where(m => m.Id > 258)
                    .Select(m => (m.At, m.Id, Score: scores[m.Id])).OrderByDescending(m => m.Score).ThenBy(m => m.At).Select(m => ((int At, int Id)?)(m.At, m.Id)).FirstOrDefault();
                if (best is not { } merge)
                    break;
                ids[merge.At] = merge.Id;
                ids.RemoveAt(merge.At + 1);
            }

            Assert.Equal(ids, tokenizer.Encode(text, addSpecialTokens: false));
        }
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Load_ByteLevelVocabulary_MergesByRankAndReadsTheTemplate()
    {
        // By hand: "low low" -> l+o, lo+w, G+low (G is the space's stand-in), ids as listed.
        using var folder = new TemporaryFolder();
        string path = folder.File("gpt2.gguf");
        string[] tokens = ["l", "o", "w", "\u0120", "lo", "low", "\u0120low", "e", "<|end|>", "<tool>"];
        new GgufWriter()
            .Set("tokenizer.ggml.model", GgufValue.Of("gpt2"))
            .Set("tokenizer.ggml.pre", GgufValue.Of("gpt-2"))
            .Set("tokenizer.ggml.tokens", GgufValue.Of(tokens))
            .Set("tokenizer.ggml.token_type", GgufValue.Of(new[] { 1, 1, 1, 1, 1, 1, 1, 1, 3, 4 }))
            .Set("tokenizer.ggml.merges", GgufValue.Of(new[] { "l o", "lo w", "\u0120 low" }))
            .Set("tokenizer.ggml.bos_token_id", GgufValue.Of(8u))
            .Set("tokenizer.ggml.eos_token_id", GgufValue.Of(8u))
            .Set("tokenizer.ggml.add_bos_token", GgufValue.Of(true))
            .Set("tokenizer.chat_template", GgufValue.Of("{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"))
            .Save(path);

        var tokenizer = Tokenizer.Load(path);

        Assert.Equal([5, 6], tokenizer.Encode("low low", addSpecialTokens: false));
        Assert.Equal([8, 5, 7, 9, 8], tokenizer.Encode("lowe<tool><|end|>"));
        Assert.Equal((8, 8, 10), (tokenizer.BosId, tokenizer.EosId, tokenizer.VocabularySize));
        Assert.True(tokenizer.IsSpecial(8));
        Assert.False(tokenizer.IsSpecial(9));
        Assert.Equal("low low<tool>", tokenizer.Decode([8, 5, 6, 9]));
        Assert.Equal("<|end|>low", tokenizer.ApplyChatTemplate([new ChatMessage("user", "low")]));
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Load_SentencePieceVocabulary_MergesByScoreAndFallsBackToBytes()
    {
        // By hand: " ab" -> space+a scores best, then +b; "é" has no token: its bytes C3 A9.
        using var folder = new TemporaryFolder();
        string path = SpmFile(folder, new GgufWriter());
        var tokenizer = Tokenizer.Load(path);
        int first = 3 + 256;

        Assert.Equal([1, first + 4, 3 + 0xC3, 3 + 0xA9], tokenizer.Encode("abé"));
        Assert.Equal([first + 4, first + 3], tokenizer.Encode("ab a", addSpecialTokens: false));
        Assert.Equal("abé a", tokenizer.Decode(tokenizer.Encode("abé a")));
        Assert.Equal([1], tokenizer.Encode(""));
        using var other = new TemporaryFolder();
        var plain = Tokenizer.Load(SpmFile(other, new GgufWriter().Set("tokenizer.ggml.add_space_prefix", GgufValue.Of(false)).Set("tokenizer.ggml.add_bos_token", GgufValue.Of(false)).Set("tokenizer.ggml.add_eos_token", GgufValue.Of(true))));
        Assert.Equal([first + 2, first + 1, 2], plain.Encode("ab")[^3..]);
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Load_WordPieceVocabulary_GivesBackTheContinuationMarks()
    {
        // The file writes "un" + "##able" as "▁un" + "able".
        using var folder = new TemporaryFolder();
        string path = folder.File("bert.gguf");
        new GgufWriter()
            .Set("tokenizer.ggml.model", GgufValue.Of("bert"))
            .Set("tokenizer.ggml.tokens", GgufValue.Of(new[] { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u2581un", "able", "\u2581able", "\u2581!", "[unused0]" }))
            .Set("tokenizer.ggml.token_type", GgufValue.Of(new[] { 3, 2, 3, 3, 1, 1, 1, 1, 1 }))
            .Set("tokenizer.ggml.unknown_token_id", GgufValue.Of(1u))
            .Set("tokenizer.ggml.cls_token_id", GgufValue.Of(2u))
            .Set("tokenizer.ggml.seperator_token_id", GgufValue.Of(3u))
            .Set("tokenizer.ggml.padding_token_id", GgufValue.Of(0u))
            .Save(path);

        var tokenizer = Tokenizer.Load(path);

        Assert.Equal([2, 4, 5, 6, 7, 1, 3], tokenizer.Encode("Unáble ABLE! xyz"));
        Assert.Equal(["##able", "able", "[unused0]"], new[] { 5, 6, 8 }.Select(tokenizer.TokenOf));
        Assert.Equal((0, 1), (tokenizer.PadId, tokenizer.UnknownId));
        var pair = tokenizer.EncodeFull("able", "un");
        Assert.Equal([2, 6, 3, 4, 3], pair.Ids);
        Assert.Equal([0, 0, 0, 1, 1], pair.TypeIds);
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("no tokenizer", Fault.Unsupported, "holds no tokenizer")]
    [InlineData("no tokens", Fault.Corrupt, "no metadata 'tokenizer.ggml.tokens'")]
    [InlineData("rwkv", Fault.Unsupported, "is 'rwkv'")]
    [InlineData("no merges", Fault.Corrupt, "'tokenizer.ggml.merges'")]
    [InlineData("bad merge", Fault.Corrupt, "merge 0")]
    [InlineData("merge of strangers", Fault.Corrupt, "not in the vocabulary")]
    [InlineData("pre", Fault.Unsupported, "'no-such-pre'")]
    [InlineData("types", Fault.Corrupt, "2 tokens and 1 token types")]
    [InlineData("id", Fault.Corrupt, "'tokenizer.ggml.bos_token_id' is 2")]
    [InlineData("twice", Fault.Corrupt, "is there twice")]
    [InlineData("no scores", Fault.Corrupt, "'tokenizer.ggml.scores'")]
    public void Load_VocabularyThatContradictsItself_IsRefusedByName(string what, Fault fault, string message)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("bad.gguf");
        var writer = new GgufWriter();
        if (what != "no tokenizer")
            writer.Set("tokenizer.ggml.model", GgufValue.Of(what == "rwkv" ? "rwkv" : what == "no scores" ? "llama" : "gpt2"));
        if (what != "no tokens")
            writer.Set("tokenizer.ggml.tokens", GgufValue.Of(what == "twice" ? ["a", "a"] : new[] { "a", "b" }));
        writer.Set("tokenizer.ggml.token_type", GgufValue.Of(what == "types" ? [1] : new[] { 1, 1 }));
        if (what != "no merges")
            writer.Set("tokenizer.ggml.merges", GgufValue.Of(what == "bad merge" ? ["ab"] : what == "merge of strangers" ? ["x y"] : Array.Empty<string>()));
        writer.Set("tokenizer.ggml.pre", GgufValue.Of(what == "pre" ? "no-such-pre" : "gpt-2"));
        writer.Set("tokenizer.ggml.bos_token_id", GgufValue.Of(what == "id" ? 2u : 0u));
        writer.Save(path);

        var error = Assert.Throws<FileFormatException>(() => Tokenizer.Load(path));

        Assert.Equal(fault, error.Fault);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Kind", "golden")]
    [InlineData("llama-bpe", "it's 12345 A1", "it|'s| |123|45| A|1")]
    [InlineData("qwen2", "it's 12 A1", "it|'s| |1|2| A|1")]
    [InlineData("starcoder", "a 12", "a| |1|2")]
    [InlineData("gpt-4o", "HelloWorld's 1", "Hello|World's| |1")]
    [InlineData("deepseek-v3", "x1234 中文a", "x|123|4| |中文|a")]
    [InlineData("default", "a, b 1234", "a|,| b| |123|4")]
    [InlineData("deepseek-llm", "a bé\n中x 12", "a| b|é|\n|中|x| |12")]
    public void Load_PreTokenizerById_CutsAsItsPatternSays(string pre, string text, string expected)
    {
        // Every byte is a token and nothing merges but whole pieces: with each expected piece in the vocabulary and all merges to it, the tokens are the pieces.
        using var folder = new TemporaryFolder();
        string path = folder.File("pre.gguf");
        var alphabet = Enumerable.Range(0, 256).Select(b => ByteText([(byte)b])).ToList();
        var tokens = new List<string>(alphabet);
        var merges = new List<string>();
        foreach (string run in new[] { text }.Concat(expected.Split('|')))
        {
            // all substrings of the text, so that only the cuts of the pre-tokenizer keep tokens apart
            byte[] bytes = Encoding.UTF8.GetBytes(run);
            for (int length = 2; length <= bytes.Length; length++)
            {
                for (int start = 0; start + length <= bytes.Length; start++)
                {
                    string token = ByteText(bytes.AsSpan(start, length).ToArray());
                    if (tokens.Contains(token))
                        continue;
                    tokens.Add(token);
                    merges.Add($"{token[..^1]} {token[^1]}");
                }
            }
        }

        new GgufWriter().Set("tokenizer.ggml.model", GgufValue.Of("gpt2")).Set("tokenizer.ggml.pre", GgufValue.Of(pre))
            .Set("tokenizer.ggml.tokens", GgufValue.Of(tokens.ToArray())).Set("tokenizer.ggml.merges", GgufValue.Of(merges.ToArray())).Save(path);

        var tokenizer = Tokenizer.Load(path);

        Assert.Equal(expected, Pieces(tokenizer, text));
    }

    private static string Pieces(Tokenizer tokenizer, string text)
    {
        // tokens with the same word index make a piece
        var full = tokenizer.EncodeFull(text, addSpecialTokens: false);
        var pieces = full.Ids.Zip(full.Words).GroupBy(token => token.Second).Select(word => Encoding.UTF8.GetString([.. word.SelectMany(token => tokenizer.BytesOf(token.First).ToArray())]));
        return string.Join('|', pieces);
    }

    // GPT-2's stand-ins for bytes: printable ASCII and Latin-1 as they are, the others from U+0100 in order.
    private static string ByteText(byte[] bytes) => string.Concat(bytes.Select(b => (char)(IsPlain(b) ? b : 256 + Enumerable.Range(0, b).Count(x => !IsPlain(x)))));

    private static bool IsPlain(int b) => b is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);

    private static string SpmFile(TemporaryFolder folder, GgufWriter writer)
    {
        string path = folder.File("spm.gguf");
        List<string> tokens = ["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>"), "\u2581", "b", "a", "\u2581a", "\u2581ab"];
        List<int> kinds = [2, 3, 3, .. Enumerable.Repeat(6, 256), 1, 1, 1, 1, 1];
        List<float> scores = [.. Enumerable.Repeat(0f, 259), -9, -8, -7, -1, -2];
        writer.Set("tokenizer.ggml.model", GgufValue.Of("llama")).Set("tokenizer.ggml.tokens", GgufValue.Of(tokens.ToArray())).Set("tokenizer.ggml.scores", GgufValue.Of(scores.ToArray()))
            .Set("tokenizer.ggml.token_type", GgufValue.Of(kinds.ToArray())).Set("tokenizer.ggml.bos_token_id", GgufValue.Of(1u)).Set("tokenizer.ggml.eos_token_id", GgufValue.Of(2u))
            .Set("tokenizer.ggml.unknown_token_id", GgufValue.Of(0u)).Save(path);
        return path;
    }
}
