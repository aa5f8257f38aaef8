using System.Buffers.Binary;
using System.Text;
using Candela.Formats;
using CsCheck;

namespace Candela.Tests.Formats;

public class SafetensorsTests
{
    [Fact]
    [Trait("Kind", "golden")]
    public void Open_FileOfAnotherWriter_GivesShapesTypesAndValues()
    {
        // Bytes laid out by hand from the format's description: length, header, data; no checksum entry.
        using var folder = new TemporaryFolder();
        string header = """{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"s":{"dtype":"I64","shape":[],"data_offsets":[12,20]},"h":{"dtype":"F16","shape":[1],"data_offsets":[20,22]},"e":{"dtype":"U8","shape":[0,3],"data_offsets":[22,22]}} """;
        string path = Build(folder, header, [0, 0, 128, 63, 0, 0, 0, 192, /* 1.0, -2.0 */ 128, 63, 32, 192, /* 1.0, -2.5 */ 254, 255, 255, 255, 255, 255, 255, 255, /* -2 */ 0, 60 /* 1.0 */]);

        using var file = Safetensors.Open(path);

        Assert.Equal(["a", "b", "s", "h", "e"], file.Tensors.Select(t => t.Name));
        Assert.Equal([1f, -2f], file.ReadSingles("a", 1, 2));
        Assert.Equal([1f, -2.5f], file.ReadSingles("b"));
        Assert.Equal([-2L], file.ReadInt64("s"));
        Assert.Equal([1f], file.ReadSingles("h"));
        Assert.Empty(file.ReadBytes("e"));
        Assert.Equal("pt", file.Metadata["format"]);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Write_AnyTensors_OpenGivesThemBackBitForBit()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("model.safetensors");
        var tensor = from name in Gen.String[1, 12]
                     from rows in Gen.Int[0, 4]
                     from columns in Gen.Int[0, 5]
                     from values in Gen.Float.Array[rows * columns]
                     select new NamedTensor(name, [rows, columns], values);
        tensor.Array[0, 6].Where(ts => ts.Select(t => t.Name).Distinct().Count() == ts.Length && ts.All(t => t.Name != "__metadata__" && !t.Name.Any(char.IsSurrogate)))
            .Sample(
                tensors =>
                {
                    Safetensors.Write(path, tensors, new Dictionary<string, string> { ["note"] = "é\n" });
                    using var file = Safetensors.Open(path);
                    Assert.Equal(tensors.Select(t => t.Name).Order(), file.Tensors.Select(t => t.Name).Order());
                    foreach (var t in tensors)
                        Assert.Equal(t.Values.Select(BitConverter.SingleToInt32Bits), file.Read(t.Name).Values.Select(BitConverter.SingleToInt32Bits));
                    Assert.Equal("é\n", file.Metadata["note"]);
                },
                iter: 200,
                threads: 1);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Open_EveryByteFlippedAndEveryLength_IsRefusedWithTheFileNamed()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("model.safetensors");
        Safetensors.Write(path, [new NamedTensor("dense1.weight", [2, 3], [1, 2, 3, 4, 5, 6]), new NamedTensor("dense1.bias", [2], [0, 1])]);
        byte[] good = File.ReadAllBytes(path);
        var accepted = new List<string>();
        for (int at = 0; at < good.Length; at++)
        {
            foreach (byte mask in new byte[] { 1, 0x20, 0xFF })
            {
                byte[] bad = (byte[])good.Clone();
                bad[at] ^= mask;
                File.WriteAllBytes(path, bad);
                if (Opens(path))
                    accepted.Add($"byte {at} ^ {mask}");
            }

            File.WriteAllBytes(path, good[..at]);
            if (Opens(path))
                accepted.Add($"length {at}");
        }

        Assert.Empty(accepted);
    }

