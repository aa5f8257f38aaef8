using System.Buffers.Binary;
using Candela.Data;
using Candela.Models;
using StbImageWriteSharp;

namespace Candela.Tests.Data;

/// <summary>Image folders and IDX files.</summary>
public sealed class ImageTableTests : IDisposable
{
    private readonly DataFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact, Trait("Kind", "golden")]
    public void Load_ColourFolder_GivesPlanesAndClasses()
    {
        WritePng("data/cat/1.png", 3, 2, (y, x, c) => (byte)((100 * c) + (10 * y) + x));
        WritePng("data/cat/2.png", 3, 2, (y, x, c) => 7);
        WritePng("data/dog/1.png", 3, 2, (y, x, c) => (byte)(c == 0 ? 255 : 0));
        using Table table = Table.Load(_files.PathOf("data"), null, _files, TestContext.Current.CancellationToken);
        Assert.Equal(new ImageShape(3, 2, 3), table.Schema.Columns[0].Image);
        TableChunk chunk = table.ReadChunk(0);
        Assert.Equal(["cat", "cat", "dog"], Enumerable.Range(0, 3).Select(((CategoryColumn)chunk.Column("label")).NameAt));
        // [C, H, W]: red plane, then green, then blue.
        Assert.Equal(new byte[] { 0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112, 200, 201, 202, 210, 211, 212 }, ((ImageColumn)chunk.Column("image")).At(0).ToArray());
        Assert.Empty(_files.Events);
        Assert.Equal(64, table.DataHash.Length);
    }

    [Fact, Trait("Kind", "golden")]
    public void Load_RgbFilesOfGreyPictures_AreGrey()
    {
        for (int i = 0; i < 5; i++)
            WritePng($"data/c{i % 2}/{i}.png", 4, 4, (y, x, c) => (byte)(i + (16 * y) + x));
        using Table table = Table.Load(_files.PathOf("data"), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(new ImageShape(1, 4, 4), table.Schema.Columns[0].Image);
        Assert.Equal(17, ((ImageColumn)table.ReadChunk(0).Columns[0]).At(0)[5]);
        WritePng("data/c1/last.png", 4, 4, (y, x, c) => (byte)(c * 90));
        using Table coloured = Table.Load(_files.PathOf("data"), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(3, coloured.Schema.Columns[0].Image!.Channels);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Load_OtherSizes_AreResizedBilinearlyAndSaid()
    {
        WritePng("data/a/1.png", 2, 2, (y, x, c) => 50);
        WritePng("data/a/2.png", 2, 2, (y, x, c) => 50);
        WritePng("data/b/3.png", 4, 4, (y, x, c) => (byte)(10 * x));
        _files.Write("data/b/readme.txt", "not an image");
        using Table table = Table.Load(_files.PathOf("data"), null, _files, TestContext.Current.CancellationToken);
        Assert.Equal(["files-skipped", "images-resized"], _files.Events.OfType<Warned>().Select(w => w.Code));
        // Halving with centres at halves takes the mean of two neighbours: (0 + 10) / 2 and (20 + 30) / 2.
        Assert.Equal(new byte[] { 5, 25, 5, 25 }, ((ImageColumn)table.ReadChunk(0).Columns[0]).At(2).ToArray());
    }

    [Fact, Trait("Kind", "property")]
    public void Load_SpilledImages_EqualThoseInMemory()
    {
        for (int i = 0; i < 6; i++)
            WritePng($"data/c{i % 2}/{i}.png", 5, 3, (y, x, c) => (byte)((i * 40) + (x * y) + c));
        using Table a = Table.Load(_files.PathOf("data"), cancellation: TestContext.Current.CancellationToken);
        using Table b = Table.Load(_files.PathOf("data"), new TableOptions { MemoryBudget = 0 }, cancellation: TestContext.Current.CancellationToken);
        Assert.False(b.InMemory);
        StorageTests.AssertSame(a.ReadChunk(0), b.ReadChunk(0));
        TableChunk[] scanned = [.. TableScan.Read(_files.PathOf("data"), a.Schema, new TableOptions(), 4)];
        Assert.Equal([4, 2], scanned.Select(c => c.Rows));
        StorageTests.AssertSame(a.ReadChunk(0).Take([0, 1, 2, 3]), scanned[0]);
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_BrokenImage_NamesTheFile()
    {
        WritePng("data/a/1.png", 8, 8, (y, x, c) => (byte)(x * y * 31));
        string path = _files.PathOf("data/a/1.png");
        byte[] whole = File.ReadAllBytes(path);
        for (int part = 1; part < 10; part++)
        {
            File.WriteAllBytes(path, whole[..(whole.Length * part / 10)]);
            Assert.Equal(path, Assert.Throws<FileFormatException>(() => Table.Load(_files.PathOf("data"), cancellation: TestContext.Current.CancellationToken)).Path);
        }

        File.Delete(path);
        Assert.Contains("no PNG or JPEG", Assert.Throws<DataException>(() => Table.Load(_files.PathOf("data"), cancellation: TestContext.Current.CancellationToken)).Message);
    }

    [Theory, Trait("Kind", "golden")]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_Idx_GivesImagesAndLabels(bool gzip)
    {
        string images = Idx("images", gzip, [3, 2, 2], [.. Enumerable.Range(0, 12).Select(i => (byte)i)]);
        string labels = Idx("labels", gzip, [3], [9, 2, 9]);
        using Table table = Table.Load(images, new TableOptions { LabelsFile = labels }, cancellation: TestContext.Current.CancellationToken);
        TableChunk chunk = table.ReadChunk(0);
        Assert.Equal(new byte[] { 4, 5, 6, 7 }, ((ImageColumn)chunk.Columns[0]).At(1).ToArray());
        Assert.Equal(["2", "9"], ((CategoryColumn)chunk.Columns[1]).Names);
        Assert.Equal([1, 0, 1], ((CategoryColumn)chunk.Columns[1]).Codes);
        using Table unlabelled = Table.Load(images, cancellation: TestContext.Current.CancellationToken);
        Assert.Single(unlabelled.Schema.Columns);
        Assert.NotEqual(table.DataHash, unlabelled.DataHash);
    }

    [Theory, Trait("Kind", "golden")]
    [InlineData(3, 2, 2, "0,3,6,9,1,4,7,10,2,5,8,11", true)]
    [InlineData(3, 2, 2, "0,1,2,3,4,5,6,7,8,9,10,11", false)]
    public void Load_IdxOfFourDimensions_FindsTheChannels(int channels, int height, int width, string expected, bool last)
    {
        string path = Idx("four", false, last ? [1, height, width, channels] : [1, channels, height, width], [.. Enumerable.Range(0, 12).Select(i => (byte)i)]);
        using Table table = Table.Load(path, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(new ImageShape(channels, height, width), table.Schema.Columns[0].Image);
        Assert.Equal(expected, string.Join(',', ((ImageColumn)table.ReadChunk(0).Columns[0]).Pixels));
    }

    [Fact, Trait("Kind", "fault")]
    public void Load_IdxOfWrongLength_IsRefused()
    {
        byte[] pixels = [.. Enumerable.Range(0, 12).Select(i => (byte)i)];
        string images = Idx("images", false, [3, 2, 2], pixels);
        string longer = Idx("longer", false, [3, 2, 2], [.. pixels, 1]);
        string shorter = Idx("shorter", false, [3, 2, 2], pixels[..11]);
        string fewer = Idx("fewer", false, [2], [1, 2]);
        string cut = Idx("cut", false, [3], [1, 2]);
        Assert.Equal(Fault.Corrupt, Assert.Throws<FileFormatException>(() => Table.Load(longer, cancellation: TestContext.Current.CancellationToken)).Fault);
        Assert.Contains("after 2 of the 3 images", Assert.Throws<FileFormatException>(() => Table.Load(shorter, cancellation: TestContext.Current.CancellationToken)).Message);
        Assert.Contains("2 labels for the 3 images", Assert.Throws<DataException>(() => Table.Load(images, new TableOptions { LabelsFile = fewer }, cancellation: TestContext.Current.CancellationToken)).Message);
        Assert.Contains("after 2 of 3 labels", Assert.Throws<FileFormatException>(() => Table.Load(images, new TableOptions { LabelsFile = cut }, cancellation: TestContext.Current.CancellationToken)).Message);
        Assert.Equal(Fault.WrongFormat, Assert.Throws<FileFormatException>(() => Table.Load(images, new TableOptions { LabelsFile = images }, cancellation: TestContext.Current.CancellationToken)).Fault);
        Assert.Contains("holds no images but labels", Assert.Throws<FileFormatException>(() => Table.Load(fewer, cancellation: TestContext.Current.CancellationToken)).Message);
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData(int.MaxValue, 28, 28, 1)]
    [InlineData(1, 1 << 22, 1 << 21, 1 << 21)]   // 2^64 bytes an image
    [InlineData(2, 3, 1 << 14, 1 << 14)]
    public void Load_IdxThatAnnouncesMoreThanThereIs_IsRefusedWithoutAllocating(int count, int a, int b, int c)
    {
        string images = Idx("hostile", false, [count, a, b, c], [1, 2, 3]);
        string labels = Idx("labels", true, [int.MaxValue], [1, 2, 3]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<FileFormatException>(() => Table.Load(images, new TableOptions { LabelsFile = labels }, cancellation: TestContext.Current.CancellationToken));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
    }

    private string Idx(string name, bool gzip, int[] sizes, byte[] values)
    {
        var bytes = new byte[4 + (4 * sizes.Length) + values.Length];
        (bytes[2], bytes[3]) = (8, (byte)sizes.Length);
        for (int i = 0; i < sizes.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + (4 * i)), sizes[i]);
        values.CopyTo(bytes, 4 + (4 * sizes.Length));
        return _files.Write(name + (gzip ? "-idx.gz" : "-idx"), gzip ? DataFiles.Gzip(bytes) : bytes);
    }

    private void WritePng(string name, int width, int height, Func<int, int, int, byte> pixel)
    {
        var pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = pixel(i / 3 / width, i / 3 % width, i % 3);
        using var memory = new MemoryStream();
        new ImageWriter().WritePng(pixels, width, height, ColorComponents.RedGreenBlue, memory);
        _files.Write(name, memory.ToArray());
    }
}
