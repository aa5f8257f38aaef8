using System.Globalization;
using System.Text;

namespace Candela.Tokenization;

/// <summary>A set of code points, as a character class of a regular expression. Immutable.</summary>
internal abstract class CharacterSet
{
    private readonly Lazy<ulong[]> _ascii;

    protected CharacterSet() => _ascii = new Lazy<ulong[]>(() =>
    {
        ulong[] bits = new ulong[2];
        for (int c = 0; c < 128; c++)
            if (Test(c))
                bits[c >> 6] |= 1UL << (c & 63);
        return bits;
    });

    public static readonly CharacterSet Any = new Range(0, 0x10FFFF), WhiteSpace = new Predicate(c => c <= char.MaxValue && char.IsWhiteSpace((char)c)),
        Word = new Predicate(c => Category(c) is <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation || IsLetterSymbol(c)),
        WordOutsideClass = new Predicate(c => c is 0xB2 or 0xB3 or 0xB9 or (>= 0xBC and <= 0xBE) || Word!.Contains(c)),
        Digit = new Predicate(c => Category(c) == UnicodeCategory.DecimalDigitNumber);

    public bool Contains(int codePoint) => codePoint < 128 ? (_ascii.Value[codePoint >> 6] >> (codePoint & 63) & 1) != 0 : Test(codePoint);

    protected abstract bool Test(int codePoint);

    public static CharacterSet Of(int from, int to) => new Range(from, to);

    public static CharacterSet Union(IReadOnlyList<CharacterSet> parts) => parts.Count == 1 ? parts[0] : new Predicate(c => parts.Any(p => p.Contains(c)));

    public static CharacterSet Intersection(CharacterSet a, CharacterSet b) => new Predicate(c => a.Contains(c) && b.Contains(c));

    public CharacterSet Complement() => new Predicate(c => !Contains(c));

    /// <summary>The set of what equals a member but for its case (simple case folding).</summary>
    public CharacterSet IgnoreCase() => new Predicate(c =>
    {
        if (Contains(c))
            return true;
        if (c is >= 0xD800 and <= 0xDFFF)
            return false;
        var rune = new Rune(c);
        return Contains(Rune.ToLowerInvariant(rune).Value) || Contains(Rune.ToUpperInvariant(rune).Value) || c switch
        {
            's' or 'S' => Contains(0x17F),
            'k' or 'K' => Contains(0x212A),
            0xE5 or 0xC5 => Contains(0x212B),
            0x17F => Contains('s') || Contains('S'),
            0x212A => Contains('k') || Contains('K'),
            0x212B => Contains(0xE5) || Contains(0xC5),
            _ => false,
        };
    });

