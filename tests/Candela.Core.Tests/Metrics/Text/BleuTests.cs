using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Metrics.Text;

public class BleuTests
{
    // sacreBLEU, test/test_bleu.py (the README's example).
    private static readonly string[] Dog = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."];
    private static readonly string[][] DogReferences = [["The dog bit the man.", "The dog had bit the man."], ["It was not unexpected.", "No one was surprised."], ["The man bit him first.", "The man had bitten the dog."]];

    private static readonly string[] Chinese = ["他在“北京”吃了3.5个苹果——很好吃！", "我们明天去学校，see you at 8:30.", "𠮷野家的牛肉饭①不错"];
    private static readonly string[] ChineseReferences = ["他在“北京”吃掉了3.5个苹果，很好吃。", "我们明天上学去，see you at 8:30 a.m.", "吉野家的牛肉饭①很不错"];

    [Theory, Trait("Kind", "golden")]
    [InlineData(BleuTokenizer.V13a, BleuSmoothing.Exp, 48.530827)]
    [InlineData(BleuTokenizer.None, BleuSmoothing.Exp, 49.1919566)]
    [InlineData(BleuTokenizer.Intl, BleuSmoothing.Exp, 43.91623493)]
    [InlineData(BleuTokenizer.V13a, BleuSmoothing.None, 48.530827)]
    [InlineData(BleuTokenizer.V13a, BleuSmoothing.AddK, 52.70109002)] // computed with sacreBLEU 2.6
    public void Score_TwoReferences_IsThatOfSacreBleu(BleuTokenizer tokenizer, BleuSmoothing smoothing, double expected)
        => Assert.Equal(expected, new Bleu(new BleuOptions { Tokenizer = tokenizer, Smoothing = smoothing }).Score(Dog, DogReferences).Value.Value, 6);

    [Fact, Trait("Kind", "golden")]
    public void Score_TwoReferences_PrintsAndSignsAsSacreBleu()
    {
        BleuScore score = new Bleu().Score(Dog, DogReferences);
        Assert.Equal("BLEU = 48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)", score.ToString());
        Assert.Equal($"nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:candela-{typeof(Bleu).Assembly.GetName().Version!.ToString(3)}", score.Signature);
        Assert.Equal([14, 7, 5, 3], score.Matches);
        Assert.Equal([17, 14, 11, 8], score.Totals);
        Assert.InRange(score.Value.Value, score.Value.Low, score.Value.High);
        Assert.True(score.Value.Low < score.Value.High);
        Assert.Contains("nrefs:1|case:lc|eff:yes|tok:zh|smooth:floor[0.10]|", new Bleu(new() { Lowercase = true, EffectiveOrder = true, Tokenizer = BleuTokenizer.Zh, Smoothing = BleuSmoothing.Floor }).Score(["a"], ["a"]).Signature);
        Assert.StartsWith("nrefs:var|", new Bleu().Score(["a", "b"], [["a"], ["b", "c"]]).Signature);
    }

    // sacreBLEU, test/test_sentence_bleu.py (its issue 98).
    [Theory, Trait("Kind", "golden")]
    [InlineData(BleuSmoothing.Exp, null, false, BleuTokenizer.V13a, 8.493)]
    [InlineData(BleuSmoothing.None, null, false, BleuTokenizer.V13a, 0.0)]
    [InlineData(BleuSmoothing.Floor, null, false, BleuTokenizer.V13a, 4.51688)]
    [InlineData(BleuSmoothing.Floor, 0.1, false, BleuTokenizer.V13a, 4.51688)]
    [InlineData(BleuSmoothing.Floor, 0.5, false, BleuTokenizer.V13a, 10.10)]
    [InlineData(BleuSmoothing.AddK, null, false, BleuTokenizer.V13a, 14.882)]
    [InlineData(BleuSmoothing.AddK, 2.0, false, BleuTokenizer.V13a, 21.389)]
    [InlineData(BleuSmoothing.Exp, null, false, BleuTokenizer.None, 7.347)]
    [InlineData(BleuSmoothing.Exp, null, false, BleuTokenizer.Intl, 8.493)]
    [InlineData(BleuSmoothing.Exp, null, false, BleuTokenizer.Char, 40.8759)]
    [InlineData(BleuSmoothing.Exp, null, true, BleuTokenizer.Char, 42.0267)]
    public void Sentence_OneReference_IsThatOfSacreBleu(BleuSmoothing smoothing, double? value, bool lowercase, BleuTokenizer tokenizer, double expected)
    {
        var bleu = new Bleu(new BleuOptions { Smoothing = smoothing, SmoothingValue = value, Lowercase = lowercase, Tokenizer = tokenizer, EffectiveOrder = true });
        Assert.Equal(expected, bleu.Sentence("Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;", "producţia de zahăr brut se exprimă în zahăr alb;"), 1e-3);
    }

