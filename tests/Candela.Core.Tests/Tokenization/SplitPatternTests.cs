using System.Text.RegularExpressions;
using Candela.Tokenization;
using CsCheck;

namespace Candela.Tests.Tokenization;

public sealed class SplitPatternTests
{
    public static readonly TheoryData<string> Patterns = [Gpt2Scanner.Pattern, Cl100kScanner.Pattern, Cl100kScanner.SingleDigitPattern, Cl100kScanner.TiktokenPattern, O200kScanner.Pattern, O200kScanner.PatternWithoutSlash];

    // Letters of every kind inside and outside the Basic Multilingual Plane, numbers, marks, white space, symbols, newlines, apostrophes, half a pair.
    private static readonly string[] Atoms =
    [
        "a", "Z", "s", "S", "t", "re", "ll", "'", "'s", "'S", "'ſ", "ſ", "é", "É", "中", "ß", "ʰ", "ǅ", "一", "ͅ", "\u0301", "\u0903", "1", "23", "Ⅷ", "½", "٣", " ", "  ",
        "\t", "\n", "\r", "\r\n", "\u0085", "\u00a0", "\u2003", "\u3000", "\u2028", "\u200b", "\ufeff", "\u200d", "!", "/", "//", "_", "$", "€", "😀", "𝓗", "𝟘", "𠀀", "𐐀", "𐐨", "🇫", "\ud83d", "\ude00", "\0", "<|",
    ];

    internal static readonly Gen<string> Anything = Gen.Int[0, Atoms.Length - 1].Array[0, 24].Select(a => string.Concat(a.Select(i => Atoms[i])));

    [Theory, MemberData(nameof(Patterns)), Trait("Kind", "property")]
    public void Scanner_AnyText_EqualsItsPattern(string pattern)
    {
        Scanner scanner = Scanner.Of(pattern)!;
        UnicodePattern regex = UnicodePattern.Parse(pattern);
        Anything.Sample(text =>
        {
            var cuts = new List<Cut>();
            regex.Cut(text, cuts);
            var expected = cuts.Select(c => (c.Start, c.Start + c.Length, c.IsMatch)).ToList();
            var found = new List<(int, int, bool)>();
            for (int at = 0; at < text.Length; at = found[^1].Item2)
                found.Add((at, scanner.End(text, at), true));
            return expected.SequenceEqual(found);
        }, iter: 4000);
    }

