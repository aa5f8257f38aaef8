using System.Globalization;
using System.Text;
using Candela.Data;
using Candela.Experiments;
using Candela.Runs;

namespace Candela.Tests.Experiments;

/// <summary>Files given after the training file are read as that was: nothing about them is guessed anew.</summary>
public sealed class LaterFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("first,second,third\n")]
    public void Run_ColumnsNamedByPlace_LosesNoRowAndNeedsNoTarget(string header)
    {
        string train = Write("train.csv", header + Rows(300, i => $"{i % 7}.5,{(i % 2 == 0 ? "u" : "v")},{(i % 3 == 0 ? "lo" : "hi")}"));
        using var run = Train(new TrainRequest { Data = train, Target = "y", Table = new TableOptions { Header = header.Length == 0 ? HeaderMode.No : HeaderMode.Yes, ColumnNames = ["a", "b", "y"] } });

        string bare = Write("bare.csv", Rows(3, i => $"{i}.5,u")), full = Write("full.csv", Rows(3, i => $"{i}.5,u,hi"));
        string named = Write("named.csv", "b,y,a\n" + Rows(3, i => $"u,hi,{i}.5"));
        foreach (string file in new[] { bare, full, named })
        {
            TableChunk rows = run.ReadInputs(file).Single();
            Assert.Equal([0.5f, 1.5f, 2.5f], ((NumberColumn)rows.Column("a")).Values);
            Assert.Equal("u", ((CategoryColumn)rows.Column("b")).NameAt(2));
        }

        Assert.Equal(3, run.Evaluate(full).Rows);
        Assert.Equal(3, run.Evaluate(named).Rows);
        Assert.Contains("'y' is missing", Assert.Throws<DataException>(() => run.Evaluate(bare)).Message);
        Assert.Contains("known by their place", Assert.Throws<DataException>(() => run.ReadInputs(Write("wide.csv", Rows(3, i => $"{i},1,2,3,4")))).Message);
        if (header.Length > 0)
            Assert.Equal(3, run.ReadInputs(Write("titled.csv", "first,second\n" + Rows(3, i => $"{i}.5,u"))).Single().Rows);
    }

    [Fact]
    public void Run_TargetInFrontWithoutHeader_FindsTheInputsWithoutIt()
    {
        string train = Write("train.csv", Rows(300, i => $"{(i % 3 == 0 ? "lo" : "hi")},{i % 7}.5,{i % 5}.25"));
        using var run = Train(new TrainRequest { Data = train, Target = "#0" });
        TableChunk rows = run.ReadInputs(Write("new.csv", "1.5,2.5\n3.5,4.5\n")).Single();
        Assert.Equal([1.5f, 3.5f], ((NumberColumn)rows.Column("#1")).Values);
        Assert.Equal([2.5f, 4.5f], ((NumberColumn)rows.Column("#2")).Values);
    }

    [Fact]
    public void Run_UnnamedFirstColumn_StillKnowsItsHeader()
    {
        string train = Write("train.csv", ",a,y\n" + Rows(300, i => $"{(i * 7) % 11}.5,{i % 7}.5,{(i % 3 == 0 ? "lo" : "hi")}"));
        using var run = Train(new TrainRequest { Data = train, Target = "y" });
        Assert.Equal(["#0", "a"], run.Predictor.Schema.Inputs.Columns.Select(c => c.Name));
        TableChunk rows = run.ReadInputs(Write("new.csv", ",a\n1,2\n")).Single();
        Assert.Equal([2f], ((NumberColumn)rows.Column("a")).Values);
    }

    [Fact]
    public void Run_DayFirstDates_StayDayFirstInALaterFile()
    {
        string train = Write("train.csv", "when,y\n" + Rows(300, i => string.Create(CultureInfo.InvariantCulture, $"{1 + (i % 28)}/{1 + (i % 12)}/2023,{(i % 3 == 0 ? "lo" : "hi")}")));
        using var run = Train(new TrainRequest { Data = train, Target = "y" });
        float Day(string cell) => ((NumberColumn)run.ReadInputs(Write("new.csv", $"when\n{cell}\n")).Single().Columns[0]).Values[0];
        Assert.Equal(19816, Day("03/04/2024")); // 3 April
        Assert.Equal(19816, Day("2024-04-03"));
        using var rows = Table.LoadLike(Write("eval.csv", "when,y\n03/04/2024,lo\n"), FeatureEncoder.Open(run.Folder.Path).Labelled, new TableOptions(), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(19816, ((NumberColumn)rows.ReadChunk(0).Column("when")).Values[0]);
    }

    [Fact]
    public void Run_BooleansOfAnotherFormat_AreTheSameValues()
    {
        string train = Write("train.csv", "flag,x,y\n" + Rows(300, i => $"{(i % 2 == 0 ? "True" : "False")},{i % 9}.5,{(i % 2 == 0 == (i % 10 != 3) ? "True" : "False")}"));
        using var run = Train(new TrainRequest { Data = train, Target = "y" });
        string csv = Write("new.csv", "flag,x,y\n" + Rows(60, i => $"{(i % 2 == 0 ? "True" : "False")},1.5,{(i % 2 == 0 ? "True" : "False")}"));
        string jsonl = Write("new.jsonl", Rows(60, i => $$"""{"flag": {{(i % 2 == 0 ? "true" : "false")}}, "x": 1.5, "y": {{(i % 2 == 0 ? "true" : "false")}}}"""));
        Assert.Equal(run.Predictor.Score(run.ReadInputs(csv).Single()), run.Predictor.Score(run.ReadInputs(jsonl).Single()));
        Assert.Equal(1, run.Evaluate(csv).Metrics["accuracy"].Value);
        Assert.Equal(1, run.Evaluate(jsonl).Metrics["accuracy"].Value);
    }

    [Fact]
    public void SecondFile_NewValuesAndLeftOutColumns_AreTakenAsPredictTakesThem()
    {
        string train = Write("train.csv", "id,flag,note,x,y\n" + Rows(300, i => $"{i},{(i % 2 == 0 ? "yes" : "no")},{i % 4},{i % 9}.5,{i % 30}.5"));
        string test = Write("test.csv", "x,flag,y\n" + Rows(30, i => $"{i % 9}.5,{(i == 7 ? "maybe" : "yes")},{i + 1}"));
        var request = new TrainRequest { Data = train, Target = "y", Exclude = ["note"], TestFile = test };
        using var run = Train(request);
        Assert.Equal(30, run.Record.Rows["test"]);
        Assert.Equal(run.Record.Metrics["test"].Metrics["rmse"].Value, run.Evaluate(test).Metrics["rmse"].Value, 1e-9);
        string without = Write("without.csv", "flag,y\n" + Rows(30, i => $"yes,{i}.5"));
        string message = Assert.Throws<DataException>(() => run.Evaluate(without)).Message;
        Assert.Contains("column 'x' is missing; the model was trained on it", message);
        Assert.Equal(message, Assert.Throws<DataException>(() => Train(request with { TestFile = without }, "other")).Message);
    }

    private Run Train(TrainRequest request, string name = "run") => Job.Train(request, _folder.File(name), [new StepFamily("steps")]);

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder.File(name), text);
        return _folder.File(name);
    }

    private static string Rows(int count, Func<int, string> row)
    {
        var text = new StringBuilder();
        for (int i = 0; i < count; i++)
            text.Append(row(i)).Append('\n');
        return text.ToString();
    }
}
