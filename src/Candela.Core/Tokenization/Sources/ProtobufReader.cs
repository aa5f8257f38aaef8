using System.Buffers.Binary;

namespace Candela.Tokenization;

/// <summary>Reads the fields of one protobuf message, one after another. Source: the protocol buffers encoding guide.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> bytes, string file)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;
    private int _wire;

    /// <summary>The current field's number.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field, whose value must then be read or skipped; false at the end.</summary>
    public bool Next()
    {
        if (_at == _bytes.Length)
            return false;
        ulong tag = Varint();
        if (tag > uint.MaxValue || tag >> 3 == 0)
            throw Bad($"the field tag {tag} is not valid");
        (Field, _wire) = ((int)(tag >> 3), (int)(tag & 7));
        return true;
    }

    public ulong Integer()
    {
        Expect(0);
        return Varint();
    }

    public bool Flag() => Integer() != 0;

    public float Single()
    {
        Expect(5);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(4));
    }

    public ReadOnlySpan<byte> Bytes()
    {
        Expect(2);
        ulong length = Varint();
        return length <= (ulong)(_bytes.Length - _at) ? Take((int)length)
            : throw new FileFormatException(file, Fault.Truncated, $"field {Field} is said to have {length} bytes, {_bytes.Length - _at} are left. The file was cut short or damaged: copy it again.");
    }

    public void Skip()
    {
        switch (_wire)
        {
            case 0:
                Varint();
                break;
            case 1:
                Take(8);
                break;
            case 2:
                Bytes();
                break;
            case 5:
                Take(4);
                break;
            default:
                throw Bad($"field {Field} has the wire type {_wire}");
        }
    }

    private readonly void Expect(int wire)
    {
        if (_wire != wire)
            throw Bad($"field {Field} has the wire type {_wire}, {wire} was needed");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _at)
            throw new FileFormatException(file, Fault.Truncated, $"the file ends inside field {Field}. It was cut short: copy it again.");
        var taken = _bytes.Slice(_at, count);
        _at += count;
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte b = Take(1)[0];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        throw Bad("a number has more than 10 bytes");
    }

    private readonly FileFormatException Bad(string what) => new(file, Fault.Corrupt, $"{what}. This is no SentencePiece model, or it is damaged.");
}
