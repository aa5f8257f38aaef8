using System.Buffers.Binary;
using System.Text;
using Candela.Formats;
using CsCheck;

namespace Candela.Tests.Formats;

public class GgufFileTests
{
    [Theory]
    [Trait("Kind", "golden")]
    [InlineData(2)]
    [InlineData(3)]
    public void Open_FileLaidOutByHand_GivesMetadataAndTensors(int version)
    {
        // Bytes laid out by hand from the specification.
        using var folder = new TemporaryFolder();
        var bytes = new ByteList().Ascii("GGUF").Int32(version).Int64(2).Int64(3)
            .Text("general.name").Int32(8).Text("tiny")
            .Text("nested").Int32(9).Int32(9).Int64(2).Int32(5).Int64(2).Int32(-1).Int32(7).Int32(8).Int64(1).Text("é")
            .Text("eps").Int32(6).Int32(BitConverter.SingleToInt32Bits(1e-5f))
            .Text("w").Int32(2).Int64(32).Int64(2).Int32(8).Int64(32)
            .Text("b").Int32(1).Int64(2).Int32(0).Int64(0)
            .Align(32).Int32(BitConverter.SingleToInt32Bits(1.5f)).Int32(BitConverter.SingleToInt32Bits(-2f)).Align(32).Zeros(67).Byte(9);
        string path = Save(folder, bytes);

        using var file = GgufFile.Open(path);

        Assert.Equal(version, file.Version);
        Assert.Equal("tiny", file.Text("general.name"));
        Assert.Equal(1e-5f, (float)file.Number("eps")!);
        var nested = Assert.IsType<GgufValue[]>(file.Metadata["nested"].Value);
        Assert.Equal([-1, 7], Assert.IsType<int[]>(nested[0].Value));
        Assert.Equal(["é"], Assert.IsType<string[]>(nested[1].Value));
        Assert.Null(file.Integer("absent"));
        Assert.Equal(0, file.DataOffset % 32);
        var w = file.Info("w");
        Assert.Equal((GgmlType.Q8_0, 68L, file.DataOffset + 32), (w.Type, w.Bytes, w.Offset));
        Assert.Equal([32L, 2L], w.Dimensions);
        Assert.Equal(9, file.ReadBytes("w")[67]);
        Assert.Equal([0, 0, 192, 63, 0, 0, 0, 192], file.ReadBytes("b"));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Writer_AnyMetadataAndTensors_OpenGivesThemBack()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.gguf");
        var value = Gen.OneOf(
            Gen.String.Select(s => GgufValue.Of(new string([.. s.Where(c => !char.IsSurrogate(c))]))), Gen.Bool.Select(GgufValue.Of), Gen.UInt.Select(GgufValue.Of), Gen.Int.Select(GgufValue.Of), Gen.ULong.Select(GgufValue.Of),
            Gen.Long.Select(GgufValue.Of), Gen.Float.Select(GgufValue.Of), Gen.Double.Select(GgufValue.Of), Gen.Byte.Array.Select(a => GgufValue.Of(a)), Gen.SByte.Array.Select(a => GgufValue.Of(a)),
            Gen.Short.Array.Select(a => GgufValue.Of(a)), Gen.UShort.Array.Select(a => GgufValue.Of(a)), Gen.Bool.Array.Select(a => GgufValue.Of(a)), Gen.Float.Array.Select(a => GgufValue.Of(a)),
            Gen.Int.Array.Select(a => GgufValue.Of(new[] { GgufValue.Of(a), GgufValue.Of(new[] { "x", "" }) })));
        var tensor = Gen.Select(Gen.Int[0, Enum.GetValues<GgmlType>().Length - 1].Select(i => Enum.GetValues<GgmlType>()[i]), Gen.Int[0, 3], Gen.Int[0, 3]);
        Gen.Select(value.Array[0, 6], tensor.Array[0, 5], Gen.Int[3, 6].Select(power => 1 << power)).Sample(
            (values, tensors, alignment) =>
            {
                var writer = new GgufWriter(alignment);
                for (int i = 0; i < values.Length; i++)
                    writer.Set($"key.{i}", values[i]);
                for (int i = 0; i < tensors.Length; i++)
                {
                    long[] dimensions = [tensors[i].Item2 * GgmlTypes.BlockElements(tensors[i].Item1), tensors[i].Item3];
                    writer.Add($"t{i}", tensors[i].Item1, dimensions, Data(i, GgmlTypes.Bytes(tensors[i].Item1, dimensions[0] * dimensions[1])));
                }

                writer.Save(path);
                using var file = GgufFile.Open(path);
                for (int i = 0; i < values.Length; i++)
                    Assert.Equal(Shown(values[i]), Shown(file.Metadata[$"key.{i}"]));
                Assert.Equal(tensors.Length, file.Tensors.Count);
                for (int i = 0; i < tensors.Length; i++)
                {
                    Assert.Equal(tensors[i].Item1, file.Tensors[i].Type);
                    Assert.True(file.Tensors[i].Bytes == 0 || file.Tensors[i].Offset % alignment == 0);
                    Assert.Equal(Data(i, file.Tensors[i].Bytes), file.ReadBytes($"t{i}"));
                }
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Open_CutAtEveryLength_IsRefusedOrTheSame()
    {
        using var folder = new TemporaryFolder();
        string path = Valid(folder);
        byte[] good = File.ReadAllBytes(path);
        for (int length = 0; length < good.Length - 32; length++)
        {
            File.WriteAllBytes(path, good[..length]);
            var error = Assert.Throws<FileFormatException>(() => GgufFile.Open(path).Dispose());
            Assert.Equal(length < 4 ? Fault.WrongFormat : Fault.Truncated, error.Fault);
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Open_AnyByteChanged_OpensOrIsRefusedAsAFileFault()
    {
        // No other exception, no absurd allocation: the largest array asked for stays below the file's size.
        using var folder = new TemporaryFolder();
        string path = Valid(folder);
        byte[] good = File.ReadAllBytes(path);
        int refused = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (byte mask in new byte[] { 0x01, 0x80, 0xFF })
        {
            for (int at = 0; at < good.Length; at++)
            {
                byte[] bad = (byte[])good.Clone();
                bad[at] ^= mask;
                File.WriteAllBytes(path, bad);
                try
                {
                    using var file = GgufFile.Open(path);
                    Assert.All(file.Tensors, t => Assert.InRange(t.Offset + t.Bytes, 0, bad.Length));
                }
                catch (FileFormatException)
                {
                    refused++;
                }
            }
        }

        Assert.True(refused > good.Length, $"only {refused} changes were refused");
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / (3 * good.Length), 0, 400_000);
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("version 1", Fault.Unsupported, "version 1")]
    [InlineData("version 9", Fault.Unsupported, "version 9")]
    [InlineData("big endian", Fault.Unsupported, "big-endian")]
    [InlineData("absurd tensors", Fault.Truncated, "tensors")]
    [InlineData("absurd entries", Fault.Truncated, "metadata entries")]
    [InlineData("absurd array", Fault.Truncated, "elements of metadata 'a'")]
    [InlineData("absurd text", Fault.Truncated, "metadata 'a' is said to have 9223372036854775807 bytes")]
    [InlineData("deep arrays", Fault.Corrupt, "deeper than")]
    [InlineData("duplicate key", Fault.Corrupt, "'a' twice")]
    [InlineData("duplicate tensor", Fault.Corrupt, "'t' is named twice")]
    [InlineData("overlap", Fault.Corrupt, "overlap")]
    [InlineData("outside", Fault.Truncated, "tensor 't' has 128 bytes")]
    [InlineData("huge axes", Fault.Corrupt, "larger than any file")]
    [InlineData("withdrawn type", Fault.Unsupported, "ggml type 31")]
    [InlineData("ragged block", Fault.Corrupt, "multiples of 32")]
    [InlineData("odd offset", Fault.Corrupt, "multiple of the alignment")]
    [InlineData("zero alignment", Fault.Corrupt, "general.alignment")]
    [InlineData("bad key text", Fault.Corrupt, "not valid UTF-8")]
    [InlineData("not gguf", Fault.WrongFormat, "not 'GGUF'")]
    public void Open_HostileFile_IsRefusedByName(string what, Fault fault, string message)
    {
        using var folder = new TemporaryFolder();
        var start = (int tensors, int entries) => new ByteList().Ascii("GGUF").Int32(3).Int64(tensors).Int64(entries);
        var tensor = (ByteList list, string name, int type, long size, long offset) => list.Text(name).Int32(1).Int64(size).Int32(type).Int64(offset);
        ByteList bytes = what switch
        {
            "version 1" => new ByteList().Ascii("GGUF").Int32(1).Int32(0).Int32(0),
            "version 9" => new ByteList().Ascii("GGUF").Int32(9).Int64(0).Int64(0),
            "big endian" => new ByteList().Ascii("GGUF").Int32(3 << 24).Int64(0).Int64(0),
            "absurd tensors" => new ByteList().Ascii("GGUF").Int32(3).Int64(1L << 60).Int64(0),
            "absurd entries" => new ByteList().Ascii("GGUF").Int32(3).Int64(0).Int64(-1),
            "absurd array" => start(0, 1).Text("a").Int32(9).Int32(0).Int64(int.MaxValue).Zeros(64),
            "absurd text" => start(0, 1).Text("a").Int32(8).Int64(long.MaxValue).Zeros(64),
            "deep arrays" => Enumerable.Range(0, 5000).Aggregate(start(0, 1).Text("a").Int32(9), (list, _) => list.Int32(9).Int64(1)).Zeros(64),
            "duplicate key" => start(0, 2).Text("a").Int32(7).Byte(1).Text("a").Int32(7).Byte(0),
            "duplicate tensor" => tensor(tensor(start(2, 0), "t", 0, 8, 0), "t", 0, 8, 32).Align(32).Zeros(64),
            "overlap" => tensor(tensor(start(2, 0), "t", 0, 32, 0), "u", 0, 32, 32).Align(32).Zeros(256),
            "outside" => tensor(start(1, 0), "t", 0, 32, 1L << 40).Align(32).Zeros(256),
            "huge axes" => start(1, 0).Text("t").Int32(3).Int64(1L << 40).Int64(1L << 40).Int64(2).Int32(0).Int64(0).Zeros(64),
            "withdrawn type" => tensor(start(1, 0), "t", 31, 32, 0).Align(32).Zeros(256),
            "ragged block" => tensor(start(1, 0), "t", 2, 33, 0).Align(32).Zeros(256),
            "odd offset" => tensor(start(1, 0), "t", 0, 4, 4).Align(32).Zeros(256),
            "zero alignment" => start(0, 1).Text("general.alignment").Int32(4).Int32(0),
            "bad key text" => start(0, 1).Int64(2).Byte(0xC3).Byte(0x28).Int32(7).Byte(1).Zeros(8),
            _ => new ByteList().Ascii("PK\u0003\u0004").Zeros(64),
        };
        string path = Save(folder, bytes);

        var error = Assert.Throws<FileFormatException>(() => GgufFile.Open(path).Dispose());

        Assert.Equal(fault, error.Fault);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Text_ValueOfAnotherType_NamesBoth()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.gguf");
        new GgufWriter().Set("n", GgufValue.Of(3)).Set("a", GgufValue.Of(new[] { 1f })).Save(path);
        using var file = GgufFile.Open(path);
        Assert.Contains("metadata 'n' is a Int32; a text was needed", Assert.Throws<FileFormatException>(() => file.Text("n")).Message, StringComparison.Ordinal);
        Assert.Contains("an array of Float32", Assert.Throws<FileFormatException>(() => file.Texts("a")).Message, StringComparison.Ordinal);
        Assert.Equal(Fault.Missing, Assert.Throws<FileFormatException>(() => GgufFile.Open(folder.File("none"))).Fault);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Writer_TensorOfTheWrongLength_WritesNothing()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.gguf");
        var writer = new GgufWriter().Add("t", GgmlType.F32, [2], new byte[7]);
        Assert.Contains("wrote 7 bytes; 8 were needed", Assert.Throws<UsageException>(() => writer.Save(path)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
        Assert.Throws<UsageException>(() => writer.Add("t", GgmlType.F32, [2], new byte[8]));
        Assert.Throws<UsageException>(() => writer.Add("q", GgmlType.Q4_K, [128], new byte[8]));
    }

    private static byte[] Data(int seed, long length) => [.. Enumerable.Range(0, (int)length).Select(i => (byte)((i * 7) + seed))];

    private static string Shown(GgufValue value) => $"{value.Type} {value.ElementType} " + (value.Value is Array array
        ? string.Join("|", array.Cast<object>().Select(item => item is GgufValue nested ? Shown(nested) : FormattableString.Invariant($"{item}")))
        : FormattableString.Invariant($"{value.Value}"));

    private static string Valid(TemporaryFolder folder)
    {
        string path = folder.File("valid.gguf");
        new GgufWriter().Set("general.name", GgufValue.Of("x")).Set("tokens", GgufValue.Of(new[] { "a", "b" })).Set("scores", GgufValue.Of(new[] { 1f, 2f }))
            .Set("nested", GgufValue.Of(new[] { GgufValue.Of(new[] { 1, 2 }) }))
            .Add("t", GgmlType.F32, [2, 3], new byte[24]).Add("q", GgmlType.Q4_0, [32], new byte[18]).Save(path);
        return path;
    }

    private static string Save(TemporaryFolder folder, ByteList bytes)
    {
        string path = folder.File("hand.gguf");
        File.WriteAllBytes(path, bytes.ToArray());
        return path;
    }

    private sealed class ByteList
    {
        private readonly List<byte> _bytes = [];

        public ByteList Byte(byte value) => Append([value]);

        public ByteList Ascii(string text) => Append(Encoding.ASCII.GetBytes(text));

        public ByteList Text(string text) => Int64(Encoding.UTF8.GetByteCount(text)).Append(Encoding.UTF8.GetBytes(text));

        public ByteList Int32(int value)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            return Append(bytes);
        }

        public ByteList Int64(long value)
        {
            var bytes = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            return Append(bytes);
        }

        public ByteList Zeros(int count) => Append(new byte[count]);

        public ByteList Align(int to) => Zeros((to - (_bytes.Count % to)) % to);

        public byte[] ToArray() => [.. _bytes];

        private ByteList Append(byte[] bytes)
        {
            _bytes.AddRange(bytes);
            return this;
        }
    }
}
