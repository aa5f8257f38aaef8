using System.Buffers;
using System.Globalization;
using System.Text;

namespace Candela.Data;

/// <summary>What a unit of text is.</summary>
internal enum UnitKind : byte
{
    /// <summary>A run of letters, digits and inner apostrophes of a script that puts spaces between words, lower-cased.</summary>
    Word,

    /// <summary>One character of a script without spaces: Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese.</summary>
    Sign,

    /// <summary>An exclamation or question mark, or a pictograph.</summary>
    Mark,
}

/// <summary>One unit: where it lies in the normalised characters, and whether it follows a unit of the same run directly.</summary>
internal readonly record struct TextUnit(int Start, int Length, UnitKind Kind, bool Joined);

/// <summary>Cuts text into words, signs and marks. The script is decided character by character, so that mixed text works. Full-width Latin letters
/// and marks are read as their usual forms. The buffers are reused: one instance per thread.</summary>
internal sealed class TextUnits
{
    private char[] _chars = new char[256];
    private TextUnit[] _units = new TextUnit[64];
    private int _length;

    /// <summary>Units found in the last text.</summary>
    public ReadOnlySpan<TextUnit> Units => _units.AsSpan(0, Count);

    public int Count { get; private set; }

    public ReadOnlySpan<char> Text(in TextUnit unit) => _chars.AsSpan(unit.Start, unit.Length);

    public void Read(ReadOnlySpan<char> text)
    {
        Count = _length = 0;
        // Lower-casing never lengthens a rune in UTF-16 here, so the text's own length is enough.
        if (_chars.Length < text.Length)
            _chars = new char[Math.Max(text.Length, 2 * _chars.Length)];
        int wordStart = -1;
        bool afterSign = false;
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out Rune rune, out int consumed) != OperationStatus.Done)
                rune = Rune.ReplacementChar;
            text = text[consumed..];
            rune = Normal(rune);
            if (IsSign(rune))
            {
                End(ref wordStart);
                Add(rune, UnitKind.Sign, afterSign);
                afterSign = true;
                continue;
            }

            bool inner = rune.Value == '\'' && wordStart >= 0 && !text.IsEmpty && char.IsLetter(text[0]) && !IsSign(new Rune(char.IsSurrogate(text[0]) ? 'a' : text[0]));
            if (inner || IsWord(rune))
            {
                if (wordStart < 0)
                    wordStart = _length;
                Append(rune);
                afterSign = false;
                continue;
            }

            End(ref wordStart);
            afterSign = false;
            if (rune.Value is '!' or '?' || (rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) == UnicodeCategory.OtherSymbol))
                Add(rune, UnitKind.Mark, false);
        }

        End(ref wordStart);
    }

    private static Rune Normal(Rune rune)
    {
        int value = rune.Value;
        if (value < 128)
            return value is >= 'A' and <= 'Z' ? new Rune(value + 32) : rune;
        if (value is >= 0xFF01 and <= 0xFF5E)
            rune = new Rune(value - 0xFEE0);
        else if (value == 0x2019)
            rune = new Rune('\'');
        return Rune.ToLowerInvariant(rune);
    }

    private static bool IsWord(Rune rune)
    {
        if (rune.Value < 128)
            return rune.Value is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_';
        return Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber;
    }

    // Unicode blocks: CJK ideographs with their extensions, kana, bopomofo, Hangul; Thai and Lao, Burmese, Khmer.
    private static bool IsSign(Rune rune) => rune.Value >= 0x0E00 && rune.Value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x3041 and <= 0x30FF)
        or (>= 0xAC00 and <= 0xD7AF) or (>= 0x20000 and <= 0x3FFFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x3100 and <= 0x31FF) or (>= 0xFF66 and <= 0xFF9F)
        or (>= 0x3005 and <= 0x3007) or (>= 0x1100 and <= 0x11FF) or (>= 0x0E00 and <= 0x0EFF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17FF)
        && rune.Value is not (0x30FB or 0x0E5A or 0x0E5B);

    private void Append(Rune rune)
    {
        if (_length + 2 > _chars.Length)
            Array.Resize(ref _chars, 2 * _chars.Length);
        _length += rune.EncodeToUtf16(_chars.AsSpan(_length));
    }

    private void Add(Rune rune, UnitKind kind, bool joined)
    {
        int start = _length;
        Append(rune);
        Add(new TextUnit(start, _length - start, kind, joined));
    }

    private void End(ref int wordStart)
    {
        if (wordStart >= 0)
            Add(new TextUnit(wordStart, _length - wordStart, UnitKind.Word, false));
        wordStart = -1;
    }

    private void Add(TextUnit unit)
    {
        if (Count == _units.Length)
            Array.Resize(ref _units, 2 * Count);
        _units[Count++] = unit;
    }
}
