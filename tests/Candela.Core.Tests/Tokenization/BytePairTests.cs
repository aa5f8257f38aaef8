using System.Text;
using Candela.Tokenization;
using CsCheck;

namespace Candela.Tests.Tokenization;

public sealed class BytePairTests
{
    // Random merges over a small alphabet: each joins two tokens that are there already.
    private static readonly Gen<(string[] Merges, string Text)> Problems = Gen.Select(Gen.Int[0, 1_000_000].Array[0, 40], Gen.Char["aabbcd"].Array[0, 200].Select(a => new string(a))).Select(
        (picks, text) =>
        {
            List<string> tokens = ["a", "b", "c", "d"];
            var merges = new List<string>();
            foreach (int pick in picks)
            {
                string left = tokens[pick % tokens.Count], right = tokens[pick / 1000 % tokens.Count], merge = $"{left} {right}";
                if (merges.Contains(merge) || left.Length + right.Length > 64)
                    continue;
                merges.Add(merge);
                if (!tokens.Contains(left + right))
                    tokens.Add(left + right);
            }

            return (merges.ToArray(), text);
        });

    [Fact, Trait("Kind", "property")]
    public void Merge_RandomMerges_EqualTheNaiveLoop() => Problems.Sample(
        problem =>
        {
            Tokenizer tokenizer = Pipelines.ByteLevel(problem.Merges);
            return Naive(problem.Text, problem.Merges).SequenceEqual(tokenizer.Encode(problem.Text).Select(i => tokenizer.TokenOf(i)!));
        }, iter: 200);

    // Without a pre-tokenizer the text is cut where no merge can cross; unknown characters must not be.
    [Theory, Trait("Kind", "property")]
    [InlineData(false)]
    [InlineData(true)]
    public void CharacterMerge_WholeText_EqualsTheNaiveLoop(bool fuse) => Problems.Sample(
        problem =>
        {
            string text = problem.Text.Replace("aab", "xy", StringComparison.Ordinal).Replace("bb", "b😀", StringComparison.Ordinal);
            List<string> vocabulary = ["<unk>", "a", "b", "c", "d", .. problem.Merges.Select(m => m.Replace(" ", "", StringComparison.Ordinal)).Distinct()];
            Tokenizer tokenizer = Pipelines.Parse($$"""
                {"model":{"type":"BPE","unk_token":"<unk>","fuse_unk":{{Lower(fuse)}},"vocab":{{Pipelines.Object(vocabulary.Select((t, i) => KeyValuePair.Create(t, i)))}},
                          "merges":[{{string.Join(',', problem.Merges.Select(Pipelines.Quote))}}] } }
                """);
            List<string> expected = Naive(text.Replace("😀", "?", StringComparison.Ordinal), problem.Merges);
            expected = [.. expected.Select(t => t is "x" or "y" or "?" ? "<unk>" : t)];
            if (fuse)
                expected = [.. expected.Where((t, i) => t != "<unk>" || i == 0 || expected[i - 1] != "<unk>")];
            return expected.SequenceEqual(tokenizer.Encode(text).Select(i => tokenizer.TokenOf(i)!));
        }, iter: 300);

    // The definition: while any pair merges, merge the pair of lowest rank, leftmost first.
    private static List<string> Naive(string text, string[] merges)
    {
        List<string> word = [.. text.Select(c => c.ToString())];
        while (true)
        {
            int best = -1, rank = int.MaxValue;
            for (int i = 0; i + 1 < word.Count; i++)
            {
                int found = Array.IndexOf(merges, $"{word[i]} {word[i + 1]}");
                if (found >= 0 && found < rank)
                    (best, rank) = (i, found);
            }

            if (best < 0)
                return word;
            word[best] += word[best + 1];
            word.RemoveAt(best + 1);
        }
    }

    [Fact, Trait("Kind", "analytic")]
    public void Encode_MillionEqualCharacters_IsNotQuadratic()
    {
        Tokenizer tokenizer = Pipelines.ByteLevel("a a", "aa aa", "aaaa aaaa");
        int[] ids = tokenizer.Encode(new string('a', 1_000_003));
        Assert.Equal(125_002, ids.Length);
        Assert.Equal(["aaaaaaaa", "aa", "a"], ids[^3..].Select(i => tokenizer.TokenOf(i)));
    }

