using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>A piece is a token, or unknown. With a split of each character this is a character-level model.</summary>
internal sealed class WordLevelModel : TokenModel
{
    private readonly string _unknownToken;
    private readonly int _unknown;

    public WordLevelModel(Vocabulary vocabulary, string unknownToken) : base(vocabulary)
    {
        _unknownToken = unknownToken;
        _unknown = vocabulary.IdOf(unknownToken) ?? -1;
    }

    public override string UnknownToken => _unknownToken;

    public override void Tokenize(ReadOnlySpan<char> piece, TokenSink sink)
    {
        if (piece.IsEmpty)
            return;
        int id = Vocabulary.TryGet(piece, out int found) ? found : _unknown;
        if (id < 0)
            throw new DataException($"The vocabulary lacks {Vocabulary.Quote(piece.ToString())} and has no unknown token ({Vocabulary.Quote(_unknownToken)}); use a vocabulary that has one.");
        sink.Add(id, 0, piece.Length);
    }

    public static WordLevelModel Read(JsonPart part) => new(Vocabulary.Read(part["vocab"]), part["unk_token"].Text("<unk>"));

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "WordLevel");
        json.WritePropertyName("vocab");
        Vocabulary.Write(json);
        json.WriteString("unk_token", _unknownToken);
        json.WriteEndObject();
    }
}