    /// <summary>Values of the tables in the OCP 8-bit Floating Point Specification.</summary>
    [Fact]
    [Trait("Kind", "golden")]
    public void Open_UnsignedAndEightBitTypes_AreReadAndConverted()
    {
        using var folder = new TemporaryFolder();
        string header = """{"a":{"dtype":"U64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"U32","shape":[1],"data_offsets":[8,12]},"c":{"dtype":"U16","shape":[1],"data_offsets":[12,14]},"d":{"dtype":"F8_E4M3","shape":[6],"data_offsets":[14,20]},"e":{"dtype":"F8_E5M2","shape":[4],"data_offsets":[20,24]}}""";
        string path = Build(folder, header, [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 255, /* E4M3 */ 0x7e, 0x01, 0x08, 0x38, 0xc0, 0x7f, /* E5M2 */ 0x7b, 0x01, 0x3c, 0xfc]);
        using var file = Safetensors.Open(path);
        Assert.Contains("18446744073709551615", Assert.Throws<ShapeException>(() => file.ReadRaw("a").ToInt64()).Message);
        Assert.Equal([18446744073709551615f], file.ReadSingles("a"));
        Assert.Equal([4294967295L], file.ReadRaw("b").ToInt64());
        Assert.Equal([65281L], file.ReadRaw("c").ToInt64());
        Assert.Equal([448, 1f / 512, 1f / 64, 1, -2, float.NaN], file.ReadSingles("d"));
        Assert.Equal([57344, 1f / 65536, 1, float.NegativeInfinity], file.ReadSingles("e"));
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", Fault.Corrupt, "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", Fault.Corrupt, "gap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", Fault.Corrupt, "4 bytes follow")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", Fault.Truncated, "cut short")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", Fault.Corrupt, "needs 12 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,1],"data_offsets":[0,8]}}""", Fault.Unsupported, "axis")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2000000000,2000000000,2000000000],"data_offsets":[0,8]}}""", Fault.Corrupt, "larger than any file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", Fault.Unsupported, "axis")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", Fault.Corrupt, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,8]}}""", Fault.Unsupported, "F4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", Fault.Corrupt, "twice")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", Fault.Corrupt, "twice")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", Fault.Corrupt, "needs dtype")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", Fault.Corrupt, "unknown key")]
    [InlineData("""[{"a":1}]""", Fault.Corrupt, "object")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}}""", Fault.Corrupt, "")]
    public void Open_HeaderThatContradictsItself_IsRefused(string header, Fault fault, string says)
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<FileFormatException>(() => Safetensors.Open(Build(folder, header, new byte[8])));
        Assert.Equal(fault, error.Fault);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Open_HeaderLengthOutOfBounds_IsRefused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("x");
        foreach (ulong length in new ulong[] { 0, 1, 100_000_001, ulong.MaxValue, long.MaxValue })
        {
            var bytes = new byte[64];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
            File.WriteAllBytes(path, bytes);
            Assert.Equal(Fault.WrongFormat, Assert.Throws<FileFormatException>(() => Safetensors.Open(path)).Fault);
        }

        Assert.Equal(Fault.Missing, Assert.Throws<FileFormatException>(() => Safetensors.Open(folder.File("none"))).Fault);
    }

    [Fact]
    public void Read_UnknownNameOrShape_NamesTheNearest()
    {
        using var folder = new TemporaryFolder();
        Safetensors.Write(folder.File("x"), [new NamedTensor("dense1.weight", [2], [1, 2])]);
        using var file = Safetensors.Open(folder.File("x"));
        Assert.Contains("dense1.weight", Assert.Throws<FileFormatException>(() => file.Read("dense.weight")).Message, StringComparison.Ordinal);
        Assert.Contains("[2]", Assert.Throws<FileFormatException>(() => file.ReadSingles("dense1.weight", 1, 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ValuesThatDoNotFillTheShape_LeavesNoFile()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<ShapeException>(() => Safetensors.Write(folder.File("x"), [new NamedTensor("a", [2, 2], [1, 2, 3])]));
        Assert.Throws<ShapeException>(() => Safetensors.Write(folder.File("x"), [new NamedTensor("a", [1], [1]), new NamedTensor("a", [1], [1])]));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    private static bool Opens(string path)
    {
        try
        {
            Safetensors.Open(path).Dispose();
            return true;
        }
        catch (FileFormatException error)
        {
            Assert.Equal(path, error.Path);
            return false;
        }
    }

    private static string Build(TemporaryFolder folder, string header, byte[] data)
    {
        byte[] text = Encoding.UTF8.GetBytes(header), prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, text.Length);
        string path = folder.File("built.safetensors");
        File.WriteAllBytes(path, [.. prefix, .. text, .. data]);
        return path;
    }
}
