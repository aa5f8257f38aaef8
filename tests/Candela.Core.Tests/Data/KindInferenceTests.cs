using System.Globalization;
using Candela.Data;

namespace Candela.Tests.Data;

public sealed class KindInferenceTests : IDisposable
{
    private readonly DataFiles _files = new();

    public void Dispose() => _files.Dispose();

    /// <summary>Columns a person would name without thinking; each is one cell per row number.</summary>
    public static TheoryData<string, ColumnKind, int> Columns => new()
    {
        { "row", ColumnKind.Identifier, 0 },
        { "serial", ColumnKind.Identifier, 1 },
        { "PassengerId", ColumnKind.Identifier, 2 },
        { "code", ColumnKind.Identifier, 3 },
        { "hash", ColumnKind.Identifier, 4 },
        { "length", ColumnKind.Number, 5 },
        { "fraction", ColumnKind.Number, 6 },
        { "year", ColumnKind.Integer, 7 },
        { "population", ColumnKind.Integer, 8 },
        { "grade", ColumnKind.Integer, 9 },
        { "flag", ColumnKind.Boolean, 10 },
        { "answer", ColumnKind.Boolean, 11 },
        { "yn", ColumnKind.Boolean, 12 },
        { "colour", ColumnKind.Category, 13 },
        { "answer in words", ColumnKind.Category, 14 },
        { "review", ColumnKind.Text, 15 },
        { "评论", ColumnKind.Text, 16 },
        { "day", ColumnKind.Date, 17 },
        { "european", ColumnKind.Date, 18 },
        { "american", ColumnKind.Date, 19 },
        { "stamp", ColumnKind.Date, 20 },
        { "same", ColumnKind.Constant, 21 },
        { "nothing", ColumnKind.Constant, 22 },
        { "zip", ColumnKind.Category, 23 },
        { "whole floats", ColumnKind.Integer, 24 },
        { "person", ColumnKind.Text, 25 },
        { "huge", ColumnKind.Number, 26 },
        { "with gaps", ColumnKind.Number, 27 },
        { "flag or empty", ColumnKind.Category, 28 },
        { "Feb 3, 2021", ColumnKind.Date, 29 },
    };

    [Theory, Trait("Kind", "golden"), MemberData(nameof(Columns))]
    public void Load_PlainColumn_GetsTheKindAPersonWouldSay(string name, ColumnKind expected, int column)
    {
        string text = $"other,\"{name}\"\n" + string.Concat(Enumerable.Range(0, 200).Select(i => $"{i % 7},\"{Cell(column, i)}\"\n"));
        using Table table = _files.Load("k.csv", text);
        Assert.Equal((name, expected), (table.Schema.Columns[1].Name, table.Schema.Columns[1].Kind));
        Assert.NotEqual("", table.Schema.Columns[1].Note);
    }

    [Fact, Trait("Kind", "golden")]
    public void Load_SmallNumericTable_HasNoIdentifier()
    {
        using Table table = _files.Load("s.csv", "a,b,c\n" + string.Concat(Enumerable.Range(0, 150).Select(i => FormattableString.Invariant($"{0.1 + (i * 0.37)},{1000 + (i * 31)},{i * i}\n"))));
        Assert.DoesNotContain(table.Schema.Columns, c => c.Kind == ColumnKind.Identifier);
    }

    [Theory, Trait("Kind", "golden")]
    [InlineData("1,0,good film\n0,1,bad film\n1,1,so so\n", false)]
    [InlineData("a fine film , of course\t1\nnot a fine film at all\t0\nthe same as ever\t1\n", false)]
    [InlineData("text\tlabel\na fine film , of course\tpos\nnot a fine film at all\tneg\nthe same as ever\tpos\nthe same as never\tneg\n", true)]
    [InlineData("red,round\nblue,square\nred,square\nblue,round\nred,round\n", false)]
    [InlineData("colour,shape\nblue,square\nred,square\nblue,round\nred,round\n", true)]
    [InlineData("x,y\n1,2\n3,4\n", true)]
    [InlineData("id,2019,2020\na,1,2\nb,3,4\n", false)]
    [InlineData("3,4\n1,2\n", false)]
    [InlineData("name,2019 sales,2020 sales\na,1,2\nb,3,4\n", true)]
    public void Load_FirstRow_IsTakenForAHeaderWhenItLooksLikeOne(string text, bool header)
    {
        using Table table = _files.Load("h.txt", text);
        Assert.Equal(header, table.Schema.Columns[0].Name != "#0");
    }

    [Fact, Trait("Kind", "golden")]
    public void Load_CountLineBeforeAHeader_KeepsTheHeader()
    {
        using Table table = _files.Load("boston.csv", "4,2,\n\"CRIM\",\"ZN\",\"MEDV\"\n0.1,18,24\n0.2,0,21.6\n0.3,0,34.7\n0.5,1,33.4\n");
        Assert.Equal(["CRIM", "ZN", "MEDV"], table.Schema.Columns.Select(c => c.Name));
        Assert.Equal(4, table.Rows);
    }

