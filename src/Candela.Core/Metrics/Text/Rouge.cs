namespace Candela.Metrics;

/// <summary>ROUGE-1, -2, -L and -Lsum (Lin 2004) as google-research's rouge_score computes them. Ratios from 0 to 1, more is better. Checked against that project's tests and their values of ROUGE 1.5.5.
/// Safe from several threads. Cost: L and Lsum take time and memory of the product of the two texts' words.</summary>
public sealed class Rouge(RougeOptions? options = null)
{
    private static readonly string[] Measures = ["rouge1", "rouge2", "rougeL", "rougeLsum"];
    private static readonly string[] Names = [.. Measures.SelectMany(m => (string[])[m + "Precision", m + "Recall", m + "F1"])];

    private readonly RougeOptions _options = options ?? new RougeOptions();

    /// <summary>Scores a corpus with one reference a segment.</summary>
    /// <exception cref="DataException">No segment, or not as many references as hypotheses.</exception>
    public RougeScores Score(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references) => Score(hypotheses, Segments.Single(references));

    /// <summary>Scores a corpus with one or more references of each segment; of several, each measure takes the one with the best F1.</summary>
    /// <exception cref="DataException">No segment, a segment without reference, or not as many of one as of the other.</exception>
    public RougeScores Score(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string>> references)
    {
        Segments.Check("ROUGE", hypotheses, references);
        // Of a segment: precision, recall and F1 of each measure, then 1.
        int width = Names.Length + 1;
        var statistics = new double[hypotheses.Count * width];
        var matcher = new NGramMatcher();
        Span<double> one = stackalloc double[Names.Length];
        for (int i = 0; i < hypotheses.Count; i++)
        {
            Span<double> best = statistics.AsSpan(i * width, width);
            best[^1] = 1;
            int[] hypothesis = matcher.Number(Tokens(hypotheses[i]));
            int[][] sentences = Sentences(matcher, hypotheses[i]);
            for (int r = 0; r < references[i].Count; r++)
            {
                Compare(matcher, hypothesis, sentences, references[i][r], one);
                for (int m = 0; m < Measures.Length; m++)
                    if (r == 0 || one[(3 * m) + 2] > best[(3 * m) + 2])
                        one.Slice(3 * m, 3).CopyTo(best[(3 * m)..]);
            }
        }

        MetricValue[] v = new SegmentSums(Names, 1, width, statistics, Means).Intervals(_options);
        return new RougeScores(new(v[0], v[1], v[2]), new(v[3], v[4], v[5]), new(v[6], v[7], v[8]), new(v[9], v[10], v[11]));
    }

    /// <summary>The tokens that are compared.</summary>
    public IReadOnlyList<string> Tokenize(string text) => Tokens(text);

    private static void Means(ReadOnlySpan<double> sums, Span<double> values)
    {
        for (int k = 0; k < values.Length; k++)
            values[k] = sums[k] / sums[^1];
    }

    private void Compare(NGramMatcher matcher, int[] hypothesis, int[][] sentences, string text, Span<double> into)
    {
        int[] reference = matcher.Number(Tokens(text));
        Span<double> matches = stackalloc double[2];
        matcher.Match(hypothesis, [reference], matches);
        Ratios(matches[0], hypothesis.Length, reference.Length, into);
        Ratios(matches[1], hypothesis.Length - 1, reference.Length - 1, into[3..]);
        Ratios(CommonSubsequence.Length(reference, hypothesis), hypothesis.Length, reference.Length, into[6..]);
        int[][] referenceSentences = Sentences(matcher, text);
        Ratios(UnionMatches(sentences, referenceSentences), sentences.Sum(s => s.Length), referenceSentences.Sum(s => s.Length), into[9..]);
    }

    private static void Ratios(double matches, int hypothesis, int reference, Span<double> into)
    {
        double precision = hypothesis > 0 ? matches / hypothesis : 0, recall = reference > 0 ? matches / reference : 0;
        (into[0], into[1], into[2]) = (precision, recall, precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0);
    }

    // Section 3.2 of the paper; a word counts no more often than it is in either text, as in ROUGE 1.5.5.
    private static int UnionMatches(int[][] hypothesis, int[][] reference)
    {
        Dictionary<int, int> inHypothesis = hypothesis.SelectMany(s => s).CountBy(w => w).ToDictionary(), inReference = reference.SelectMany(s => s).CountBy(w => w).ToDictionary();
        int matches = 0;
        foreach (int[] sentence in reference)
        {
            var union = new bool[sentence.Length];
            foreach (int[] other in hypothesis)
                CommonSubsequence.Mark(sentence, other, union);
            for (int i = 0; i < sentence.Length; i++)
                if (union[i] && inHypothesis.GetValueOrDefault(sentence[i]) > 0 && inReference[sentence[i]] > 0)
                {
                    inHypothesis[sentence[i]]--;
                    inReference[sentence[i]]--;
                    matches++;
                }
        }

        return matches;
    }

    private int[][] Sentences(NGramMatcher matcher, string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => matcher.Number(Tokens(line)))];

    private List<string> Tokens(string text)
    {
        var tokens = new List<string>();
        string lower = PythonText.Lower(text);
        for (int i = 0; i < lower.Length;)
        {
            int start = i;
            while (i < lower.Length && char.IsAsciiLetterOrDigit(lower[i]))
                i++;
            if (i > start)
                tokens.Add(_options.UseStemmer && i - start > 3 ? PorterStemmer.Stem(lower[start..i]) : lower[start..i]);
            else
            {
                int size = char.IsSurrogatePair(lower, i) ? 2 : 1;
                if (_options.ChineseCharacters && HanCharacters.Contains(char.IsSurrogatePair(lower, i) ? char.ConvertToUtf32(lower, i) : lower[i]))
                    tokens.Add(lower.Substring(i, size));
                i += size;
            }
        }

        return tokens;
    }
}
