using System.Text;
using System.Text.Json;
using Candela.Tokenization;
using CsCheck;

namespace Candela.Tests.Tokenization;

public sealed class ComponentTests
{
    // Expected values by Python 3.11's unicodedata.normalize (Unicode 14), written as NFC|NFD|NFKC|NFKD.
    [Theory, Trait("Kind", "golden")]
    [InlineData("e\u0301", "\u00e9|e\u0301|\u00e9|e\u0301")]
    [InlineData("\u212b", "\u00c5|A\u030a|\u00c5|A\u030a")]
    [InlineData("\ufb01\uff21\u00bd", "\ufb01\uff21\u00bd|\ufb01\uff21\u00bd|fiA1\u20442|fiA1\u20442")]
    [InlineData("\u1112\u1161\u11ab", "\ud55c|\u1112\u1161\u11ab|\ud55c|\u1112\u1161\u11ab")]
    [InlineData("\u1e9b\u0323", "\u1e9b\u0323|\u017f\u0323\u0307|\u1e69|s\u0323\u0307")]
    [InlineData("a\u0315\u0300\u05ae\u0062", "\u00e0\u05ae\u0315b|a\u05ae\u0300\u0315b|\u00e0\u05ae\u0315b|a\u05ae\u0300\u0315b")]
    [InlineData("\u0958\u0344", "\u0915\u093c\u0308\u0301|\u0915\u093c\u0308\u0301|\u0915\u093c\u0308\u0301|\u0915\u093c\u0308\u0301")]
    [InlineData("\uff76\uff9e", "\uff76\uff9e|\uff76\uff9e|\u30ac|\u30ab\u3099")]
    public void Forms_KnownStrings_MatchPython(string text, string expected) => Assert.Equal(expected, string.Join('|', new[] { (false, true), (false, false), (true, true), (true, false) }.Select(f => UnicodeForm.Apply(AlignedText.Original(text, true), f.Item1, f.Item2).Text)));