    // .NET's own engine is an independent implementation for text without surrogate pairs; it does not fold U+017F and U+0345.
    [Theory, MemberData(nameof(Patterns)), Trait("Kind", "conformance")]
    [InlineData(@"(?:ab|a)*?c(?!d)|[^a-c\s]{2,3}+|(?<=c)d|\bq\B|^a$")]
    [InlineData(@"(?i)k[^x-z]+|(?>a+)b|(?<!a)b{1,2}?|\p{L}+\s|\d+|[[a-z]&&[^aeiou]]x")]
    public void Pattern_BasicPlane_MatchesLikeDotNet(string pattern)
    {
        UnicodePattern ours = UnicodePattern.Parse(pattern);
        var theirs = new Regex(pattern.Replace("[[a-z]&&[^aeiou]]", "[a-z-[aeiou]]", StringComparison.Ordinal)
            .Replace("{2,3}+", "{2,3}", StringComparison.Ordinal).Replace("?+", "?", StringComparison.Ordinal).Replace("++", "+", StringComparison.Ordinal), RegexOptions.CultureInvariant | RegexOptions.Multiline);
        Gen.OneOf(Anything.Select(t => string.Concat(t.Where(c => !char.IsSurrogate(c) && c is not ('ſ' or '\u0345')))), Gen.Char["abcdkqxzK ."].Array[0, 14].Select(a => new string(a))).Sample(text =>
        {
            var cuts = new List<Cut>();
            ours.Cut(text, cuts);
            IEnumerable<(int, int)> expected = theirs.Matches(text).Where(m => m.Length > 0).Select(m => (m.Index, m.Length));
            return expected.SequenceEqual(cuts.Where(c => c.IsMatch && c.Length > 0).Select(c => (c.Start, c.Length)));
        }, iter: 3000);
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData(@"\p{L}+", "x𝓗𠀀1", "x𝓗𠀀|1")]
    [InlineData(@"\p{Han}+", "ab漢字かな", "ab|漢字|かな")]
    [InlineData(@"[^\p{L}]", "a😀b", "a|😀|b")]
    [InlineData(@"\s", "a\u0085b\u200bc", "a|\u0085|b\u200bc")]
    [InlineData(@"(?i:'s)", "x'ſ", "x|'ſ")]
    [InlineData(@"[一-龥぀-ゟ゠-ヿ]+", "abc漢かカx", "abc|漢かカ|x")]
    [InlineData(@"[a-c&&[^b]]", "abc", "a|b|c")]
    [InlineData(@"[[:punct:]]", "a～b$", "a|～|b|$")] // Oniguruma: symbols too
    [InlineData(@"\w+", "x²≥", "x²|≥")] // and superscript digits are word characters outside a class
    [InlineData("(?m:.)b|^a|c$", "a\nba\nc\nac", "a|\nb|a\n|c|\n|a|c")] // lines; (?m) lets the dot match a line feed
    [InlineData(@"\b", "ab c", "|ab|| ||c|")] // an empty match cuts
    [InlineData(@"\u{41}", null, null)]
    [InlineData(@"\x{1F600}", "a😀", "a|😀")]
    public void Pattern_CodePoints_CutWhole(string pattern, string? text, string? expected)
    {
        if (text is null)
        {
            Assert.Throws<UsageException>(() => UnicodePattern.Parse(pattern));
            return;
        }

        var cuts = new List<Cut>();
        UnicodePattern.Parse(pattern).Cut(text, cuts);
        Assert.Equal(expected, string.Join('|', cuts.Select(c => text.Substring(c.Start, c.Length))));
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("(")]
    [InlineData(")")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a{3,2}")]
    [InlineData(@"(a)\1")]
    [InlineData(@"\p{Nonsense}")]
    [InlineData(@"\p{L")]
    [InlineData(@"[z-a]")]
    [InlineData(@"\")]
    [InlineData("((a{1000}){1000}){1000}")]
    [InlineData("(?#x)")]
    public void Pattern_Malformed_IsRefused(string pattern) => Assert.Throws<UsageException>(() => UnicodePattern.Parse(pattern));

    [Fact, Trait("Kind", "fault")]
    public void Pattern_DeepNesting_IsRefused() => Assert.Throws<UsageException>(() => UnicodePattern.Parse(new string('(', 100_000)));

    [Theory, Trait("Kind", "fault")]
    [InlineData("(a+)+b")]
    [InlineData("(a|aa)+$")]
    [InlineData("(?:(?:a|b)*)*c")]
    public void Pattern_EndlessBacktracking_EndsWithAnError(string pattern)
    {
        var cuts = new List<Cut>();
        Assert.Throws<DataException>(() => UnicodePattern.Parse(pattern).Cut(new string('a', 40) + "x", cuts));
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData("Removed", false, "the|final|countdown")]
    [InlineData("Isolated", false, "the|-|final|-|-|countdown")]
    [InlineData("MergedWithPrevious", false, "the-|final-|-|countdown")]
    [InlineData("MergedWithNext", false, "the|-final|-|-countdown")]
    [InlineData("Contiguous", false, "the|-|final|--|countdown")]
    [InlineData("Removed", true, "-|-|-")]
    public void Split_EachBehavior_AsDocumentedByTheFormat(string behavior, bool invert, string expected)
    {
        // The example of the format's own documentation: "the-final--countdown".
        var split = new SplitPreTokenizer(new SplitPattern("-"), Enum.Parse<SplitBehavior>(behavior), invert);
        Assert.Equal(expected, Pieces(split, "the-final--countdown"));
    }

    internal static string Pieces(PreTokenizer pre, string text)
    {
        var pieces = new List<Piece>();
        pre.Split(new Piece(AlignedText.Original(text, tracked: true)), first: true, pieces);
        return string.Join('|', pieces.Select(p => p.Span.ToString()));
    }
}
