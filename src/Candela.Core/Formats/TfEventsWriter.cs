using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Candela.Formats;

/// <summary>Writes scalar curves in TensorBoard's event format: TFRecord frames (length, masked CRC-32C, data, masked CRC-32C) of protobuf
/// <c>Event</c> messages. Each record reaches the operating system in one write. Reference: tensorflow/core/util/event.proto and lib/io/record_writer.</summary>
public sealed class TfEventsWriter : IDisposable
{
    private readonly FileStream _stream;
    private readonly TimeProvider _clock;

    /// <summary>Creates <c>events.out.tfevents.SECONDS.candela</c> in an existing folder (with a suffix when it is taken) and writes its version record.</summary>
    public TfEventsWriter(string folder, TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        string name = $"events.out.tfevents.{_clock.GetUtcNow().ToUnixTimeSeconds()}.candela";
        string path = System.IO.Path.Combine(folder, name);
        for (int i = 1; File.Exists(path); i++)
            path = System.IO.Path.Combine(folder, $"{name}.{i}");
        Path = path;
        _stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        var version = new List<byte>();
        Head(version, step: 0);
        Text(version, field: 3, "brain.Event:2");
        Record(version);
    }

    /// <summary>The file being written.</summary>
    public string Path { get; }

    /// <summary>Adds one point to the curve <paramref name="tag"/>.</summary>
    public void Scalar(string tag, long step, double value)
    {
        var point = new List<byte>(); // Summary.Value { tag = 1, simple_value = 2 }
        Text(point, field: 1, tag);
        point.Add((2 << 3) | 5);
        Fixed(point, BitConverter.SingleToUInt32Bits((float)value), 4);

        var summary = new List<byte>(); // Summary { value = 1 }
        Bytes(summary, field: 1, point);

        var record = new List<byte>(); // Event { wall_time = 1, step = 2, summary = 5 }
        Head(record, step);
        Bytes(record, field: 5, summary);
        Record(record);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    /// <summary>CRC-32C, rotated and offset as TFRecord wants it.</summary>
    private static uint MaskedCrc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return BitOperations.RotateRight(~crc, 15) + 0xA282EAD8u;
    }

    private void Head(List<byte> into, long step)
    {
        into.Add((1 << 3) | 1);
        Fixed(into, BitConverter.DoubleToUInt64Bits(_clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0), 8);
        into.Add(2 << 3);
        Varint(into, (ulong)step);
    }

    private void Record(List<byte> data)
    {
        var frame = new byte[16 + data.Count];
        BinaryPrimitives.WriteInt64LittleEndian(frame, data.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), MaskedCrc(frame.AsSpan(0, 8)));
        data.CopyTo(frame, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(12 + data.Count), MaskedCrc(frame.AsSpan(12, data.Count)));
        _stream.Write(frame);
    }

    private static void Text(List<byte> into, int field, string text) => Bytes(into, field, [.. Encoding.UTF8.GetBytes(text)]);

    private static void Bytes(List<byte> into, int field, List<byte> content)
    {
        into.Add((byte)((field << 3) | 2));
        Varint(into, (ulong)content.Count);
        into.AddRange(content);
    }

    private static void Varint(List<byte> into, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            into.Add((byte)(value | 0x80));
        into.Add((byte)value);
    }

    private static void Fixed(List<byte> into, ulong value, int bytes)
    {
        for (int i = 0; i < bytes; i++)
            into.Add((byte)(value >> (8 * i)));
    }
}
