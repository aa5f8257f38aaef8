using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Metrics.Text;

public class ErrorRateTests
{
    private static ErrorRate Words(string[] references, string[] hypotheses) => new WordErrorRate(new ErrorRateOptions { Resamples = 50 }).Score(hypotheses, references);

    [Theory, Trait("Kind", "golden")] // jiwer, tests/test_measures.py: test_known_values (of Morris et al. 2004), test_input_gt_string_h_string, and test_different_sentence_length_equal_type
    [InlineData("X", "X", 0, 0, 0)]
    [InlineData("X", "X X Y Y", 3, 0.75, 0.75)]
    [InlineData("X Y X", "X Z", 2.0 / 3, 2.0 / 3, 5.0 / 6)]
    [InlineData("X", "Y", 1, 1, 1)]
    [InlineData("X", "Y Z", 2, 1, 1)]
    [InlineData("This is a test", "", 1, 1, 1)]
    [InlineData("This is a test", "This test", 0.5, 0.5, 0.5)]
    [InlineData("i am a short ground truth", "i am a considerably longer and very much incorrect hypothesis", 7.0 / 6, 0.7, 0.85)]
    [InlineData("", "", 0, 0, 0)] // tests/test_empty_ref.py
    [InlineData("", "hello", 1, 1, 1)]
    [InlineData("", "0 1 2 3", 4, 1, 1)]
    [InlineData("hello", "", 1, 1, 1)]
    public void WordErrorRate_Pair_IsThatOfJiwer(string reference, string hypothesis, double rate, double match, double lost)
    {
        ErrorRate score = Words([reference], [hypothesis]);
        Assert.Equal(rate, score.Value.Value, 1e-12);
        Assert.Equal(match, score.MatchErrorRate, 1e-12);
        Assert.Equal(lost, score.InformationLost, 1e-12);
    }

    [Fact, Trait("Kind", "golden")] // the same files: test_permutations_invariance, test_multiple_one_empty_ref
    public void WordErrorRate_TwoSegments_AreThoseOfJiwer()
    {
        foreach (ErrorRate score in (ErrorRate[])[Words(["i", "am i good"], ["i am", "i good"]), Words(["am i good", "i"], ["i good", "i am"])])
        {
            Assert.Equal(0.5, score.Value.Value, 1e-12);
            Assert.Equal(0.4, score.MatchErrorRate, 1e-12);
            Assert.Equal(7.0 / 16, score.InformationLost, 1e-12);
        }

        ErrorRate empty = Words(["hello world", ""], ["hello world", "done"]);
        Assert.Equal((2, 0, 0, 1), (empty.Hits, empty.Substitutions, empty.Deletions, empty.Insertions));
        Assert.Equal(0.5, empty.Value.Value, 1e-12);
        Assert.Equal(1.0 / 3, empty.MatchErrorRate, 1e-12);
        Assert.Equal(1.0 / 3, empty.InformationLost, 1e-12);
        Assert.True(empty.Value.Low <= 0.5 && empty.Value.High >= 0.5);
    }

    [Theory, Trait("Kind", "golden")] // jiwer, tests/test_cer.py and test_empty_ref.py
    [InlineData("This is a test", "This is a test", 0)]
    [InlineData("This is a test", "", 1)]
    [InlineData("This is a test", "This test", 5.0 / 14)]
    [InlineData("X", "X X Y Y", 6)]
    [InlineData("X Y X", "X Z", 0.6)]
    [InlineData("X", "Y Z", 3)]
    [InlineData("", "abd", 3)]
    [InlineData("abc", "", 1)]
    [InlineData("𠮷野家", "吉野家", 1.0 / 3)]
    public void CharacterErrorRate_Pair_IsThatOfJiwer(string reference, string hypothesis, double rate)
        => Assert.Equal(rate, new CharacterErrorRate().Score([hypothesis], [reference]).Value.Value, 1e-12);

    [Fact, Trait("Kind", "analytic")]
    public void Score_ByHand_CountsKindsOfErrors()
    {
        ErrorRate score = new CharacterErrorRate().Score(["sitting"], ["kitten"]);
        Assert.Equal((4, 2, 0, 1), (score.Hits, score.Substitutions, score.Deletions, score.Insertions));
        score = Words(["a b c d e"], ["b c x d e f"]);
        Assert.Equal((4, 0, 1, 2), (score.Hits, score.Substitutions, score.Deletions, score.Insertions));
        Assert.Equal((5, 6), (score.ReferenceLength, score.HypothesisLength));
        // A tab alone does not part words; two white-space characters do.
        Assert.Equal(2, Words(["a\tb  c"], ["x"]).ReferenceLength);
        Assert.Equal(0, new WordErrorRate(new ErrorRateOptions { Lowercase = true, RemovePunctuation = true }).Score(["你好,  world"], ["你好， World!"]).Value.Value);
    }

    [Fact, Trait("Kind", "property")]
    public void Score_AnyTexts_HasTheDistanceOfTheFullTable()
    {
        Gen<string> text = Gen.Char["abc"].Array[0, 12].Select(c => new string(c));
        Gen.Select(text, text).Sample((x, y) =>
        {
            ErrorRate forth = new CharacterErrorRate(new ErrorRateOptions { Resamples = 0 }).Score([y], [x]);
            long errors = forth.Substitutions + forth.Deletions + forth.Insertions;
            Assert.Equal(Distance(x, y), errors);
            Assert.Equal(x.Length, forth.ReferenceLength);
            Assert.Equal(y.Length, forth.HypothesisLength);
            Assert.True(forth.Hits >= 0 && forth.Substitutions >= 0 && forth.Deletions >= 0 && forth.Insertions >= 0);
            Assert.InRange(forth.MatchErrorRate, 0, 1);
        }, iter: 2000);
    }

    private static int Distance(string x, string y) => x.Length == 0 ? y.Length : y.Length == 0 ? x.Length : Table(x, y);

    private static int Table(string x, string y)
    {
        var d = new int[x.Length + 1, y.Length + 1];
        for (int i = 0; i <= x.Length; i++)
            for (int j = 0; j <= y.Length; j++)
                d[i, j] = i == 0 ? j : j == 0 ? i : Math.Min(d[i - 1, j - 1] + (x[i - 1] == y[j - 1] ? 0 : 1), 1 + Math.Min(d[i - 1, j], d[i, j - 1]));
        return d[x.Length, y.Length];
    }
}
