using System.Text;
using Candela.Formats;
using CsCheck;

namespace Candela.Tests.Formats;

public class NpyFileTests
{
    // np.save of np.array([[1, 2, 3], [4, 5, 6]], order=...) as numpy 1.x writes it: magic, version, header padded with blanks to a multiple of 64.
    private static byte[] Numpy(string descr, bool fortran, string shape, byte[] data, byte version = 1)
    {
        string header = $"{{'descr': '{descr}', 'fortran_order': {(fortran ? "True" : "False")}, 'shape': {shape}, }}";
        int sizes = version == 1 ? 2 : 4;
        header = header.PadRight((((8 + sizes + header.Length + 1 + 63) / 64) * 64) - 8 - sizes - 1) + "\n";
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)header.Length) : BitConverter.GetBytes(header.Length);
        return [0x93, .. Encoding.ASCII.GetBytes("NUMPY"), version, 0, .. length, .. Encoding.ASCII.GetBytes(header), .. data];
    }

    [Theory]
    [Trait("Kind", "golden")]
    [InlineData("<i4", false, 1, new byte[] { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0 })]
    [InlineData("<i4", true, 2, new byte[] { 1, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 6, 0, 0, 0 })]
    [InlineData(">i2", false, 3, new byte[] { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 })]
    [InlineData("|u1", true, 1, new byte[] { 1, 4, 2, 5, 3, 6 })]
    public void Read_NumpyLayout_GivesRowMajorValues(string descr, bool fortran, byte version, byte[] data)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("x.npy"), Numpy(descr, fortran, "(2, 3)", data, version));
        var array = NpyFile.Read(folder.File("x.npy"));
        Assert.Equal([2, 3], array.Shape);
        Assert.Equal([1f, 2, 3, 4, 5, 6], array.ToSingles());
        Assert.Equal([1L, 2, 3, 4, 5, 6], array.ToInt64());
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Write_Singles_IsByteForByteWhatNumpyWrites()
    {
        using var folder = new TemporaryFolder();
        NpyFile.Write(folder.File("x.npy"), RawTensor.Of("x", [2], [1.5f, -2f]));
        byte[] expected = Numpy("<f4", false, "(2,)", [0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0]);
        Assert.Equal(128 + 8, expected.Length);
        Assert.Equal(expected, File.ReadAllBytes(folder.File("x.npy")));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Npz_AnyArrays_ComeBackBitForBit()
    {
        using var folder = new TemporaryFolder();
        var array = from shape in Gen.Int[0, 4].Array[0, 4] from seed in Gen.Long select (shape, seed);
        array.Array[0, 5].Sample(
            items =>
            {
                var arrays = items.Select((item, i) =>
                {
                    var rng = new Rng(item.seed);
                    var values = new double[item.shape.Aggregate(1, (a, b) => a * b)];
                    for (int k = 0; k < values.Length; k++)
                        values[k] = BitConverter.UInt64BitsToDouble(rng.NextUInt64());
                    return RawTensor.Of($"a{i}", item.shape, values);
                }).ToList();
                NpzFile.Write(folder.File("x.npz"), arrays, compress: arrays.Count % 2 == 0);
                var read = NpzFile.Read(folder.File("x.npz"));
                Assert.Equal(arrays.Select(a => a.Name), read.Select(a => a.Name));
                for (int i = 0; i < arrays.Count; i++)
                {
                    Assert.Equal(arrays[i].Shape, read[i].Shape);
                    Assert.Equal(arrays[i].Bytes.ToArray(), read[i].Bytes.ToArray());
                }
            },
            iter: 100,
            threads: 1);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Read_CutAnywhereOrWrong_IsRefusedWithTheFileNamed()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("x.npy"), zip = folder.File("x.npz");
        NpyFile.Write(path, RawTensor.Of("x", [3, 2], [1f, 2, 3, 4, 5, 6]));
        NpzFile.Write(zip, [NpyFile.Read(path)]);
        byte[] good = File.ReadAllBytes(path), goodZip = File.ReadAllBytes(zip);
        for (int length = 0; length < good.Length; length++)
        {
            File.WriteAllBytes(path, good[..length]);
            Assert.Equal(path, Assert.Throws<FileFormatException>(() => NpyFile.Read(path)).Path);
        }

        for (int length = 0; length < goodZip.Length; length++)
        {
            File.WriteAllBytes(zip, goodZip[..length]);
            Assert.Throws<FileFormatException>(() => NpzFile.Read(zip));
        }

        File.WriteAllBytes(path, [.. good, 0]);
        Assert.Throws<FileFormatException>(() => NpyFile.Read(path));
        File.WriteAllBytes(path, Numpy("|O", false, "(1,)", new byte[8]));
        Assert.Equal(Fault.Unsupported, Assert.Throws<FileFormatException>(() => NpyFile.Read(path)).Fault);
        File.WriteAllBytes(path, Numpy("<f4", false, "(99999, 99999, 99999)", new byte[8]));
        Assert.Equal(Fault.Unsupported, Assert.Throws<FileFormatException>(() => NpyFile.Read(path)).Fault);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Npz_EntryLongerThanItSays_IsNotInflatedFurther()
    {
        using var folder = new TemporaryFolder();
        string zip = folder.File("x.npz");
        NpzFile.Write(zip, [RawTensor.Of("x", [1 << 24], new float[1 << 24])], compress: true);
        byte[] bytes = File.ReadAllBytes(zip);
        int directory = bytes.AsSpan().LastIndexOf("PK\x1\x2"u8);
        BitConverter.GetBytes(1000).CopyTo(bytes, directory + 24); // the uncompressed length
        File.WriteAllBytes(zip, bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<FileFormatException>(() => NpzFile.Read(zip));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Read_UnsignedNumbers_AreKeptAndWrittenAlike()
    {
        using var folder = new TemporaryFolder();
        foreach ((string descr, byte[] data, long value) in (IEnumerable<(string, byte[], long)>)[("<u2", [0xff, 0xff], 65535), (">u4", [0xff, 0, 0, 1], 4278190081), ("<u8", [1, 0, 0, 0, 0, 0, 0, 0x7f], 9151314442816847873)])
        {
            File.WriteAllBytes(folder.File("x.npy"), Numpy(descr, false, "(1,)", data));
            RawTensor tensor = NpyFile.Read(folder.File("x.npy"));
            Assert.Equal([value], tensor.ToInt64());
            Assert.Equal([value], tensor.ToSingles());
            NpyFile.Write(folder.File("y.npy"), tensor);
            Assert.Equal([value], NpyFile.Read(folder.File("y.npy")).ToInt64());
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Npz_FlippedByteInTheData_IsRefused()
    {
        using var folder = new TemporaryFolder();
        string zip = folder.File("x.npz");
        NpzFile.Write(zip, [RawTensor.Of("x", [64], new float[64])]);
        byte[] bytes = File.ReadAllBytes(zip);
        bytes[250] ^= 1; // inside the array's data
        File.WriteAllBytes(zip, bytes);
        Assert.Throws<FileFormatException>(() => NpzFile.Read(zip));
    }
}
