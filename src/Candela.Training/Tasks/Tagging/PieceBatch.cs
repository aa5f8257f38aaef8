using Candela.Data;
using Candela.Language;
using Candela.Tokenization;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>Sentences as an encoder reads them: the pieces of all words between the tokens that frame a text; a word's tag is read at its first piece.</summary>
internal sealed class PieceBatch : IBatch
{
    public required int Count { get; init; }

    /// <summary>Pieces of the longest row.</summary>
    public required int Steps { get; init; }

    /// <summary>Count x Steps ids, padded.</summary>
    public required long[] Ids { get; init; }

    /// <summary>1 for pieces, 0 for padding.</summary>
    public required long[] Seen { get; init; }

    /// <summary>Where the words begin, as row x Steps + column, row after row.</summary>
    public required long[] Places { get; init; }

    /// <summary>The tag of each word; -100 for one that training had not.</summary>
    public required long[] Tags { get; init; }

    /// <summary>The rows of the source these are.</summary>
    public required IReadOnlyList<PieceRow> Rows { get; init; }
}

/// <summary>A sentence, or a part of one that is longer than the encoder can read.</summary>
/// <param name="Sentence">Its number.</param>
/// <param name="FirstWord">Number of the part's first word in it.</param>
/// <param name="Ids">Framed.</param>
/// <param name="Places">Where each word begins.</param>
/// <param name="Tags">Each word's tag.</param>
internal sealed record PieceRow(int Sentence, int FirstWord, int[] Ids, int[] Places, long[] Tags);

/// <summary>Tagged sentences in batches for an encoder; in order those of like length are together.</summary>
internal sealed class PieceSource : IBatchSource<PieceBatch>
{
    private readonly PieceRow[] _rows;
    private readonly int _padding;

    /// <summary>Cuts sentences into pieces; empty ones are in no batch.</summary>
    public PieceSource(IReadOnlyList<TaggedSentence> sentences, Tokenizer tokenizer, BertConfig config, bool needTags = true)
    {
        _padding = config.Padding;
        var numbers = config.Labels.Select((tag, i) => (tag, i)).ToDictionary(t => t.tag, t => (long)t.i, StringComparer.Ordinal);
        int[] frame = tokenizer.EncodeWithin("", null, config.ContextLength).Ids;
        var rows = new List<PieceRow>();
        for (int s = 0; s < sentences.Count; s++)
        {
            IReadOnlyList<string> words = sentences[s].Tokens;
            int room = config.ContextLength - frame.Length;
            for (int word = 0; word < words.Count;)
            {
                int first = word;
                List<int> ids = [.. frame.Take(1)], places = [];
                var tags = new List<long>();
                for (; word < words.Count; word++)
                {
                    int[] pieces = Pieces(tokenizer, config, words[word], room);
                    if (ids.Count - Math.Min(1, frame.Length) + pieces.Length > room)
                        break;
                    places.Add(ids.Count);
                    ids.AddRange(pieces);
                    tags.Add(needTags ? numbers.GetValueOrDefault(sentences[s].Tags[word], MaskedTokens.Ignored) : 0);
                }

                ids.AddRange(frame.Skip(1));
                rows.Add(new PieceRow(s, first, [.. ids], [.. places], [.. tags]));
            }
        }

        _rows = [.. rows];
    }

    public long Count => _rows.Length;

    public IEnumerable<PieceBatch> Batches(BatchPlan plan)
    {
        int[] order = [.. Enumerable.Range(0, _rows.Length)];
        if (plan.ShuffleSeed is { } seed)
            new Rng(seed, plan.Epoch).Shuffle(order.AsSpan());
        else
            order = [.. order.OrderBy(i => _rows[i].Ids.Length)];
        foreach (int[] some in order.Chunk(plan.BatchSize).Skip((int)Math.Min(plan.Skip, int.MaxValue)))
            yield return Batch([.. some.Select(i => _rows[i])]);
    }

    private PieceBatch Batch(PieceRow[] rows)
    {
        int steps = rows.Max(r => r.Ids.Length);
        long[] ids = new long[rows.Length * steps], seen = new long[ids.Length];
        Array.Fill(ids, _padding);
        var places = new List<long>();
        for (int n = 0; n < rows.Length; n++)
        {
            for (int i = 0; i < rows[n].Ids.Length; i++)
                (ids[(n * steps) + i], seen[(n * steps) + i]) = (rows[n].Ids[i], 1);
            places.AddRange(rows[n].Places.Select(p => ((long)n * steps) + p));
        }

        return new PieceBatch { Count = rows.Length, Steps = steps, Ids = ids, Seen = seen, Places = [.. places], Tags = [.. rows.SelectMany(r => r.Tags)], Rows = rows };
    }

    // A word without pieces is read as unknown; RoBERTa's vocabulary has words with the space before them.
    private static int[] Pieces(Tokenizer tokenizer, BertConfig config, string word, int room)
    {
        int[] ids = tokenizer.Encode(config.IsRoberta ? " " + word : word, addSpecialTokens: false);
        return ids.Length == 0 ? [tokenizer.UnknownId ?? config.Padding] : ids.Length > room ? ids[..room] : ids;
    }
}
