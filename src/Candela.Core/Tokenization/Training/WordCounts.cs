using System.Runtime.InteropServices;
using System.Text;

namespace Candela.Tokenization;

/// <summary>The different pieces that a pre-tokenizer cuts texts into, each with its frequency, in ordinal order.</summary>
internal static class WordCounts
{
    // Long texts are cut at line breaks into parts of about this many characters, so that a whole book is not held in pieces at once.
    private const int PartLength = 1 << 16;

    public static List<KeyValuePair<string, long>> Of(IEnumerable<string> texts, Normalizer? normalizer, PreTokenizer preTokenizer, IReadOnlyList<string> special)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        var pieces = new List<Piece>();
        foreach (string text in texts)
        {
            foreach (string part in Parts(text, special))
            {
                AlignedText aligned = AlignedText.Original(part, tracked: false);
                if (normalizer is not null)
                    aligned = normalizer.Apply(aligned);
                pieces.Clear();
                preTokenizer.Split(new Piece(aligned), first: true, pieces);
                foreach (Piece piece in pieces)
                {
                    if (piece.Length > 0)
                        CollectionsMarshal.GetValueRefOrAddDefault(lookup, piece.Span, out _)++;
                }
            }
        }

        return counts.Count > 0 ? [.. counts.OrderBy(c => c.Key, StringComparer.Ordinal)] : throw new UsageException("there is no text to learn a vocabulary from.");
    }

    /// <summary>Characters (Unicode scalar values) with their frequencies.</summary>
    public static Dictionary<string, long> Characters(List<KeyValuePair<string, long>> words)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (word, count) in words)
        {
            foreach (Rune rune in word.EnumerateRunes())
            {
                string character = rune.ToString();
                counts[character] = counts.GetValueOrDefault(character) + count;
            }
        }

        return counts;
    }

    // Special tokens in the text are no text. A part ends after the white space that follows a word, so that no word is cut.
    private static IEnumerable<string> Parts(string text, IReadOnlyList<string> special)
    {
        string[] between = special.Count == 0 ? [text] : text.Split([.. special], StringSplitOptions.None);
        foreach (string stretch in between)
        {
            for (int start = 0; start < stretch.Length;)
            {
                int end = stretch.Length;
                if (end - start > PartLength)
                {
                    // before the newline's run of white space nothing can reach over: the run itself goes to the next part
                    end = stretch.IndexOf('\n', start + PartLength);
                    while (end > 0 && end < stretch.Length && char.IsWhiteSpace(stretch[end - 1]))
                        end--;
                    if (end <= start)
                        end = stretch.Length;
                }

                yield return stretch[start..end];
                start = end;
            }
        }
    }
}
