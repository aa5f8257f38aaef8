namespace Candela.Tokenization;

/// <summary>A hand-made matcher of a well-known split pattern that matches at every position: the text falls into matches without gaps. Each equals its pattern under <see cref="UnicodePattern"/> (tested).</summary>
internal abstract class Scanner
{
    /// <summary>The end of the match that starts at <paramref name="start"/>, which lies before the end of the text.</summary>
    public abstract int End(ReadOnlySpan<char> text, int start);

    /// <summary>The scanner of a pattern, or null when it has none.</summary>
    public static Scanner? Of(string pattern) => pattern switch
    {
        Gpt2Scanner.Pattern => Gpt2Scanner.Instance,
        Cl100kScanner.Pattern => new Cl100kScanner(3),
        Cl100kScanner.TiktokenPattern => new Cl100kScanner(3),
        Cl100kScanner.SingleDigitPattern => new Cl100kScanner(1),
        O200kScanner.Pattern => new O200kScanner(slash: true),
        O200kScanner.PatternWithoutSlash => new O200kScanner(slash: false),
        _ => null,
    };

    /// <summary><c>\s+(?!\S)|\s+</c>: a run of white space, less its last character where something else follows, unless that leaves nothing.</summary>
    protected static int SpaceEnd(ReadOnlySpan<char> text, int start)
    {
        int at = start;
        while (at < text.Length && (CharacterClasses.Of(text[at]) & CharacterClass.Space) != 0)
            at++;
        return at == text.Length || at == start + 1 ? at : at - 1;
    }

    /// <summary><c>\s*[\r\n]+|\s+(?!\S)|\s+</c>.</summary>
    protected static int LineOrSpaceEnd(ReadOnlySpan<char> text, int start)
    {
        int at = start, line = -1;
        while (at < text.Length && CharacterClasses.Of(text[at]) is var kind && (kind & CharacterClass.Space) != 0)
        {
            at++;
            if ((kind & CharacterClass.NewLine) != 0)
                line = at;
        }

        return line >= 0 ? line : at == text.Length || at == start + 1 ? at : at - 1;
    }

    /// <summary>The end of <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)</c> at a place, or the place itself. U+017F is an s.</summary>
    protected static int ContractionEnd(ReadOnlySpan<char> text, int at)
    {
        if (at + 1 >= text.Length || text[at] != '\'')
            return at;
        switch (text[at + 1] | 0x20)
        {
            case 's' or 't' or 'm' or 'd' when text[at + 1] < 0x80:
                return at + 2;
            case 'r' or 'v' when text[at + 1] < 0x80:
                return at + 2 < text.Length && text[at + 2] is 'e' or 'E' ? at + 3 : at;
            case 'l' when text[at + 1] < 0x80:
                return at + 2 < text.Length && text[at + 2] is 'l' or 'L' ? at + 3 : at;
            default:
                return text[at + 1] == '\u017F' ? at + 2 : at;
        }
    }

    /// <summary>The end of a run of characters whose class has any of the bits.</summary>
    protected static int RunEnd(ReadOnlySpan<char> text, int at, CharacterClass any)
    {
        while (at < text.Length && (CharacterClasses.At(text, at, out int size) & any) != 0)
            at += size;
        return at;
    }

    /// <summary>The end of a run of characters that are neither letter, number nor white space.</summary>
    protected static int OtherEnd(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && (CharacterClasses.At(text, at, out int size) & (CharacterClass.Letter | CharacterClass.Number | CharacterClass.Space)) == 0)
            at += size;
        return at;
    }

    /// <summary>The end of up to so many numbers.</summary>
    protected static int NumberEnd(ReadOnlySpan<char> text, int at, int most)
    {
        for (int count = 0; count < most && at < text.Length && (CharacterClasses.At(text, at, out int size) & CharacterClass.Number) != 0; count++)
            at += size;
        return at;
    }
}

/// <summary>The split of GPT-2.</summary>
internal sealed class Gpt2Scanner : Scanner
{
    public const string Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private const CharacterClass Kinds = CharacterClass.Letter | CharacterClass.Number | CharacterClass.Space;

    public static readonly Gpt2Scanner Instance = new();

