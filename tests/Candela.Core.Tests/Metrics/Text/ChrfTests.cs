using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Metrics.Text;

public class ChrfTests
{
    private static readonly string[] Dog = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."];
    private static readonly string[][] DogReferences = [["The dog bit the man.", "The dog had bit the man."], ["It was not unexpected.", "No one was surprised."], ["The man bit him first.", "The man had bitten the dog."]];
    private static readonly string[] Chinese = ["他在“北京”吃了3.5个苹果——很好吃！", "我们明天去学校，see you at 8:30.", "𠮷野家的牛肉饭①不错"];
    private static readonly string[] ChineseReferences = ["他在“北京”吃掉了3.5个苹果，很好吃。", "我们明天上学去，see you at 8:30 a.m.", "吉野家的牛肉饭①很不错"];

    [Theory, Trait("Kind", "golden")] // sacreBLEU, test/test_chrf.py: test_cases, beta 3, epsilon smoothing
    [InlineData("abcdefg", "hijklmnop", 0.0)]
    [InlineData("a", "b", 0.0)]
    [InlineData("", "b", 0.0)]
    [InlineData("", "reference", 0.0)]
    [InlineData("aa", "ab", 8.3333)]
    [InlineData("a", "a", 16.6667)]
    [InlineData("a b c", "a b c", 50.0)]
    [InlineData("a b c", "abc", 50.0)]
    [InlineData(" risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .", "risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists .", 63.361730)]
    [InlineData(" Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. ", "Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich.", 64.1302698)]
    [InlineData("Niemand hat die Absicht, eine Mauer zu errichten", "Niemand hat die Absicht, eine Mauer zu errichten", 100.0)]
    public void Score_EpsilonSmoothing_IsThatOfSacreBleu(string hypothesis, string reference, double expected)
        => Assert.Equal(expected, new Chrf(new ChrfOptions { Beta = 3, EpsilonSmoothing = true }).Sentence(hypothesis, reference), 1e-4);

    [Theory, Trait("Kind", "golden")] // the same file: test_cases_effective_order, beta 3
    [InlineData("a", "a", 100.0)]
    [InlineData("", "reference", 0.0)]
    [InlineData("a b c", "a b c", 100.0)]
    [InlineData("a b c", "abc", 100.0)]
    [InlineData("aa", "ab", 25.0)]
    public void Score_EffectiveOrder_IsThatOfSacreBleu(string hypothesis, string reference, double expected)
        => Assert.Equal(expected, new Chrf(new ChrfOptions { Beta = 3 }).Sentence(hypothesis, reference), 1e-4);

    [Fact, Trait("Kind", "golden")] // the same file: the cases of two segments
    public void Score_TwoSegments_SumsCounts()
    {
        Assert.Equal(50, new Chrf(new ChrfOptions { Beta = 3 }).Score(["a", "b"], ["a", "c"]).Value.Value, 1e-4);
        Assert.Equal(8.3333, new Chrf(new ChrfOptions { Beta = 3, EpsilonSmoothing = true }).Score(["a", "b"], ["a", "c"]).Value.Value, 1e-4);
    }

    [Theory, Trait("Kind", "golden")] // the same file: test_cases_keep_whitespace, beta 3
    [InlineData("Die Beziehung zwischen Obama und Netanjahu ist nicht gerade freundlich.", "Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich.", 67.3481606)]
    [InlineData("risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .", "risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists .", 65.2414427)]
    public void Score_Whitespace_IsThatOfSacreBleu(string hypothesis, string reference, double expected)
        => Assert.Equal(expected, new Chrf(new ChrfOptions { Beta = 3, Whitespace = true }).Sentence(hypothesis, reference), 1e-4);

