using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>A normalizer that maps each code point by itself.</summary>
internal abstract class CharacterNormalizer(string type) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        var builder = new AlignedBuilder(text.Tracked, text.Text.Length);
        Span<char> mapped = stackalloc char[8];
        int copied = 0;
        for (int at = 0; at < text.Text.Length;)
        {
            int size = char.IsSurrogatePair(text.Text, at) ? 2 : 1;
            int codePoint = size == 2 ? char.ConvertToUtf32(text.Text[at], text.Text[at + 1]) : text.Text[at];
            int count = Map(codePoint, mapped);
            if (count >= 0)
            {
                builder.Copy(text, copied, at - copied);
                builder.Append(mapped[..count], text, at, at + size);
                copied = at + size;
            }

            at += size;
        }

        if (copied == 0)
            return text;
        builder.Copy(text, copied, text.Text.Length - copied);
        return builder.ToText();
    }

    /// <summary>Writes what the code point becomes, up to 8 units, and gives their number; -1 leaves it. Half a surrogate pair comes as itself.</summary>
    protected abstract int Map(int codePoint, Span<char> into);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteEndObject();
    }
}

/// <summary>Lower case, character by character (full mapping: U+0130 becomes two).</summary>
internal sealed class LowercaseNormalizer() : CharacterNormalizer("Lowercase")
{
    protected override int Map(int codePoint, Span<char> into) => Lower(codePoint, into);

    public static int Lower(int codePoint, Span<char> into)
    {
        if (codePoint < 0x80)
        {
            if (codePoint is < 'A' or > 'Z')
                return -1;
            into[0] = (char)(codePoint | 0x20);
            return 1;
        }

        if (codePoint == 0x130)
        {
            into[0] = 'i';
            into[1] = '\u0307';
            return 2;
        }

        if (!Rune.TryCreate(codePoint, out Rune rune))
            return -1;
        Rune lower = Rune.ToLowerInvariant(rune);
        return lower == rune ? -1 : lower.EncodeToUtf16(into);
    }
}

/// <summary>Removes combining marks (all of \p{M}).</summary>
internal sealed class StripAccentsNormalizer() : CharacterNormalizer("StripAccents")
{
    protected override int Map(int codePoint, Span<char> into) =>
        CharacterSet.Category(codePoint) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark ? 0 : -1;
}

/// <summary>The cleaning of Google's neural machine translation: control characters go, odd white space becomes a space.</summary>
internal sealed class NmtNormalizer() : CharacterNormalizer("Nmt")
{
    protected override int Map(int codePoint, Span<char> into)
    {
        switch (codePoint)
        {
            case (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F:
                return 0;
            case 0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD:
                into[0] = ' ';
                return 1;
            default:
                return -1;
        }
    }
}

/// <summary>Writes each byte of the UTF-8 text as a character of <see cref="ByteAlphabet"/>.</summary>
internal sealed class ByteLevelNormalizer() : CharacterNormalizer("ByteLevel")
{
    protected override int Map(int codePoint, Span<char> into)
    {
        Span<byte> utf8 = stackalloc byte[4];
        int count = (Rune.TryCreate(codePoint, out Rune rune) ? rune : Rune.ReplacementChar).EncodeToUtf8(utf8);
        for (int i = 0; i < count; i++)
            into[i] = ByteAlphabet.Of(utf8[i]);
        return count;
    }
}
