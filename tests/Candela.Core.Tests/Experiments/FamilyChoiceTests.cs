using Candela.Data;
using Candela.Experiments;

namespace Candela.Tests.Experiments;

public class FamilyChoiceTests
{
    private static readonly Problem Binary = new(TaskKind.Binary, "y", ["no", "yes"]);

    [Fact]
    [Trait("Kind", "analytic")]
    public void Choose_ClearlyMoreAccurate_WinsWhateverItsLogLoss()
    {
        // 95 against 75 of 100 right: 20 rows differ, the paired standard error is sqrt(0.2 - 0.04) / 10 = 0.04.
        var choice = FamilyChoice.Choose(Binary, ["a", "b"], [Held(100, 95, 0.999f), Held(100, 75, 0.8f)], "rows");
        Assert.Equal(0, choice.Index);
        Assert.Equal([0.95, 0.75], choice.Scores);
        Assert.Equal("Highest accuracy on rows: a 0.9500, b 0.7500.", choice.Reason);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Choose_WithinOneStandardError_GoesByLogLoss()
    {
        // 95 against 94 of 100: one row differs, difference 0.01, standard error sqrt(0.01 - 0.0001) / 10 = 0.00995: not within it; 3 more rows that differ both ways make it 0.0264.
        Assert.Equal(0, FamilyChoice.Choose(Binary, ["a", "b"], [Held(100, 95, 0.999f), Held(100, 94, 0.8f)], "rows").Index);
        var b = Held(100, 94, 0.8f);
        b.Labels!.AsSpan().CopyTo(b.Labels);
        for (int i = 0; i < 3; i++)
            (b.Scores[i * 2], b.Scores[(i * 2) + 1]) = (b.Scores[(i * 2) + 1], b.Scores[i * 2]);
        for (int i = 94; i < 97; i++)
            (b.Scores[i * 2], b.Scores[(i * 2) + 1]) = (b.Scores[(i * 2) + 1], b.Scores[i * 2]);
        var choice = FamilyChoice.Choose(Binary, ["a", "b"], [Held(100, 95, 0.999f), b], "rows");
        Assert.Equal(1, choice.Index);
        Assert.Contains("Lowest log loss", choice.Reason, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Choose_Regression_TakesTheHighestR2AndNeverNaN()
    {
        var problem = new Problem(TaskKind.Regression, "y", []);
        float[] y = [1, 2, 3, 4];
        var choice = FamilyChoice.Choose(problem, ["nan", "mean", "good"],
            [new HeldRows([float.NaN, 2, 3, 4], null, y), new HeldRows([2.5f, 2.5f, 2.5f, 2.5f], null, y), new HeldRows([1, 2, 3, 5], null, y)], "rows");
        Assert.Equal(2, choice.Index);
        Assert.Equal([double.NaN, 0, 0.8], choice.Scores); // residual 1 of a total of 5
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Choose_RegressionWithoutR2_TakesTheLowestSquaredErrorAndSaysWhy()
    {
        var problem = new Problem(TaskKind.Regression, "y", []);
        HeldRows far = new([1, 3], null, [4, 4]), near = new([4, 5], null, [4, 4]), none = new([float.NaN, 4], null, [4, 4]);
        var equal = FamilyChoice.Choose(problem, ["none", "far", "near"], [none, far, near], "2 rows");
        Assert.Equal(2, equal.Index);
        Assert.Equal("Lowest squared error on 2 rows, whose targets are all equal so that there is no R2: near 0.5.", equal.Reason);

        var lost = FamilyChoice.Choose(problem, ["a", "b"], [none, none], "2 rows");
        Assert.Equal((0, "The first candidate: none gave a finite answer on 2 rows."), (lost.Index, lost.Reason));

        var mixed = FamilyChoice.Choose(problem, ["nan", "good"], [new HeldRows([float.NaN, 2], null, [1, 2]), new HeldRows([1, 2], null, [1, 2])], "2 rows");
        Assert.Equal("Highest R2 on 2 rows: good 1.0000, nan none.", mixed.Reason);
    }

    // The first rows are right with probability p, the others wrong with it.
    private static HeldRows Held(int rows, int right, float p)
    {
        var scores = new float[rows * 2];
        for (int i = 0; i < rows; i++)
            (scores[i * 2], scores[(i * 2) + 1]) = i < right ? (p, 1 - p) : (1 - p, p);
        return new HeldRows(scores, new int[rows], null);
    }
}
