using System.Globalization;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>The cleaning of BERT: control characters go, white space becomes a space, Chinese characters stand alone, accents (nonspacing marks after NFD) go (null: when lower-casing), lower case.</summary>
internal sealed class BertNormalizer(bool cleanText, bool handleChineseCharacters, bool? stripAccents, bool lowercase) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        if (cleanText)
            text = new Clean().Apply(text);
        if (handleChineseCharacters)
            text = new Space().Apply(text);
        if (stripAccents ?? lowercase)
            text = new Strip().Apply(UnicodeForm.Apply(text, compatible: false, compose: false));
        return lowercase ? new LowercaseNormalizer().Apply(text) : text;
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "BertNormalizer");
        json.WriteBoolean("clean_text", cleanText);
        json.WriteBoolean("handle_chinese_chars", handleChineseCharacters);
        if (stripAccents is { } strip)
            json.WriteBoolean("strip_accents", strip);
        else
            json.WriteNull("strip_accents");
        json.WriteBoolean("lowercase", lowercase);
        json.WriteEndObject();
    }

    private sealed class Clean() : CharacterNormalizer("")
    {
        protected override int Map(int codePoint, Span<char> into)
        {
            if (codePoint is > ' ' and < 0x7F)
                return -1;
            if (codePoint is '\t' or '\n' or '\r' || codePoint <= char.MaxValue && codePoint != 0x85 && char.IsWhiteSpace((char)codePoint) && CharacterSet.Category(codePoint) != UnicodeCategory.Control)
            {
                into[0] = ' ';
                return 1;
            }

            return codePoint is 0 or 0xFFFD || CharacterSet.Category(codePoint) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate ? 0 : -1;
        }
    }

    private sealed class Space() : CharacterNormalizer("")
    {
        protected override int Map(int codePoint, Span<char> into)
        {
            if (codePoint is not ((>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F)
                or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F)))
                return -1;
            into[0] = ' ';
            int count = new System.Text.Rune(codePoint).EncodeToUtf16(into[1..]);
            into[count + 1] = ' ';
            return count + 2;
        }
    }

    private sealed class Strip() : CharacterNormalizer("")
    {
        protected override int Map(int codePoint, Span<char> into) => codePoint >= 0x300 && CharacterSet.Category(codePoint) == UnicodeCategory.NonSpacingMark ? 0 : -1;
    }
}
