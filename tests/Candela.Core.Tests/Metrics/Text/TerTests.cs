using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Metrics.Text;

public class TerTests
{
    private static readonly string[] Dog = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."];
    private static readonly string[][] DogReferences = [["The dog bit the man.", "The dog had bit the man."], ["It was not unexpected.", "No one was surprised."], ["The man bit him first.", "The man had bitten the dog."]];
    private static readonly string[] Chinese = ["他在“北京”吃了3.5个苹果——很好吃！", "我们明天去学校，see you at 8:30.", "𠮷野家的牛肉饭①不错"];
    private static readonly string[] ChineseReferences = ["他在“北京”吃掉了3.5个苹果，很好吃。", "我们明天上学去，see you at 8:30 a.m.", "吉野家的牛肉饭①很不错"];

    // sacreBLEU, test/test_ter.py: of WMT's development data of 2019.
    private static readonly string[] German =
    [
        "wählen Sie \" Bild neu berechnen , \" um beim Ändern der Bildgröße Pixel hinzuzufügen oder zu entfernen , damit das Bild ungefähr dieselbe Größe aufweist wie die andere Größe .",
        "wenn Sie alle Aufgaben im aktuellen Dokument aktualisieren möchten , wählen Sie im Menü des Aufgabenbedienfelds die Option \" Alle Aufgaben aktualisieren . \"",
        "klicken Sie auf der Registerkarte \" Optionen \" auf die Schaltfläche \" Benutzerdefiniert \" und geben Sie Werte für \" Fehlerkorrektur-Level \" und \" Y / X-Verhältnis \" ein .",
        "Sie können beispielsweise ein Dokument erstellen , das ein Auto über die Bühne enthält .",
        "wählen Sie im Dialogfeld \" Neu aus Vorlage \" eine Vorlage aus und klicken Sie auf \" Neu . \"",
    ];

    private static readonly string[] GermanReferences =
    [
        "wählen Sie \" Bild neu berechnen , \" um beim Ändern der Bildgröße Pixel hinzuzufügen oder zu entfernen , damit die Darstellung des Bildes in einer anderen Größe beibehalten wird .",
        "wenn Sie alle Aufgaben im aktuellen Dokument aktualisieren möchten , wählen Sie im Menü des Aufgabenbedienfelds die Option \" Alle Aufgaben aktualisieren . \"",
        "klicken Sie auf der Registerkarte \" Optionen \" auf die Schaltfläche \" Benutzerdefiniert \" und geben Sie für \" Fehlerkorrektur-Level \" und \" Y / X-Verhältnis \" niedrigere Werte ein .",
        "Sie können beispielsweise ein Dokument erstellen , das ein Auto enthalt , das sich über die Bühne bewegt .",
        "wählen Sie im Dialogfeld \" Neu aus Vorlage \" eine Vorlage aus und klicken Sie auf \" Neu . \"",
    ];

    [Theory, Trait("Kind", "golden")] // the same file
    [InlineData("aaaa bbbb cccc dddd", "aaaa bbbb cccc dddd", 0)]
    [InlineData("dddd eeee ffff", "aaaa bbbb cccc", 100)]
    [InlineData("", "a", 100)]
    [InlineData("a", "", 100)]
    [InlineData("", "", 0)]
    [InlineData("d e f g h a b c", "a b c d e f g h", 12.5)]
    public void Sentence_Short_IsThatOfSacreBleu(string hypothesis, string reference, double expected) => Assert.Equal(expected, new Ter().Sentence(hypothesis, reference), 1e-9);

    [Fact, Trait("Kind", "golden")]
    public void Score_German_IsThatOfSacreBleu() => Assert.Equal(13.6, new Ter().Score(German, GermanReferences).Value.Value, 1e-3);

