using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>The vocabulary and the rule that cuts a pre-token into its tokens. Immutable.</summary>
internal abstract class TokenModel
{
    protected TokenModel(Vocabulary vocabulary) => Vocabulary = vocabulary;

    public Vocabulary Vocabulary { get; }

    /// <summary>The token that stands for what the vocabulary lacks; null when there is none.</summary>
    public virtual string? UnknownToken => null;

    /// <summary>Cuts a piece; adds each token with its UTF-16 range in the piece.</summary>
    public abstract void Tokenize(ReadOnlySpan<char> piece, TokenSink sink);

    /// <summary>Writes the value of "model".</summary>
    public abstract void Write(Utf8JsonWriter json);

    /// <summary>Reads the value of "model".</summary>
    public static TokenModel Parse(JsonPart part)
    {
        if (part.IsNull)
            throw part.Corrupt("the model is missing");
        string? type = part["type"].OptionalText() ?? GuessType(part);
        return type switch
        {
            "BPE" => BytePairModel.Read(part),
            "WordPiece" => WordPieceModel.Read(part),
            "Unigram" => UnigramModel.Read(part),
            "WordLevel" => WordLevelModel.Read(part),
            null => throw part.Corrupt("type: the kind of model is missing"),
            _ => throw part.Unsupported($"model type \"{type}\" is not supported (BPE, WordPiece, Unigram, WordLevel are)"),
        };
    }

    // Files older than the "type" key.
    private static string? GuessType(JsonPart part) => !part["merges"].IsNull ? "BPE" : part["vocab"].Element.ValueKind == JsonValueKind.Array ? "Unigram" : !part["continuing_subword_prefix"].IsNull ? "WordPiece" : null;
}

/// <summary>Takes the tokens of one piece after another.</summary>
internal sealed class TokenSink
{
    private int[] _ids = new int[64], _starts = new int[64], _ends = new int[64];

    public int Count { get; private set; }

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    public int Id(int index) => _ids[index];

    public int Start(int index) => _starts[index];

    public int End(int index) => _ends[index];

    public void Clear() => Count = 0;

    public void Add(int id, int start, int end)
    {
        if (Count == _ids.Length)
            Grow();
        _ids[Count] = id;
        _starts[Count] = start;
        _ends[Count++] = end;
    }

    public void Replace(int index, int id, int start, int end) => (_ids[index], _starts[index], _ends[index]) = (id, start, end);

    /// <summary>Drops what was added after the first <paramref name="count"/>.</summary>
    public void Truncate(int count) => Count = count;

    /// <summary>Turns round the tokens from <paramref name="first"/> on.</summary>
    public void Reverse(int first)
    {
        Array.Reverse(_ids, first, Count - first);
        Array.Reverse(_starts, first, Count - first);
        Array.Reverse(_ends, first, Count - first);
    }

    private void Grow()
    {
        Array.Resize(ref _ids, Count * 2);
        Array.Resize(ref _starts, Count * 2);
        Array.Resize(ref _ends, Count * 2);
    }
}