    [Theory, Trait("Kind", "property")]
    [InlineData(Gpt2Scanner.Pattern, true)]
    [InlineData(Cl100kScanner.Pattern, false)]
    [InlineData(O200kScanner.Pattern, false)]
    [InlineData(@"\p{N}{1,3}|[一-龥]+|\s+(?!\S)", false)]
    public void FastPath_AnyText_EqualsThePlainPipeline(string pattern, bool own)
    {
        string json = Pipelines.ByteLevelJson("Ġ t", "h e", "Ġt he", "i n", "r e", "Ã ©", "ä ¸", "ð Ł", "ðŁ ĺ", "Ċ Ċ", "1 2", "Ġ Ġ");
        if (!own)
            json = json.Replace("""{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""",
                $$"""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":{{Pipelines.Quote(pattern)}} },"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}""", StringComparison.Ordinal);
        Tokenizer tokenizer = Pipelines.Parse(json);
        Assert.NotNull(ByteLevelEncoder.Create(tokenizer.Parts));
        void Check(string text)
        {
            var plain = new List<int>();
            tokenizer.EncodeGeneric(text, plain);
            int[] ids = tokenizer.Encode(text);
            Assert.Equal(plain, ids);
            Assert.Equal(plain, tokenizer.EncodeFull(text).Ids);
            Assert.Equal(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)), tokenizer.Decode(ids, skipSpecialTokens: false));
        }

        foreach (string text in Corpus.Texts)
            Check(text);
        SplitPatternTests.Anything.Select(t => t + "<|end|>" + t).Sample(Check, iter: 500);
    }

    [Fact, Trait("Kind", "property")]
    public void Encode_SeveralThreads_GiveTheSameIds()
    {
        Tokenizer tokenizer = Pipelines.ByteLevel("h e", "l l", "he ll", "t h", "Ġ th");
        string text = string.Join(' ', Corpus.Texts);
        int[] expected = tokenizer.Encode(text);
        Parallel.For(0, 64, _ => Assert.Equal(expected, tokenizer.Encode(text)));
    }

    [Fact, Trait("Kind", "property")]
    public void PieceCache_MoreWordsThanItHolds_StaysRight()
    {
        Tokenizer tokenizer = Pipelines.ByteLevel("h e", "1 2", "3 4");
        string text = string.Concat(Enumerable.Range(0, 120_000).Select(i => $" {i}"));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.Equal(tokenizer.Encode(text), tokenizer.Encode(text));
    }

    [Fact, Trait("Kind", "analytic")]
    public void CharacterBpe_PrefixSuffixFallbackAndUnknown_AsTheFormatHasThem()
    {
        const string Options = "\"fuse_unk\":{0},\"byte_fallback\":{1},\"ignore_merges\":{2}";
        Tokenizer Make(string vocab, string merges, string options) => Pipelines.Parse($$"""{"model":{"type":"BPE","unk_token":"<unk>",{{options}},"vocab":{{vocab}},"merges":{{merges}} } }""");
        string Set(bool fuse, bool bytes, bool ignore) => string.Format(null, Options, Lower(fuse), Lower(bytes), Lower(ignore));
        const string Vocab = """{"<unk>":0,"a":1,"b":2,"ab":3,"<0xC3>":4,"<0xA9>":5,"abb":6}""";
        Assert.Equal([3, 0, 0, 1], Make(Vocab, """["a b"]""", Set(false, false, false)).Encode("abxya"));
        Assert.Equal([3, 0, 1], Make(Vocab, """[["a","b"]]""", Set(true, false, false)).Encode("abxya"));
        Assert.Equal([4, 5, 0, 1], Make(Vocab, """["a b"]""", Set(true, true, false)).Encode("éxya"));
        Assert.Equal([3, 2], Make(Vocab, """["a b"]""", Set(true, true, false)).Encode("abb"));
        Assert.Equal([6], Make(Vocab, """["a b"]""", Set(true, true, true)).Encode("abb"));
        Tokenizer affixes = Make("""{"<unk>":0,"a":1,"##b":2,"##c</w>":3,"ab":4,"abc</w>":5,"a</w>":6}""", """["a ##b","ab ##c</w>"]""",
            "\"continuing_subword_prefix\":\"##\",\"end_of_word_suffix\":\"</w>\"");
        Assert.Equal([5], affixes.Encode("abc"));
        Assert.Equal([6], affixes.Encode("a"));
        Assert.Equal([4, 0], affixes.Encode("abx"));
    }

    private static string Lower(bool value) => value ? "true" : "false";
}
