using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>WordPiece (Wu et al. 2016): the longest token from the left, then the longest that continues it; a word that cannot be covered is unknown as a whole.</summary>
internal sealed class WordPieceModel : TokenModel
{
    private readonly string _unknownToken, _prefix;
    private readonly int _unknown, _maxCharacters, _longest;

    /// <summary>Checks that <paramref name="unknownToken"/> is in the vocabulary; <paramref name="file"/> is named when not.</summary>
    public WordPieceModel(Vocabulary vocabulary, string unknownToken, string continuingSubwordPrefix, int maxCharactersPerWord, string file) : base(vocabulary)
    {
        (_unknownToken, _prefix, _maxCharacters) = (unknownToken, continuingSubwordPrefix, maxCharactersPerWord);
        _unknown = vocabulary.IdOf(unknownToken) ?? throw new FileFormatException(file, Fault.Corrupt, $"model.unk_token {Vocabulary.Quote(unknownToken)} is not in the vocabulary.");
        _longest = vocabulary.LongestToken;
    }

    public override string UnknownToken => _unknownToken;

    public string ContinuingSubwordPrefix => _prefix;

    public override void Tokenize(ReadOnlySpan<char> piece, TokenSink sink)
    {
        int first = sink.Count;
        if (piece.IsEmpty || !Cover(piece, sink))
        {
            sink.Truncate(first);
            if (!piece.IsEmpty)
                sink.Add(_unknown, 0, piece.Length);
        }
    }

    private bool Cover(ReadOnlySpan<char> piece, TokenSink sink)
    {
        if (piece.Length > _maxCharacters && Characters(piece) > _maxCharacters)
            return false;
        char[]? rented = null;
        int capacity = _prefix.Length + piece.Length;
        Span<char> buffer = capacity <= 256 ? stackalloc char[256] : rented = System.Buffers.ArrayPool<char>.Shared.Rent(capacity);
        bool covered = true;
        for (int start = 0; start < piece.Length && covered;)
        {
            int room = Math.Min(piece.Length - start, _longest), prefix = start > 0 ? _prefix.Length : 0;
            if (prefix > 0)
                _prefix.CopyTo(buffer);
            piece.Slice(start, room).CopyTo(buffer[prefix..]);
            int end = room;
            covered = false;
            for (; end > 0 && !covered; end--)
            {
                if (end < room && char.IsLowSurrogate(buffer[prefix + end]) && char.IsHighSurrogate(buffer[prefix + end - 1]))
                    continue; // not between the halves of a character
                if (!Vocabulary.TryGet(buffer[..(prefix + end)], out int id))
                    continue;
                sink.Add(id, start, start + end);
                start += end;
                covered = true;
            }
        }

        if (rented is not null)
            System.Buffers.ArrayPool<char>.Shared.Return(rented);
        return covered;
    }

    private static int Characters(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (System.Text.Rune _ in text.EnumerateRunes())
            count++;
        return count;
    }

    public static WordPieceModel Read(JsonPart part) => new(Vocabulary.Read(part["vocab"]), part["unk_token"].Text("[UNK]"), part["continuing_subword_prefix"].Text("##"), part["max_input_chars_per_word"].Count(100), part.File);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "WordPiece");
        json.WriteString("unk_token", _unknownToken);
        json.WriteString("continuing_subword_prefix", _prefix);
        json.WriteNumber("max_input_chars_per_word", _maxCharacters);
        json.WritePropertyName("vocab");
        Vocabulary.Write(json);
        json.WriteEndObject();
    }
}