    [Theory, Trait("Kind", "golden")] // the same file: test_sentence_level_chrf
    [InlineData("Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře.", "Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře.", 39.14078509)]
    [InlineData("Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři.", "A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři.", 31.22557079)]
    [InlineData("Lapali po dechu, jejich životy skončily dřív, než skutečně začaly.", "Lapali po dechu a pak jejich život skončil - dřív, než skutečně mohl začít, připomněli.", 57.15704367)]
    public void Sentence_Czech_IsThatOfSacreBleu(string hypothesis, string reference, double expected)
        => Assert.Equal(expected, new Chrf(new ChrfOptions { EpsilonSmoothing = true }).Sentence(hypothesis, reference), 1e-4);

    [Theory, Trait("Kind", "golden")] // computed with sacreBLEU 2.6
    [InlineData(6, 0, 2, false, false, false, 59.72751782684763, 57.43458218746004)]
    [InlineData(6, 2, 2, false, false, false, 59.15310444399262, 54.708490767295274)]
    [InlineData(6, 1, 2, true, false, false, 61.09155568569249, 56.55780321189143)]
    [InlineData(6, 0, 2, false, true, false, 65.8764867358276, 59.197421023561745)]
    [InlineData(6, 2, 2, false, false, true, 59.134638657694325, 54.693913957932075)]
    [InlineData(6, 0, 1, false, false, false, 59.011162893322386, 58.92002189045108)]
    [InlineData(3, 0, 2, false, false, false, 70.16134951646717, 71.78327515456061)]
    public void Score_Options_AreThoseOfSacreBleu(int characters, int words, double beta, bool lowercase, bool whitespace, bool epsilon, double english, double chinese)
    {
        var chrf = new Chrf(new ChrfOptions { CharacterOrder = characters, WordOrder = words, Beta = beta, Lowercase = lowercase, Whitespace = whitespace, EpsilonSmoothing = epsilon });
        Assert.Equal(english, chrf.Score(Dog, DogReferences).Value.Value, 1e-9);
        Assert.Equal(chinese, chrf.Score(Chinese, ChineseReferences).Value.Value, 1e-9);
    }

    [Fact, Trait("Kind", "golden")]
    public void Score_PlusPlus_PrintsAndSignsAsSacreBleu()
    {
        ChrfScore score = new Chrf(new ChrfOptions { WordOrder = 2 }).Score(Dog, DogReferences);
        Assert.Equal("chrF2++ = 59.15", score.ToString());
        Assert.StartsWith("nrefs:2|case:mixed|eff:yes|nc:6|nw:2|space:no|version:candela-", score.Signature);
        Assert.True(score.Value.Low < score.Value.Value && score.Value.Value < score.Value.High);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Score_ByHand_IsFScore()
        // Characters of order 1: precision 2/3, recall 2/4; F2 = 5 * 2/3 * 1/2 / (4 * 2/3 + 1/2) = 10/19.
        => Assert.Equal(100 * 10.0 / 19, new Chrf(new ChrfOptions { CharacterOrder = 1 }).Sentence("a bx", "abcd"), 1e-10);

    [Fact, Trait("Kind", "property")]
    public void Score_AnyText_IsBoundedPerfectForItselfAndSymmetricForBetaOne()
    {
        Gen<string> text = Gen.Char["ab .,中"].Array[1, 20].Select(c => new string(c) + "x");
        Gen.Select(text, text, Gen.Int[0, 2]).Sample((x, y, words) =>
        {
            var chrf = new Chrf(new ChrfOptions { WordOrder = words, Beta = 1, CharacterOrder = 2 });
            Assert.Equal(100, chrf.Sentence(x, x), 9);
            Assert.InRange(chrf.Sentence(x, y), 0, 100);
            Assert.Equal(chrf.Sentence(x, y), chrf.Sentence(y, x), 9);
        }, iter: 500);
    }

    [Fact, Trait("Kind", "fault")]
    public void Chrf_OptionsOutOfRange_AreRefused()
    {
        Assert.Throws<UsageException>(() => new Chrf(new ChrfOptions { CharacterOrder = 0 }));
        Assert.Throws<UsageException>(() => new Chrf(new ChrfOptions { Beta = 0 }));
        Assert.Throws<UsageException>(() => new Chrf(new ChrfOptions { Resamples = -1 }).Score(["a"], ["a"]));
    }
}
