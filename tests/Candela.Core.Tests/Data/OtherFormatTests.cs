using Candela.Data;
using Parquet;
using Parquet.Schema;

namespace Candela.Tests.Data;

/// <summary>JSON Lines and Parquet.</summary>
public sealed class OtherFormatTests : IDisposable
{
    private readonly DataFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact, Trait("Kind", "golden")]
    public void Load_JsonLines_GivesTheSameTableAsCsv()
    {
        var csv = new System.Text.StringBuilder("age,name,ok,note\n");
        var json = new System.Text.StringBuilder();
        for (int i = 0; i < 50; i++)
        {
            string note = $"he said \\\"{i}\\\" \\u597d, and went on\\nto the next";
            json.Append(i % 10 == 0 ? "" : $"{{\"age\": {i % 7}.5, \"name\": \"{"abc"[i % 3]}\", \"ok\": {(i % 2 == 0 ? "true" : "false")}, \"note\": \"{note}\"}}\n");
            json.Append(i % 10 == 0 ? $"{{\"age\": null, \"name\": \"{"abc"[i % 3]}\", \"ok\": {(i % 2 == 0 ? "true" : "false")}}}\n\n" : "");
            csv.Append(i % 10 == 0 ? $",{"abc"[i % 3]},{(i % 2 == 0 ? "true" : "false")},\n" : $"{i % 7}.5,{"abc"[i % 3]},{(i % 2 == 0 ? "true" : "false")},\"he said \"\"{i}\"\" 好, and went on\nto the next\"\n");
        }

        using Table a = _files.Load("t.jsonl", json.ToString());
        using Table b = _files.Load("t.csv", csv.ToString());
        Assert.Equal(b.Schema.Columns, a.Schema.Columns);
        StorageTests.AssertSame(b.ReadChunk(0), a.ReadChunk(0));
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("{\"a\": 1}\n{\"a\": [1]}\n", "line 2, key 'a': the value is an array")]
    [InlineData("{\"a\": {\"b\": 1}}\n", "line 1, key 'a': the value is an object")]
    [InlineData("{\"a\": 1}\n\nnot json\n", "line 3: not a JSON object")]
    [InlineData("{\"a\": 1} {\"a\": 2}\n", "line 1: not a JSON object")]
    [InlineData("{\"a\": 1\n", "line 1: not a JSON object")]
    [InlineData("{}\n{}\n", "no JSON object with a key")]
    [InlineData("{\"a\": 1}\n{\"a\": 2}\n{\"a\": \"x\"}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n{\"a\": 2}\n", "line 3, column 'a': 'x' is not a number")]
    public void Load_BadJsonLines_NamesLineAndKey(string text, string expected)
    {
        string path = _files.Write("bad.jsonl", text);
        Assert.Contains(expected, Assert.Throws<DataException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken)).Message);
    }

    [Fact, Trait("Kind", "golden")]
    public async Task Load_Parquet_GivesTypedColumns()
    {
        string path = await WriteParquet("t.parquet", groups: 3, rows: 40);
        using Table table = Table.Load(path, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(120, table.Rows);
        Assert.Equal([ColumnKind.Number, ColumnKind.Integer, ColumnKind.Category, ColumnKind.Boolean, ColumnKind.Date], table.Schema.Columns.Select(c => c.Kind));
        TableChunk chunk = table.ReadChunk(0);
        float[] x = ((NumberColumn)chunk.Column("x")).Values;
        Assert.Equal(float.NaN, x[3]);
        Assert.Equal(0.1f * 41, x[41], 1e-6f);
        Assert.Equal(5f, ((NumberColumn)chunk.Column("n")).Values[47]);
        Assert.Null(((CategoryColumn)chunk.Column("c")).NameAt(5));
        Assert.Equal("b", ((CategoryColumn)chunk.Column("c")).NameAt(1));
        Assert.Equal("true", ((CategoryColumn)chunk.Column("ok")).NameAt(0));
        Assert.Equal(19723.5f, ((NumberColumn)chunk.Column("when")).Values[0]);
    }

    [Fact, Trait("Kind", "fault")]
    public async Task Load_BrokenParquet_IsRefused()
    {
        byte[] whole = await File.ReadAllBytesAsync(await WriteParquet("t.parquet", groups: 1, rows: 400), TestContext.Current.CancellationToken);
        for (int part = 1; part < 20; part++)
        {
            string path = _files.Write("cut.parquet", whole[..Math.Max(4, whole.Length * part / 20)]);
            Assert.Equal(Fault.Truncated, Assert.Throws<FileFormatException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken)).Fault);
        }

        // A flipped byte in the footer is refused or, where it changes nothing that is read, harmless; never another exception.
        for (int at = whole.Length - 200; at < whole.Length - 8; at += 7)
        {
            byte[] flipped = [.. whole];
            flipped[at] ^= 0xff;
            string path = _files.Write("flip.parquet", flipped);
            try
            {
                Table.Load(path, cancellation: TestContext.Current.CancellationToken).Dispose();
            }
            catch (CandelaException)
            {
            }
        }
    }

    [Fact, Trait("Kind", "fault")]
    public async Task Load_ParquetThatAnnouncesABillionRows_IsRefusedWithoutAllocating()
    {
        byte[] whole = await File.ReadAllBytesAsync(await WriteParquet("t.parquet", groups: 1, rows: 400), TestContext.Current.CancellationToken);
        int footer = BitConverter.ToInt32(whole, whole.Length - 8), start = whole.Length - 8 - footer;
        // Thrift's compact numbers: 400 is A0 06, 1,499,746,048 is 80 BC A2 96 0B.
        List<byte> changed = [];
        for (int i = start; i < start + footer; i++)
        {
            if (whole[i] == 0xa0 && whole[i + 1] == 0x06)
            {
                changed.AddRange((byte[])[0x80, 0xbc, 0xa2, 0x96, 0x0b]);
                i++;
            }
            else
                changed.Add(whole[i]);
        }

        string path = _files.Write("many.parquet", [.. whole[..start], .. changed, .. BitConverter.GetBytes(changed.Count), .. "PAR1"u8]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("is said to have 1499746048 rows", Assert.Throws<FileFormatException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken)).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
    }

    [Fact, Trait("Kind", "fault")]
    public async Task Load_NestedParquet_NamesTheColumn()
    {
        string path = _files.PathOf("nested.parquet");
        var schema = new ParquetSchema(new DataField<int>("a"), new DataField("inner", typeof(int), isArray: true));
        await using (FileStream file = File.Create(path))
        await using (ParquetWriter writer = await ParquetWriter.CreateAsync(schema, file, cancellationToken: TestContext.Current.CancellationToken))
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            await group.WriteAsync<int>(schema.DataFields[0], new[] { 1, 2 }, cancellationToken: TestContext.Current.CancellationToken);
            await group.WriteAsync<int>(schema.DataFields[1], new[] { 1, 2, 3 }, new ReadOnlyMemory<int>([0, 1, 0]), cancellationToken: TestContext.Current.CancellationToken);
        }

        Assert.Contains("column 'inner' is a list", Assert.Throws<DataException>(() => Table.Load(path, cancellation: TestContext.Current.CancellationToken)).Message);
    }

    private async Task<string> WriteParquet(string name, int groups, int rows)
    {
        string path = _files.PathOf(name);
        var schema = new ParquetSchema(new DataField<double?>("x"), new DataField<long>("n"), new DataField<string>("c"), new DataField<bool>("ok"), new DataField<DateTime>("when"));
        CancellationToken stop = TestContext.Current.CancellationToken;
        await using FileStream file = File.Create(path);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(schema, file, cancellationToken: stop);
        for (int g = 0; g < groups; g++)
        {
            int[] index = [.. Enumerable.Range(g * rows, rows)];
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            await group.WriteAsync<double>(schema.DataFields[0], index.Select(i => i % 10 == 3 ? (double?)null : 0.1 * i).ToArray(), cancellationToken: stop);
            await group.WriteAsync<long>(schema.DataFields[1], index.Select(i => i % 7L).ToArray(), cancellationToken: stop);
            await group.WriteAsync(schema.DataFields[2], index.Select(i => i % 11 == 5 ? null! : "abc"[i % 3].ToString()).ToArray());
            await group.WriteAsync<bool>(schema.DataFields[3], index.Select(i => i % 2 == 0).ToArray(), cancellationToken: stop);
            await group.WriteAsync<DateTime>(schema.DataFields[4], index.Select(i => new DateTime(2024, 1, 1, 12, 0, 0, DateTimeKind.Utc).AddDays(i)).ToArray(), cancellationToken: stop);
        }

        return path;
    }
}
