using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>The unigram language model (Kudo 2018): of all ways to cut a piece into tokens, the one whose scores (log probabilities) add up to the most, by Viterbi.
/// A character no token covers is unknown, at 10 below the lowest score; neighbouring unknown characters are one.</summary>
internal sealed class UnigramModel : TokenModel
{
    private const double UnknownPenalty = 10;

    private readonly double[] _scores;
    private readonly int? _unknown;
    private readonly bool _byteFallback;
    private readonly int[]? _bytes;
    private readonly double _unknownScore;
    private readonly Dictionary<long, int> _edges = []; // node << 16 | unit -> node
    private readonly List<int> _ids = [-1]; // id of the token that ends at each node

    /// <summary>Checks the scores and the unknown id; <paramref name="file"/> is named when they do not fit.</summary>
    public UnigramModel(Vocabulary vocabulary, double[] scores, int? unknownId, bool byteFallback, string file) : base(vocabulary)
    {
        if (vocabulary.Size == 0)
            throw new FileFormatException(file, Fault.Corrupt, "model.vocab is empty.");
        if (unknownId is { } unknown && vocabulary.TokenOf(unknown) is null)
            throw new FileFormatException(file, Fault.Corrupt, string.Create(CultureInfo.InvariantCulture, $"model.unk_id {unknown} is not in the vocabulary of {vocabulary.Size} tokens."));
        if (scores.Length != vocabulary.Size || scores.Any(s => !double.IsFinite(s)))
            throw new FileFormatException(file, Fault.Corrupt, "model.vocab: every token needs a finite score.");
        (_scores, _unknown, _byteFallback) = (scores, unknownId, byteFallback);
        _bytes = byteFallback ? BytePairModel.ByteTokens(vocabulary) : null;
        _unknownScore = scores.Min() - UnknownPenalty;
        for (int id = 0; id < vocabulary.Size; id++)
        {
            if (vocabulary.TokenOf(id) is not { Length: > 0 } token)
                continue;
            int node = 0;
            foreach (char unit in token)
            {
                if (!_edges.TryGetValue((long)node << 16 | unit, out int next))
                {
                    _edges[(long)node << 16 | unit] = next = _ids.Count;
                    _ids.Add(-1);
                }

                node = next;
            }

            _ids[node] = id;
        }
    }

    public override string? UnknownToken => _unknown is { } id ? Vocabulary.TokenOf(id) : null;

    /// <summary>The log probability of a token.</summary>
    public double ScoreOf(int id) => _scores[id];

    public override void Tokenize(ReadOnlySpan<char> piece, TokenSink sink)
    {
        if (piece.IsEmpty)
            return;
        int length = piece.Length;
        double[] best = ArrayPool<double>.Shared.Rent(length + 1);
        int[] from = ArrayPool<int>.Shared.Rent(length + 1), id = ArrayPool<int>.Shared.Rent(length + 1);
        from.AsSpan(0, length + 1).Fill(-1);
        best[0] = 0;
        for (int start = 0; start < length;)
        {
            int size = start + 1 < length && char.IsSurrogatePair(piece[start], piece[start + 1]) ? 2 : 1, node = 0;
            bool single = false;
            for (int end = start; end < length && _edges.TryGetValue((long)node << 16 | piece[end], out node); end++)
            {
                int token = _ids[node];
                if (token < 0)
                    continue;
                Offer(end + 1, _scores[token], token);
                single |= end + 1 - start == size;
            }

            if (!single)
                Offer(start + size, _unknownScore, -1);
            start += size;

            void Offer(int end, double score, int token)
            {
                score += best[start];
                if (from[end] >= 0 && score <= best[end])
                    return;
                (best[end], from[end], id[end]) = (score, start, token);
            }
        }

        // Back to front: the tokens are turned round in place.
        int first = sink.Count;
        for (int end = length; end > 0; end = from[end])
        {
            int token = id[end] < 0 || id[end] == _unknown ? -1 : id[end];
            if (token < 0 && sink.Count > first && sink.Id(sink.Count - 1) < 0)
                sink.Replace(sink.Count - 1, -1, from[end], sink.End(sink.Count - 1));
            else
                sink.Add(token, from[end], end);
        }

        sink.Reverse(first);
        ArrayPool<double>.Shared.Return(best);
        ArrayPool<int>.Shared.Return(from);
        ArrayPool<int>.Shared.Return(id);
        Resolve(piece, sink, first);
    }

    // What is unknown becomes its bytes where they all have tokens, else the unknown token.
    private void Resolve(ReadOnlySpan<char> piece, TokenSink sink, int first)
    {
        if (!sink.Ids[first..].Contains(-1))
            return;
        (int Id, int Start, int End)[] tokens = new (int, int, int)[sink.Count - first];
        for (int i = 0; i < tokens.Length; i++)
            tokens[i] = (sink.Id(first + i), sink.Start(first + i), sink.End(first + i));
        sink.Truncate(first);
        foreach ((int id, int start, int end) in tokens)
        {
            if (id >= 0)
            {
                sink.Add(id, start, end);
                continue;
            }

            byte[] utf8 = _bytes is null ? [] : Encoding.UTF8.GetBytes(piece[start..end].ToArray());
            if (utf8.Length > 0 && Array.TrueForAll(utf8, b => _bytes![b] >= 0))
            {
                foreach (byte value in utf8)
                    sink.Add(_bytes![value], start, end);
                continue;
            }

            sink.Add(_unknown ?? throw new DataException($"The vocabulary lacks {Vocabulary.Quote(piece[start..end].ToString())} and has no unknown token; use a vocabulary that has one."), start, end);
        }
    }

    public static UnigramModel Read(JsonPart part)
    {
        JsonPart vocab = part["vocab"];
        if (vocab.IsNull)
            throw vocab.Corrupt("the vocabulary is missing");
        var tokens = new List<string>();
        var scores = new List<double>();
        foreach (JsonPart item in vocab.Items())
        {
            if (item.Element.ValueKind != JsonValueKind.Array || item.Element.GetArrayLength() != 2)
                throw item.Corrupt("a token and its score were needed");
            tokens.Add(new JsonPart(item.Element[0], item.File, item.Where).Text());
            scores.Add(new JsonPart(item.Element[1], item.File, item.Where).Number());
        }

        JsonPart unknown = part["unk_id"];
        return new UnigramModel(Vocabulary.FromList(tokens, part.File), [.. scores], unknown.IsNull ? null : unknown.Integer(), part["byte_fallback"].Flag(false), part.File);
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Unigram");
        if (_unknown is { } unknown)
            json.WriteNumber("unk_id", unknown);
        else
            json.WriteNull("unk_id");
        json.WriteStartArray("vocab");
        for (int id = 0; id < _scores.Length; id++)
        {
            json.WriteStartArray();
            json.WriteStringValue(Vocabulary.TokenOf(id));
            json.WriteNumberValue(_scores[id]);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteBoolean("byte_fallback", _byteFallback);
        json.WriteEndObject();
    }
}
