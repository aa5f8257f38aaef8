using Candela.Language;
using CsCheck;

namespace Candela.Tests.Language;

public class TextRankTests
{
    private static string[][] Words(params string[] sentences) => [.. sentences.Select(s => s.Split(' '))];

    /// <summary>A chain A - B - C. By hand: a = .15 + .85 p b, c = .15 + .85 (1 - p) b, b = .15 + .85 (a + c), so b = .405 / .2775 whatever p is. A and B share two words of four each: 2 / (2 log 4);
    /// B and C share one of four and nine: 1 / (log 4 + log 9); p is the first over their sum.</summary>
    [Fact, Trait("Kind", "analytic")]
    public void Scores_ChainOfThree_AreThoseByHand()
    {
        double[] scores = TextRank.Scores(Words("a b c d", "c d e f", "f 1 2 3 4 5 6 7 8"));

        double near = 2 / (2 * Math.Log(4)), far = 1 / (Math.Log(4) + Math.Log(9)), p = near / (near + far), middle = 0.405 / 0.2775;
        Assert.Equal(middle, scores[1], 8);
        Assert.Equal(0.15 + (0.85 * p * middle), scores[0], 8);
        Assert.Equal(0.15 + (0.85 * (1 - p) * middle), scores[2], 8);
    }

    /// <summary>A star of four equal leaves: leaf = .15 + .85 hub / 4, hub = .15 + .85 * 4 leaf, so hub = .66 / .2775.</summary>
    [Fact, Trait("Kind", "analytic")]
    public void Scores_Star_AreThoseByHand()
    {
        double[] scores = TextRank.Scores(Words("a b c d", "a 1", "b 2", "c 3", "d 4"));

        double hub = 0.66 / 0.2775;
        Assert.Equal(hub, scores[0], 8);
        Assert.All(scores.Skip(1), leaf => Assert.Equal(0.15 + (0.85 * hub / 4), leaf, 8));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Scores_NothingShared_AreOneMinusDamping()
    {
        Assert.Equal([0.15, 0.15, 0.15], TextRank.Scores(Words("a b", "c d", "e")).Select(s => Math.Round(s, 12)));
        Assert.Equal([0.15, 0.15], TextRank.Scores(Words("a", "a")).Select(s => Math.Round(s, 12))); // log 1 + log 1 = 0
        Assert.Equal([0.15, 0.15], TextRank.Scores(Words("the a", "the b"), new TextRankOptions { StopWords = new HashSet<string> { "the" } }).Select(s => Math.Round(s, 12)));
        Assert.Empty(TextRank.Scores([]));
    }

    /// <summary>When each sentence shares something, scores add up to their number; permuting the sentences permutes the scores.</summary>
    [Fact, Trait("Kind", "property")]
    public void Scores_ConnectedSentences_AddUpAndPermute()
    {
        Gen.Select(Gen.Int[0, 6].Array[2, 6].Array[2, 8], Gen.Long).Sample((numbers, seed) =>
        {
            string[][] sentences = [.. numbers.Select(s => s.Select(n => $"w{n}").Prepend("all").ToArray())];
            int[] order = [.. Enumerable.Range(0, sentences.Length)];
            new Rng(seed).Shuffle(order.AsSpan());

            double[] scores = TextRank.Scores(sentences), permuted = TextRank.Scores([.. order.Select(i => sentences[i])]);

            Assert.Equal(sentences.Length, scores.Sum(), 6);
            for (int i = 0; i < order.Length; i++)
                Assert.Equal(scores[order[i]], permuted[i], 6);
        }, iter: 100);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Summarize_EnglishText_PicksTheCentralSentencesInOrder()
    {
        const string Text = "Nothing else matters here. The storm hit the coast of Florida. Florida's coast was flooded by the storm. Cats sleep. The storm flooded the coast and hit Florida towns.";

        ExtractiveSummary summary = TextRank.Summarize(Text, new TextRankOptions { Sentences = 2 });

        Assert.Equal([1, 4], summary.Indices);
        Assert.Equal("The storm hit the coast of Florida. The storm flooded the coast and hit Florida towns.", summary.Text);
        Assert.Equal(5, summary.Scores.Count);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Summarize_ChineseText_SharesPairsOfCharacters()
    {
        ExtractiveSummary summary = TextRank.Summarize("今天天气很好。北京大学发布了新的研究报告。猫睡了。研究报告由北京大学的教授发布。", new TextRankOptions { Sentences = 2 });

        Assert.Equal("北京大学发布了新的研究报告。研究报告由北京大学的教授发布。", summary.Text);
        Assert.Equal(["北京", "京大", "大学", "ai", "2", "好"], TextRank.Words("北京大学AI-2，好"));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Lead_TakesTheFirst()
    {
        ExtractiveSummary lead = TextRank.Lead("One. Two. Three.", 2);

        Assert.Equal("One. Two.", lead.Text);
        Assert.Equal([1, 1, 0], lead.Scores);
        Assert.Equal(["One."], TextRank.Lead("One.", 5).Sentences);
        Assert.Empty(TextRank.Summarize(" \n").Sentences);
    }

    [Fact, Trait("Kind", "fault")]
    public void Summarize_BadOptions_AreRefused()
    {
        Assert.Throws<UsageException>(() => TextRank.Summarize("a", new TextRankOptions { Sentences = 0 }));
        Assert.Throws<UsageException>(() => TextRank.Summarize("a", new TextRankOptions { Damping = 1 }));
        Assert.Throws<UsageException>(() => TextRank.Lead("a", 0));
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData("It rained. It stopped! Did it? Yes…", "It rained.|It stopped!|Did it?|Yes…")]
    [InlineData("Mr. Smith of the U.S. Senate paid $3.50. He left.", "Mr. Smith of the U.S. Senate paid $3.50.|He left.")]
    [InlineData("He said \"Go.\" She went (slowly.) Then, e.g. Tom came.", "He said \"Go.\"|She went (slowly.)|Then, e.g. Tom came.")]
    [InlineData("wait... what? ok... Fine.", "wait... what? ok...|Fine.")]
    [InlineData("It was I. You knew?!", "It was I.|You knew?!")]
    [InlineData("A title\n\nThe text goes\non here.\n#Person1#: Hi.\n#Person2#: Oh.", "A title|The text goes on here.|#Person1#: Hi.|#Person2#: Oh.")]
    [InlineData("他说：“走吧！”她走了……真的？是的。", "他说：“走吧！”|她走了……|真的？|是的。")]
    [InlineData("价格是3.5元。OK", "价格是3.5元。|OK")]
    [InlineData("  \r\n ", "")]
    public void SentenceSplitter_EveryRule_Holds(string text, string sentences) => Assert.Equal(sentences, string.Join('|', SentenceSplitter.Split(text)));
}
