using System.Text;
using System.Text.Json.Nodes;
using Candela.Tokenization;
using CsCheck;

namespace Candela.Tests.Tokenization;

public sealed class TokenizerFileTests
{
    private static readonly string Good = Pipelines.ByteLevelJson("h e", "l l", "he ll");

    [Theory, Trait("Kind", "fault")]
    [InlineData("", Fault.Truncated, "JSON")]
    [InlineData("{\"model\":", Fault.Truncated, "JSON")]
    [InlineData("{\"model\" 1}", Fault.Corrupt, "JSON")]
    [InlineData("[]", Fault.WrongFormat, "model")]
    [InlineData("{}", Fault.WrongFormat, "model")]
    [InlineData("""{"version":"9.0","model":{}}""", Fault.Unsupported, "9.0")]
    [InlineData("""{"model":{}}""", Fault.Corrupt, "kind of model")]
    [InlineData("""{"model":{"type":"Neural"}}""", Fault.Unsupported, "Neural")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0}}}""", Fault.Corrupt, "merges are missing")]
    [InlineData("""{"model":{"type":"BPE","merges":[]}}""", Fault.Corrupt, "vocabulary is missing")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[]}}""", Fault.Corrupt, "empty")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}}""", Fault.Corrupt, "\"ab\" is not in the vocabulary")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"ab":1},"merges":["a b"]}}""", Fault.Corrupt, "\"b\" is not in the vocabulary")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]}}""", Fault.Corrupt, "merges[0]")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a","a","a"]]}}""", Fault.Corrupt, "exactly two")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[7]}}""", Fault.Corrupt, "the number 7")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}""", Fault.Corrupt, "two tokens")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}}""", Fault.Corrupt, "twice")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", Fault.Corrupt, "id -1")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":2147483647},"merges":[]}}""", Fault.Corrupt, "2147483647")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":1.5},"merges":[]}}""", Fault.Corrupt, "1.5")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"\ud800":1},"merges":[]}}""", Fault.Corrupt, "surrogate")]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{"a":0},"unk_token":"[UNK]"}}""", Fault.Corrupt, "[UNK]")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",-1]],"unk_id":5}}""", Fault.Corrupt, "unk_id 5")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a"]]}}""", Fault.Corrupt, "score")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",1e999]]}}""", Fault.Corrupt, "finite")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[]}}""", Fault.Corrupt, "empty")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",-1],["a",-2]]}}""", Fault.Corrupt, "twice")]
    public void Load_BadModel_NamesTheFault(string json, Fault fault, string named) => Refused(json, fault, named);

    [Theory, Trait("Kind", "fault")]
    [InlineData("normalizer", """{"type":"Rot13"}""", Fault.Unsupported, "Rot13")]
    [InlineData("normalizer", """{"kind":"NFC"}""", Fault.Corrupt, "type")]
    [InlineData("normalizer", "7", Fault.Corrupt, "an object")]
    [InlineData("normalizer", """{"type":"Precompiled","precompiled_charsmap":"@@"}""", Fault.Corrupt, "base64")]
    [InlineData("normalizer", """{"type":"Precompiled","precompiled_charsmap":"/////w=="}""", Fault.Corrupt, "trie")]
    [InlineData("pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"Guess"}]}""", Fault.Unsupported, "pretokenizers[0]")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"}""", Fault.Unsupported, "does not close")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"a"},"behavior":"Sideways"}""", Fault.Unsupported, "Sideways")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{},"behavior":"Isolated"}""", Fault.Corrupt, "pattern")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","replacement":"ab"}""", Fault.Corrupt, "one character")]
    [InlineData("post_processor", """{"type":"Frame"}""", Fault.Unsupported, "Frame")]
    [InlineData("post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}}],"pair":[],"special_tokens":{}}""", Fault.Corrupt, "<s>")]
    [InlineData("post_processor", """{"type":"BertProcessing","sep":["a"],"cls":["b",1]}""", Fault.Corrupt, "token and its id")]
    [InlineData("post_processor", """{"type":"BertProcessing","sep":["a",5000],"cls":["b",1]}""", Fault.Corrupt, "id 5000, which no token has")]
    [InlineData("decoder", """{"type":"Encoder"}""", Fault.Unsupported, "Encoder")]
    [InlineData("decoder", """{"type":"Strip","content":" ","start":-1,"stop":0}""", Fault.Corrupt, "-1")]
    [InlineData("added_tokens", """[{"id":3,"content":"xx"}]""", Fault.Corrupt, "id 3 belongs to two")]
    [InlineData("added_tokens", """[{"id":1000,"content":"xx"},{"id":1000,"content":"yy"}]""", Fault.Corrupt, "id 1000 belongs to two")]
    [InlineData("added_tokens", """[{"id":1000,"content":"xx"},{"id":1001,"content":"xx"}]""", Fault.Corrupt, "is there twice")]
    [InlineData("added_tokens", """[{"id":99999999,"content":"x"}]""", Fault.Corrupt, "out of range")]
    [InlineData("added_tokens", """[{"id":1000,"content":"hell"}]""", Fault.Corrupt, "vocabulary has it as")]
    [InlineData("truncation", """{"max_length":-3}""", Fault.Corrupt, "-3")]
    [InlineData("padding", """{"direction":"Up"}""", Fault.Unsupported, "Up")]
    public void Load_BadComponent_NamesTheFault(string key, string value, Fault fault, string named)
    {
        JsonNode root = JsonNode.Parse(Good)!;
        root[key] = JsonNode.Parse(value);
        Refused(root.ToJsonString(), fault, named);
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_DeeplyNestedSequences_AreRefused()
    {
        string deep = string.Concat(Enumerable.Repeat("""{"type":"Sequence","normalizers":[""", 5000)) + string.Concat(Enumerable.Repeat("]}", 5000));
        Refused(Good.Replace("\"normalizer\":null", "\"normalizer\":" + deep, StringComparison.Ordinal), Fault.Corrupt, "JSON");
    }

    /// <summary>Truncations, changed bytes, and values moved between keys: no other kind of exception may come out. Ten minutes when CANDELA_SLOW=1.</summary>
    [Fact, Trait("Kind", "fault")]
    public void Load_CutOrBrokenAnywhere_IsRefusedOrWorks()
    {
        byte[] good = Encoding.UTF8.GetBytes(Good);
        for (int length = 0; length < good.Length; length += 8)
            Try(good[..length]);
        bool slow = Environment.GetEnvironmentVariable("CANDELA_SLOW") == "1";
        string[] files = [Good, .. Others];
        Gen.Select(Gen.Int[0, files.Length - 1], Gen.Int[0, 1_000_000].Array[1, 5], Gen.Byte, Gen.Bool).Sample((file, places, value, structured) =>
        {
            if (structured)
            {
                Try(Encoding.UTF8.GetBytes(Shuffled(files[file], places)));
                return;
            }

            byte[] bad = Encoding.UTF8.GetBytes(files[file]);
            foreach (int place in places)
                bad[place % bad.Length] = value;
            Try(bad);
        }, iter: slow ? -1 : 1500, time: slow ? 600 : -1, threads: slow ? 1 : -1);

        static void Try(byte[] file)
        {
            try
            {
                Tokenizer tokenizer = Tokenizer.FromJson(file, "test.json");
                int[] ids = tokenizer.Encode("héllo <|end|> wörld 漢字 😀\t\n 123 don't");
                _ = tokenizer.Decode(ids);
                _ = tokenizer.EncodeFull("hello  world", "x");
                _ = tokenizer.BytesOf(3).Length;
                using var saved = new MemoryStream();
                TokenizerJson.Write(tokenizer.Parts, saved);
            }
            catch (CandelaException)
            {
                // named
            }
        }
    }

    // Copies the values at some places over those at others.
    private static string Shuffled(string json, int[] places)
    {
        JsonNode root = JsonNode.Parse(json)!;
        for (int i = 0; i + 1 < places.Length; i += 2)
        {
            List<JsonNode> nodes = [.. All(root).Where(n => n.Parent is not null)];
            JsonNode from = nodes[places[i] % nodes.Count], to = nodes[places[i + 1] % nodes.Count];
            to.ReplaceWith(from.DeepClone());
        }

        return root.ToJsonString();
    }

    private static IEnumerable<JsonNode> All(JsonNode node)
    {
        IEnumerable<JsonNode?> children = node switch
        {
            JsonObject o => o.Select(p => p.Value).Take(40),
            JsonArray a => a.Take(40),
            _ => [],
        };
        return children.OfType<JsonNode>().SelectMany(All).Prepend(node);
    }

    // One pipeline of each model with most components.
    private static readonly string[] Others =
    [
        """
        {"version":"1.0","truncation":{"direction":"Right","max_length":9,"strategy":"LongestFirst","stride":1},"padding":{"strategy":{"Fixed":12},"direction":"Left","pad_to_multiple_of":4,"pad_id":0,"pad_type_id":0,"pad_token":"[UNK]"},
         "added_tokens":[{"id":4,"content":"[CLS]","single_word":true,"lstrip":true,"rstrip":true,"normalized":true,"special":true}],
         "normalizer":{"type":"Sequence","normalizers":[{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},{"type":"NFKC"},{"type":"Strip","strip_left":true,"strip_right":true},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "},{"type":"Prepend","prepend":"x"},{"type":"Nmt"}]},
         "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"BertPreTokenizer"},{"type":"Digits","individual_digits":true},{"type":"Punctuation","behavior":"Contiguous"},{"type":"Split","pattern":{"Regex":"(?i:a|b)+?|\\p{L}{1,3}(?!x)|[^\\s&&[^q]]"},"behavior":"MergedWithNext","invert":true},{"type":"CharDelimiterSplit","delimiter":"_"},{"type":"FixedLength","length":3},{"type":"UnicodeScripts"}]},
         "post_processor":{"type":"Sequence","processors":[{"type":"BertProcessing","sep":["[CLS]",4],"cls":["[CLS]",4]},{"type":"RobertaProcessing","sep":["a",1],"cls":["a",1],"trim_offsets":true,"add_prefix_space":true}]},
         "decoder":{"type":"Sequence","decoders":[{"type":"WordPiece","prefix":"##","cleanup":true},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":2},{"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true}]},
         "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"a":1,"##b":2,"h":3,"[CLS]":4,"##é":5}}}
        """,
        """
        {"version":"1.0","added_tokens":[],"normalizer":{"type":"Precompiled","precompiled_charsmap":""},"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true},
         "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"B","type_id":3}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}},
         "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},{"type":"BPEDecoder","suffix":"</w>"}]},
         "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["<s>",0],["▁",-2.5],["h",-3],["e",-3.25],["▁he",-4],["<0xC3>",-9]],"byte_fallback":true}}
        """,
        """
        {"added_tokens":[{"id":5,"content":"<|end|>","special":true}],"pre_tokenizer":{"type":"WhitespaceSplit"},"normalizer":{"type":"Lowercase"},
         "model":{"type":"BPE","unk_token":"<unk>","dropout":0.5,"continuing_subword_prefix":"##","end_of_word_suffix":"</w>","fuse_unk":true,"byte_fallback":true,"ignore_merges":true,"vocab":{"<unk>":0,"h":1,"##é":2,"hé":3,"a</w>":4},"merges":[["h","##é"]]}}
        """,
        """{"pre_tokenizer":{"type":"Whitespace"},"decoder":null,"model":{"type":"WordLevel","vocab":{"hello":0,"[UNK]":1,"world":3},"unk_token":"[UNK]"}}""",
    ];

    [Fact, Trait("Kind", "analytic")]
    public void Load_FolderWithCompanions_TakesIdsTokensAndTemplate()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), Good);
        File.WriteAllText(folder.File("special_tokens_map.json"), """{"bos_token":"he","pad_token":{"content":"ll","lstrip":false}}""");
        File.WriteAllText(folder.File("tokenizer_config.json"), """{"bos_token":{"__type":"AddedToken","content":"<|end|>"},"eos_token":"<|end|>","add_bos_token":true,"chat_template":"{{ messages }}","added_tokens_decoder":{"300":{"content":"<|user|>","special":true,"normalized":false,"lstrip":false,"rstrip":false,"single_word":false} } }""");
        File.WriteAllText(folder.File("added_tokens.json"), """{"<|more|>":301,"<|user|>":300}""");
        Tokenizer tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal(tokenizer.IdOf("<|end|>"), tokenizer.BosId);
        Assert.Equal(tokenizer.IdOf("<|end|>"), tokenizer.EosId);
        Assert.Equal(tokenizer.IdOf("ll"), tokenizer.PadId);
        Assert.Equal([300, 301], tokenizer.Encode("<|user|><|more|>"));
        Assert.True(tokenizer.IsSpecial(300));
        Assert.False(tokenizer.IsSpecial(301));
        Assert.Equal(302, tokenizer.VocabularySize);
        Assert.Equal("{{ messages }}", tokenizer.Parts.ChatTemplateText);
        File.WriteAllText(folder.File("chat_template.jinja"), "other");
        Assert.Equal("other", Tokenizer.Load(folder.Path).Parts.ChatTemplateText);
        Assert.Equal(Fault.Missing, Assert.Throws<FileFormatException>(() => Tokenizer.Load(folder.File("none"))).Fault);
    }

    [Fact, Trait("Kind", "property")]
    public void Save_ThenLoad_GivesTheSameTokenizer()
    {
        using var folder = new TemporaryFolder();
        JsonNode root = JsonNode.Parse(Good)!;
        root["truncation"] = JsonNode.Parse("""{"direction":"Left","max_length":5,"strategy":"OnlyFirst","stride":2}""");
        root["padding"] = JsonNode.Parse("""{"strategy":{"Fixed":7},"direction":"Left","pad_to_multiple_of":4,"pad_id":3,"pad_type_id":1,"pad_token":"$"}""");
        root["normalizer"] = JsonNode.Parse("""{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"}]}""");
        Tokenizer first = Pipelines.Parse(root.ToJsonString());
        first.Save(folder.File("tokenizer.json"));
        Tokenizer second = Tokenizer.Load(folder.Path);
        second.Save(folder.File("again.json"));
        Assert.Equal(File.ReadAllBytes(folder.File("tokenizer.json")), File.ReadAllBytes(folder.File("again.json")));
        foreach (string text in Corpus.Texts)
            Assert.Equal(first.Encode(text), second.Encode(text));
        JsonNode saved = JsonNode.Parse(File.ReadAllText(folder.File("tokenizer.json")))!;
        foreach (string key in new[] { "truncation", "padding", "normalizer", "added_tokens", "pre_tokenizer", "decoder" })
            Assert.True(JsonNode.DeepEquals(root[key], saved[key]), key);
        Assert.True(JsonNode.DeepEquals(root["model"]!["vocab"], saved["model"]!["vocab"]));
    }

    private static void Refused(string json, Fault fault, string named)
    {
        FileFormatException error = Assert.Throws<FileFormatException>(() => Pipelines.Parse(json));
        Assert.Equal(fault, error.Fault);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("test.json: ", error.Message, StringComparison.Ordinal);
    }
}
