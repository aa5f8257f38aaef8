using System.Buffers.Binary;
using System.Text;

namespace Candela.Training.Tests;

/// <summary>A minimal shared object made by hand from the System V ABI: one loaded segment, a dynamic section, one needed library with two
/// wanted versions, and two provided versions.</summary>
internal static class SyntheticElf
{
    public const string Library = "libstdc++.so.6";

    public static byte[] Build()
    {
        var strings = new List<byte> { 0 };
        ulong Add(string text)
        {
            ulong at = (ulong)strings.Count;
            strings.AddRange(Encoding.UTF8.GetBytes(text));
            strings.Add(0);
            return at;
        }

        ulong soname = Add("libsample.so"), library = Add(Library), old = Add("GLIBCXX_3.4"), young = Add("GLIBCXX_3.4.32"), own = Add("libsample.so"), version = Add("SAMPLE_1");
        const ulong Base = 0x10000, Dynamic = 0x100, Needs = 0x200, Definitions = 0x300, Strings = 0x400;
        byte[] bytes = new byte[0x600];
        void U16(ulong at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan((int)at), (ushort)value);
        void U32(ulong at, ulong value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan((int)at), (uint)value);
        void U64(ulong at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan((int)at), value);

        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(bytes);
        U64(32, 64);
        U16(54, 56);
        U16(56, 2);
        U32(64, 1);                      // PT_LOAD: offset, address, size
        U64(64 + 8, 0);
        U64(64 + 16, Base);
        U64(64 + 32, (ulong)bytes.Length);
        U32(120, 2);                     // PT_DYNAMIC
        U64(120 + 8, Dynamic);
        U64(120 + 32, 0x100);
        ulong tag = Dynamic;
        foreach ((ulong name, ulong value) in new (ulong, ulong)[] { (1, library), (14, soname), (5, Base + Strings), (10, (ulong)strings.Count), (0x6ffffffe, Base + Needs), (0x6fffffff, 1), (0x6ffffffc, Base + Definitions), (0x6ffffffd, 2), (0, 0) })
        {
            U64(tag, name);
            U64(tag + 8, value);
            tag += 16;
        }

        U16(Needs, 1);
        U16(Needs + 2, 2);
        U32(Needs + 4, library);
        U32(Needs + 8, 16);
        U32(Needs + 16 + 8, old);
        U32(Needs + 16 + 12, 16);
        U32(Needs + 32 + 8, young);
        U16(Definitions + 6, 1);
        U32(Definitions + 12, 20);
        U32(Definitions + 16, 28);
        U32(Definitions + 20, own);
        U16(Definitions + 28 + 6, 1);
        U32(Definitions + 28 + 12, 20);
        U32(Definitions + 28 + 20, version);
        strings.ToArray().CopyTo(bytes.AsSpan((int)Strings));
        return bytes;
    }
}
