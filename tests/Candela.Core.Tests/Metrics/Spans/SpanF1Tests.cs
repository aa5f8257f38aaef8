using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Metrics;

public class SpanF1Tests
{
    private static string[][] Split(string text) => [.. text.Split('/').Select(s => s.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    private static SpanF1 Of(string actual, string predicted, SpanScheme scheme = SpanScheme.Lenient) => SpanF1.Of(Split(actual), Split(predicted), scheme);

    /// <summary>The example of seqeval's README: MISC 0, PER 1, all averages .5, support 2.</summary>
    [Theory, Trait("Kind", "golden")]
    [InlineData(SpanScheme.Lenient)]
    [InlineData(SpanScheme.Iob2)]
    public void SpanF1_DocumentedExampleOfSeqeval_HasItsValues(SpanScheme scheme)
    {
        SpanF1 score = Of("O O O B-MISC I-MISC I-MISC O/B-PER I-PER O", "O O B-MISC I-MISC I-MISC I-MISC O/B-PER I-PER O", scheme);

        Assert.Equal([new SpanTypeScore("MISC", 1, 1, 0), new SpanTypeScore("PER", 1, 1, 1)], score.Types);
        foreach (double value in (double[])[score.All.F1, score.All.Precision, score.All.Recall, score.Macro(t => t.F1), score.Weighted(t => t.F1)])
            Assert.Equal(0.5, value, 12);
        Assert.Equal(8.0 / 10, score.TokenAccuracy, 12);
    }

    /// <summary>The minimal difference between the modes, from the same page.</summary>
    [Theory, Trait("Kind", "golden")]
    [InlineData(SpanScheme.Lenient, 1)]
    [InlineData(SpanScheme.Iob2, 0)]
    public void SpanF1_InsideTagFirst_CountsOnlyLeniently(SpanScheme scheme, double f1) => Assert.Equal(f1, Of("B-NP I-NP O", "I-NP I-NP O", scheme).All.F1);

    /// <summary>400 random tags in 43 sentences. Counts were made with seqeval 1.2.2's readers (scheme.py, get_entities) on the same numbers; those of BIO and IEO, lenient, agree with conlleval.pl
    /// (version 2004-01-26). Lenient BILUO is read as BIESO here, where seqeval knows no L and U.</summary>
    [Theory, Trait("Kind", "conformance")]
    [InlineData("BIO", SpanScheme.Iob2, 136, 119, 66)]
    [InlineData("BIO", SpanScheme.Lenient, 227, 214, 124)]
    [InlineData("IEO", SpanScheme.Ioe2, 133, 136, 69)]
    [InlineData("IEO", SpanScheme.Lenient, 227, 221, 118)]
    [InlineData("BIESO", SpanScheme.Iobes, 98, 104, 53)]
    [InlineData("BIESO", SpanScheme.Lenient, 302, 308, 194)]
    [InlineData("BILUO", SpanScheme.Bilou, 98, 104, 53)]
    [InlineData("BILUO", SpanScheme.Lenient, 302, 308, 194)]
    public void SpanF1_RandomTags_AgreesWithSeqevalAndConlleval(string prefixes, SpanScheme scheme, long actual, long predicted, long correct)
    {
        var (there, found) = RandomTags(prefixes);

        SpanF1 score = SpanF1.Of(there, found, scheme);

        Assert.Equal((actual, predicted, correct), (score.All.Actual, score.All.Predicted, score.All.Correct));
        Assert.Equal(prefixes.Length == 3 ? 248 / 400.0 : 233 / 400.0, score.TokenAccuracy, 12);
        Assert.Equal(43, score.Sentences);
    }

    /// <summary>The per-type lines of conlleval.pl for the BIO tags above.</summary>
    [Fact, Trait("Kind", "conformance")]
    public void SpanF1_RandomTags_HasConllevalsTypes()
    {
        var (there, found) = RandomTags("BIO");

        SpanF1 score = SpanF1.Of(there, found);

        Assert.Equal(["ORG", "PER"], score.Types.Select(t => t.Type));
        Assert.Equal([58.04, 57.52, 57.78], Percent(score.Types[0]));
        Assert.Equal([57.84, 51.75, 54.63], Percent(score.Types[1]));
        Assert.Equal([57.94, 54.63, 56.24], Percent(score.All));

        static double[] Percent(SpanTypeScore s) => [Math.Round(100 * s.Precision, 2), Math.Round(100 * s.Recall, 2), Math.Round(100 * s.F1, 2)];
    }

    /// <summary>By hand: A 1 of 2 found right, 1 predicted: P 1, R 1/2, F 2/3; B 1 right of 1, 2 predicted: P 1/2, R 1, F 2/3; C only predicted: 0.</summary>
    [Fact, Trait("Kind", "analytic")]
    public void SpanF1_ThreeTypes_AveragesAreThoseByHand()
    {
        SpanF1 score = Of("B-A O B-A O B-B O O", "B-A O O O B-B B-B B-C");

        Assert.Equal(2.0 * 2 / (3 + 4), score.All.F1, 12);
        Assert.Equal(4.0 / 9, score.Macro(t => t.F1), 12);
        Assert.Equal(0.5, score.Macro(t => t.Precision), 12);
        Assert.Equal(2.0 / 3, score.Weighted(t => t.F1), 12);
        Assert.Equal(((2 * 1) + 0.5) / 3, score.Weighted(t => t.Precision), 12);
        Assert.Equal(4.0 / 7, score.TokenAccuracy, 12);
        IReadOnlyDictionary<string, MetricValue> metrics = score.Metrics();
        Assert.Equal(score.All.F1, metrics["f1Micro"].Value, 12);
        Assert.Equal(4.0 / 9, metrics["f1Macro"].Value, 12);
        Assert.Equal(score.Weighted(t => t.Precision), metrics["precisionWeighted"].Value, 12);
    }

    [Fact, Trait("Kind", "analytic")]
    public void SpanTags_HyphenInTypeAndBareTags_AreKept()
    {
        Assert.Equal([new TaggedSpan("work-of-art", 0, 2), new TaggedSpan("_", 3, 1)], SpanTags.Read(["B-work-of-art", "I-work-of-art", "O", "B"]));
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData("B-A I-A O", SpanScheme.Iob2)]
    [InlineData("I-A E-A O", SpanScheme.Ioe2)]
    [InlineData("B-A E-A S-A", SpanScheme.Iobes)]
    [InlineData("B-A L-A U-A O", SpanScheme.Bilou)]
    public void Detect_Prefixes_NameTheScheme(string tags, SpanScheme scheme) => Assert.Equal(scheme, SpanTags.Detect(Split(tags)));

    [Theory, Trait("Kind", "fault")]
    [InlineData("I-A O")]
    [InlineData("B-A L-A E-A")]
    public void Detect_MixedPrefixes_AreRefused(string tags) => Assert.Throws<DataException>(() => SpanTags.Detect(Split(tags)));

    [Fact, Trait("Kind", "fault")]
    public void SpanF1_WrongInput_IsNamed()
    {
        Assert.Contains("Sentence 2, predicted tags: token 1 has the tag 'NOUN'", Assert.Throws<DataException>(() => Of("O/O", "O/NOUN")).Message, StringComparison.Ordinal);
        Assert.Contains("by IOB2", Assert.Throws<DataException>(() => Of("S-A", "O", SpanScheme.Iob2)).Message, StringComparison.Ordinal);
        Assert.Contains("Sentence 2 has 2 predicted tags", Assert.Throws<DataException>(() => Of("O/O", "O/O O")).Message, StringComparison.Ordinal);
        Assert.Contains("2 sentences", Assert.Throws<DataException>(() => Of("O", "O/O")).Message, StringComparison.Ordinal);
    }

    [Fact, Trait("Kind", "analytic")]
    public void SpanF1_NoSpans_IsZero()
    {
        SpanF1 score = Of("O O", "O O");

        Assert.Equal(0, score.All.F1 + score.Macro(t => t.F1) + score.Weighted(t => t.F1));
        Assert.Equal(1, score.TokenAccuracy);
    }

    /// <summary>Non-overlapping spans written in any scheme are read back by its strict reader and by the lenient one.</summary>
    [Fact, Trait("Kind", "property")]
    public void SpanTags_WrittenInAScheme_AreReadBack()
    {
        Gen.Select(Gen.Int[1, 4], Gen.Int[0, 2]).Array[0, 8].Sample(parts =>
        {
            foreach (SpanScheme scheme in (SpanScheme[])[SpanScheme.Iob2, SpanScheme.Ioe2, SpanScheme.Iobes, SpanScheme.Bilou])
            {
                var (tags, spans) = (new List<string>(), new List<TaggedSpan>());
                foreach (var (length, type) in parts)
                {
                    if (type > 0)
                        spans.Add(new TaggedSpan("T" + type, tags.Count, length));
                    for (int i = 0; i < length; i++)
                        tags.Add(type == 0 ? "O" : $"{Prefix(scheme, i, length)}-T{type}");
                }

                Assert.Equal(spans, SpanTags.Read(tags, scheme));
                Assert.Equal(spans, SpanTags.Read(tags));
            }
        }, iter: 300);

        static char Prefix(SpanScheme scheme, int i, int length) => scheme switch
        {
            SpanScheme.Iob2 => i == 0 ? 'B' : 'I',
            SpanScheme.Ioe2 => i == length - 1 ? 'E' : 'I',
            SpanScheme.Iobes => length == 1 ? 'S' : i == 0 ? 'B' : i == length - 1 ? 'E' : 'I',
            _ => length == 1 ? 'U' : i == 0 ? 'B' : i == length - 1 ? 'L' : 'I',
        };
    }

    /// <summary>Swapping actual and predicted swaps precision and recall.</summary>
    [Fact, Trait("Kind", "property")]
    public void SpanF1_Swapped_SwapsPrecisionAndRecall()
    {
        Gen<string[][]> tags = Gen.OneOf(Gen.Const("O"), Gen.Const("B-X"), Gen.Const("I-X"), Gen.Const("B-Y"), Gen.Const("I-Y")).Array[6].Array[4];
        Gen.Select(tags, tags).Sample((a, b) =>
        {
            SpanF1 forth = SpanF1.Of(a, b), back = SpanF1.Of(b, a);
            Assert.Equal(forth.All.Precision, back.All.Recall);
            Assert.Equal(forth.All.F1, back.All.F1);
            Assert.Equal(forth.Macro(t => t.Precision), back.Macro(t => t.Recall));
        }, iter: 300);
    }

    /// <summary>1,000 one-span sentences, each right with probability .8 on both sides alike: F1 is a share of them, whose interval is about 1.96 sqrt(p q / n) to each side.</summary>
    [Fact, Trait("Kind", "analytic")]
    public void Metrics_IndependentSentences_HaveTheBinomialInterval()
    {
        const int Sentences = 1000;
        string[][] actual = [.. Enumerable.Repeat((string[])["B-A", "O"], Sentences)];
        string[][] predicted = [.. Enumerable.Range(0, Sentences).Select(i => i % 5 == 0 ? (string[])["O", "B-A"] : ["B-A", "O"])];

        MetricValue f1 = SpanF1.Of(actual, predicted).Metrics(seed: 3)["f1Micro"];

        double half = 1.96 * Math.Sqrt(0.8 * 0.2 / Sentences);
        Assert.Equal(0.8, f1.Value, 12);
        Assert.InRange(f1.Low, 0.8 - (1.2 * half), 0.8 - (0.8 * half));
        Assert.InRange(f1.High, 0.8 + (0.8 * half), 0.8 + (1.2 * half));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Metrics_AllRight_BoundedBySentences()
    {
        string[][] tags = [.. Enumerable.Repeat((string[])["B-A", "O"], 20)];

        MetricValue f1 = SpanF1.Of(tags, tags).Metrics()["f1Micro"];

        Assert.Equal((1, Math.Pow(0.025, 1.0 / 20), 1), (f1.Value, f1.Low, f1.High));
    }

    // The linear congruential generator of ANSI C, so that another program can make the same tags.
    private static (List<List<string>> Actual, List<List<string>> Predicted) RandomTags(string prefixes)
    {
        const int Tokens = 400;
        long state = 12345;
        var (actual, predicted) = (new List<List<string>> { new() }, new List<List<string>> { new() });
        for (int i = 0; i < Tokens; i++)
        {
            string there = One(), found = One();
            actual[^1].Add(there);
            predicted[^1].Add(Next(2) == 0 ? there : found);
            if (Next(12) != 0 || i == Tokens - 1)
                continue;
            actual.Add([]);
            predicted.Add([]);
        }

        return (actual, predicted);

        string One()
        {
            char prefix = prefixes[Next(prefixes.Length)];
            string type = Next(2) == 0 ? "PER" : "ORG";
            return prefix == 'O' ? "O" : $"{prefix}-{type}";
        }

        int Next(int below)
        {
            state = ((state * 1103515245) + 12345) % (1L << 31);
            return (int)((state >> 16) % below);
        }
    }
}
