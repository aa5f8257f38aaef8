using Candela.Language;
using CsCheck;

namespace Candela.Tests.Language;

public sealed class TextBaselineTests
{
    private static readonly TextPair[] Toy = [new("das Haus", "the house"), new("das Buch", "the book"), new("ein Buch", "a book")];

    // The three-sentence corpus of Koehn, "Statistical Machine Translation" (2010), section 4.2, without a null word; worked out by hand, for example t(the|das) after two rounds:
    // (1/2 + 2/3) / (1/2 + 2/3 + 1/3 + 1/3) = 7/11.
    [Theory]
    [Trait("Kind", "golden")]
    [InlineData(1, 0.5, 0.25, 0.5, 0.5)]
    [InlineData(2, 0.6364, 0.1818, 0.5714, 0.4286)]
    [InlineData(3, 0.7479, 0.1313, 0.6534, 0.3466)]
    public void IbmModel1_ToyCorpus_HasTheHandComputedTable(int iterations, double theDas, double houseDas, double aEin, double bookEin)
    {
        var model = new IbmModel1(new IbmModel1Options { Iterations = iterations, NullWord = false });
        model.Train(Toy, TestContext.Current.CancellationToken);
        Assert.Equal(theDas, model.Probability("the", "das"), 4);
        Assert.Equal(theDas, model.Probability("book", "Buch"), 4);
        Assert.Equal(houseDas, model.Probability("house", "das"), 4);
        Assert.Equal(aEin, model.Probability("a", "ein"), 4);
        Assert.Equal(bookEin, model.Probability("book", "ein"), 4);
        Assert.Equal(0, model.Probability("a", "das"));
        // All three targets have two words, each a quarter likely under even chances.
        Assert.Equal(6 * Math.Log(0.25), model.LogLikelihoods[0], 9);
        // Each of the six target words comes from one of the six source words.
        Assert.Equal(6, (2 * model.Fertility("das")) + model.Fertility("Haus") + (2 * model.Fertility("Buch")) + model.Fertility("ein"), 9);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void IbmModel1_Trained_TranslatesWordByWord()
    {
        var model = new IbmModel1(new IbmModel1Options { Iterations = 30, NullWord = false });
        model.Train(Toy, TestContext.Current.CancellationToken);
        Assert.Equal("a house", model.Apply("ein Haus"));
        Assert.Equal("the Auto", model.Apply("das Auto"));
        Assert.Equal("", model.Apply(""));
        Assert.Contains("3 pairs", model.Describe, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void IbmModel1_Chinese_TakesCharactersAndNoSpaces()
    {
        TextPair[] pairs = [new("我们 好。", "we good."), new("我们 走。", "we walk."), new("他 好。", "he good."), new("走", "walk")];
        var model = new IbmModel1();
        model.Train(pairs, TestContext.Current.CancellationToken);
        // 我 and 们 both stand for "we": said once. Marks stay.
        Assert.Equal("we walk.", model.Apply("我们走。"));
        var back = new IbmModel1(new IbmModel1Options { NullWord = false });
        back.Train([.. pairs.Select(p => new TextPair(p.Target, p.Source))], TestContext.Current.CancellationToken);
        Assert.Equal("他走。", back.Apply("he walk."));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void IbmModel1_Training_LikelihoodNeverFallsAndRowsAddUpToOne()
    {
        Gen<string> sentence = Gen.Int[0, 7].Select(i => "w" + i).Array[1, 6].Select(words => string.Join(' ', words));
        Gen.Select(Gen.Select(sentence, sentence, (s, t) => new TextPair(s, t)).Array[1, 12], Gen.Bool).Sample((pairs, nullWord) =>
        {
            var model = new IbmModel1(new IbmModel1Options { Iterations = 8, NullWord = nullWord });
            model.Train(pairs, TestContext.Current.CancellationToken);
            for (int i = 1; i < model.LogLikelihoods.Count; i++)
                Assert.True(model.LogLikelihoods[i] >= model.LogLikelihoods[i - 1] - 1e-9, string.Join(' ', model.LogLikelihoods));
            string[] sources = [.. pairs.SelectMany(p => p.Source.Split(' ')).Distinct()], targets = [.. pairs.SelectMany(p => p.Target.Split(' ')).Distinct()];
            foreach (string source in sources)
                Assert.Equal(1, targets.Sum(t => model.Probability(t, source)), 9);
            // Every target word comes from some source word.
            int words = pairs.Sum(p => p.Target.Split(' ').Length);
            double expected = sources.Sum(s => model.Fertility(s) * pairs.Sum(p => p.Source.Split(' ').Count(w => w == s))) + (nullWord ? model.Fertility("") * pairs.Length : 0);
            Assert.Equal(words, expected, 6);
        }, iter: 200);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void IbmModel1_NoUsablePair_SaysWhy()
    {
        var model = new IbmModel1(new IbmModel1Options { MaxWords = 2 });
        Assert.Contains("1 are longer", Assert.Throws<DataException>(() => model.Train([new TextPair("a b c", "d")], TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => new IbmModel1(new IbmModel1Options { Iterations = 0 }));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => new IbmModel1().Train(Toy, cancelled.Token));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void LeadBaseline_Trained_TakesTheNumberThatScoresBest()
    {
        TextPair[] pairs = [.. Enumerable.Range(0, 12).Select(i => new TextPair($"Alpha{i} beta. Gamma{i} delta. Other things follow here. And more of them.", $"Alpha{i} beta. Gamma{i} delta."))];
        var lead = new LeadBaseline();
        Assert.Equal(3, lead.Units);
        Assert.DoesNotContain("chosen", lead.Describe, StringComparison.Ordinal);
        lead.Train(pairs, TestContext.Current.CancellationToken);
        Assert.Equal(2, lead.Units);
        Assert.Equal("One. Two.", lead.Apply("One. Two. Three."));
        Assert.Contains("the first 2 sentences, a number chosen", lead.Describe, StringComparison.Ordinal);
        var three = new LeadBaseline(3);
        three.Train(pairs, TestContext.Current.CancellationToken);
        Assert.Equal(3, three.Units);
        Assert.Throws<UsageException>(() => new LeadBaseline(0));
        Assert.Throws<DataException>(() => new LeadBaseline().Train([], TestContext.Current.CancellationToken));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void LeadBaseline_Dialogue_TakesTurns()
    {
        const string Dialogue = "Ann: Hello. How are you?\nBob: Well.\nand you?\nAnn: Well too.";
        Assert.Equal("Ann: Hello. How are you?\nBob: Well. and you?", new LeadBaseline(2).Apply(Dialogue));
        var lead = new LeadBaseline();
        lead.Train([new TextPair(Dialogue, "Hello. How are you?")], TestContext.Current.CancellationToken);
        Assert.Equal(1, lead.Units);
        Assert.Contains("dialogue turns", lead.Describe, StringComparison.Ordinal);
        // A colon somewhere makes no dialogue.
        Assert.Equal("One thing: this.", new LeadBaseline(1).Apply("One thing: this. Another\nwithout. A third\nline."));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void TextRankBaseline_PicksAsTextRankDoes()
    {
        const string Text = "Cats sleep all day. The weather is fine. Cats and dogs sleep all night. Dogs bark all day.";
        Assert.Equal(TextRank.Summarize(Text, new TextRankOptions { Sentences = 2 }).Text, new TextRankBaseline(2).Apply(Text));
        var ranked = new TextRankBaseline();
        string first = TextRank.Summarize(Text, new TextRankOptions { Sentences = 1 }).Text;
        ranked.Train([new TextPair(Text, first)], TestContext.Current.CancellationToken);
        Assert.Equal(1, ranked.Units);
        Assert.Equal(first, ranked.Apply(Text));
        Assert.Equal("", ranked.Apply(""));
        Assert.Equal("same", new CopyBaseline().Apply("same"));
    }
}
