using System.Text;

namespace Candela.Metrics;

/// <summary>Word error rate with jiwer's defaults: words are what lies between spaces; two and more white-space characters count as one space. 0 is perfect, and it can exceed 1.
/// Checked against jiwer's own tests. For Chinese take <see cref="CharacterErrorRate"/>. Cost: time of the product of the lengths, memory of one.</summary>
public sealed class WordErrorRate(ErrorRateOptions? options = null)
{
    private readonly ErrorRateOptions _options = options ?? new ErrorRateOptions();

    /// <summary>Scores a corpus: errors and words are summed over segments.</summary>
    /// <exception cref="DataException">No segment, or not as many references as hypotheses.</exception>
    public ErrorRate Score(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references)
    {
        var numbers = new NGramMatcher();
        return EditCounts.Rate("Word error rate", hypotheses, references, _options, segment => numbers.Number(Words(segment)));
    }

    private static List<string> Words(string segment)
    {
        var text = new StringBuilder();
        for (int i = 0; i < segment.Length;)
        {
            int start = i;
            while (i < segment.Length && PythonText.IsSpace(segment[i]))
                i++;
            if (i - start > 1)
                text.Append(' ');
            else
                text.Append(segment[start]);
            if (i == start)
                i++;
        }

        return [.. PythonText.Trim(text.ToString()).Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }
}
