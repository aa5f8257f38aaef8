using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>What a <see cref="BytePairModel"/> is made with.</summary>
internal sealed record BytePairOptions
{
    public string? UnknownToken { get; init; }

    /// <summary>Whether neighbouring unknown characters make one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Whether a character the vocabulary lacks becomes the tokens &lt;0xNN&gt; of its UTF-8 bytes.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>Whether a piece that is a token is taken whole, even where no merges lead to it.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>Written before each character of a piece but the first.</summary>
    public string? ContinuingSubwordPrefix { get; init; }

    /// <summary>Written after the last character of a piece.</summary>
    public string? EndOfWordSuffix { get; init; }

    /// <summary>Kept for the file only: encoding here is always deterministic.</summary>
    public double? Dropout { get; init; }
}

/// <summary>Byte-pair encoding (Sennrich et al. 2016) over characters, or over the byte alphabet of GPT-2: start from single characters and merge the pair of lowest rank until none is left.</summary>
internal sealed class BytePairModel : TokenModel
{
    private readonly BytePairOptions _options;
    private readonly (string Left, string Right)[] _merges;
    private readonly MergeTable _table;
    private readonly int[] _single; // id of each one-unit token, or -1
    private readonly int[]? _bytes; // id of <0xNN>, when byte fallback has all of them that are asked for
    private readonly int _unknown;
    private readonly ulong[]? _joined; // which neighbours lie inside a merged token, as a bit set over a hash; null when pieces cannot be cut beforehand

    /// <summary>Checks every merge against the vocabulary; <paramref name="file"/> is named when one does not fit.</summary>
    /// <param name="vocabulary">Tokens and ids.</param>
    /// <param name="merges">In the order in which they are made.</param>
    /// <param name="options">How pieces are taken.</param>
    /// <param name="file">For messages.</param>
    /// <param name="ranks">The rank of each merge, ascending, where several are equal: then the leftmost pair is merged. Null: each has its own. A tokenizer.json cannot tell, and is written in the order of the list.</param>
    public BytePairModel(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, BytePairOptions options, string file, IReadOnlyList<int>? ranks = null) : base(vocabulary)
    {
        _options = options;
        _merges = [.. merges];
        _table = new MergeTable(_merges.Length);
        int prefix = options.ContinuingSubwordPrefix?.Length ?? 0;
        for (int rank = 0; rank < _merges.Length; rank++)
        {
            (string left, string right) = _merges[rank];
            string merged = right.Length >= prefix ? string.Concat(left, right.AsSpan(prefix)) : left;
            string? missing = vocabulary.IdOf(left) is null ? left : vocabulary.IdOf(right) is null ? right : vocabulary.IdOf(merged) is null ? merged : null;
            if (missing is not null)
                throw new FileFormatException(file, Fault.Corrupt, string.Create(CultureInfo.InvariantCulture,
                    $"model.merges[{rank}] joins {Vocabulary.Quote(left)} and {Vocabulary.Quote(right)}, but {Vocabulary.Quote(missing)} is not in the vocabulary."));
            _table.Add(vocabulary.IdOf(left)!.Value, vocabulary.IdOf(right)!.Value, ranks?[rank] ?? rank, vocabulary.IdOf(merged)!.Value);
        }

        _single = new int[char.MaxValue + 1];
        for (int c = 0; c < _single.Length; c++)
            _single[c] = char.IsSurrogate((char)c) ? -1 : vocabulary.TryGet([(char)c], out int id) ? id : -1;
        if (options.ByteFallback)
            _bytes = ByteTokens(vocabulary);
        _unknown = -1;
        if (options.UnknownToken is { } unknown)
            _unknown = vocabulary.IdOf(unknown) ?? -1;
        // Bytes and the unknown token enter as symbols that are no characters: where they merge, nothing is known of neighbours.
        if (Plain && !_merges.Any(m => IsOwn(m.Left) || IsOwn(m.Right)))
            _joined = JoinedNeighbours(_merges);
    }

    private bool IsOwn(string token) => token == _options.UnknownToken || ByteFallbackDecoder.ByteOf(token) >= 0;

