using Candela.Forecasting;

namespace Candela.Tests.Forecasting;

public sealed class TimeSeriesSetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private TimeSeriesSet Read(string text, TimeSeriesOptions? options = null)
    {
        string path = Path.Combine(_folder, "series.csv");
        File.WriteAllText(path, text);
        return TimeSeriesSet.Read(path, options ?? new TimeSeriesOptions("y"), TestContext.Current.CancellationToken);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Read_SeveralSeriesInTurn_PartsThemAndKeepsInputsBesideValues()
    {
        TimeSeriesSet set = Read("day,shop,y,price\n2024-01-01,a,1,5\n2024-01-01,b,10,6\n2024-01-02,a,2,7\n2024-01-02,b,20,8\n", new TimeSeriesOptions("y") { Group = "shop", Inputs = ["price"] });
        Assert.Equal("day", set.Time);
        Assert.Equal(["a", "b"], set.Series.Select(s => s.Name));
        Assert.Equal([10.0, 20.0], set.Series[1].Values);
        Assert.Equal([6.0, 8.0], set.Series[1].Inputs[0]);
        Assert.Equal(64, set.DataHash.Length);
    }

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData("2024-01-31 2024-02-29 2024-03-31", 2, "2024-05-31")] // month ends
    [InlineData("1949-11 1949-12 1950-01", 1, "1950-02")]
    [InlineData("2023-11-15 2024-02-15 2024-05-15", 3, "2025-02-15")] // quarters
    [InlineData("2024-02-28 2024-02-29", 1, "2024-03-01")]
    [InlineData("2024-01-01T22:00 2024-01-01T23:00", 2, "2024-01-02T01:00")]
    [InlineData("31.12.2023 07.01.2024", 1, "14.1.2024")]
    [InlineData("0.1 0.2 0.3", 2, "0.5")]
    [InlineData("1990 1995", 1, "2000")]
    public void After_EqualSteps_GoesOnAsTheFileWritesTimes(string times, int steps, string expected)
    {
        string[] cells = times.Split(' ');
        TimeSeriesSet set = Read("t,y\n" + string.Concat(cells.Select((t, i) => $"{t},{i * i}\n")), new TimeSeriesOptions("y") { Time = "t" });
        Assert.True(set.Series[0].Times!.IsRegular);
        Assert.Equal(expected, set.Series[0].Times!.After(steps));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void After_UnequalSteps_HasNoTime()
    {
        TimeSeriesSet set = Read("t,y\n2024-01-01,1\n2024-01-02,2\n2024-01-05,3\n");
        Assert.False(set.Series[0].Times!.IsRegular);
        Assert.Null(set.Series[0].Times!.After(1));
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("t,y\n2024-01-01,1\n2024-01-02,\n2024-01-03,3\n", "data row 2 (2024-01-02)", "fill it in")]
    [InlineData("t,y\n2024-01-02,1\n2024-01-01,2\n", "goes back", "Sort the file")]
    [InlineData("t,y\n2024-01-01,1\n2024-01-01,2\n", "twice", "--group")]
    [InlineData("t,y\n2024-01-01,red\n2024-01-02,blue\n2024-01-03,red\n", "'y'", "needs numbers")]
    [InlineData("t,z\n2024-01-01,1\n2024-01-02,2\n", "no column 'y'", "Columns: t, z")]
    public void Read_WhatCannotBeASeries_SaysWhereAndWhatToDo(string text, string where, string what)
    {
        string message = Assert.Throws<DataException>(() => Read(text, new TimeSeriesOptions("y") { Time = "t" })).Message;
        Assert.Contains(where, message, StringComparison.Ordinal);
        Assert.Contains(what, message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Read_TimeThatIsNone_NamesTheCell()
    {
        string message = Assert.Throws<DataException>(() => Read("t,y\n2024-01-01,1\n2024-01-02,2\nlater,3\n", new TimeSeriesOptions("y") { Time = "t" })).Message;
        Assert.Contains("'later' in data row 3", message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Read_ColumnNamedTwice_IsRefused() =>
        Assert.Contains("named twice", Assert.Throws<UsageException>(() => Read("t,y\n1,1\n2,2\n", new TimeSeriesOptions("y") { Inputs = ["y"] })).Message, StringComparison.Ordinal);
}
