using Candela.Data;
using Candela.Experiments;

namespace Candela.Tests.Experiments;

public class TableSampleTests
{
    private static readonly TableSchema Schema = new([new ColumnSchema("row", ColumnKind.Number), new ColumnSchema("y", ColumnKind.Number)]);

    [Fact]
    [Trait("Kind", "property")]
    public void Take_MoreRowsThanTheBound_GivesThatManyDistinctRowsOfThePartInOrder()
    {
        using var table = Numbered(50, 20);
        var split = TableSplit.Create(table, new Problem(TaskKind.Regression, "y", []), new SplitOptions());
        using var sample = TableSample.Take(table, split, [Part.Train, Part.Valid], 3, maxRows: 120);
        float[] rows = ((NumberColumn)sample.ReadChunk(0).Columns[0]).Values;
        Assert.Equal(120, rows.Length);
        Assert.Equal(rows.Distinct().Order(), rows);
        Assert.All(rows, r => Assert.NotEqual(Part.Test, split[(long)r]));
        using var again = TableSample.Take(table, split, [Part.Train, Part.Valid], 3, maxRows: 120);
        Assert.Equal(rows, ((NumberColumn)again.ReadChunk(0).Columns[0]).Values);
    }

    [Theory]
    [InlineData(1, 200_000)]
    [InlineData(100, 200_000)]
    [InlineData(100_000, 335)]
    public void HeldRows_OfManyClasses_AreFew(int classes, long rows)
    {
        var problem = new Problem(classes == 1 ? TaskKind.Regression : TaskKind.Multiclass, "y", classes == 1 ? [] : [.. Enumerable.Range(0, classes).Select(i => $"{i}")]);
        Assert.Equal(rows, HeldRows.MaxRows(problem));
    }

    [Fact]
    public void IndexOf_OfACopyWithOtherColumns_FindsThoseOfTheCopy()
    {
        Assert.Equal(1, Schema.IndexOf("y"));
        var copy = Schema with { Columns = [new ColumnSchema("y", ColumnKind.Text), new ColumnSchema("z", ColumnKind.Text)] };
        Assert.Equal((0, 1, -1), (copy.IndexOf("y"), copy.IndexOf("z"), copy.IndexOf("row")));
        Assert.Equal(Schema, new TableSchema([.. Schema.Columns]));
        Assert.NotEqual(Schema, copy);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Take_ManySeeds_GivesEveryRowTheSameChance()
    {
        using var table = Numbered(5, 8);
        var counts = new int[40];
        for (int seed = 0; seed < 4000; seed++)
        {
            using var sample = TableSample.Take(table, TableSplit.Whole(table, Part.Test), [Part.Test], seed, maxRows: 10);
            foreach (float row in ((NumberColumn)sample.ReadChunk(0).Columns[0]).Values)
                counts[(int)row]++;
        }

        Assert.All(counts, c => Assert.InRange(c, 1000 - 140, 1000 + 140)); // 5 sigma of Binomial(4000, 1/4)
    }

    [Fact]
    public void Train_FamilyThatHoldsAllRows_IsGivenABoundedSampleOnlyWhenThereAreTooMany()
    {
        using var folder = new TemporaryFolder();
        var family = new StepFamily("steps", epochs: 1) { HoldsAllRows = true };
        using var run = Job.Train(new TrainRequest { Data = SampleFiles.Numbers(folder, 500), Target = "y", Model = "steps" }, folder.File("run"), [family]);
        Assert.Equal(325, Assert.Single(family.RowsSeen));
        Assert.DoesNotContain(run.Record.Warnings, w => w.Code == "rows-sampled");
    }

    private static Table Numbered(int chunks, int rows) => Table.FromChunks(Schema, Enumerable.Range(0, chunks).Select(c => new TableChunk(Schema,
        [new NumberColumn([.. Enumerable.Range(c * rows, rows).Select(i => (float)i)]), new NumberColumn([.. Enumerable.Range(0, rows).Select(i => (float)(i * i % 17))])])));
}