    [Fact, Trait("Kind", "golden")]
    public void Load_TwoWholeNumbersFirst_AreDataWhenTheCountDoesNotFit()
    {
        using Table table = _files.Load("c.csv", "30,2,x\n1,3,y\n2,4,x\n5,6,z\n");
        Assert.Equal(4, table.Rows);
        Assert.Empty(_files.Events);
    }

    [Theory, Trait("Kind", "property")]
    [InlineData("0\n", "1\n", ColumnKind.Boolean)]
    [InlineData("b\n", "s\n", ColumnKind.Category)]
    [InlineData("3\n", "4.5\n", ColumnKind.Number)]
    [InlineData("NA\n", "7\n8\n", ColumnKind.Integer)]
    public void Load_SortedFile_SeesBeyondItsConstantBeginning(string before, string after, ColumnKind expected)
    {
        // 70,000 equal cells fill all the rows from which kinds are first guessed.
        string text = "v,w\n" + string.Concat(Enumerable.Repeat("1.5," + before, 70_000)) + string.Concat(Enumerable.Repeat(string.Concat(after.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(a => $"2.5,{a}\n")), 50));
        using Table table = _files.Load("sorted.csv", text);
        Assert.Equal([ColumnKind.Number, expected], table.Schema.Columns.Select(c => c.Kind));
        Assert.Equal(2, table.ChunkCount);
    }

    [Fact, Trait("Kind", "property")]
    public void Load_FractionAfterTheHead_MakesTheColumnANumber()
    {
        using Table table = _files.Load("late.csv", "v\n" + string.Concat(Enumerable.Range(0, 70_000).Select(i => $"{i % 9}\n")) + "0.5\n");
        Assert.Equal(ColumnKind.Number, table.Schema.Columns[0].Kind);
    }

    [Fact, Trait("Kind", "property")]
    public void Load_NamesWithoutEnd_BecomeTextOncePastTheDictionary()
    {
        using Table table = _files.Load("many.csv", "c,x\n" + string.Concat(Enumerable.Range(0, 130_000).Select(i => $"name {(i < 70_000 ? i % 300 : i)},1.5\n")) + "last,2.5\n");
        Assert.Equal(ColumnKind.Text, table.Schema.Columns[0].Kind);
        Assert.Equal("name 129999", ((TextColumn)table.ReadChunk(1).Columns[0]).Values[129_999 - 65_536]);
    }

    [Fact, Trait("Kind", "property")]
    public void Load_SequenceThatBreaks_IsNoIdentifier()
    {
        using Table table = _files.Load("seq.csv", "n,x\n" + string.Concat(Enumerable.Range(0, 70_000).Select(i => $"{i},1.5\n")) + "5,2.5\n");
        Assert.Equal(ColumnKind.Integer, table.Schema.Columns[0].Kind);
    }

    private static string Cell(int column, int i) => column switch
    {
        0 or 1 => (i + 1).ToString(CultureInfo.InvariantCulture),
        2 => (1000 + (i * 7 % 1009)).ToString(CultureInfo.InvariantCulture),
        3 => $"PX-{i:0000}",
        4 => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(i)))[..16],
        5 => (i * 0.013).ToString("R", CultureInfo.InvariantCulture),
        6 => $"{i}.25",
        7 => (1900 + (i % 60)).ToString(CultureInfo.InvariantCulture),
        8 => ((i * 7919) + 12345).ToString(CultureInfo.InvariantCulture),
        9 => (1 + (i % 5)).ToString(CultureInfo.InvariantCulture),
        10 => (i % 3 == 0 ? 1 : 0).ToString(CultureInfo.InvariantCulture),
        11 => i % 3 == 0 ? "yes" : "No",
        12 => i % 3 == 0 ? "Y" : "N",
        13 => new[] { "red", "green", "blue" }[i % 3],
        14 => new[] { "strongly agree with what was said", "strongly disagree with what was said", "neither agree nor disagree with it" }[i % 3],
        15 => $"I watched it {i} times and it was {(i % 2 == 0 ? "good" : "bad")}",
        16 => $"味道很好，送餐也快，第{i}次点了",
        17 => new DateTime(2020, 1, 1).AddDays(i).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        18 => new DateTime(2020, 1, 1).AddDays(i).ToString("dd.MM.yyyy", CultureInfo.InvariantCulture),
        19 => new DateTime(2020, 1, 1).AddDays(i).ToString("MM/dd/yyyy", CultureInfo.InvariantCulture),
        20 => new DateTime(2020, 1, 1).AddMinutes(i * 77).ToString("yyyy-MM-ddTHH:mm:ss'Z'", CultureInfo.InvariantCulture),
        21 => "7",
        22 => "",
        23 => $"0{1000 + (i % 15)}",
        24 => $"{i % 40}.0",
        25 => $"{new[] { "Anna", "Boris", "Chen", "Dora" }[i % 4]} van {(char)('A' + (i % 26))}{(char)('a' + (i / 26))}ber",
        26 => (10_000_000_000L + (i * 977)).ToString(CultureInfo.InvariantCulture),
        27 => i % 4 == 0 ? "?" : $"{i}.5",
        28 => i % 4 == 0 ? "chosen" : "",
        _ => new DateTime(2021, 1, 5).AddDays(i).ToString("MMM d, yyyy", CultureInfo.InvariantCulture),
    };
}