    /// <summary>The set of a Unicode property: a general category, a few binary properties, a script. Null when the name is not known.</summary>
    public static CharacterSet? Property(string name)
    {
        string key = name.Replace("_", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant();
        int equals = key.IndexOf('=');
        if (equals >= 0)
            key = key[..equals] is "SCRIPT" or "SC" or "GC" or "GENERALCATEGORY" ? key[(equals + 1)..] : "";
        UnicodeCategory[]? categories = Categories(key);
        if (categories is not null)
        {
            int mask = categories.Aggregate(0, (m, c) => m | 1 << (int)c);
            return new Predicate(c => (mask >> (int)Category(c) & 1) != 0);
        }

        return key switch
        {
            "ANY" => Any,
            "ASCII" => new Range(0, 127),
            "WHITESPACE" or "SPACE" => WhiteSpace,
            "ALPHABETIC" or "ALPHA" => new Predicate(c => Category(c) is <= UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber || UnicodeData.IsOtherAlphabetic(c)),
            "WORD" => Word,
            "ALNUM" => new Predicate(c => Category(c) is <= UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber || UnicodeData.IsOtherAlphabetic(c)),
            "LOWER" or "LOWERCASE" => new Predicate(c => Category(c) == UnicodeCategory.LowercaseLetter),
            "UPPER" or "UPPERCASE" => new Predicate(c => Category(c) == UnicodeCategory.UppercaseLetter),
            "DIGIT" => Digit,
            "XDIGIT" => new Predicate(c => c < 128 && char.IsAsciiHexDigit((char)c)),
            "PUNCT" => new Predicate(c => Category(c) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherSymbol),
            "CNTRL" => new Predicate(c => Category(c) == UnicodeCategory.Control),
            "BLANK" => new Predicate(c => c == '\t' || Category(c) == UnicodeCategory.SpaceSeparator),
            "GRAPH" => new Predicate(c => !WhiteSpace.Contains(c) && Category(c) is not (UnicodeCategory.Control or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned)),
            "PRINT" => new Predicate(c => Category(c) is not (UnicodeCategory.Control or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned)),
            _ => UnicodeData.ScriptIndex(key) is int script && script >= 0 ? new Predicate(c => UnicodeData.ScriptOf(c) == script) : null,
        };
    }

    internal static UnicodeCategory Category(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint);

    // Circled, squared and parenthesized letters: symbols that are alphabetic.
    private static bool IsLetterSymbol(int c) => c is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    private static UnicodeCategory[]? Categories(string key) => key switch
    {
        "L" or "LETTER" => [UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter, UnicodeCategory.ModifierLetter, UnicodeCategory.OtherLetter],
        "LC" or "L&" or "CASEDLETTER" => [UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter],
        "LU" or "UPPERCASELETTER" => [UnicodeCategory.UppercaseLetter],
        "LL" or "LOWERCASELETTER" => [UnicodeCategory.LowercaseLetter],
        "LT" or "TITLECASELETTER" => [UnicodeCategory.TitlecaseLetter],
        "LM" or "MODIFIERLETTER" => [UnicodeCategory.ModifierLetter],
        "LO" or "OTHERLETTER" => [UnicodeCategory.OtherLetter],
        "M" or "MARK" or "COMBININGMARK" => [UnicodeCategory.NonSpacingMark, UnicodeCategory.SpacingCombiningMark, UnicodeCategory.EnclosingMark],
        "MN" or "NONSPACINGMARK" => [UnicodeCategory.NonSpacingMark],
        "MC" or "SPACINGMARK" => [UnicodeCategory.SpacingCombiningMark],
        "ME" or "ENCLOSINGMARK" => [UnicodeCategory.EnclosingMark],
        "N" or "NUMBER" => [UnicodeCategory.DecimalDigitNumber, UnicodeCategory.LetterNumber, UnicodeCategory.OtherNumber],
        "ND" or "DECIMALNUMBER" => [UnicodeCategory.DecimalDigitNumber],
        "NL" or "LETTERNUMBER" => [UnicodeCategory.LetterNumber],
        "NO" or "OTHERNUMBER" => [UnicodeCategory.OtherNumber],
        "P" or "PUNCTUATION" => [UnicodeCategory.ConnectorPunctuation, UnicodeCategory.DashPunctuation, UnicodeCategory.OpenPunctuation, UnicodeCategory.ClosePunctuation,
            UnicodeCategory.InitialQuotePunctuation, UnicodeCategory.FinalQuotePunctuation, UnicodeCategory.OtherPunctuation],
        "PC" or "CONNECTORPUNCTUATION" => [UnicodeCategory.ConnectorPunctuation],
        "PD" or "DASHPUNCTUATION" => [UnicodeCategory.DashPunctuation],
        "PS" or "OPENPUNCTUATION" => [UnicodeCategory.OpenPunctuation],
        "PE" or "CLOSEPUNCTUATION" => [UnicodeCategory.ClosePunctuation],
        "PI" or "INITIALPUNCTUATION" => [UnicodeCategory.InitialQuotePunctuation],
        "PF" or "FINALPUNCTUATION" => [UnicodeCategory.FinalQuotePunctuation],
        "PO" or "OTHERPUNCTUATION" => [UnicodeCategory.OtherPunctuation],
        "S" or "SYMBOL" => [UnicodeCategory.MathSymbol, UnicodeCategory.CurrencySymbol, UnicodeCategory.ModifierSymbol, UnicodeCategory.OtherSymbol],
        "SM" or "MATHSYMBOL" => [UnicodeCategory.MathSymbol],
        "SC" or "CURRENCYSYMBOL" => [UnicodeCategory.CurrencySymbol],
        "SK" or "MODIFIERSYMBOL" => [UnicodeCategory.ModifierSymbol],
        "SO" or "OTHERSYMBOL" => [UnicodeCategory.OtherSymbol],
        "Z" or "SEPARATOR" => [UnicodeCategory.SpaceSeparator, UnicodeCategory.LineSeparator, UnicodeCategory.ParagraphSeparator],
        "ZS" or "SPACESEPARATOR" => [UnicodeCategory.SpaceSeparator],
        "ZL" or "LINESEPARATOR" => [UnicodeCategory.LineSeparator],
        "ZP" or "PARAGRAPHSEPARATOR" => [UnicodeCategory.ParagraphSeparator],
        "C" or "OTHER" => [UnicodeCategory.Control, UnicodeCategory.Format, UnicodeCategory.Surrogate, UnicodeCategory.PrivateUse, UnicodeCategory.OtherNotAssigned],
        "CC" or "CONTROL" => [UnicodeCategory.Control],
        "CF" or "FORMAT" => [UnicodeCategory.Format],
        "CO" or "PRIVATEUSE" => [UnicodeCategory.PrivateUse],
        "CN" or "UNASSIGNED" => [UnicodeCategory.OtherNotAssigned],
        _ => null,
    };

    private sealed class Range(int from, int to) : CharacterSet
    {
        protected override bool Test(int codePoint) => codePoint >= from && codePoint <= to;
    }

    private sealed class Predicate(Func<int, bool> test) : CharacterSet
    {
        protected override bool Test(int codePoint) => test(codePoint);
    }
}
