using System.Text;
using Candela.Data;
using CsCheck;

namespace Candela.Tests.Data;

/// <summary>Random tables written to CSV by the rules of RFC 4180 and read back.</summary>
public sealed class CsvPropertyTests : IDisposable
{
    private static readonly Gen<string> Cell = Gen.OneOf(
        Gen.Const(""),
        Gen.String[Gen.OneOf('a', 'Z', '0', '9', ' ', ',', ';', '\t', '|', '"', '\n', '\'', '#', '好', 'é', '\u0416', '/', '-', '.'), 0, 12],
        Gen.Int.Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Gen.OneOf("NA", "null", "none", "-1.5e3", "\"", "\"\"", "😀", "a\r\nb"));

    private static readonly Gen<string[][]> Rows = Gen.Int[1, 5].SelectMany(width => Cell.Array[width].Array[1, 30]);

    private readonly DataFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact, Trait("Kind", "property")]
    public void Load_RandomTextTable_RoundTrips() => Gen.Select(Rows, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, (rows, bom, gzip, crlf, spill) => (rows, bom, gzip, crlf, spill)).Sample(t =>
    {
        int width = t.rows[0].Length;
        string[] names = [.. Enumerable.Range(0, width).Select(i => $"column {i}")];
        string text = Csv(t.rows.Prepend(names), t.crlf ? "\r\n" : "\n");
        byte[] bytes = [.. t.bom ? Encoding.UTF8.GetPreamble() : [], .. Encoding.UTF8.GetBytes(text)];
        string path = _files.Write($"t{Guid.NewGuid():n}.csv{(t.gzip ? ".gz" : "")}", t.gzip ? DataFiles.Gzip(bytes) : bytes);
        var options = new TableOptions { Header = HeaderMode.Yes, Kinds = names.ToDictionary(n => n, _ => ColumnKind.Text), MemoryBudget = t.spill ? 0 : 1 << 20 };
        using Table table = Table.Load(path, options);
        Assert.Equal(!t.spill, table.InMemory);
        Assert.Equal(names, table.Schema.Columns.Select(c => c.Name));
        TableChunk chunk = table.ReadChunk(0);
        Assert.Equal(t.rows.Length, chunk.Rows);
        for (int i = 0; i < width; i++)
            Assert.Equal(t.rows.Select(r => Trimmed(r[i])), ((TextColumn)chunk.Columns[i]).Values);
    }, iter: 400, threads: 1);

    [Fact, Trait("Kind", "property")]
    public void Load_RandomNumbers_RoundTripBitForBit() => Gen.Single.Array[2, 200].Sample(values =>
    {
        float[] numbers = [.. values.Select(v => float.IsFinite(v) ? v : float.NaN)];
        string path = _files.Write("n.csv", "x,y\n" + string.Concat(numbers.Select(v => FormattableString.Invariant($" {(float.IsNaN(v) ? "NA" : v.ToString("R", System.Globalization.CultureInfo.InvariantCulture))} ,1\n"))));
        using Table table = Table.Load(path, new TableOptions { Kinds = new Dictionary<string, ColumnKind> { ["x"] = ColumnKind.Number } });
        Assert.Equal(numbers.Select(BitConverter.SingleToInt32Bits), ((NumberColumn)table.ReadChunk(0).Columns[0]).Values.Select(BitConverter.SingleToInt32Bits));
    }, iter: 200, threads: 1);

    [Theory, Trait("Kind", "property")]
    [InlineData(',')]
    [InlineData(';')]
    [InlineData('\t')]
    [InlineData('|')]
    [InlineData(' ')]
    public void Load_AnyDelimiter_IsFound(char delimiter) => Gen.Int[2, 6].SelectMany(width => Gen.Int[0, 9999].Array[width].Array[3, 30]).Sample(rows =>
    {
        string text = string.Concat(rows.Select(r => string.Join(delimiter == ' ' ? "  " : delimiter.ToString(), r.Select(c => $"{c / 100.0:f2}")) + "\n"));
        using Table table = Table.Load(_files.Write("d.txt", text), new TableOptions { Header = HeaderMode.No, Kinds = Enumerable.Range(0, rows[0].Length).ToDictionary(i => $"#{i}", _ => ColumnKind.Number) });
        TableChunk chunk = table.ReadChunk(0);
        for (int i = 0; i < rows[0].Length; i++)
            Assert.Equal(rows.Select(r => (float)(r[i] / 100.0)), ((NumberColumn)chunk.Columns[i]).Values);
    }, iter: 40, threads: 1);

    private static string? Trimmed(string cell) => cell.Trim() is { Length: > 0 } text ? text : null;

    private static string Csv(IEnumerable<string[]> rows, string newLine) => string.Concat(rows.Select(r => string.Join(',', r.Select(Quote)) + newLine));

    private static string Quote(string cell) => cell.Length > 0 && cell.All(char.IsAsciiLetterOrDigit) ? cell : '"' + cell.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';
}