    // The same file, its issue 141: no word in common, so no smoothing either.
    [Theory, Trait("Kind", "golden")]
    [InlineData(BleuSmoothing.Exp)]
    [InlineData(BleuSmoothing.None)]
    [InlineData(BleuSmoothing.Floor)]
    [InlineData(BleuSmoothing.AddK)]
    public void Sentence_NoMatch_IsZero(BleuSmoothing smoothing) => Assert.Equal(0, new Bleu(new BleuOptions { Smoothing = smoothing, EffectiveOrder = true }).Sentence("this is a cat", "okay thanks"));

    // sacreBLEU, test/test_bleu.py: test_raw_bleu_cases and test_case_effective_order, floor 0.01, tokenized.
    [Theory, Trait("Kind", "golden")]
    [InlineData("this is a test", "this is a test", 1.0)]
    [InlineData("this is a fest", "this is a test", 0.223606797749979)]
    [InlineData("test", "a test", 0.3678794411714425)]
    [InlineData("a test", "a test", 1.0)]
    [InlineData("a little test", "a test", 0.03218297948685433)]
    public void Sentence_FloorAndEffectiveOrder_IsThatOfSacreBleu(string hypothesis, string reference, double expected)
        => Assert.Equal(100 * expected, new Bleu(new BleuOptions { Smoothing = BleuSmoothing.Floor, SmoothingValue = 0.01, Tokenizer = BleuTokenizer.None, EffectiveOrder = true }).Sentence(hypothesis, reference), 1e-6);

    [Theory, Trait("Kind", "golden")] // computed with sacreBLEU 2.6
    [InlineData(BleuTokenizer.Zh, 54.290240496906414)]
    [InlineData(BleuTokenizer.Char, 64.62728698377511)]
    [InlineData(BleuTokenizer.Intl, 31.55121506446901)]
    [InlineData(BleuTokenizer.V13a, 43.29820146406896)]
    public void Score_Chinese_IsThatOfSacreBleu(BleuTokenizer tokenizer, double expected)
        => Assert.Equal(expected, new Bleu(new BleuOptions { Tokenizer = tokenizer }).Score(Chinese, ChineseReferences).Value.Value, 1e-9);

