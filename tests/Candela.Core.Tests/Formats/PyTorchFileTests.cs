using System.IO.Compression;
using System.Runtime.InteropServices;
using Candela.Formats;
using CsCheck;

namespace Candela.Tests.Formats;

/// <summary>Files are written by hand, opcode by opcode, as torch.save and pickletools describe them; no PyTorch was at hand.</summary>
public sealed class PyTorchFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():N}.bin");

    public void Dispose() => File.Delete(_path);

    [Fact]
    [Trait("Kind", "golden")]
    public void Open_StateDict_ReadsSharedStridedAndHalfTensors()
    {
        PickleBytes pickle = new PickleBytes().Global("collections", "OrderedDict").Op(")R").Raw((byte)'q', 0).Op("(");
        pickle.Text("a.weight").Tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1]);
        pickle.Text("a.turned").Tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3]);
        pickle.Text("a.row").Tensor("FloatStorage", "0", 6, 3, [3], [1]);
        pickle.Text("a.spread").Tensor("FloatStorage", "0", 6, 5, [2, 2], [0, 0]);
        pickle.Text("half").Global("torch._utils", "_rebuild_parameter").Op("(").Tensor("BFloat16Storage", "1", 2, 0, [2], [1]).Raw(0x88).Global("collections", "OrderedDict").Op(")RtR");
        pickle.Text("count").Tensor("LongStorage", "2", 1, 0, [], []);
        pickle.Text("none").Tensor("FloatStorage", "0", 6, 0, [0, 3], [3, 1]);
        pickle.Text("note").Text("not a tensor");
        pickle.Op("u}").Text("_metadata").Op("}sb"); // BUILD with the module versions
        Zip(pickle.Stop(), Bytes<float>(1, 2, 3, 4, 5, 6), Bytes<ushort>(0x3FC0, 0xC000), Bytes(7L));
        using PyTorchFile file = PyTorchFile.Open(_path);
        Assert.Equal(["a.row", "a.spread", "a.turned", "a.weight", "count", "half", "none"], file.Tensors.Select(t => t.Name));
        Assert.Equal([1f, 2, 3, 4, 5, 6], Read(file, "a.weight"));
        Assert.Equal([1f, 4, 2, 5, 3, 6], Read(file, "a.turned"));
        Assert.Equal([4f, 5, 6], Read(file, "a.row"));
        Assert.Equal([6f, 6, 6, 6], Read(file, "a.spread"));
        Assert.Equal([1.5f, -2], Read(file, "half"));
        Assert.Equal([7f], Read(file, "count"));
        Assert.Empty(Read(file, "none"));
        Assert.Throws<ShapeException>(() => file.ReadSingles("half", new float[3]));
        Assert.Contains("Did you mean 'half'", Assert.Throws<FileFormatException>(() => file.ReadSingles("hall", new float[2])).Message);
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Open_TrainingCheckpoint_ReadsItsStateDict()
    {
        PickleBytes pickle = new PickleBytes().Op("}(").Text("epoch").Int(3).Text("state_dict").Op("}").Text("w").Tensor("FloatStorage", "0", 1, 0, [1], [1]).Op("su");
        Zip(pickle.Stop(), Bytes(2.5f));
        using PyTorchFile file = PyTorchFile.Open(_path);
        Assert.Equal([2.5f], Read(file, "w"));
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Open_FormatBeforeZip_IsRead()
    {
        WriteOld(2);
        using (PyTorchFile file = PyTorchFile.Open(_path))
        {
            Assert.Equal([1f, 2], Read(file, "w"));
            Assert.Equal([3f], Read(file, "v"));
        }

        byte[] whole = File.ReadAllBytes(_path);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(_path, whole[..length]);
            Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path).Dispose());
        }

        WriteOld(3);
        Assert.Contains("storage '0'", Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path)).Message);
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("builtins", "getattr")]
    [InlineData("torch", "load")]
    [InlineData("torch._utils", "_rebuild_tensor_v2.__globals__")]
    [InlineData("torch.FloatStorage", "")]
    [Trait("Kind", "fault")]
    public void Open_ForeignGlobal_IsRefusedByName(string module, string name)
    {
        Zip(new PickleBytes().Global(module, name).Op("(").Text("touch /tmp/owned").Op("tR").Stop());
        FileFormatException byLine = Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path));
        Assert.Equal(Fault.Unsupported, byLine.Fault);
        Assert.Contains($"'{module}.{name}'", byLine.Message);
        Zip(new PickleBytes().Text(module).Text(name).Raw(0x93).Op("(").Text("touch /tmp/owned").Op("tR").Stop());
        Assert.Contains($"'{module}.{name}'", Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path)).Message);
    }

    [Theory]
    [InlineData("i")] // INST
    [InlineData("o")] // OBJ
    [InlineData("P0\n")] // PERSID
    [InlineData("I1\n")] // INT as text
    [InlineData("\u0001")]
    [Trait("Kind", "fault")]
    public void Open_OpcodeThatWeightsDoNotNeed_IsRefused(string code)
    {
        Zip(new PickleBytes().Op("(").Op(code).Stop());
        Assert.Contains("opcode", Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path)).Message);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Open_AbsurdTensors_AreRefused()
    {
        void Refused(string expected, Action<PickleBytes> write, params byte[][] storages)
        {
            PickleBytes pickle = new PickleBytes().Op("}").Text("w");
            write(pickle);
            Zip(pickle.Op("s").Stop(), storages);
            Assert.Contains(expected, Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path)).Message);
        }

        byte[] four = Bytes<float>(1, 2, 3, 4);
        Refused("needs 5 numbers of a storage of 4", p => p.Tensor("FloatStorage", "0", 4, 1, [4], [1]), four);
        Refused("needs 7 numbers", p => p.Tensor("FloatStorage", "0", 4, 0, [2, 4], [3, 1]), four);
        Refused("1000 numbers of type F32 were promised", p => p.Tensor("FloatStorage", "0", 1000, 0, [4], [1]), four);
        Refused("larger than any file", p => p.Tensor("FloatStorage", "0", 4, 0, [2147483647, 2147483647, 2147483647], [0, 0, 0]), four);
        Refused("larger than any file", p => p.Tensor("FloatStorage", "0", 4, 0, [3], [long.MaxValue]), four);
        Refused("the size -1", p => p.Tensor("FloatStorage", "0", 4, 0, [-1], [1]), four);
        Refused("the stride -1", p => p.Tensor("FloatStorage", "0", 4, 0, [2], [-1]), four);
        Refused("unknown kinds", p => p.Tensor("FloatStorage", "0", 4, -1, [2], [1]), four);
        Refused("unknown kinds", p => p.Tensor("FloatStorage", "0", 4, 0, [2], [1, 1]), four);
        Refused("storage '9'", p => p.Tensor("FloatStorage", "9", 4, 0, [2], [1]), four);
        Refused("storage '../0'", p => p.Tensor("FloatStorage", "../0", 4, 0, [2], [1]), four);
        Refused("unknown way", p => p.Text("0").Op("Q"));
        Refused("no name", p => p.Text("os.system").Op(")R"));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Open_BrokenPickles_AreRefusedWithoutOverflow()
    {
        PickleBytes deep = new();
        for (int i = 0; i < 200_000; i++)
            deep.Op("]");
        for (int i = 1; i < 200_000; i++)
            deep.Op("a"); // a list in a list, 200,000 deep
        PickleBytes itself = new PickleBytes().Op("]").Raw((byte)'q', 0, (byte)'h', 0).Op("a"); // a list in itself
        foreach (byte[] pickle in new[] { deep.Stop(), itself.Stop(), new PickleBytes().Op("t").Stop(), new PickleBytes().Op("s").Stop(), new PickleBytes().Raw((byte)'h', 5).Stop(), new PickleBytes().Op("(").Stop(),
            new PickleBytes().Op("X").Raw(0xFF, 0xFF, 0xFF, 0xFF).Stop(), new PickleBytes().Raw(0x8D).Raw(BitConverter.GetBytes(long.MaxValue)).Stop(), new PickleBytes().Op("cos\nsystem").Stop(), new PickleBytes().Raw(0x80, 9).Stop(),
            new PickleBytes().Op("X").Raw(1, 0, 0, 0, 0xFF).Stop(), [0x80, 2], [] })
        {
            Zip(pickle);
            Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path));
        }

        Zip(null);
        Assert.Contains("data.pkl", Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path)).Message);
        File.Delete(_path);
        Assert.Equal(Fault.Missing, Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path)).Fault);
        File.WriteAllText(_path, "hello, this is no tensor");
        Assert.Equal(Fault.WrongFormat, Assert.Throws<FileFormatException>(() => PyTorchFile.Open(_path)).Fault);
    }

    /// <summary>Damaged files are read or refused, nothing else. CANDELA_SLOW=1 gives it ten minutes.</summary>
    [Fact]
    [Trait("Kind", "fault")]
    public void Open_DamagedBytes_ReadsOrRefuses()
    {
        PickleBytes pickle = new PickleBytes().Op("}(").Text("w").Tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1]).Text("v").Tensor("HalfStorage", "1", 2, 0, [2], [1]).Op("u");
        byte[] program = pickle.Stop();
        WriteOld(2);
        byte[] old = File.ReadAllBytes(_path);
        Zip(program, Bytes<float>(1, 2, 3, 4, 5, 6), Bytes<ushort>(1, 2));
        byte[] zip = File.ReadAllBytes(_path);
        bool slow = Environment.GetEnvironmentVariable("CANDELA_SLOW") == "1";
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 100_000].Array[1, 4], Gen.Byte.Array[4]).Sample((kind, places, values) =>
        {
            byte[] bytes = [.. kind switch { 0 => program, 1 => old, _ => zip }];
            for (int i = 0; i < places.Length; i++)
                bytes[places[i] % bytes.Length] = values[i];
            if (kind == 0)
                Zip(bytes, Bytes<float>(1, 2, 3, 4, 5, 6), Bytes<ushort>(1, 2));
            else
                File.WriteAllBytes(_path, bytes);
            try
            {
                using PyTorchFile file = PyTorchFile.Open(_path);
                foreach (PyTorchTensor tensor in file.Tensors.Where(t => t.Shape.Aggregate(1L, (a, b) => a * b) < 1000))
                    _ = Read(file, tensor.Name);
            }
            catch (FileFormatException)
            {
            }
        }, iter: slow ? -1 : 2000, time: slow ? 600 : -1, threads: 1);
    }

    private static float[] Read(PyTorchFile file, string name)
    {
        var values = new float[file.Tensors.Single(t => t.Name == name).Shape.Aggregate(1, (a, b) => a * b)];
        file.ReadSingles(name, values);
        return values;
    }

    private static byte[] Bytes<T>(params ReadOnlySpan<T> values) where T : unmanaged => MemoryMarshal.AsBytes(values).ToArray();

    private void WriteOld(int promised)
    {
        using var stream = new MemoryStream();
        stream.Write(PickleBytes.OldMagic);
        stream.Write(new PickleBytes().Int(1001).Stop());
        stream.Write(new PickleBytes().Op("}").Text("little_endian").Raw(0x88).Op("s").Stop());
        stream.Write(new PickleBytes().Op("}(").Text("w").Tensor("FloatStorage", "0", promised, 0, [2], [1], old: true).Text("v").Tensor("DoubleStorage", "1", 1, 0, [1], [1], old: true).Op("u").Stop());
        stream.Write(new PickleBytes().Op("](").Text("0").Text("1").Op("e").Stop());
        stream.Write(PickleBytes.Count(2));
        stream.Write(Bytes<float>(1, 2));
        stream.Write(PickleBytes.Count(1));
        stream.Write(Bytes(3.0));
        File.WriteAllBytes(_path, stream.ToArray());
    }

    private void Zip(byte[]? pickle, params byte[][] storages)
    {
        File.Delete(_path);
        using ZipArchive zip = ZipFile.Open(_path, ZipArchiveMode.Create);
        if (pickle is not null)
            Add("archive/data.pkl", pickle);
        Add("archive/byteorder", "little"u8.ToArray());
        for (int i = 0; i < storages.Length; i++)
            Add($"archive/data/{i}", storages[i]);

        void Add(string name, byte[] bytes)
        {
            using Stream stream = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
            stream.Write(bytes);
        }
    }
}
