using System.Buffers.Binary;
using System.Text;

namespace Candela.Tests.Formats;

/// <summary>Writes pickle opcodes by hand, as CPython's pickle (protocol 2) spells them.</summary>
internal sealed class PickleBytes : IDisposable
{
    private readonly MemoryStream _stream = new();

    public PickleBytes() => Raw(0x80, 2);

    public void Dispose() => _stream.Dispose();

    public PickleBytes Raw(params byte[] bytes)
    {
        _stream.Write(bytes);
        return this;
    }

    public PickleBytes Op(string code) => Raw(Encoding.ASCII.GetBytes(code));

    public PickleBytes Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return Op("X").Raw(BitConverter.GetBytes(utf8.Length)).Raw(utf8);
    }

    public PickleBytes Int(int value) => Op("J").Raw(BitConverter.GetBytes(value));

    public PickleBytes Long(long value) => Raw(0x8A, 8).Raw(BitConverter.GetBytes(value));

    public PickleBytes Global(string module, string name) => Op($"c{module}\n{name}\n");

    /// <summary>A tensor as torch.save describes it.</summary>
    public PickleBytes Tensor(string storageType, string key, long count, long offset, long[] shape, long[] strides, bool old = false)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Op("((").Text("storage").Global("torch", storageType).Text(key).Text("cpu").Long(count);
        if (old)
            Op("N");
        Op("tQ").Long(offset).Op("(");
        foreach (long size in shape)
            Long(size);
        Op("t(");
        foreach (long stride in strides)
            Long(stride);
        return Op("t").Raw(0x89).Global("collections", "OrderedDict").Op(")RtR");
    }

    public byte[] Stop()
    {
        Op(".");
        return _stream.ToArray();
    }

    public static byte[] OldMagic => [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];

    public static byte[] Count(long count)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, count);
        return bytes;
    }
}
