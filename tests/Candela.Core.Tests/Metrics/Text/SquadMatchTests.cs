using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Metrics.Text;

public class SquadMatchTests
{
    [Theory, Trait("Kind", "analytic")] // by hand from the four steps of the evaluation script: lower case, ASCII punctuation out, \b(a|an|the)\b to a space, white space single
    [InlineData("The  Denver Broncos!", "denver broncos")]
    [InlineData("a.m.", "am")]
    [InlineData("An apple, a day", "apple day")]
    [InlineData("the\u2013end \u201Ca\u201D", "\u2013end \u201C \u201D")]
    [InlineData("theatre than", "theatre than")]
    [InlineData("$3,000 (U.S.)_x", "3000 usx")]
    [InlineData("the", "")]
    public void Normalize_Answer_FollowsTheScript(string answer, string expected) => Assert.Equal(expected, SquadMatch.Normalize(answer));

    [Fact, Trait("Kind", "analytic")]
    public void Score_ByHand_IsBestOfTheAcceptedAnswers()
    {
        // F1: precision 1/2, recall 1: 2/3; the other answer shares nothing.
        Assert.Equal(2.0 / 3, SquadMatch.F1("Paris France", ["London", "the Paris"]), 12);
        SquadScore score = new SquadMatch().Score(["Paris France", "in 1912."], [["London", "Paris"], ["1912", "In 1912"]]);
        Assert.Equal(0.5, score.ExactMatch.Value);
        Assert.Equal(5.0 / 6, score.F1.Value, 12);
        Assert.Equal(0, score.ExactMatch.Low);
        Assert.Equal(1, score.ExactMatch.High);
        // Version 2: no answer is matched by no answer only, and an empty one beside others does not count.
        Assert.Equal(1, SquadMatch.F1("", [""]));
        Assert.Equal(0, SquadMatch.F1("x", [""]));
        Assert.False(SquadMatch.IsExact("", ["x", "the"]));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Score_AllRight_HasTheExactBinomialBound()
        => Assert.Equal(Math.Pow(0.025, 1.0 / 3), new SquadMatch().Score(["a b", "c", "d"], [["b"], ["c"], ["d"]]).ExactMatch.Low, 12);

    [Fact, Trait("Kind", "property")]
    public void F1_AnyTexts_IsSymmetricAndOneForItself()
    {
        Gen<string> text = Gen.Char["ab the."].Array[0, 15].Select(c => new string(c));
        Gen.Select(text, text).Sample((x, y) =>
        {
            Assert.Equal(SquadMatch.F1(x, [y]), SquadMatch.F1(y, [x]), 12);
            Assert.Equal(1, SquadMatch.F1(x, [x]));
            Assert.True(SquadMatch.IsExact(x, [x]));
        }, iter: 500);
    }
}
