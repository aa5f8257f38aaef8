using System.Text;

namespace Candela.Tokenization;

/// <summary>The printable stand-ins of byte-level vocabularies: each byte is written as one character, itself where it is printable Latin-1, else U+0100 and up in order (Radford et al. 2019, GPT-2's encoder).</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = Build();
    private static readonly short[] Bytes = Invert();

    /// <summary>The stand-in of a byte.</summary>
    public static char Of(byte value) => Characters[value];

    /// <summary>The byte a character stands for, or -1.</summary>
    public static int ByteOf(char character) => character < Bytes.Length ? Bytes[character] : -1;

    /// <summary>The bytes a token of the alphabet stands for; a token with any other character stands for its own UTF-8 bytes.</summary>
    public static byte[] Decode(string token)
    {
        byte[] bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            int value = ByteOf(token[i]);
            if (value < 0)
                return Encoding.UTF8.GetBytes(token);
            bytes[i] = (byte)value;
        }

        return bytes;
    }

    /// <summary>Bytes as stand-ins.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = bytes.Length <= 256 ? stackalloc char[bytes.Length] : new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
            text[i] = Characters[bytes[i]];
        return new string(text);
    }

    private static char[] Build()
    {
        char[] map = new char[256];
        int next = 256;
        for (int b = 0; b < 256; b++)
            map[b] = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)b : (char)next++;
        return map;
    }

    private static short[] Invert()
    {
        short[] map = new short[Characters.Max() + 1];
        Array.Fill(map, (short)-1);
        for (int b = 0; b < 256; b++)
            map[Characters[b]] = (short)b;
        return map;
    }
}
