using System.Text;
using Candela.Formats;

namespace Candela.Tests.Formats;

public class TfEventsWriterTests
{
    [Fact]
    [Trait("Kind", "golden")]
    public void Scalar_Curves_AreReadBackByAnIndependentDecoder()
    {
        using var folder = new TemporaryFolder();
        string path;
        using (var writer = new TfEventsWriter(folder.Path))
        {
            path = writer.Path;
            for (int step = 0; step < 300; step++)
                writer.Scalar(step % 2 == 0 ? "train/loss" : "valid/准确率", step, 1.0 / (step + 1));
        }

        var events = Decode(File.ReadAllBytes(path));
        Assert.Equal("brain.Event:2", events[0].Version);
        Assert.Equal(301, events.Count);
        for (int step = 0; step < 300; step++)
            Assert.Equal((step % 2 == 0 ? "train/loss" : "valid/准确率", (long)step, (float)(1.0 / (step + 1))), (events[step + 1].Tag, events[step + 1].Step, events[step + 1].Value));
        Assert.All(events, e => Assert.InRange(e.Time, 1.7e9, 1e11)); // seconds, not milliseconds
    }

    [Fact]
    public void Crc_OfTheDecoder_GivesThePublishedCheckValue() => Assert.Equal(0xE3069283u, Crc("123456789"u8));

    [Fact]
    public void Constructor_SameSecondTwice_WritesTwoFiles()
    {
        using var folder = new TemporaryFolder();
        using var first = new TfEventsWriter(folder.Path);
        using var second = new TfEventsWriter(folder.Path);
        Assert.NotEqual(first.Path, second.Path);
    }

    private sealed record Decoded(double Time, long Step, string? Version, string? Tag, float Value);

    // Written from the formats' descriptions, sharing nothing with the writer: bitwise CRC, protobuf wire types.
    private static List<Decoded> Decode(byte[] file)
    {
        var events = new List<Decoded>();
        for (int at = 0; at < file.Length;)
        {
            int length = (int)BitConverter.ToUInt64(file, at);
            Assert.Equal(Masked(file.AsSpan(at, 8)), BitConverter.ToUInt32(file, at + 8));
            var data = file.AsSpan(at + 12, length);
            Assert.Equal(Masked(data), BitConverter.ToUInt32(file, at + 12 + length));
            at += 16 + length;

            double time = 0;
            long step = 0;
            string? version = null, tag = null;
            float value = 0;
            foreach (var (field, number, content) in Fields(data.ToArray()))
            {
                switch (field)
                {
                    case 1: time = BitConverter.UInt64BitsToDouble(number); break;
                    case 2: step = (long)number; break;
                    case 3: version = Encoding.UTF8.GetString(content); break;
                    case 5:
                        var point = Fields(Assert.Single(Fields(content)).Content);
                        tag = Encoding.UTF8.GetString(point.Single(f => f.Field == 1).Content);
                        value = BitConverter.UInt32BitsToSingle((uint)point.Single(f => f.Field == 2).Number);
                        break;
                    default: Assert.Fail($"field {field}"); break;
                }
            }

            events.Add(new Decoded(time, step, version, tag, value));
        }

        return events;
    }

    private static List<(int Field, ulong Number, byte[] Content)> Fields(byte[] message)
    {
        var fields = new List<(int, ulong, byte[])>();
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint();
            switch (key & 7)
            {
                case 0: fields.Add(((int)(key >> 3), Varint(), [])); break;
                case 1: fields.Add(((int)(key >> 3), BitConverter.ToUInt64(message, at), [])); at += 8; break;
                case 2: int n = (int)Varint(); fields.Add(((int)(key >> 3), 0, message[at..(at + n)])); at += n; break;
                case 5: fields.Add(((int)(key >> 3), BitConverter.ToUInt32(message, at), [])); at += 4; break;
                default: Assert.Fail("wire type"); break;
            }
        }

        return fields;

        ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte b = message[at++];
                value |= (ulong)(b & 0x7F) << shift;
                if (b < 0x80)
                    return value;
            }
        }
    }

    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        uint crc = Crc(bytes);
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }

        return ~crc;
    }
}