    [Theory, Trait("Kind", "golden")] // edits computed with sacreBLEU 2.6
    [InlineData("h g e", "b e b", 3)]
    [InlineData("a h e d b d a a h g d g a z", "a h e d b f a a a a g d g", 4)]
    [InlineData("g a g b d e b e", "e a g b c e b f", 3)]
    [InlineData("d g c f f b h b d g f h", "g g c f f b h b c g f h", 2)]
    [InlineData("d g f f h e a g c", "d g f f h e a g c", 0)]
    [InlineData("d a h f h f", "d g h f g f", 2)]
    [InlineData("c b e a b b a h a", "c b e a b b a h a", 0)]
    [InlineData("e f f", "f e b", 2)]
    [InlineData("e z", "e", 1)]
    [InlineData("d g a d a g a a d h f d", "d g a d a g c a c h g d", 3)]
    [InlineData("e", "e", 0)]
    [InlineData("c e d a c z", "e c g e c", 4)]
    [InlineData("g d h b g e h a f g z", "g d h b g e h a f g", 1)]
    [InlineData("f c d f g e e b g f h b a b z", "f c f g d e b g f h d b a b", 3)]
    [InlineData("g d z", "e d", 2)]
    [InlineData("c c f b g b d b e f e b h", "c c f b g b d b e f e b h", 0)]
    [InlineData("e a c a b g b a d d g c b h", "e a a b g b a d d g c b h c", 1)]
    [InlineData("b d f f e h f z", "e e h f b d f", 3)]
    [InlineData("h b d d h f z", "h b e d h f", 2)]
    [InlineData("b h b f f", "b h b f d", 1)]
    [InlineData("a b b d d z", "d f b b d", 3)]
    [InlineData("f h d c c c c f b f b c e", "f h h c b f b c c c c f e", 2)]
    [InlineData("h f d c e g c a h e b h z", "a f d c e g c a d e b h", 3)]
    [InlineData("c h c g a e", "c e h a g a", 2)]
    [InlineData("g h c f d", "g g c b d", 2)]
    [InlineData("e f d a h c z", "e d a b f c", 3)]
    [InlineData("a g", "g c", 2)]
    [InlineData("b e b h b h b g g c c", "b e b c b h d g g g c", 3)]
    [InlineData("b e e d g a d z", "b e e d g a d", 1)]
    [InlineData("d f e", "d e e", 1)]
    [InlineData("d g", "d g", 0)]
    [InlineData("c b f e g b g h d f b z", "c b f e g f f a b h h", 6)]
    [InlineData("d h g e c", "d h g e c", 0)]
    [InlineData("g g e a f b h d g c", "g g f b h d e a g c", 1)]
    [InlineData("e c h e h c a f e g", "a f e g e c h e h c", 1)]
    [InlineData("b d b c d a c", "b f b h a c c", 3)]
    [InlineData("b b a f g z", "b b f h a", 3)]
    [InlineData("e f d e d a g f z", "e f d e d a g f", 1)]
    [InlineData("c b c e h c d c h f e g z", "c h c e h c c c h f e g", 3)]
    [InlineData("c h z", "c a", 2)]
    public void Score_MovedPhrases_HasTheEditsOfSacreBleu(string hypothesis, string reference, int edits) => Assert.Equal(edits, new Ter(new TerOptions { Resamples = 0 }).Score([hypothesis], [reference]).Edits);

    [Fact, Trait("Kind", "golden")] // computed with sacreBLEU 2.6: distances and candidates reach their limits
    public void Score_LongSegments_HaveTheEditsOfSacreBleu()
    {
        string longer = string.Join(' ', Enumerable.Range(0, 140).Select(i => $"w{i % 37}")), shorter = string.Join(' ', Enumerable.Range(0, 60).Select(i => $"w{i * 5 % 41}"));
        Assert.Equal(114, new Ter().Score([longer], [shorter]).Edits);
        Assert.Equal(112, new Ter().Score([shorter], [longer]).Edits);
        Assert.Equal(140, new Ter().Score(["a b c"], [longer]).Edits);
    }

