using Candela.Data;
using Candela.Evaluation;
using Candela.Models;

namespace Candela.Tests.Evaluation;

public class PermutationImportanceTests
{
    private static readonly Problem Number = new(TaskKind.Regression, "y", []);

    [Fact, Trait("Kind", "analytic")]
    public void Compute_LinearModel_DropIsTwiceTheVarianceShare()
    {
        // y = 3a + b with independent unit normals: shuffling x_j adds 2 w_j^2 Var(x_j) of squared error, so R2 falls by 2 w_j^2 / (9 + 1).
        var (rows, y) = Linear(2000);
        var importance = Compute(new Function(Inputs("a", "b", "noise"), Number, c => Values(c, "a", 3, "b", 1)), rows, null, y, seed: 1, repeats: 20);
        Assert.Equal(["a", "b", "noise"], importance.Select(i => i.Column));
        Assert.InRange(importance[0].Drop, 1.8 * 0.93, 1.8 * 1.07);
        Assert.InRange(importance[1].Drop, 0.2 * 0.93, 0.2 * 1.07);
        Assert.Equal((0, 0, 0), (importance[2].Drop, importance[2].Low, importance[2].High));
        Assert.True(importance[0].Low < importance[0].Drop && importance[0].Drop < importance[0].High);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Compute_ClassifierOnOneCategory_FallsToChance()
    {
        var problem = new Problem(TaskKind.Binary, "y", ["no", "yes"]);
        int[] codes = [.. Enumerable.Range(0, 1000).Select(i => i % 2)];
        var schema = new TableSchema([new("colour", ColumnKind.Category), new("y", ColumnKind.Category)]);
        var rows = new TableChunk(schema, [new CategoryColumn(codes, ["red", "blue"]), new CategoryColumn(codes, ["no", "yes"])]);
        var predictor = new Function(new TableSchema([schema.Columns[0]]), problem, c =>
        {
            var column = (CategoryColumn)c.Column("colour");
            return [.. column.Codes.SelectMany(code => code == 1 ? new[] { 0.1f, 0.9f } : [0.9f, 0.1f])];
        });
        ColumnImportance only = Assert.Single(Compute(predictor, rows, codes, null, seed: 3));
        Assert.InRange(only.Drop, 0.44, 0.56); // from 1 to 1/2; a shuffle's accuracy has standard error 0.016
    }

    [Fact, Trait("Kind", "property")]
    public void Compute_SameSeed_GivesTheSameAndBoundsTheRows()
    {
        var (rows, y) = Linear(9000);
        int largest = 0;
        var predictor = new Function(Inputs("a", "b", "noise"), Number, c =>
        {
            largest = Math.Max(largest, c.Rows);
            return Values(c, "a", 3, "b", 1);
        });
        var first = Compute(predictor, rows, null, y, seed: 7);
        Assert.Equal(first, Compute(predictor, rows, null, y, seed: 7));
        Assert.NotEqual(first, Compute(predictor, rows, null, y, seed: 8));
        Assert.Equal(PermutationImportance.MaxRows * PermutationImportance.DefaultRepeats, largest);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Compute_SingleTextColumn_HasNoImportance()
    {
        var schema = new TableSchema([new("text", ColumnKind.Text)]);
        var rows = new TableChunk(schema, [new TextColumn(["a", "b"])]);
        Assert.Empty(Compute(new Function(schema, Number, c => new float[c.Rows]), rows, null, [1f, 2f], 0));
    }

    [Fact, Trait("Kind", "fault")]
    public void Compute_MissingColumn_IsNamed()
    {
        var (rows, y) = Linear(50);
        var error = Assert.Throws<DataException>(() => Compute(new Function(Inputs("a", "nois"), Number, c => new float[c.Rows]), rows, null, y, 0));
        Assert.Contains("Did you mean 'noise'?", error.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<ColumnImportance> Compute(IPredictor predictor, TableChunk rows, int[]? labels, float[]? targets, long seed, int repeats = PermutationImportance.DefaultRepeats)
        => PermutationImportance.Compute(predictor, rows, labels, targets, seed, repeats, TestContext.Current.CancellationToken);

    private static TableSchema Inputs(params string[] names) => new([.. names.Select(n => new ColumnSchema(n, ColumnKind.Number))]);

    private static float[] Values(TableChunk chunk, string first, float weight, string second, float other)
    {
        float[] a = ((NumberColumn)chunk.Column(first)).Values, b = ((NumberColumn)chunk.Column(second)).Values;
        return [.. a.Zip(b, (x, z) => (weight * x) + (other * z))];
    }

    private static (TableChunk Rows, float[] Y) Linear(int n)
    {
        var rng = new Rng(12);
        float[] a = new float[n], b = new float[n], noise = new float[n], y = new float[n];
        for (int i = 0; i < n; i++)
        {
            (a[i], b[i], noise[i]) = ((float)rng.NextGaussian(), (float)rng.NextGaussian(), (float)rng.NextGaussian());
            y[i] = (3 * a[i]) + b[i];
        }

        return (new TableChunk(Inputs("a", "b", "noise"), [new NumberColumn(a), new NumberColumn(b), new NumberColumn(noise)]), y);
    }

    private sealed class Function(TableSchema inputs, Problem problem, Func<TableChunk, float[]> score) : IPredictor
    {
        public PredictorSchema Schema { get; } = new(inputs, problem);

        public float[] Score(TableChunk rows) => score(rows);

        public void Dispose() { }
    }
}
