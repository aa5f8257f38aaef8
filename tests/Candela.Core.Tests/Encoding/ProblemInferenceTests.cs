using Candela.Data;

namespace Candela.Tests.Data;

public class ProblemInferenceTests
{
    [Fact, Trait("Kind", "analytic")]
    public void Infer_NumberTarget_IsRegression()
    {
        using Table table = new SmallTables().Numbers("x", [1, 2, 3]).Numbers("y", [0.5f, 1.5f, 2]).Table();
        Problem problem = ProblemInference.Infer(table, "y");
        Assert.Equal((TaskKind.Regression, "y", 0), (problem.Task, problem.Target, problem.Classes.Count));
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData(new float[] { 3, 3, 4, 5, 3, 4, 5, 5, 4 }, TaskKind.Multiclass)]              // a grade
    [InlineData(new float[] { -1, 1, -1, 1, 1, -1 }, TaskKind.Binary)]                         // two codes
    [InlineData(new float[] { 10, 200, 3000, 10, 200, 3000, 10, 200, 3000 }, TaskKind.Regression)] // spread out: a quantity
    [InlineData(new float[] { 1, 2, 3, 4, 5, 6 }, TaskKind.Regression)]                        // each value once
    public void Infer_IntegerTarget_FollowsSpreadAndSupport(float[] y, TaskKind expected)
    {
        using Table table = new SmallTables().Numbers("y", y, ColumnKind.Integer).Table();
        Assert.Equal(expected, ProblemInference.Infer(table, "y").Task);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Infer_IntegerTargetOfManyValues_IsRegressionUnlessForced()
    {
        float[] y = [.. Enumerable.Range(0, 300).Select(i => (float)(i % 60))];
        using Table table = new SmallTables().Numbers("y", y, ColumnKind.Integer).Table();
        Assert.Equal(TaskKind.Regression, ProblemInference.Infer(table, "y").Task);
        Problem forced = ProblemInference.Infer(table, "y", "classification");
        Assert.Equal(TaskKind.Multiclass, forced.Task);
        Assert.Equal(Enumerable.Range(0, 60).Select(i => $"{i}"), forced.Classes);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Infer_ClassNames_SortAsNumbersOnlyWhenAllAreNumbers()
    {
        using Table numbers = new SmallTables().Categories("y", ["10", "9", "-1", "10", "9", "-1"]).Table();
        Assert.Equal(["-1", "9", "10"], ProblemInference.Infer(numbers, "y").Classes);
        using Table mixed = new SmallTables().Categories("y", ["10", "9", "x", "10", "9", "x"]).Table();
        Assert.Equal(["10", "9", "x"], ProblemInference.Infer(mixed, "y").Classes);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Infer_TargetByIndexOrLast_FindsTheColumn()
    {
        using Table table = new SmallTables().Categories("a", ["x", "y", "x", "y"]).Categories("b", ["p", "q", "p", "q"]).Table();
        Assert.Equal("a", ProblemInference.Infer(table, "#0").Target);
        Assert.Equal("b", ProblemInference.Infer(table, "last").Target);
        using Table bare = new SmallTables().Numbers("#0", [1, 2, 3, 4]).Categories("#1", ["p", "q", "p", "q"]).Table();
        Assert.Equal("#1", ProblemInference.Infer(bare, "#1").Target);
    }

    [Fact, Trait("Kind", "fault")]
    public void Infer_RefusedTargets_SayWhereWhatAndWhatToDo()
    {
        Refused(t => t.Numbers("price", [1, 2]), "prize", "no column 'prize'", "Did you mean 'price'?");
        Refused(t => t.Numbers("price", [1, 2]), "#7", "#0 to #0");
        Refused(t => t.Numbers("y", [1, float.NaN, 2, float.NaN]), "y", "2 of 4 rows", "data row 2");
        Refused(t => t.Categories("y", ["a", "b", null]), "y", "1 of 3 rows", "data row 3");
        Refused(t => t.Numbers("y", [1, 2, float.PositiveInfinity]), "y", "infinite", "data row 3");
        Refused(t => t.Categories("y", ["a", "a"]), "y", "one class only", "'a'");
        Refused(t => t.Categories("y", ["a", "a"], ColumnKind.Constant), "y", "one class only");
        Refused(t => t.Numbers("y", [4, 4]), "y", "same value");
        Refused(t => t.Texts("y", ["some words", "other words"]), "y", "kind is text", "--type y=category");
        Refused(t => t.Texts("y", ["k1", "k2"], ColumnKind.Identifier), "y", "kind is identifier");
        Refused(t => t.Numbers("y", [1, 2], ColumnKind.Date), "y", "date", "--task regression");
        Refused(t => t.Categories("y", ["a", "b", "c", "d", "e", "a"]), "y", "5 classes in 6 rows");
    }

    [Fact, Trait("Kind", "fault")]
    public void Infer_ForcedTask_RefusesNamesForRegressionAndUnknownTasks()
    {
        using Table names = new SmallTables().Categories("y", ["1", "two", "1", "two"]).Table();
        Assert.Contains("'two'", Assert.Throws<DataException>(() => ProblemInference.Infer(names, "y", "regression")).Message);
        Assert.Contains("Did you mean 'regression'?", Assert.Throws<UsageException>(() => ProblemInference.Infer(names, "y", "regresion")).Message);
        using Table numbers = new SmallTables().Categories("y", ["0", "1", "1", "0"], ColumnKind.Boolean).Table();
        Assert.Equal(TaskKind.Regression, ProblemInference.Infer(numbers, "y", "regression").Task);
        Assert.Equal(TaskKind.Binary, ProblemInference.Infer(numbers, "y").Task);
    }

    private static void Refused(Func<SmallTables, SmallTables> build, string target, params string[] parts)
    {
        using Table table = build(new SmallTables()).Table();
        string message = Assert.Throws<DataException>(() => ProblemInference.Infer(table, target)).Message;
        Assert.All(parts, part => Assert.Contains(part, message));
    }
}
