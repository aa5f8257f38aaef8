using System.Globalization;

namespace Candela.Metrics;

/// <summary>Levenshtein distance with its kinds of edits, in memory of one row.</summary>
internal static class EditCounts
{
    /// <summary>Writes hits, substitutions, deletions and insertions that turn the reference into the hypothesis.</summary>
    public static void Count(ReadOnlySpan<int> reference, ReadOnlySpan<int> hypothesis, Span<double> into)
    {
        int affix = reference.CommonPrefixLength(hypothesis);
        reference = reference[affix..];
        hypothesis = hypothesis[affix..];
        int end = 0;
        while (end < Math.Min(reference.Length, hypothesis.Length) && reference[^(end + 1)] == hypothesis[^(end + 1)])
            end++;
        reference = reference[..^end];
        hypothesis = hypothesis[..^end];

        // Of each prefix of the reference against the hypothesis so far: the distance, and the substitutions on the way that is read out from its end.
        var distance = new int[reference.Length + 1];
        var substitutions = new int[reference.Length + 1];
        for (int i = 0; i <= reference.Length; i++)
            distance[i] = i;
        for (int j = 1; j <= hypothesis.Length; j++)
        {
            int diagonal = distance[0], diagonalSubstitutions = 0;
            distance[0] = j;
            for (int i = 1; i <= reference.Length; i++)
            {
                int before = distance[i], beforeSubstitutions = substitutions[i], replaced = reference[i - 1] == hypothesis[j - 1] ? 0 : 1;
                int least = Math.Min(diagonal + replaced, 1 + Math.Min(before, distance[i - 1]));
                // A deletion wherever it fits; an insertion where a replacement would not; else a replacement or a hit.
                distance[i] = least;
                substitutions[i] = distance[i - 1] + 1 == least ? substitutions[i - 1] : diagonal == before + 1 ? beforeSubstitutions : diagonalSubstitutions + replaced;
                (diagonal, diagonalSubstitutions) = (before, beforeSubstitutions);
            }
        }

        // Deletions less insertions is the difference of the lengths.
        int all = distance[^1], substituted = substitutions[^1], deleted = (all - substituted + reference.Length - hypothesis.Length) / 2;
        into[0] = affix + end + reference.Length - substituted - deleted;
        into[1] = substituted;
        into[2] = deleted;
        into[3] = all - substituted - deleted;
    }

    /// <summary>The error rate of a corpus whose segments <paramref name="units"/> cuts.</summary>
    public static ErrorRate Rate(string metric, IReadOnlyList<string> hypotheses, IReadOnlyList<string> references, ErrorRateOptions options, Func<string, int[]> units)
    {
        Segments.Check(metric, hypotheses.Count, references.Count);
        var statistics = new double[hypotheses.Count * 4];
        for (int i = 0; i < hypotheses.Count; i++)
            Count(units(Prepare(references[i], options)), units(Prepare(hypotheses[i], options)), statistics.AsSpan(4 * i, 4));
        var sums = new SegmentSums(["rate"], double.PositiveInfinity, 4, statistics, (s, values) =>
        {
            double errors = s[1] + s[2] + s[3], length = s[0] + s[1] + s[2];
            values[0] = length > 0 ? errors / length : errors;
        });
        double[] total = sums.Total();
        return new ErrorRate(sums.Intervals(options)[0], (long)total[0], (long)total[1], (long)total[2], (long)total[3]);
    }

    private static string Prepare(string segment, ErrorRateOptions options)
    {
        if (options.RemovePunctuation)
        {
            List<int> points = PythonText.CodePoints(segment);
            points.RemoveAll(p => CharUnicodeInfo.GetUnicodeCategory(p) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation);
            segment = PythonText.Join(points);
        }

        return options.Lowercase ? PythonText.Lower(segment) : segment;
    }
}