    [Theory, Trait("Kind", "analytic")]
    [InlineData("""{"type":"Lowercase"}""", "ÀİΣ𐐀ẞ", "ài\u0307σ𐐨ß")]
    [InlineData("""{"type":"StripAccents"}""", "e\u0301é\u0903x", "eéx")]
    [InlineData("""{"type":"Strip","strip_left":true,"strip_right":false}""", "\u3000 a ", "a ")]
    [InlineData("""{"type":"Strip"}""", " \u0085a\t\n", "a")]
    [InlineData("""{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}""", "Hé\u0000L\u200b漢\tX\u0085", "hel 漢  x")]
    [InlineData("""{"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":false,"strip_accents":false,"lowercase":false}""", "Hé\tL漢", "Hé\tL漢")]
    [InlineData("""{"type":"Replace","pattern":{"String":" "},"content":"▁"}""", "a b  c", "a▁b▁▁c")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"_"}""", "a b   c", "a b_c")]
    [InlineData("""{"type":"Prepend","prepend":"▁"}""", "ab", "▁ab")]
    [InlineData("""{"type":"Prepend","prepend":"▁"}""", "", "")]
    [InlineData("""{"type":"ByteLevel"}""", "é\n", "Ã©Ċ")]
    [InlineData("""{"type":"Nmt"}""", "a\u0001b\u200bc\u2581", "ab c ")]
    [InlineData("""{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},{"type":"Lowercase"}]}""", "ÉCOLE", "ecole")]
    public void Normalizer_KnownText_GivesExpected(string json, string text, string expected)
    {
        Normalizer normalizer = Read(json, Normalizer.Parse)!;
        Assert.Equal(expected, normalizer.Apply(AlignedText.Original(text, tracked: false)).Text);
        AlignedText tracked = normalizer.Apply(AlignedText.Original(text, tracked: true));
        Assert.Equal(expected, tracked.Text);
        Assert.Equal(tracked.Text.Length, tracked.Starts!.Length);
        Assert.All(Enumerable.Range(0, tracked.Text.Length), i => Assert.True(0 <= tracked.Starts[i] && tracked.Starts[i] <= tracked.Ends![i] && tracked.Ends[i] <= text.Length));
        RoundTrip(json, j => Read(j, Normalizer.Parse)!.Write);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Precompiled_OneRule_RewritesIt()
    {
        // A trie of the single key "ﬁ" (EF AC 81) to the text at 0, "fi". A unit holds: offset << 10 | has a value << 8 | label; each node's children start at (node ^ offset) ^ label.
        uint[] trie = new uint[1024];
        trie[0] = 256 << 10; // root: children at 256 ^ label
        int first = 256 ^ 0xEF, second = 512 ^ 0xAC, third = 768 ^ 0x81;
        trie[first] = (uint)(first ^ 512) << 10 | 0xEF;
        trie[second] = (uint)(second ^ 768) << 10 | 0xAC;
        trie[third] = (uint)(third ^ 1000) << 10 | 1 << 8 | 0x81;
        trie[1000] = 0x80000000; // the value: place 0
        byte[] map = [.. BitConverter.GetBytes(trie.Length * 4), .. trie.SelectMany(BitConverter.GetBytes), .. "fi\0"u8];
        foreach (bool longest in new[] { false, true })
        {
            var normalizer = new PrecompiledNormalizer(map, longest, "test");
            AlignedText text = normalizer.Apply(AlignedText.Original("aﬁb😀", tracked: true));
            Assert.Equal("afib😀", text.Text);
            Assert.Equal([0, 1, 1, 2, 3, 3], text.Starts!);
            Assert.Equal([1, 2, 2, 3, 5, 5], text.Ends!);
        }

        Assert.Throws<FileFormatException>(() => new PrecompiledNormalizer([1, 2, 3], false, "test"));
        Assert.Throws<FileFormatException>(() => new PrecompiledNormalizer(BitConverter.GetBytes(1 << 30), false, "test"));
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData("""{"type":"Whitespace"}""", "Hey man! it's $5_x", "Hey|man|!|it|'|s|$|5_x")]
    [InlineData("""{"type":"WhitespaceSplit"}""", " a\u3000b!\n c", "a|b!|c")]
    [InlineData("""{"type":"BertPreTokenizer"}""", "Hey friend!     How are you?!?$", "Hey|friend|!|How|are|you|?|!|?|$")]
    [InlineData("""{"type":"Punctuation","behavior":"Isolated"}""", "a!!b c", "a|!|!|b c")]
    [InlineData("""{"type":"Punctuation","behavior":"Contiguous"}""", "a!!b", "a|!!|b")]
    [InlineData("""{"type":"Digits","individual_digits":true}""", "Call 123 ok", "Call |1|2|3| ok")]
    [InlineData("""{"type":"Digits","individual_digits":false}""", "Call 123 ok", "Call |123| ok")]
    [InlineData("""{"type":"CharDelimiterSplit","delimiter":"-"}""", "a-b--c", "a|b|c")]
    [InlineData("""{"type":"UnicodeScripts"}""", "  どこで生れ。Yes ok\u0378x", "どこで生れ|。|Yes ok\u0378x")]
    [InlineData("""{"type":"FixedLength","length":2}""", "a😀bcd", "a😀|bc|d")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}""", "Hey my  friend", "▁Hey|▁my|▁|▁friend")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"never","split":true}""", "Hey my ", "Hey|▁my|▁")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false}""", "Hey my", "▁Hey▁my")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","add_prefix_space":false}""", "Hey my", "Hey|▁my")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true,"use_regex":true}""", "Hey é", "ĠHey|ĠÃ©")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}""", "Hey é", "HeyĠÃ©")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Digits","individual_digits":true}]}""", "a1 b22", "a|1|b|2|2")]
    [InlineData("""{"type":"Split","pattern":{"Regex":"\\s+"},"behavior":"Removed","invert":false}""", "a \n b", "a|b")]
    public void PreTokenizer_KnownText_GivesExpected(string json, string text, string expected)
    {
        Assert.Equal(expected, SplitPatternTests.Pieces(Read(json, PreTokenizer.Parse)!, text));
        RoundTrip(json, j => Read(j, PreTokenizer.Parse)!.Write);
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData("""{"type":"WordPiece","prefix":"##","cleanup":true}""", "hel ##lo world ! do n't", "hello world! don't")]
    [InlineData("""{"type":"WordPiece","prefix":"##","cleanup":false}""", "hel ##lo !", "hello !")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}""", "▁Hey ▁my▁x y", "Hey my xy")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"never"}""", "▁Hey ▁my", " Hey my")]
    [InlineData("""{"type":"BPEDecoder","suffix":"</w>"}""", "Hel lo</w> wor ld</w>", "Hello world")]
    [InlineData("""{"type":"ByteFallback"}""", "a <0xE5> <0x8f> <0xab> b", "a叫b")]
    [InlineData("""{"type":"ByteFallback"}""", "<0xE5> <0x8f> b", "��b")]
    [InlineData("""{"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true}""", "<pad> h h e e l l <pad> l o o | | w", "hello w")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":"_","start":1,"stop":0}]}""", "__a _b", "_a_b")]
    [InlineData("""{"type":"Strip","content":"_","start":1,"stop":1}""", "_a_ __b__ _", "a_b_")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":"_","start":0,"stop":2}]}""", "a _ _ _ b _ _ _", "a___b_")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"String":"ab"},"content":"X"}]}""", "a b a c", "Xac")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"_+"},"content":" "}""", "a__ _b", "a  b")]
    [InlineData("""{"type":"ByteLevel"}""", "Ã © Ġx", "é x")]
    public void Decoder_KnownTokens_GiveExpected(string json, string tokens, string expected)
    {
        var text = new StringBuilder();
        DecoderStage stage = Read(json, TokenDecoder.Parse)!.Open(new Collector(text));
        foreach (string token in tokens.Split(' '))
            stage.Push(token, continues: false);
        stage.Finish();
        Assert.Equal(expected, text.ToString());
        RoundTrip(json, j => Read(j, TokenDecoder.Parse)!.Write);
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData("""{"type":"BertProcessing","sep":["[SEP]",102],"cls":["[CLS]",101]}""", "101 A 102", "101 A 102 B:1 102:1")]
    [InlineData("""{"type":"RobertaProcessing","sep":["</s>",2],"cls":["<s>",0],"trim_offsets":true,"add_prefix_space":true}""", "0 A 2", "0 A 2 2 B 2")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true}""", "A", "A B:1")]
    [InlineData("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"B","type_id":3}},{"SpecialToken":{"id":"<s>","type_id":1}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1,7],"tokens":["<s>","x"]}}}""",
        "1 7 A", "B:3 1:1 7:1 A")]
    [InlineData("""{"type":"Sequence","processors":[{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true},{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]}]}""", "1 A 2", "1 A 2 B:1 2:1")]
    public void PostProcessor_Frames_AsExpected(string json, string single, string pair)
    {
        PostProcessor post = Read(json, PostProcessor.Parse)!;
        Assert.Equal(single, Show(post.Frame(pair: false)));
        Assert.Equal(pair, Show(post.Frame(pair: true)));
        RoundTrip(json, j => Read(j, PostProcessor.Parse)!.Write);
    }

    [Fact, Trait("Kind", "analytic")]
    public void WordPiece_LongestFirst_OrUnknownAsAWhole()
    {
        Tokenizer tokenizer = Pipelines.Parse("""
            {"version":"1.0","normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
             "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":10,
                      "vocab":{"[UNK]":0,"un":1,"##aff":2,"##able":3,"want":4,"##want":5,"##ed":6,"runn":7,"##ing":8,"##a":9,"##𠀀":10,"u":11} } }
            """);
        // The examples of BERT's own tokenization test.
        Assert.Equal([1, 5, 6, 7, 8], tokenizer.Encode("unwanted running"));
        Assert.Equal([1, 2, 3, 0, 1, 10], tokenizer.Encode("unaffable unwantedX un𠀀"));
        Assert.Equal([0], tokenizer.Encode("unwantedwanteded"));
        Assert.Equal("unwanted running", tokenizer.Decode([1, 5, 6, 7, 8]));
        Assert.Equal(" want"u8.ToArray(), tokenizer.BytesOf(4).ToArray());
        Assert.Equal("ed"u8.ToArray(), tokenizer.BytesOf(6).ToArray());
    }

    [Fact, Trait("Kind", "property")]
    public void Unigram_ShortTexts_ScoreOfBestSegmentation()
    {
        // Every segmentation is tried; ours must reach the best score, with the unknown character at lowest - 10 as the format has it.
        Gen.Select(Gen.Char["abc"].Array[1, 4].Select(a => new string(a)).HashSet[1, 8], Gen.Int[1, 40].Array[12], Gen.Char["abcd"].Array[1, 9].Select(a => new string(a))).Sample((tokens, costs, text) =>
        {
            string[] vocab = ["<unk>", .. tokens.Order(StringComparer.Ordinal)];
            double[] scores = [.. vocab.Select((_, i) => -costs[i % costs.Length] / 4.0)];
            var model = new UnigramModel(Vocabulary.FromList(vocab, "test"), scores, 0, byteFallback: false, "test");
            var sink = new TokenSink();
            model.Tokenize(text, sink);
            double unknown = scores.Min() - 10, ours = 0;
            int covered = 0;
            for (int i = 0; i < sink.Count; i++)
            {
                if (sink.Start(i) != covered)
                    return false;
                covered = sink.End(i);
                string part = text[sink.Start(i)..sink.End(i)];
                if (sink.Id(i) != 0 && vocab[sink.Id(i)] != part)
                    return false;
                ours += sink.Id(i) == 0 ? unknown * part.Length : scores[sink.Id(i)];
            }

            return covered == text.Length && Math.Abs(ours - Best(text, vocab, scores, unknown)) < 1e-9;
        }, iter: 3000);
    }

    private static double Best(string text, string[] vocab, double[] scores, double unknown)
    {
        if (text.Length == 0)
            return 0;
        double best = double.NegativeInfinity;
        bool single = vocab.Skip(1).Contains(text[..1]);
        for (int n = 1; n <= text.Length; n++)
        {
            int id = Array.IndexOf(vocab, text[..n], 1);
            double score = id > 0 ? scores[id] : n == 1 && !single ? unknown : double.NegativeInfinity;
            if (score > double.NegativeInfinity)
                best = Math.Max(best, score + Best(text[n..], vocab, scores, unknown));
        }

        return best;
    }

    [Fact, Trait("Kind", "analytic")]
    public void Unigram_Unknown_FusesOrFallsBackToBytes()
    {
        string vocabulary = string.Join(',', Enumerable.Range(0, 256).Select(b => $"[\"<0x{b:X2}>\",-9]"));
        string Json(bool fallback) => $$"""{"version":"1.0","model":{"type":"Unigram","unk_id":0,"byte_fallback":{{(fallback ? "true" : "false")}},"vocab":[["<unk>",0],["a",-1],{{vocabulary}}] },"decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"}] } }""";
        Assert.Equal([1, 0, 1], Pipelines.Parse(Json(false)).Encode("aé😀a"));
        Tokenizer bytes = Pipelines.Parse(Json(true));
        Assert.Equal([1, 2 + 0xC3, 2 + 0xA9, 1], bytes.Encode("aéa"));
        Assert.Equal("aé😀a", bytes.Decode(bytes.Encode("aé😀a")));
        Assert.Equal([0xC3], bytes.BytesOf(2 + 0xC3).ToArray());
    }

    [Fact, Trait("Kind", "analytic")]
    public void WordLevel_UnknownWord_IsUnknownOrAnError()
    {
        Tokenizer tokenizer = Pipelines.Parse("""{"model":{"type":"WordLevel","vocab":{"a":0,"[UNK]":1},"unk_token":"[UNK]"},"pre_tokenizer":{"type":"WhitespaceSplit"}}""");
        Assert.Equal([0, 1], tokenizer.Encode("a b"));
        Assert.Equal("a [UNK]", tokenizer.Decode([0, 1]));
        Tokenizer none = Pipelines.Parse("""{"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"[UNK]"},"pre_tokenizer":{"type":"WhitespaceSplit"}}""");
        Assert.Contains("\"b\"", Assert.Throws<DataException>(() => none.Encode("a b")).Message, StringComparison.Ordinal);
    }

    internal static T Read<T>(string json, Func<JsonPart, T> parse)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return parse(new JsonPart(document.RootElement, "test.json", "part"));
    }

    // What is written reads back to what writes the same.
    private static void RoundTrip(string json, Func<string, Action<Utf8JsonWriter>> read)
    {
        string once = Written(read(json)), twice = Written(read(once));
        Assert.Equal(once, twice);
        using JsonDocument before = JsonDocument.Parse(json), after = JsonDocument.Parse(once);
        foreach (JsonProperty member in before.RootElement.EnumerateObject())
            if (member.Name != "add_prefix_space" || after.RootElement.GetProperty("type").GetString() != "Metaspace") // written as prepend_scheme
                Assert.True(JsonElement.DeepEquals(member.Value, after.RootElement.GetProperty(member.Name)), member.Name);
    }

    private static string Written(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            write(json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static string Show(IReadOnlyList<FramePart> frame) => string.Join(' ', frame.Select(p => (p.Sequence < 0 ? $"{p.Id}" : p.Sequence == 0 ? "A" : "B") + (p.TypeId == 0 ? "" : $":{p.TypeId}")));

    private sealed class Collector(StringBuilder into) : DecoderStage
    {
        public override void Push(string token, bool continues) => into.Append(token);

        public override void Finish() { }
    }
}