    private static ulong[] JoinedNeighbours((string Left, string Right)[] merges)
    {
        ulong[] bits = new ulong[1 << 14];
        foreach ((string left, string right) in merges)
        {
            Mark(left[^1], right[0]);
            for (int i = 1; i < left.Length; i++)
                Mark(left[i - 1], left[i]);
            for (int i = 1; i < right.Length; i++)
                Mark(right[i - 1], right[i]);
        }

        return bits;

        void Mark(char first, char second)
        {
            uint bit = Bit(first, second);
            bits[bit >> 6] |= 1UL << (int)(bit & 63);
        }
    }

    private static uint Bit(char first, char second) => ((uint)first << 16 | second) * 0x9E3779B1u >> 12; // 20 bits

    // No merge can cross: no merged token has these neighbours. Both must be tokens, so that runs of unknown characters stay whole.
    private bool IsSeam(char first, char second)
    {
        uint bit = Bit(first, second);
        return (_joined![bit >> 6] >> (int)(bit & 63) & 1) == 0 && _single[first] >= 0 && _single[second] >= 0;
    }

    public BytePairOptions Options => _options;

    public IReadOnlyList<(string Left, string Right)> Merges => _merges;

    public MergeTable Table => _table;

    public override string? UnknownToken => _options.UnknownToken;

    /// <summary>Whether the characters of a piece are looked up as they are.</summary>
    public bool Plain => string.IsNullOrEmpty(_options.ContinuingSubwordPrefix) && string.IsNullOrEmpty(_options.EndOfWordSuffix);

    /// <summary>The id of a one-unit token, or -1.</summary>
    public int SingleId(char unit) => _single[unit];

    public override void Tokenize(ReadOnlySpan<char> piece, TokenSink sink)
    {
        if (piece.IsEmpty)
            return;
        if (_options.IgnoreMerges && Vocabulary.TryGet(piece, out int whole))
        {
            sink.Add(whole, 0, piece.Length);
            return;
        }

        // A text without pre-tokenizer comes as one piece: it is cut where no merge can cross, which changes nothing and spares the heap.
        int done = 0;
        if (_joined is not null && piece.Length > 16)
        {
            for (int i = 1; i < piece.Length; i++)
            {
                if (!IsSeam(piece[i - 1], piece[i]))
                    continue;
                Segment(piece[done..i], done, sink);
                done = i;
            }
        }

        Segment(piece[done..], done, sink);
    }

    private void Segment(ReadOnlySpan<char> piece, int offset, TokenSink sink)
    {
        // At most 3 symbols a unit: the UTF-8 bytes of a BMP character (a surrogate pair has 4 for 2 units).
        int capacity = piece.Length * (_bytes is null ? 1 : 3);
        int[]? rented = null;
        Span<int> room = capacity <= 64 ? stackalloc int[256] : rented = ArrayPool<int>.Shared.Rent(capacity * 4);
        Span<int> ids = room[..capacity], from = room.Slice(capacity, capacity), to = room.Slice(capacity * 2, capacity), starts = room.Slice(capacity * 3, capacity);
        int symbols = Symbols(piece, ids, from, to);
        int count = symbols == 0 ? 0 : _table.Merge(ids[..symbols], starts[..symbols]);
        for (int i = 0; i < count; i++)
            sink.Add(ids[i], offset + from[starts[i]], offset + to[(i + 1 < count ? starts[i + 1] : symbols) - 1]);
        if (rented is not null)
            ArrayPool<int>.Shared.Return(rented);
    }

    private int Symbols(ReadOnlySpan<char> piece, Span<int> ids, Span<int> from, Span<int> to)
    {
        int count = 0;
        bool plain = Plain, lastUnknown = false;
        for (int i = 0; i < piece.Length;)
        {
            int size = char.IsHighSurrogate(piece[i]) && i + 1 < piece.Length && char.IsLowSurrogate(piece[i + 1]) ? 2 : 1;
            ReadOnlySpan<char> character = piece.Slice(i, size);
            int id = plain ? size == 1 ? _single[character[0]] : Vocabulary.TryGet(character, out int pair) ? pair : -1
                : Vocabulary.IdOf((i > 0 ? _options.ContinuingSubwordPrefix : "") + character.ToString() + (i + size == piece.Length ? _options.EndOfWordSuffix : "")) ?? -1;
            if (id >= 0)
            {
                (ids[count], from[count], to[count]) = (id, i, i + size);
                count++;
                lastUnknown = false;
            }
            else if (_bytes is not null && Fallback(character, ids[count..], out int bytes))
            {
                from.Slice(count, bytes).Fill(i);
                to.Slice(count, bytes).Fill(i + size);
                count += bytes;
                lastUnknown = false;
            }
            else if (_unknown >= 0)
            {
                if (lastUnknown && _options.FuseUnknown)
                {
                    to[count - 1] = i + size;
                }
                else
                {
                    (ids[count], from[count], to[count]) = (_unknown, i, i + size);
                    count++;
                }

                lastUnknown = true;
            }

            i += size;
        }

        return count;
    }

