using System.Globalization;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Tokens and ids, both ways. Ids may leave gaps. Immutable.</summary>
internal sealed class Vocabulary
{
    /// <summary>One more than the largest id a file may use: far above any real vocabulary, small enough that a hostile file costs little.</summary>
    public const int IdLimit = 10_000_000;

    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly string?[] _tokens;

    private readonly Lazy<int> _longest;

    private Vocabulary(Dictionary<string, int> ids, string?[] tokens)
    {
        (_ids, _lookup, _tokens) = (ids, ids.GetAlternateLookup<ReadOnlySpan<char>>(), tokens);
        _longest = new Lazy<int>(() => _ids.Keys.Select(k => k.Length).DefaultIfEmpty().Max());
    }

    /// <summary>Number of tokens.</summary>
    public int Count => _ids.Count;

    /// <summary>One more than the largest id.</summary>
    public int Size => _tokens.Length;

    /// <summary>Length of the longest token in UTF-16 units.</summary>
    public int LongestToken => _longest.Value;

    public string? TokenOf(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    public int? IdOf(string token) => _ids.TryGetValue(token, out int id) ? id : null;

    public bool TryGet(ReadOnlySpan<char> token, out int id) => _lookup.TryGetValue(token, out id);

    /// <summary>The vocabulary whose ids are the positions in the list; <paramref name="file"/> is named when a token is there twice.</summary>
    public static Vocabulary FromList(IReadOnlyList<string> tokens, string file) => FromPairs(tokens.Select((token, id) => KeyValuePair.Create(token, id)), file);

    /// <summary>The vocabulary of token and id pairs; refuses a token or id that is there twice and ids out of range.</summary>
    public static Vocabulary FromPairs(IEnumerable<KeyValuePair<string, int>> pairs, string file)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        int largest = -1;
        foreach ((string token, int id) in pairs)
        {
            if (id is < 0 or >= IdLimit)
                throw new FileFormatException(file, Fault.Corrupt, string.Create(CultureInfo.InvariantCulture, $"vocabulary: token {Quote(token)} has id {id}; ids lie in 0..{IdLimit - 1}."));
            if (!ids.TryAdd(token, id))
                throw new FileFormatException(file, Fault.Corrupt, string.Create(CultureInfo.InvariantCulture, $"vocabulary: token {Quote(token)} is there twice, with ids {ids[token]} and {id}."));
            largest = Math.Max(largest, id);
        }

        string?[] tokens = new string?[largest + 1];
        foreach ((string token, int id) in ids)
        {
            if (tokens[id] is { } other)
                throw new FileFormatException(file, Fault.Corrupt, string.Create(CultureInfo.InvariantCulture, $"vocabulary: id {id} belongs to two tokens, {Quote(other)} and {Quote(token)}."));
            tokens[id] = token;
        }

        return new Vocabulary(ids, tokens);
    }

    /// <summary>Reads an object of token: id.</summary>
    public static Vocabulary Read(JsonPart part)
    {
        if (part.IsNull)
            throw part.Corrupt("the vocabulary is missing");
        return FromPairs(part.Members().Select(m => KeyValuePair.Create(m.Key, m.Value.Integer())), part.File);
    }

    /// <summary>Writes an object of token: id, in id order.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        for (int id = 0; id < _tokens.Length; id++)
            if (_tokens[id] is { } token)
                json.WriteNumber(token, id);
        json.WriteEndObject();
    }

    /// <summary>A token for an error message: short, and without control characters.</summary>
    public static string Quote(string token)
    {
        string text = token.Length > 40 ? token[..40] + "..." : token;
        return "\"" + string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : c.ToString())) + "\"";
    }
}
