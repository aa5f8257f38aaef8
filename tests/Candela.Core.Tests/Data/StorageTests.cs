using System.Security.Cryptography;
using Candela.Data;

namespace Candela.Tests.Data;

public sealed class StorageTests : IDisposable
{
    private readonly DataFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact, Trait("Kind", "conformance")]
    public void Load_Spilled_EqualsInMemoryCellForCell()
    {
        var rng = new Rng(1);
        string path = _files.Write("s.csv", "n,i,c,t,b,d\n" + string.Concat(Enumerable.Range(0, 150_000).Select(i =>
            FormattableString.Invariant($"{(rng.Next(20) == 0 ? "NA" : ((float)rng.NextDouble()).ToString("R", System.Globalization.CultureInfo.InvariantCulture))},{rng.Next(50)},{"abc"[rng.Next(3)]},{(rng.Next(9) == 0 ? "" : $"word {rng.Next(1 << 30)} é好 and more of it")},{rng.Next(2)},2024-01-{1 + rng.Next(28):00}\n"))));
        using Table memory = Table.Load(path, cancellation: TestContext.Current.CancellationToken);
        using Table spilled = Table.Load(path, new TableOptions { MemoryBudget = 0 }, cancellation: TestContext.Current.CancellationToken);
        using Table half = Table.Load(path, new TableOptions { MemoryBudget = 6 << 20 }, cancellation: TestContext.Current.CancellationToken);

        Assert.True(memory.InMemory);
        Assert.False(spilled.InMemory);
        Assert.False(half.InMemory);
        Assert.Equal(3, memory.ChunkCount);
        Assert.Equal(memory.DataHash, spilled.DataHash);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), memory.DataHash);
        foreach (Table other in new[] { spilled, half })
        {
            Assert.Equal(memory.Schema.Columns, other.Schema.Columns);
            foreach (int chunk in new[] { 2, 0, 1, 0, 2 })
                AssertSame(memory.ReadChunk(chunk), other.ReadChunk(chunk));
        }
    }

    [Fact, Trait("Kind", "leak")]
    public void Dispose_Spilled_LeavesNoFileBehind()
    {
        string path = _files.Write("s.csv", "a,b\n1,2\n3,4\n");
        var table = Table.Load(path, new TableOptions { MemoryBudget = 0 }, cancellation: TestContext.Current.CancellationToken);
        Table view = table.WithKinds(new Dictionary<string, ColumnKind> { ["a"] = ColumnKind.Category });
        string spill = table.SpillFile!;
        table.Dispose();
        table.Dispose();
        Assert.Equal(OperatingSystem.IsWindows(), File.Exists(spill)); // elsewhere it has no name even while open, so that a killed process leaves nothing
        Assert.Equal(3f, float.Parse(((CategoryColumn)view.ReadChunk(0).Columns[0]).NameAt(1)!, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Throws<ObjectDisposedException>(() => table.ReadChunk(0));
        view.Dispose();
        Assert.False(File.Exists(spill));
    }

    [Fact, Trait("Kind", "leak")]
    public void Pass_Spilled_ReadsEveryCellAndAllocatesTheSameForAnyNumberOfChunks()
    {
        long few = PassBytes(2), many = PassBytes(8);
        Assert.InRange(many, 0, few + (64 << 10)); // six more chunks are 3 MB of cells

        long PassBytes(int chunks)
        {
            using Table table = SpilledRows(chunks);
            long before = GC.GetAllocatedBytesForCurrentThread(), row = 0;
            foreach (TableChunk chunk in table.Pass())
                foreach (float cell in ((NumberColumn)chunk.Columns[0]).Values)
                    if (cell != row++ % 1000)
                        Assert.Fail($"row {row - 1} has {cell}");
            Assert.Equal(chunks * Table.ChunkRows, row);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact, Trait("Kind", "leak")]
    public void Batches_StreamedFromASpilledTable_LaterEpochsAllocateNoneOfTheLargeArrays()
    {
        using Table table = SpilledRows(8);
        var split = TableSplit.Whole(table, Part.Train);
        var problem = new Problem(TaskKind.Regression, "y", []);
        var source = new EncodedTable(table, split, Part.Train, FeatureEncoder.Fit(table, split, problem, ["x"], new FeatureRequest(FeatureStyle.Raw)), memoryBudget: 0);
        Assert.Equal(table.Rows, Epoch(0));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(table.Rows, Epoch(1));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 << 10); // one column of one chunk is 256 KiB

        long Epoch(int epoch) => source.Batches(new BatchPlan(256) { ShuffleSeed = 1, Epoch = epoch }).Sum(batch => (long)batch.Count);
    }

    private Table SpilledRows(int chunks) => Table.Load(
        _files.Write($"p{chunks}.csv", "x,y\n" + string.Concat(Enumerable.Range(0, chunks * Table.ChunkRows).Select(i => $"{i % 1000},{i % 7}.5\n"))),
        new TableOptions { MemoryBudget = 0 }, cancellation: TestContext.Current.CancellationToken);

    [Fact, Trait("Kind", "leak")]
    public void Load_Spilled_OnlyTheOwnerCouldReadTheFile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "open files are listed in /proc");
        using var table = Table.Load(_files.Write("m.csv", "a,b\n1,2\n3,4\n"), new TableOptions { MemoryBudget = 0 }, cancellation: TestContext.Current.CancellationToken);
        string open = Assert.Single(Directory.GetFiles("/proc/self/fd"), f => new FileInfo(f).LinkTarget?.StartsWith(table.SpillFile!, StringComparison.Ordinal) == true);
#pragma warning disable CA1416 // skipped elsewhere
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(open));
#pragma warning restore CA1416
    }

    [Fact]
    public void Load_Cancelled_EndsReadingAndLaterPasses()
    {
        string path = _files.Write("c.csv", "a,b\n1,2\n3,4\n");
        using var source = new CancellationTokenSource();
        using var table = Table.Load(path, null, null, source.Token);
        Assert.Single(table.Chunks());
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => table.Chunks().Count());
        using Table view = table.WithKinds(new Dictionary<string, ColumnKind> { ["a"] = ColumnKind.Number });
        Assert.Throws<OperationCanceledException>(() => view.Chunks().Count());
        Assert.Throws<OperationCanceledException>(() => Table.Load(path, null, null, source.Token));
    }

    [Fact, Trait("Kind", "golden")]
    public void WithKinds_ChangesHowCellsAreRead()
    {
        using Table table = _files.Load("w.csv", "a,b,c\n1,x,2020-01-01\n2,y,2020-01-02\n1,x,2020-01-03\n");
        using Table changed = table.WithKinds(new Dictionary<string, ColumnKind> { ["a"] = ColumnKind.Category, ["b"] = ColumnKind.Text });
        TableChunk chunk = changed.ReadChunk(0);
        Assert.Equal(["1", "2"], ((CategoryColumn)chunk.Column("a")).Names);
        Assert.Equal(["x", "y", "x"], ((TextColumn)chunk.Column("b")).Values);
        using Table words = table.WithKinds(new Dictionary<string, ColumnKind> { ["c"] = ColumnKind.Text });
        Assert.Equal("18262", ((TextColumn)words.ReadChunk(0).Column("c")).Values[0]);
        using Table back = changed.WithKinds(new Dictionary<string, ColumnKind> { ["a"] = ColumnKind.Number });
        Assert.Equal([1f, 2f, 1f], ((NumberColumn)back.ReadChunk(0).Column("a")).Values);
        Assert.Contains("Row 1, column 'b': 'x' is not a number", Assert.Throws<DataException>(() => table.WithKinds(new Dictionary<string, ColumnKind> { ["b"] = ColumnKind.Number })).Message);
        Assert.Contains("Did you mean 'a'?", Assert.Throws<DataException>(() => table.WithKinds(new Dictionary<string, ColumnKind> { ["A"] = ColumnKind.Number })).Message);
    }

    [Fact, Trait("Kind", "property")]
    public void Chunks_LongTexts_AreSmallerThanTheMost()
    {
        string text = new('x', 4000);
        using Table table = _files.Load("l.csv", "id,t\n" + string.Concat(Enumerable.Range(0, 12_000).Select(i => $"{i % 10},{text} {i} words and more words here\n")));
        Assert.True(table.ChunkCount > 1);
        Assert.Equal(12_000, Enumerable.Range(0, table.ChunkCount).Sum(table.RowsIn));
        Assert.Equal(table.RowsIn(0), table.FirstRow(1));
        Assert.Equal(table.FirstRow(1), table.ReadChunk(1).FirstRow);
    }

    internal static void AssertSame(TableChunk a, TableChunk b)
    {
        Assert.Equal((a.Rows, a.FirstRow), (b.Rows, b.FirstRow));
        for (int i = 0; i < a.Columns.Count; i++)
        {
            switch (a.Columns[i], b.Columns[i])
            {
                case (NumberColumn x, NumberColumn y):
                    Assert.True(x.Values.AsSpan().SequenceEqual(y.Values));
                    break;
                case (CategoryColumn x, CategoryColumn y):
                    Assert.Equal(Enumerable.Range(0, x.Count).Select(x.NameAt), Enumerable.Range(0, y.Count).Select(y.NameAt));
                    break;
                case (TextColumn x, TextColumn y):
                    Assert.Equal(x.Values, y.Values);
                    break;
                case (ImageColumn x, ImageColumn y):
                    Assert.Equal(x.Pixels, y.Pixels);
                    break;
                default:
                    Assert.Fail($"column {i}: {a.Columns[i].GetType().Name} and {b.Columns[i].GetType().Name}");
                    break;
            }
        }
    }
}