    [Theory, Trait("Kind", "golden")] // computed with sacreBLEU 2.6
    [InlineData(false, false, false, false, 40.0, 71.42857142857143, "case:lc|tok:tercom|norm:no|punct:yes|asian:no")]
    [InlineData(true, false, false, false, 33.33333333333333, 50.0, "case:lc|tok:tercom|norm:yes|punct:yes|asian:no")]
    [InlineData(true, true, true, false, 40.0, 19.51219512195122, "case:lc|tok:tercom|norm:yes|punct:no|asian:yes")]
    [InlineData(false, false, false, true, 40.0, 71.42857142857143, "case:mixed|tok:tercom|norm:no|punct:yes|asian:no")]
    public void Score_Options_AreThoseOfSacreBleu(bool normalized, bool noPunctuation, bool asian, bool cased, double english, double chinese, string signature)
    {
        var ter = new Ter(new TerOptions { Normalized = normalized, NoPunctuation = noPunctuation, AsianSupport = asian, CaseSensitive = cased });
        TerScore score = ter.Score(Dog, DogReferences);
        Assert.Equal(english, score.Value.Value, 1e-9);
        Assert.Equal(6, score.Edits);
        Assert.Equal($"nrefs:2|{signature}|version:candela-{typeof(Ter).Assembly.GetName().Version!.ToString(3)}", score.Signature);
        Assert.True(score.Value.Low <= score.Value.Value && score.Value.Value <= score.Value.High && score.Value.Low < score.Value.High);
        Assert.Equal(chinese, ter.Score(Chinese, ChineseReferences).Value.Value, 1e-9);
    }

    [Theory, Trait("Kind", "golden")] // sacreBLEU, test/test_tokenizer_ter.py; the two longest computed with sacreBLEU 2.6
    [InlineData(false, false, false, "A B C D.", "a b c d.")]
    [InlineData(false, true, false, "A ; B ) C : D.", "a b c d")]
    [InlineData(true, false, false, "a b (c) d.", "a b ( c ) d .")]
    [InlineData(true, false, false, "Jim's car.", "jim 's car .")]
    [InlineData(true, false, false, "4.2", "4.2")]
    [InlineData(true, false, true, "美众院公布对特", "美 众 院 公 布 对 特")]
    [InlineData(true, false, true, "りの拳銃を持", "りの 拳 銃 を 持")]
    [InlineData(true, false, false, "Jim's \"car\" cost 3,5-4.2 &lt;units&gt;; (really)?", "jim 's \" car \" cost 3,5 - 4.2 < units > ; ( really ) ?")]
    [InlineData(true, false, true, "りの拳銃を持，「美众院」。カタカナ 公布 ABC㍿！", "りの 拳 銃 を 持 ， 「 美 众 院 」 。 カタカナ 公 布 abc ㍿ ！")]
    [InlineData(false, true, true, "りの拳銃を持，「美众院」。カタカナ 公布 ABC㍿！", "りの拳銃を持美众院カタカナ 公布 abc㍿")]
    public void Tokenize_Segment_IsThatOfSacreBleu(bool normalized, bool noPunctuation, bool asian, string segment, string expected)
        => Assert.Equal(expected, string.Join(' ', new Ter(new TerOptions { Normalized = normalized, NoPunctuation = noPunctuation, AsianSupport = asian }).Tokenize(segment)));

    [Fact, Trait("Kind", "property")]
    public void Score_AnyWords_IsNoMoreThanTheWordErrorRate()
    {
        Gen<string> text = Gen.Char["abcde"].Array[1, 12].Select(c => string.Join(' ', c));
        Gen.Select(text, text).Sample((x, y) =>
        {
            TerScore ter = new Ter(new TerOptions { Resamples = 0 }).Score([x], [y]);
            ErrorRate words = new WordErrorRate(new ErrorRateOptions { Resamples = 0 }).Score([x], [y]);
            Assert.InRange(ter.Edits, x == y ? 0 : 1, words.Substitutions + words.Deletions + words.Insertions);
            Assert.Equal(0, new Ter().Sentence(x, x));
        }, iter: 300);
    }
}
