using Candela.Tokenization;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>A sequence before tokens are hidden in it.</summary>
/// <param name="Ids">Framed.</param>
/// <param name="Second">Where the second text begins; the length where there is none.</param>
/// <param name="Unrelated">Whether the second text does not follow the first; null where there are no pairs.</param>
internal sealed record MaskedExample(int[] Ids, int Second, bool? Unrelated);

/// <summary>Puts texts between the tokens that frame them and hides tokens.</summary>
internal sealed class MaskedFrames
{
    /// <summary>Tokens that frame one text, and two.</summary>
    public const int OfOne = 2, OfTwo = 3;

    private readonly Tokenizer _tokenizer;
    private readonly int _first, _separator, _mask, _padding, _vocabulary;

    /// <exception cref="DataException">The tokenizer lacks a token that masking needs.</exception>
    public MaskedFrames(Tokenizer tokenizer, BertConfig config)
    {
        (_tokenizer, _padding, _vocabulary) = (tokenizer, config.Padding, Math.Min(config.VocabularySize, tokenizer.VocabularySize));
        (_first, _separator, _mask) = (Special("[CLS]", "<s>"), Special("[SEP]", "</s>"), Special("[MASK]", "<mask>"));
    }

    /// <summary>The token that stands for a hidden one.</summary>
    public int Mask => _mask;

    public MaskedExample Of(ReadOnlySpan<int> text) => new([_first, .. text, _separator], text.Length + OfOne, null);

    public MaskedExample Of(SentencePair pair) => new([_first, .. pair.First, _separator, .. pair.Second, _separator], pair.First.Length + 2, !pair.Follows);

    /// <summary>A batch with tokens hidden.</summary>
    /// <param name="examples">One or more.</param>
    /// <param name="rngs">The generator of each one's masks.</param>
    public MaskedBatch Batch(IReadOnlyList<MaskedExample> examples, IReadOnlyList<Rng> rngs)
    {
        int steps = examples.Max(e => e.Ids.Length);
        long[] ids = new long[examples.Count * steps], types = new long[ids.Length], seen = new long[ids.Length];
        Array.Fill(ids, _padding);
        var hiddenOf = new int[examples.Count];
        List<long> places = [], hidden = [];
        for (int row = 0; row < examples.Count; row++)
        {
            MaskedExample example = examples[row];
            MaskedTokens masked = MaskedTokens.Make(example.Ids, IsSpecial, _mask, _vocabulary, rngs[row]);
            for (int i = 0; i < example.Ids.Length; i++)
            {
                int at = (row * steps) + i;
                (ids[at], types[at], seen[at]) = (masked.Ids[i], i >= example.Second ? 1 : 0, 1);
                if (masked.Labels[i] == MaskedTokens.Ignored)
                    continue;
                places.Add(at);
                hidden.Add(masked.Labels[i]);
                hiddenOf[row]++;
            }
        }

        return new MaskedBatch
        {
            Count = examples.Count,
            Steps = steps,
            Ids = ids,
            Types = types,
            Seen = seen,
            Places = [.. places],
            Hidden = [.. hidden],
            HiddenOf = hiddenOf,
            Unrelated = examples[0].Unrelated is null ? [] : [.. examples.Select(e => e.Unrelated == true ? 1L : 0)],
        };
    }

    public bool IsSpecial(int id) => _tokenizer.IsSpecial(id) || id == _padding;

    private int Special(string bert, string roberta) => _tokenizer.IdOf(bert) ?? _tokenizer.IdOf(roberta)
        ?? throw new DataException($"The tokenizer has neither {bert} nor {roberta}, which hiding tokens needs. Give another one, or leave --tokenizer out to train a WordPiece vocabulary here.");
}
