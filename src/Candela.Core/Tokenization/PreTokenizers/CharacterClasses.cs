using System.Globalization;
using System.Runtime.CompilerServices;

namespace Candela.Tokenization;

/// <summary>What kind of character it is, as a bit set.</summary>
[Flags]
internal enum CharacterClass : byte
{
    None = 0,

    /// <summary>\p{L}.</summary>
    Letter = 1,

    /// <summary>\p{N}.</summary>
    Number = 2,

    /// <summary>White_Space.</summary>
    Space = 4,

    /// <summary>\p{M}.</summary>
    Mark = 8,

    /// <summary>\p{Lu}, \p{Lt}, \p{Lm}, \p{Lo}.</summary>
    NotLower = 16,

    /// <summary>\p{Ll}, \p{Lm}, \p{Lo}.</summary>
    NotUpper = 32,

    /// <summary>Line feed or carriage return.</summary>
    NewLine = 64,

    /// <summary>Half of a surrogate pair: the pair decides.</summary>
    Surrogate = 128,
}

/// <summary>Unicode classes by table for the Basic Multilingual Plane and by lookup beyond it.</summary>
internal static class CharacterClasses
{
    private static readonly byte[] Table = Build();

    /// <summary>The class of the character at <paramref name="at"/> and its length in UTF-16 units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CharacterClass At(ReadOnlySpan<char> text, int at, out int length)
    {
        var found = (CharacterClass)Table[text[at]];
        length = 1;
        return found == CharacterClass.Surrogate ? Pair(text, at, out length) : found;
    }

    /// <summary>The class of a single unit; <see cref="CharacterClass.Surrogate"/> for half a pair.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CharacterClass Of(char unit) => (CharacterClass)Table[unit];

    public static CharacterClass Of(int codePoint) => codePoint <= char.MaxValue ? (CharacterClass)Table[codePoint] : Classify(CharUnicodeInfo.GetUnicodeCategory(codePoint));

    // Half a pair alone is encoded as U+FFFD, a symbol: no class.
    private static CharacterClass Pair(ReadOnlySpan<char> text, int at, out int length)
    {
        length = 1;
        if (!char.IsHighSurrogate(text[at]) || at + 1 >= text.Length || !char.IsLowSurrogate(text[at + 1]))
            return CharacterClass.None;
        length = 2;
        return Classify(CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(text[at], text[at + 1])));
    }

    private static CharacterClass Classify(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => CharacterClass.Letter | CharacterClass.NotLower,
        UnicodeCategory.LowercaseLetter => CharacterClass.Letter | CharacterClass.NotUpper,
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharacterClass.Letter | CharacterClass.NotLower | CharacterClass.NotUpper,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterClass.Number,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => CharacterClass.Mark,
        UnicodeCategory.Surrogate => CharacterClass.Surrogate,
        _ => CharacterClass.None,
    };

    private static byte[] Build()
    {
        byte[] table = new byte[char.MaxValue + 1];
        for (int c = 0; c < table.Length; c++)
        {
            CharacterClass found = Classify(CharUnicodeInfo.GetUnicodeCategory((char)c));
            if (char.IsWhiteSpace((char)c))
                found |= CharacterClass.Space;
            if (c is '\n' or '\r')
                found |= CharacterClass.NewLine;
            table[c] = (byte)found;
        }

        return table;
    }
}
