using System.Buffers.Binary;
using System.Text;
using Candela.Tokenization;
using CsCheck;

namespace Candela.Tests.Tokenization;

/// <summary>llama2.c's tokenizer.bin and SentencePiece's tokenizer.model, against their algorithms written plainly here.</summary>
public class ScoredVocabularyTests
{
    [Fact]
    [Trait("Kind", "property")]
    public void Encode_AnyVocabularyOfLlama2C_GivesWhatItsAlgorithmGives()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("tokenizer.bin");
        Gen.Select(Gen.String[Gen.Char["ab é"], 2, 4].Array[0, 30], Gen.String[Gen.Char["aab éñ\n"], 0, 80].Array[6], Gen.Int[0, 1000]).Sample(
            (pieces, texts, seed) =>
            {
                string[] joined = [.. pieces.Distinct()];
                var random = new Rng(seed);
                List<(string Text, float Score)> tokens = [.. Base(), .. new[] { " ", "a", "b", "é" }.Select(c => (c, -1000f)), .. joined.Select((p, i) => (p, (float)-random.Next(seed % 2 == 0 ? 1_000_000 : 12)))];
                File.WriteAllBytes(path, Bin(tokens));
                var tokenizer = Tokenizer.Load(path);
                foreach (string text in texts)
                {
                    int[] ids = tokenizer.Encode(text);
                    Assert.Equal(Llama2C(tokens, text), ids);
                    Assert.Equal(text, tokenizer.Decode(ids));
                }
            },
            iter: 400,
            threads: 1);
    }

    /// <summary>The same with the vocabulary of stories260K, in the folder <c>mdl-stories260k</c> of CANDELA_DATA; without that variable there is nothing to check.</summary>
    [Fact]
    [Trait("Kind", "conformance")]
    public void Encode_VocabularyOfStories260K_GivesWhatItsAlgorithmGives()
    {
        if (Environment.GetEnvironmentVariable("CANDELA_DATA") is not { Length: > 0 } data)
            return;
        string folder = Path.Combine(data, "mdl-stories260k", "hf");
        var tokenizer = Tokenizer.Load(folder);
        var tokens = Tokens(File.ReadAllBytes(Path.Combine(folder, "tokenizer.bin")));
        Assert.Equal(512, tokenizer.VocabularySize);
        Assert.Equal([1], tokenizer.Encode(""));
        Assert.Equal([1, 403, 407, 261, 378], tokenizer.Encode("Once upon a time"));
        string words = File.ReadAllText(Path.Combine(data, "txt-shakespeare", "input.txt"))[..20_000];
        for (int at = 0; at + 100 <= words.Length; at += 100)
            Assert.Equal(Llama2C(tokens, words.Substring(at, 100)), tokenizer.Encode(words.Substring(at, 100)));
        foreach (string text in new[] { "  two  spaces ", "naïve 🦙 中文", "\t\n", "A" })
            Assert.Equal(Llama2C(tokens, text), tokenizer.Encode(text));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Load_Llama2CFileCutOrChanged_IsRefusedOrLoads()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("tokenizer.bin");
        byte[] good = Bin([.. Base(), ("a", -1), ("b", -2), ("ab", -3)]);
        int refused = 0;
        for (int i = 0; i < good.Length; i += i < 200 ? 1 : 37)
        {
            File.WriteAllBytes(path, good[..i]);
            Assert.Contains(Assert.Throws<FileFormatException>(() => Tokenizer.Load(path)).Fault, new[] { Fault.Truncated, Fault.WrongFormat });
            foreach (byte mask in new byte[] { 1, 0x80, 0xFF })
            {
                byte[] bad = (byte[])good.Clone();
                bad[i] ^= mask;
                File.WriteAllBytes(path, bad);
                try
                {
                    _ = Tokenizer.Load(path).Encode("ab");
                }
                catch (FileFormatException)
                {
                    refused++;
                }
            }
        }

        Assert.True(refused > 100);
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Load_SentencePieceBpe_GivesTheIdsOfTheSameVocabulary()
    {
        // The same vocabulary as in the GGUF test: " ab" -> space+a, then +b; "é" by bytes.
        using var folder = new TemporaryFolder();
        var proto = Spm([("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), .. Enumerable.Range(0, 256).Select(b => ($"<0x{b:X2}>", 0f, 6)), ("▁", -9f, 1), ("b", -8f, 1), ("a", -7f, 1), ("▁a", -1f, 1), ("▁ab", -2f, 1), ("<tool>", 0f, 4)], modelType: 2, byteFallback: true, removeExtra: false);
        var tokenizer = Load(folder, proto);
        Assert.Equal([1, 263, 198, 172], tokenizer.Encode("abé"));
        Assert.Equal([1, 263, 259, 262], tokenizer.Encode("ab  a"));
        Assert.Equal("ab  a", tokenizer.Decode(tokenizer.Encode("ab  a")));
        Assert.Equal(264, tokenizer.Encode("a<tool>")[^1]);
        Assert.False(tokenizer.IsSpecial(264));
        Assert.Equal((1, 2, 0), (tokenizer.BosId, tokenizer.EosId, tokenizer.UnknownId));
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Load_SentencePieceUnigram_TakesTheMostProbableCut()
    {
        // By hand: "▁ab" costs 2+3 as ▁a|b, 1+4 as ▁|ab is equal, 4.5 whole. Extra spaces go; "x" is unknown.
        using var folder = new TemporaryFolder();
        var proto = Spm([("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("▁", -1f, 1), ("a", -3f, 1), ("b", -3f, 1), ("▁a", -2f, 1), ("ab", -4f, 1), ("▁ab", -4.5f, 1)], modelType: 1, byteFallback: false, removeExtra: true);
        var tokenizer = Load(folder, proto);
        Assert.Equal([8, 6, 2], tokenizer.Encode("  ab   a "));
        Assert.Equal([3, 0, 4, 2], tokenizer.Encode("xa"));
        Assert.Equal("ab a", tokenizer.Decode(tokenizer.Encode("  ab   a ")));
        Assert.Equal([2], tokenizer.Encode(""));
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("empty", Fault.WrongFormat, "no pieces")]
    [InlineData("json", Fault.Corrupt, "")]
    [InlineData("no unknown", Fault.Corrupt, "unknown")]
    [InlineData("word", Fault.Unsupported, "model type is word")]
    [InlineData("nan", Fault.Corrupt, "score")]
    [InlineData("bad text", Fault.Corrupt, "not valid UTF-8")]
    [InlineData("absurd length", Fault.Truncated, "field 1")]
    public void Load_SentencePieceFileThatIsNone_IsRefusedByName(string what, Fault fault, string message)
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = what switch
        {
            "empty" => [],
            "json" => Encoding.UTF8.GetBytes("{\"version\": \"1.0\", \"model\": {}}"),
            "no unknown" => Spm([("a", 0, 1)], 1, false, true),
            "word" => Spm([("<unk>", 0, 2), ("a", 0, 1)], 3, false, true),
            "nan" => Spm([("<unk>", 0, 2), ("a", float.NaN, 1)], 1, false, true),
            "bad text" => [0x0A, 0x04, 0x0A, 0x02, 0xC3, 0x28],
            _ => [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1],
        };
        var error = Assert.Throws<FileFormatException>(() => Load(folder, bytes));
        Assert.Equal(fault, error.Fault);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Load_SentencePieceFileCutOrChanged_IsRefusedOrLoads()
    {
        using var folder = new TemporaryFolder();
        byte[] good = Spm([("<unk>", 0, 2), ("<s>", 0, 3), ("▁", -1f, 1), ("a", -3f, 1), ("▁a", -2f, 1), ("中", -4f, 1)], modelType: 2, byteFallback: false, removeExtra: true);
        int refused = 0;
        for (int i = 0; i < good.Length; i++)
        {
            foreach (byte[] bad in new[] { good[..i], Flip(i, 1), Flip(i, 0x80), Flip(i, 0xFF) })
            {
                try
                {
                    _ = Load(folder, bad).Encode("a 中 b");
                }
                catch (FileFormatException)
                {
                    refused++;
                }
            }
        }

        Assert.InRange(refused, good.Length, 4 * good.Length);

        byte[] Flip(int at, byte mask)
        {
            byte[] bad = (byte[])good.Clone();
            bad[at] ^= mask;
            return bad;
        }
    }

    private static Tokenizer Load(TemporaryFolder folder, byte[] model)
    {
        File.WriteAllBytes(folder.File("tokenizer.model"), model);
        return Tokenizer.Load(folder.Path);
    }

    private static IEnumerable<(string Text, float Score)> Base() =>
        [("<unk>", 0), ("\n<s>\n", 0), ("\n</s>\n", 0), .. Enumerable.Range(0, 256).Select(b => ($"<0x{b:X2}>", 0f))];

    // run.c: BOS, a space token, one token a character (or its bytes + 3), then the best-scored pair again and again, the first among equals.
    private static List<int> Llama2C(List<(string Text, float Score)> tokens, string text)
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = 0; id < tokens.Count; id++)
            index.TryAdd(tokens[id].Text, id);
        List<int> ids = [1];
        if (text.Length > 0)
            ids.Add(index[" "]);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (index.TryGetValue(rune.ToString(), out int id))
                ids.Add(id);
            else
                ids.AddRange(Encoding.UTF8.GetBytes(rune.ToString()).Select(b => b + 3));
        }

        while (true)
        {
            float best = -1e10f;
            int at = -1, merged = -1;
            for (int i = 0; i + 1 < ids.Count; i++)
            {
                if (index.TryGetValue(tokens[ids[i]].Text + tokens[ids[i + 1]].Text, out int id) && tokens[id].Score > best)
                    (best, at, merged) = (tokens[id].Score, i, id);
            }

            if (at < 0)
                return ids;
            ids[at] = merged;
            ids.RemoveAt(at + 1);
        }
    }

    private static byte[] Bin(List<(string Text, float Score)> tokens)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(tokens.Max(t => Encoding.UTF8.GetByteCount(t.Text)));
        foreach (var (text, score) in tokens)
        {
            writer.Write(score);
            writer.Write(Encoding.UTF8.GetByteCount(text));
            writer.Write(Encoding.UTF8.GetBytes(text));
        }

        return stream.ToArray();
    }

    private static List<(string Text, float Score)> Tokens(byte[] bin)
    {
        var tokens = new List<(string, float)>();
        for (int at = 4; at < bin.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bin.AsSpan(at + 4));
            tokens.Add((Encoding.UTF8.GetString(bin, at + 8, length), BinaryPrimitives.ReadSingleLittleEndian(bin.AsSpan(at))));
            at += 8 + length;
        }

        return tokens;
    }

    // A ModelProto by hand: pieces (1), trainer (2) with model type (3) and byte fallback (35), normalizer (3) with its three switches.
    private static byte[] Spm(IEnumerable<(string Text, float Score, int Kind)> pieces, int modelType, bool byteFallback, bool removeExtra)
    {
        var all = new List<byte>();
        foreach (var (text, score, kind) in pieces)
        {
            List<byte> piece = [0x0A, .. Length(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text), 0x15, .. BitConverter.GetBytes(score), 0x18, (byte)kind];
            all.AddRange([0x0A, .. Length(piece.Count), .. piece]);
        }

        List<byte> trainer = [0x18, (byte)modelType, .. Length(35 << 3), byteFallback ? (byte)1 : (byte)0];
        List<byte> normalizer = [0x18, 1, 0x20, removeExtra ? (byte)1 : (byte)0, 0x28, 1];
        all.AddRange([0x12, .. Length(trainer.Count), .. trainer, 0x1A, .. Length(normalizer.Count), .. normalizer]);
        return [.. all];
    }

    private static byte[] Length(int n) => n < 128 ? [(byte)n] : [(byte)((n & 127) | 128), .. Length(n >> 7)];
}
