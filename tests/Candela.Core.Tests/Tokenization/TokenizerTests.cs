using System.Text.Json.Nodes;
using Candela.Tokenization;
using CsCheck;

namespace Candela.Tests.Tokenization;

public sealed class TokenizerTests
{
    // A SentencePiece-like pipeline: the decoders of Llama 2.
    private static readonly string LlamaJson = $$"""
        {"version":"1.0","added_tokens":[{"id":1,"content":"<s>","special":true,"normalized":false}],
         "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
         "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0} },{"Sequence":{"id":"A","type_id":0} }],
           "pair":[{"SpecialToken":{"id":"<s>","type_id":0} },{"Sequence":{"id":"A","type_id":0} },{"SpecialToken":{"id":"<s>","type_id":1} },{"Sequence":{"id":"B","type_id":1} }],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]} } },
         "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
         "model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,
           "vocab":{"<unk>":0,"<s>":1,{{string.Join(',', Enumerable.Range(0, 256).Select(b => $"\"<0x{b:X2}>\":{b + 2}"))}},"▁":258,"h":259,"e":260,"l":261,"o":262,"▁h":263,"ll":264,"é":265},"merges":["▁ h","l l"] } }
        """;

    [Fact, Trait("Kind", "analytic")]
    public void ByteLevelBpe_MergesByRank_ThenDecodesToTheText()
    {
        Tokenizer tokenizer = Pipelines.ByteLevel("h e", "l l", "he ll", "hell o", "Ġ hello");
        Assert.Equal(262, tokenizer.VocabularySize);
        int[] ids = tokenizer.Encode("hello hello<|end|>!");
        Assert.Equal(["hello", "Ġhello", "<|end|>", "!"], ids.Select(i => tokenizer.TokenOf(i)));
        Assert.Equal("hello hello!", tokenizer.Decode(ids));
        Assert.Equal("hello hello<|end|>!", tokenizer.Decode(ids, skipSpecialTokens: false));
        Assert.Equal(" hello"u8.ToArray(), tokenizer.BytesOf(ids[1]).ToArray());
    }

    [Fact, Trait("Kind", "analytic")]
    public void SentencePieceLike_EncodesDecodesAndGivesBytes()
    {
        Tokenizer tokenizer = Pipelines.Parse(LlamaJson);
        int[] ids = tokenizer.Encode("hello 漢");
        Assert.Equal([1, 263, 260, 264, 262, 258, 2 + 0xE6, 2 + 0xBC, 2 + 0xA2], ids);
        Assert.Equal("hello 漢", tokenizer.Decode(ids));
        Assert.Equal(1, tokenizer.BosId);
        Assert.Equal(0, tokenizer.UnknownId);
        Assert.Equal(" h"u8.ToArray(), tokenizer.BytesOf(263).ToArray());
        Assert.Equal([0xE6], tokenizer.BytesOf(2 + 0xE6).ToArray());
        Assert.Equal([263], tokenizer.Encode("h", addSpecialTokens: false));
        Assert.Equal([1], tokenizer.Encode(""));
    }

    [Fact, Trait("Kind", "analytic")]
    public void IncrementalDecoder_CharacterOfFourBytes_ComesWhole()
    {
        Tokenizer tokenizer = Pipelines.ByteLevel();
        IncrementalDecoder decoder = tokenizer.NewDecoder();
        int[] ids = tokenizer.Encode("a😀b");
        Assert.Equal(6, ids.Length);
        Assert.Equal(["a", "", "", "", "😀", "b"], ids.Select(decoder.Append));
        Assert.Equal("", decoder.Flush());
        decoder.Append(ids[1]);
        Assert.Equal("\ufffd", decoder.Flush());
    }