    private bool Fallback(ReadOnlySpan<char> character, Span<int> ids, out int count)
    {
        Span<byte> utf8 = stackalloc byte[4];
        count = Encoding.UTF8.GetBytes(character, utf8);
        for (int i = 0; i < count; i++)
        {
            if (_bytes![utf8[i]] < 0)
                return false;
            ids[i] = _bytes[utf8[i]];
        }

        return true;
    }

    /// <summary>The ids of &lt;0x00&gt; to &lt;0xFF&gt;, -1 where the vocabulary lacks one.</summary>
    public static int[] ByteTokens(Vocabulary vocabulary) =>
        [.. Enumerable.Range(0, 256).Select(b => vocabulary.IdOf(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>")) ?? -1)];

    public static BytePairModel Read(JsonPart part)
    {
        Vocabulary vocabulary = Vocabulary.Read(part["vocab"]);
        JsonPart merges = part["merges"];
        if (merges.IsNull)
            throw merges.Corrupt("the merges are missing");
        var pairs = new List<(string, string)>(merges.Element.ValueKind == JsonValueKind.Array ? merges.Element.GetArrayLength() : 0);
        foreach (JsonPart item in merges.Items())
            pairs.Add(ReadMerge(item));
        if (vocabulary.Count == 0)
            throw part.Corrupt("the vocabulary is empty");
        JsonPart dropout = part["dropout"];
        var options = new BytePairOptions
        {
            UnknownToken = part["unk_token"].OptionalText(),
            FuseUnknown = part["fuse_unk"].Flag(false),
            ByteFallback = part["byte_fallback"].Flag(false),
            IgnoreMerges = part["ignore_merges"].Flag(false),
            ContinuingSubwordPrefix = part["continuing_subword_prefix"].OptionalText(),
            EndOfWordSuffix = part["end_of_word_suffix"].OptionalText(),
            Dropout = dropout.IsNull ? null : dropout.Number(),
        };
        return new BytePairModel(vocabulary, pairs, options, part.File);
    }

    private static (string, string) ReadMerge(JsonPart item)
    {
        if (item.Element.ValueKind == JsonValueKind.Array)
        {
            if (item.Element.GetArrayLength() != 2)
                throw item.Corrupt("a merge needs exactly two tokens");
            return (new JsonPart(item.Element[0], item.File, item.Where).Text(), new JsonPart(item.Element[1], item.File, item.Where).Text());
        }

        string text = item.Text();
        int space = text.IndexOf(' ');
        if (space < 0 || text.IndexOf(' ', space + 1) >= 0)
            throw item.Corrupt($"a merge needs two tokens with one space between, {Vocabulary.Quote(text)} is there");
        return (text[..space], text[(space + 1)..]);
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "BPE");
        if (_options.Dropout is { } dropout)
            json.WriteNumber("dropout", dropout);
        else
            json.WriteNull("dropout");
        json.WriteString("unk_token", _options.UnknownToken);
        json.WriteString("continuing_subword_prefix", _options.ContinuingSubwordPrefix);
        json.WriteString("end_of_word_suffix", _options.EndOfWordSuffix);
        json.WriteBoolean("fuse_unk", _options.FuseUnknown);
        json.WriteBoolean("byte_fallback", _options.ByteFallback);
        json.WriteBoolean("ignore_merges", _options.IgnoreMerges);
        json.WritePropertyName("vocab");
        Vocabulary.Write(json);
        json.WriteStartArray("merges");
        foreach ((string left, string right) in _merges)
        {
            json.WriteStartArray();
            json.WriteStringValue(left);
            json.WriteStringValue(right);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
