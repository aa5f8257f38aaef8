using System.Text;
using Candela.Language;

namespace Candela.Training.Tasks;

/// <summary>Documents of sentences in a text. An empty line, or in JSON Lines the end of a line of the file, ends a document. Its sentences are its lines, and of a document of one line what
/// <see cref="SentenceSplitter"/> finds.</summary>
internal static class TextDocuments
{
    /// <summary>As a stream; none is empty.</summary>
    public static IEnumerable<IReadOnlyList<string>> Read(IEnumerable<CorpusPiece> pieces)
    {
        var lines = new List<string>();
        foreach (string line in Cut(pieces).Append(""))
        {
            if (line.Length > 0)
            {
                lines.Add(line);
            }
            else if (lines.Count > 0)
            {
                yield return lines.Count == 1 ? SentenceSplitter.Split(lines[0]) : [.. lines];
                lines.Clear();
            }
        }
    }

    /// <summary>The lines that are not empty.</summary>
    public static IEnumerable<string> Lines(IEnumerable<CorpusPiece> pieces) => Cut(pieces).Where(line => line.Length > 0);

    /// <summary>Whether there are two documents or more that have two sentences or more, so that pairs can be made of them.</summary>
    public static bool Have(IEnumerable<CorpusPiece> pieces) => Read(pieces).Where(d => d.Count > 1).Take(2).Count() == 2;

    /// <summary>The texts of a piece: a prompt and its answer, the turns of a conversation, or the text.</summary>
    public static IEnumerable<string> Texts(CorpusPiece piece) => (piece.Messages ?? []).Select(m => m.Content ?? "").Append(piece.Prompt ?? "").Append(piece.Text).Where(t => t.Length > 0);

    // Lines without white space at their ends; an empty one ends a document.
    private static IEnumerable<string> Cut(IEnumerable<CorpusPiece> pieces)
    {
        var open = new StringBuilder(); // a line of which more may follow in the next piece
        foreach (CorpusPiece piece in pieces)
        {
            foreach (string text in Texts(piece))
            {
                int start = 0;
                for (int end = text.IndexOf('\n'); end >= 0; end = text.IndexOf('\n', start))
                {
                    yield return Close(open.Append(text, start, end - start));
                    start = end + 1;
                }

                open.Append(text, start, text.Length - start);
                if (piece.EndsDocument && Close(open) is { Length: > 0 } rest)
                    yield return rest;
            }

            if (piece.EndsDocument)
                yield return "";
        }

        yield return Close(open);
    }

    private static string Close(StringBuilder line)
    {
        string text = line.ToString().Trim();
        line.Clear();
        return text;
    }
}
