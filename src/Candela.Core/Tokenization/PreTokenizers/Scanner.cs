namespace Candela.Tokenization;

/// <summary>A hand-made matcher of a pattern that matches at every position: the text falls into matches without gaps.</summary>
internal abstract class Scanner
{
    /// <summary>The end of the match that starts at <paramref name="start"/>, which lies before the end of the text.</summary>
    public abstract int End(ReadOnlySpan<char> text, int start);
}

/// <summary>The split of GPT-2: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.</summary>
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

    /// <summary><c>\s+(?!\S)|\s+</c>: a run of white space, less its last character where something else follows, unless that leaves nothing.</summary>
    internal static int SpaceEnd(ReadOnlySpan<char> text, int start)
    {
        int at = start;
        while (at < text.Length && (CharacterClasses.Of(text[at]) & CharacterClass.Space) != 0)
            at++;
        return at == text.Length || at == start + 1 ? at : at - 1;
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