    public override int End(ReadOnlySpan<char> text, int start)
    {
        char unit = text[start];
        int at = start;
        if (unit == '\'' && Contraction(text[(start + 1)..]) is > 0 and int length)
            return start + 1 + length;
        if (unit == ' ' && start + 1 < text.Length)
            at++;
        CharacterClass kind = CharacterClasses.At(text, at, out int size) & Kinds;
        if (kind == CharacterClass.Space)
            return SpaceEnd(text, start);
        at += size;
        while (at < text.Length && (CharacterClasses.At(text, at, out size) & Kinds) == kind)
            at += size;
        return at;
    }

    // Length of s, t, re, ve, m, ll, d at the front.
    private static int Contraction(ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty)
            return 0;
        switch (rest[0])
        {
            case 's' or 't' or 'm' or 'd':
                return 1;
            case 'r' or 'v':
                return rest.Length > 1 && rest[1] == 'e' ? 2 : 0;
            case 'l':
                return rest.Length > 1 && rest[1] == 'l' ? 2 : 0;
            default:
                return 0;
        }
    }
}

/// <summary>The split of GPT-4 (cl100k) and Llama 3, and with one number at a time that of Qwen 2.</summary>
internal sealed class Cl100kScanner(int numbers) : Scanner
{
    public const string Pattern = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    public const string SingleDigitPattern = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    public const string TiktokenPattern = @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";

    public override int End(ReadOnlySpan<char> text, int start)
    {
        int at = ContractionEnd(text, start);
        if (at > start)
            return at;
        CharacterClass kind = CharacterClasses.At(text, start, out int size);
        at = start + size;
        if ((kind & CharacterClass.Letter) != 0)
            return RunEnd(text, at, CharacterClass.Letter);
        if ((kind & CharacterClass.Number) != 0)
            return NumberEnd(text, start, numbers);
        if ((kind & CharacterClass.NewLine) == 0 && RunEnd(text, at, CharacterClass.Letter) is int letters && letters > at)
            return letters;
        if ((kind & CharacterClass.Space) == 0)
            return LinesEnd(text, OtherEnd(text, at));
        if (text[start] == ' ' && OtherEnd(text, at) is int others && others > at)
            return LinesEnd(text, others);
        return LineOrSpaceEnd(text, start);
    }

    private static int LinesEnd(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && text[at] is '\r' or '\n')
            at++;
        return at;
    }
}

/// <summary>The split of GPT-4o (o200k): words end where a capital follows a small letter.</summary>
internal sealed class O200kScanner(bool slash) : Scanner
{
    public const string Pattern = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    public const string PatternWithoutSlash = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const CharacterClass Upper = CharacterClass.NotLower | CharacterClass.Mark, Lower = CharacterClass.NotUpper | CharacterClass.Mark;

    public override int End(ReadOnlySpan<char> text, int start)
    {
        CharacterClass kind = CharacterClasses.At(text, start, out int size);
        if ((kind & CharacterClass.Number) != 0)
            return NumberEnd(text, start, 3);
        bool prefix = (kind & (CharacterClass.Letter | CharacterClass.NewLine)) == 0;
        if ((kind & (CharacterClass.Letter | CharacterClass.Mark)) != 0 || prefix)
        {
            int at = prefix ? start + size : start, end = CapitalsThenSmall(text, at);
            if (end < 0 && prefix)
                end = CapitalsThenSmall(text, start);
            if (end < 0)
                end = Capitals(text, at);
            if (end < 0 && prefix)
                end = Capitals(text, start);
            if (end >= 0)
                return ContractionEnd(text, end);
        }

        if ((kind & CharacterClass.Space) == 0)
            return TailEnd(text, OtherEnd(text, start + size));
        if (text[start] == ' ' && OtherEnd(text, start + 1) is int others && others > start + 1)
            return TailEnd(text, others);
        return LineOrSpaceEnd(text, start);
    }

    // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+
    private static int CapitalsThenSmall(ReadOnlySpan<char> text, int start)
    {
        int at = start, both = -1; // end of the last character of the first run that the second could begin with
        while (at < text.Length && CharacterClasses.At(text, at, out int size) is var kind && (kind & Upper) != 0)
        {
            at += size;
            if ((kind & Lower) != 0)
                both = at;
        }

        int end = RunEnd(text, at, Lower);
        return end > at ? end : both;
    }

    // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*
    private static int Capitals(ReadOnlySpan<char> text, int start)
    {
        int at = RunEnd(text, start, Upper);
        return at == start ? -1 : RunEnd(text, at, Lower);
    }

    private int TailEnd(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && (text[at] is '\r' or '\n' || slash && text[at] == '/'))
            at++;
        return at;
    }
}
