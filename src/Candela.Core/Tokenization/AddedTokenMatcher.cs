using System.Buffers;
using System.Globalization;
using System.Text;

namespace Candela.Tokenization;

/// <summary>Finds added tokens in text: from left to right, the longest at each place. Immutable.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly SearchValues<char> _first;
    private readonly Dictionary<int, int> _edges = []; // node << 16 | unit -> node
    private readonly List<AddedToken?> _ends = [null]; // token that ends at each node

    /// <param name="tokens">Tokens with the text to look for (their content, or its normalized form).</param>
    public AddedTokenMatcher(IEnumerable<KeyValuePair<string, AddedToken>> tokens)
    {
        var first = new HashSet<char>();
        foreach ((string text, AddedToken token) in tokens)
        {
            if (text.Length == 0)
                continue;
            first.Add(text[0]);
            int node = 0;
            foreach (char unit in text)
            {
                if (!_edges.TryGetValue(node << 16 | unit, out int next))
                {
                    _edges[node << 16 | unit] = next = _ends.Count;
                    _ends.Add(null);
                }

                node = next;
            }

            _ends[node] = token;
        }

        _first = SearchValues.Create([.. first]);
        IsEmpty = first.Count == 0;
    }

    public bool IsEmpty { get; }

    /// <summary>The first added token that starts at or after <paramref name="from"/>, with the white space that belongs to it. Left-stripping goes no further than <paramref name="floor"/>, where the token before ended.</summary>
    public AddedToken? Next(ReadOnlySpan<char> text, int from, int floor, out int start, out int end)
    {
        start = end = text.Length;
        while (from < text.Length)
        {
            int skip = text[from..].IndexOfAny(_first);
            if (skip < 0)
                return null;
            from += skip;
            AddedToken? token = LongestAt(text, from, out int length);
            if (token is null)
            {
                from++;
                continue;
            }

            if (token.SingleWord && (EndsWithWord(text[..from]) || StartsWithWord(text[(from + length)..])))
            {
                from += length;
                continue;
            }

            (start, end) = (from, from + length);
            if (token.LeftStrip)
                while (start > floor && char.IsWhiteSpace(text[start - 1]))
                    start--;
            if (token.RightStrip)
                while (end < text.Length && char.IsWhiteSpace(text[end]))
                    end++;
            return token;
        }

        return null;
    }

    private AddedToken? LongestAt(ReadOnlySpan<char> text, int at, out int length)
    {
        AddedToken? found = null;
        length = 0;
        int node = 0;
        for (int i = at; i < text.Length && _edges.TryGetValue(node << 16 | text[i], out node); i++)
        {
            if (_ends[node] is not { } token)
                continue;
            found = token;
            length = i + 1 - at;
        }

        return found;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) => Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) => Rune.DecodeFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    // \w of Unicode regular expressions: letters, marks, decimal digits, connectors, letter numbers.
    private static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.LetterNumber => true,
        UnicodeCategory.ConnectorPunctuation => true,
        _ => false,
    };
}