    [Theory, Trait("Kind", "property")]
    [InlineData("bytes")]
    [InlineData("llama")]
    [InlineData("wordpiece")]
    [InlineData("bpe")]
    [InlineData("metaspace")]
    [InlineData("ctc")]
    [InlineData("none")]
    public void IncrementalDecoder_AnyIds_AddUpToDecode(string kind)
    {
        JsonNode root = JsonNode.Parse(kind == "bytes" ? Pipelines.ByteLevelJson("h e", "Ã ©") : LlamaJson)!;
        root["decoder"] = kind switch
        {
            "wordpiece" => JsonNode.Parse("""{"type":"WordPiece","prefix":"h","cleanup":true}"""),
            "bpe" => JsonNode.Parse("""{"type":"BPEDecoder","suffix":"l"}"""),
            "metaspace" => JsonNode.Parse("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}"""),
            "ctc" => JsonNode.Parse("""{"type":"CTC","pad_token":"<unk>","word_delimiter_token":"▁","cleanup":true}"""),
            "none" => null,
            _ => root["decoder"]!.DeepClone(),
        };
        Tokenizer tokenizer = Pipelines.Parse(root.ToJsonString());
        // Whole characters now and then, so that runs of bytes are valid as well as broken.
        int[][] chunks = [[2 + 0xF0, 2 + 0x9F, 2 + 0x98, 2 + 0x80], [2 + 0xE6, 2 + 0xBC, 2 + 0xA2], [2 + 0xC3, 2 + 0xA9], .. Enumerable.Range(0, tokenizer.VocabularySize + 2).Select(i => new[] { i }), [258], [258, 258], [263], [264], [1], [0]];
        Gen.Int[0, chunks.Length - 1].Array[0, 12].Sample(picks =>
        {
            int[] ids = [.. picks.SelectMany(p => chunks[p])];
            foreach (bool skip in new[] { true, false })
            {
                IncrementalDecoder decoder = tokenizer.NewDecoder(skip);
                string[] parts = [.. ids.Select(decoder.Append), decoder.Flush()];
                Assert.Equal(tokenizer.Decode(ids, skip), string.Concat(parts));
                Assert.All(parts, p => Assert.False(p.Length > 0 && (char.IsLowSurrogate(p[0]) || char.IsHighSurrogate(p[^1]))));
            }
        }, iter: 1500);
    }

    [Fact, Trait("Kind", "analytic")]
    public void EncodeFull_Offsets_PointIntoTheOriginal()
    {
        JsonNode root = JsonNode.Parse(Pipelines.ByteLevelJson("h e"))!;
        root["normalizer"] = JsonNode.Parse("""{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"}]}""");
        Tokenizer tokenizer = Pipelines.Parse(root.ToJsonString());
        const string Text = "ﬁ 😀 E\u0301HE<|end|>";
        TokenEncoding encoding = tokenizer.EncodeFull(Text);
        string[] parts = [.. Enumerable.Range(0, encoding.Count).Select(i => Text.Substring(encoding.Starts[i], encoding.Lengths[i]))];
        Assert.Equal(["f", "i", "Ġ", "ð", "Ł", "ĺ", "Ģ", "Ġ", "Ã", "©", "he", "<|end|>"], encoding.Tokens);
        Assert.Equal(["ﬁ", "ﬁ", " ", "😀", "😀", "😀", "😀", " ", "E\u0301", "E\u0301", "HE", "<|end|>"], parts);
        Assert.Equal([0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3], encoding.Words);
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData(true, false, "0-5 6-11")]
    [InlineData(false, false, "0-5 5-11")]
    public void EncodeFull_ByteLevelPostProcessor_TrimsOffsets(bool trim, bool prefix, string expected)
    {
        JsonNode root = JsonNode.Parse(Pipelines.ByteLevelJson("h e", "l l", "he ll", "hell o", "Ġ hello"))!;
        root["post_processor"] = JsonNode.Parse($$"""{"type":"ByteLevel","add_prefix_space":{{(prefix ? "true" : "false")}},"trim_offsets":{{(trim ? "true" : "false")}},"use_regex":true}""");
        TokenEncoding encoding = Pipelines.Parse(root.ToJsonString()).EncodeFull("hello hello");
        Assert.Equal(expected, string.Join(' ', encoding.Starts.Select((s, i) => $"{s}-{s + encoding.Lengths[i]}")));
    }