    [Theory, Trait("Kind", "golden")] // computed with sacreBLEU 2.6
    [InlineData(BleuTokenizer.V13a, "Prices rose 3,5-fold to $1,234.50 (see \"Tab. 7\")...&amp; then -- \"poof\"!", "Prices rose 3,5 - fold to $ 1,234.50 ( see \" Tab . 7 \" ) . . . & then -- \" poof \" !")]
    [InlineData(BleuTokenizer.V13a, "<skipped>A semi-\ncolon; 50% & 7-Eleven's 🙂👍 deal: £5.", "A semicolon ; 50 % & 7 - Eleven's 🙂👍 deal : £5 .")]
    [InlineData(BleuTokenizer.Intl, "Prices rose 3,5-fold to $1,234.50 (see \"Tab. 7\")...&amp; then -- \"poof\"!", "Prices rose 3,5 - fold to $ 1,234.50 ( see \" Tab . 7 \" ) . . . & amp ; then - - \" poof \" !")]
    [InlineData(BleuTokenizer.Intl, "<skipped>A semi-\ncolon; 50% & 7-Eleven's 🙂👍 deal: £5.", "< skipped > A semi - colon ; 50 % & 7 - Eleven ' s 🙂 👍 deal : £ 5.")]
    [InlineData(BleuTokenizer.Zh, "他在“北京”吃了3.5个苹果——很好吃！", "他 在 “ 北 京 ” 吃 了 3.5 个 苹 果 — — 很 好 吃 ！")]
    [InlineData(BleuTokenizer.Zh, "我们明天去学校，see you at 8:30.", "我 们 明 天 去 学 校 ， see you at 8 : 30.")]
    [InlineData(BleuTokenizer.Zh, "𠮷野家的牛肉饭①不错", "𠮷 野 家 的 牛 肉 饭 ① 不 错")]
    public void Tokenize_Segment_IsThatOfSacreBleu(BleuTokenizer tokenizer, string segment, string expected)
        => Assert.Equal(expected, string.Join(' ', new Bleu(new BleuOptions { Tokenizer = tokenizer }).Tokenize(segment)));

    [Fact, Trait("Kind", "analytic")]
    public void Score_ByHand_IsGeometricMeanTimesBrevity()
    {
        // 1-grams 3/3, 2-grams 1/2, and 4 tokens against 3: exp(1 - 4/3) * sqrt(1 * 1/2).
        var bleu = new Bleu(new BleuOptions { MaxOrder = 2, Tokenizer = BleuTokenizer.None });
        Assert.Equal(100 * Math.Exp(-1.0 / 3) * Math.Sqrt(0.5), bleu.Score(["a b d"], ["a b c d"]).Value.Value, 1e-10);
        // Clipping: the word counts twice at most.
        Assert.Equal([2, 0], bleu.Score(["the the the"], ["the cat the"]).Matches);
    }

    [Fact, Trait("Kind", "property")]
    public void Score_AnyText_IsPerfectForItselfAndBounded()
    {
        Gen<string> text = Gen.Char["ab .,-1中"].Array[4, 20].Select(c => "w x y z " + new string(c));
        Gen.Select(text.Array[1, 4], text, Gen.Enum<BleuTokenizer>()).Sample((references, other, tokenizer) =>
        {
            var bleu = new Bleu(new BleuOptions { Tokenizer = tokenizer, Resamples = 20 });
            Assert.Equal(new MetricValue(100, 100, 100), bleu.Score(references, references).Value);
            MetricValue score = bleu.Score([.. references.Select(_ => other)], references).Value;
            Assert.InRange(score.Value, 0, 100);
            Assert.True(0 <= score.Low && score.Low <= score.Value && score.Value <= score.High && score.High <= 100);
            // A further reference never takes matches away.
            double more = bleu.Score([.. references.Select(_ => other)], references.Select(r => (string[])[r, other]).ToArray()).Value.Value;
            Assert.Equal(100, more, 9);
        }, iter: 300);
    }

    [Fact, Trait("Kind", "property")]
    public void Score_EmptyHypotheses_IsZero() => Assert.Equal(new MetricValue(0, 0, 0), new Bleu().Score(["", "", ""], DogReferences).Value);

    [Fact, Trait("Kind", "fault")]
    public void Score_WrongCounts_SaysSo()
    {
        Assert.Contains("2 hypotheses", Assert.Throws<DataException>(() => new Bleu().Score(["a", "b"], ["a"])).Message);
        Assert.Contains("segment 1", Assert.Throws<DataException>(() => new Bleu().Score(["a", "b"], [["a"], []])).Message);
        Assert.Throws<DataException>(() => new Bleu().Score([], (string[])[]));
        Assert.Throws<UsageException>(() => new Bleu(new BleuOptions { SmoothingValue = 1 }));
        Assert.Throws<UsageException>(() => new Bleu(new BleuOptions { MaxOrder = 0 }));
    }
}
