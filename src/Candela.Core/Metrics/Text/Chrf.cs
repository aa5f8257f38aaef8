using System.Globalization;

namespace Candela.Metrics;

/// <summary>chrF and chrF++ (Popović 2015, 2017) as sacreBLEU 2 computes them: F-score of character n-grams, with those of words for chrF++. 0 to 100, more is better. It needs no tokenizer and suits every script.
/// Checked against the scores in sacreBLEU's own tests. Safe from several threads. Cost: linear in the text.</summary>
public sealed class Chrf
{
    private const double Epsilon = 1e-16;

    private readonly ChrfOptions _options;
    private readonly int _orders;

    /// <summary>Fixes the options, by default chrF2.</summary>
    /// <exception cref="UsageException">An order out of range, or a beta not above 0.</exception>
    public Chrf(ChrfOptions? options = null)
    {
        _options = options ?? new ChrfOptions();
        _orders = _options.CharacterOrder + _options.WordOrder;
        if (_options.CharacterOrder is < 1 or > 32 || _options.WordOrder is < 0 or > 16)
            throw new UsageException($"chrF got character order {_options.CharacterOrder} and word order {_options.WordOrder}; give 1 to 32 and 0 to 16 (6 and 0, or 2 for chrF++).");
        if (!(_options.Beta > 0) || double.IsInfinity(_options.Beta))
            throw new UsageException($"chrF got beta {_options.Beta.ToString(CultureInfo.InvariantCulture)}; give a number above 0 (2 is usual).");
    }

    /// <summary>Scores a corpus with one reference a segment.</summary>
    /// <exception cref="DataException">No segment, or not as many references as hypotheses.</exception>
    public ChrfScore Score(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references) => Score(hypotheses, Segments.Single(references));

    /// <summary>Scores a corpus with one or more references of each segment; of several the best for the segment counts.</summary>
    /// <exception cref="DataException">No segment, a segment without reference, or not as many of one as of the other.</exception>
    public ChrfScore Score(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string>> references)
    {
        Segments.Check("chrF", hypotheses, references);
        // Of a segment, for each order: n-grams of the hypothesis, of the reference, in both.
        int width = 3 * _orders;
        var statistics = new double[hypotheses.Count * width];
        var matcher = new NGramMatcher();
        Span<double> one = stackalloc double[width], matches = stackalloc double[_orders];
        for (int i = 0; i < hypotheses.Count; i++)
        {
            double best = -1;
            var (characters, words) = Units(matcher, hypotheses[i]);
            foreach (string reference in references[i])
            {
                var (otherCharacters, otherWords) = Units(matcher, reference);
                matcher.Match(characters, [otherCharacters], matches[.._options.CharacterOrder]);
                matcher.Match(words, [otherWords], matches[_options.CharacterOrder..]);
                for (int k = 0; k < _orders; k++)
                {
                    bool isWord = k >= _options.CharacterOrder;
                    int n = isWord ? k - _options.CharacterOrder : k, inReference = Math.Max(0, (isWord ? otherWords : otherCharacters).Length - n);
                    one[3 * k] = inReference > 0 ? Math.Max(0, (isWord ? words : characters).Length - n) : 0;
                    one[(3 * k) + 1] = inReference;
                    one[(3 * k) + 2] = matches[k];
                }

                double score = ScoreOf(one);
                if (score > best)
                {
                    best = score;
                    one.CopyTo(statistics.AsSpan(i * width));
                }
            }
        }

        var sums = new SegmentSums(["chrf"], 100, width, statistics, (s, values) => values[0] = ScoreOf(s));
        string name = string.Create(CultureInfo.InvariantCulture, $"chrF{_options.Beta}") + new string('+', _options.WordOrder);
        string signature = $"nrefs:{Segments.ReferenceCount(references)}|case:{(_options.Lowercase ? "lc" : "mixed")}|eff:{(_options.EpsilonSmoothing ? "no" : "yes")}|nc:{_options.CharacterOrder}|nw:{_options.WordOrder}|space:{(_options.Whitespace ? "yes" : "no")}|version:{Segments.Version}";
        return new ChrfScore(name, sums.Intervals(_options)[0], signature);
    }

    /// <summary>Scores one sentence, 0 to 100.</summary>
    /// <exception cref="DataException">No reference.</exception>
    public double Sentence(string hypothesis, params IReadOnlyList<string> references)
        => new Chrf(_options with { Resamples = 0 }).Score([hypothesis], [references]).Value.Value;

    private (int[] Characters, int[] Words) Units(NGramMatcher matcher, string segment)
    {
        string text = _options.Lowercase ? PythonText.Lower(segment) : segment;
        List<int> characters = PythonText.CodePoints(text);
        if (!_options.Whitespace)
            characters.RemoveAll(PythonText.IsSpace);
        return ([.. characters], _options.WordOrder > 0 ? matcher.Number(Words(text)) : []);
    }

    // One ASCII punctuation mark is cut from the end of each word, else from its start.
    private static List<string> Words(string text)
    {
        var words = new List<string>();
        foreach (string word in PythonText.Words(text))
        {
            if (word.Length > 1 && IsPunctuation(word[^1]))
                words.AddRange([word[..^1], word[^1..]]);
            else if (word.Length > 1 && IsPunctuation(word[0]))
                words.AddRange([word[..1], word[1..]]);
            else
                words.Add(word);
        }

        return words;
    }

    private static bool IsPunctuation(char c) => c is > ' ' and < '\u007F' && !char.IsAsciiLetterOrDigit(c);

    private double ScoreOf(ReadOnlySpan<double> sums)
    {
        double factor = _options.Beta * _options.Beta, f = 0, precisions = 0, recalls = 0;
        int effective = 0;
        for (int k = 0; k < _orders; k++)
        {
            double inHypothesis = sums[3 * k], inReference = sums[(3 * k) + 1], inBoth = sums[(3 * k) + 2];
            double precision = inHypothesis > 0 ? inBoth / inHypothesis : Epsilon, recall = inReference > 0 ? inBoth / inReference : Epsilon;
            f += precision + recall > 0 ? (1 + factor) * precision * recall / ((factor * precision) + recall) : Epsilon;
            if (inHypothesis > 0 && inReference > 0)
            {
                precisions += precision;
                recalls += recall;
                effective++;
            }
        }

        if (_options.EpsilonSmoothing)
            return Math.Min(100, 100 * f / _orders);
        if (precisions + recalls == 0)
            return 0;
        (precisions, recalls) = (precisions / effective, recalls / effective);
        return Math.Min(100, 100 * (1 + factor) * precisions * recalls / ((factor * precisions) + recalls));
    }
}