    [Fact, Trait("Kind", "analytic")]
    public void EncodeFull_Pair_IsFramedTruncatedAndPadded()
    {
        JsonNode root = JsonNode.Parse(LlamaJson)!;
        root["truncation"] = JsonNode.Parse("""{"direction":"Right","max_length":6,"strategy":"LongestFirst","stride":1}""");
        root["padding"] = JsonNode.Parse("""{"strategy":{"Fixed":8},"direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"<unk>"}""");
        Tokenizer tokenizer = Pipelines.Parse(root.ToJsonString());
        TokenEncoding encoding = tokenizer.EncodeFull("hello", "hoho");
        Assert.Equal([1, 263, 260, 1, 263, 262, 0, 0], encoding.Ids);
        Assert.Equal([0, 0, 0, 1, 1, 1, 0, 0], encoding.TypeIds);
        Assert.Equal([true, false, false, true, false, false, true, true], encoding.SpecialMask);
        Assert.Equal([true, true, true, true, true, true, false, false], encoding.AttentionMask);
        Assert.Equal([-1, 0, 0, -1, 1, 1, -1, -1], encoding.Sequences);
        // What was cut: windows of two tokens that overlap by one.
        Assert.Equal([260, 264], encoding.Overflowing[0].Ids[1..3]);
        Assert.Equal([264, 262], encoding.Overflowing[1].Ids[1..3]);
        Assert.Equal([1, 263, 260, 264, 262, 0, 0, 0], tokenizer.EncodeFull("hello").Ids);
    }

    [Fact, Trait("Kind", "analytic")]
    public void EncodeFull_OnlyFirst_ThatCannotHelp_IsAnError()
    {
        JsonNode root = JsonNode.Parse(LlamaJson)!;
        root["truncation"] = JsonNode.Parse("""{"direction":"Left","max_length":3,"strategy":"OnlyFirst","stride":0}""");
        Tokenizer tokenizer = Pipelines.Parse(root.ToJsonString());
        Assert.Throws<DataException>(() => tokenizer.EncodeFull("h", "hello"));
        Assert.Equal([1, 264, 262], tokenizer.EncodeFull("hello").Ids);
        Assert.Equal([1, 263, 260], tokenizer.EncodeFull("hello").Overflowing.Single().Ids);
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData("\"special\":true", "x <|t|> y", "x|Ġ|<|t|>|Ġ|y")]
    [InlineData("\"lstrip\":true", "x \u3000<|t|> y", "x|<|t|>|Ġ|y")]
    [InlineData("\"rstrip\":true", "x <|t|> \ty", "x|Ġ|<|t|>|y")]
    [InlineData("\"single_word\":true", "a<|t|>b <|t|> c", "a|<|||t|||>|b|Ġ|<|t|>|Ġ|c")]
    [InlineData("\"normalized\":true", "<|t|>", "<|t|>")]
    public void AddedToken_Options_DecideWhatBelongsToIt(string option, string text, string expected)
    {
        JsonNode root = JsonNode.Parse(Pipelines.ByteLevelJson())!;
        root["added_tokens"] = JsonNode.Parse($$"""[{"id":256,"content":"<|t|>",{{option}} },{"id":257,"content":"<|"}]""");
        root["normalizer"] = JsonNode.Parse("""{"type":"Replace","pattern":{"String":"€"},"content":"E"}""");
        Tokenizer tokenizer = Pipelines.Parse(root.ToJsonString().Replace("{\"id\":257,\"content\":\"\\u003C|\"}", "{\"id\":257,\"content\":\"zz\"}", StringComparison.Ordinal));
        Assert.Equal(expected, string.Join('|', tokenizer.Encode(text).Select(i => tokenizer.TokenOf(i))));
        Assert.Equal(tokenizer.Encode(text), tokenizer.EncodeFull(text).Ids);
    }

    [Fact, Trait("Kind", "analytic")]
    public void AddedTokens_Overlapping_LongestLeftmostWins()
    {
        JsonNode root = JsonNode.Parse(Pipelines.ByteLevelJson())!;
        root["added_tokens"] = JsonNode.Parse("""[{"id":256,"content":"ab"},{"id":257,"content":"abc"},{"id":258,"content":"bcd"},{"id":259,"content":"abcde"}]""");
        Tokenizer tokenizer = Pipelines.Parse(root.ToJsonString());
        Assert.Equal([257, 'd', 'f'], tokenizer.Encode("abcdf").Select(i => i < 256 ? ByteAlphabet.ByteOf(tokenizer.TokenOf(i)![0]) : i));
        Assert.Equal([259, 256, 258], tokenizer.Encode("abcdeabbcd"));
    }
}
