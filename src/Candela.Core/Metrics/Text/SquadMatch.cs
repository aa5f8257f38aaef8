using System.Globalization;

namespace Candela.Metrics;

/// <summary>Exact match and token F1 of the SQuAD evaluation, version 2 (Rajpurkar et al. 2016, 2018): lower case, without ASCII punctuation and the words a, an, the; white space made single. Ratios from 0 to 1.
/// An accepted answer of nothing means that there is none: only an empty answer matches it.</summary>
public sealed class SquadMatch(SquadOptions? options = null)
{
    private readonly SquadOptions _options = options ?? new SquadOptions();

    /// <summary>Scores answers against the accepted ones: <c>accepted[i]</c> are those of <c>answers[i]</c>.</summary>
    /// <exception cref="DataException">No answer, one without accepted answers, or not as many of one as of the other.</exception>
    public SquadScore Score(IReadOnlyList<string> answers, IReadOnlyList<IReadOnlyList<string>> accepted)
    {
        Segments.Check("Exact match", answers, accepted);
        var statistics = new double[answers.Count * 3];
        for (int i = 0; i < answers.Count; i++)
        {
            statistics[3 * i] = IsExact(answers[i], accepted[i]) ? 1 : 0;
            statistics[(3 * i) + 1] = F1(answers[i], accepted[i]);
            statistics[(3 * i) + 2] = 1;
        }

        MetricValue[] values = new SegmentSums(["exactMatch", "f1"], 1, 3, statistics, (s, v) => (v[0], v[1]) = (s[0] / s[2], s[1] / s[2])) { Shares = [0] }.Intervals(_options);
        return new SquadScore(values[0], values[1]);
    }

    /// <summary>The form in which answers are compared.</summary>
    public static string Normalize(string answer)
    {
        List<int> points = PythonText.CodePoints(PythonText.Lower(answer));
        points.RemoveAll(p => p is > ' ' and < 0x7F && !char.IsAsciiLetterOrDigit((char)p));
        var kept = new List<int>(points.Count);
        for (int i = 0; i < points.Count;)
        {
            // A run of letters and digits is a word, whatever stands beside it.
            int start = i;
            while (i < points.Count && IsWord(points[i]))
                i++;
            if (i == start)
                kept.Add(points[i++]);
            else if (IsArticle(points, start, i - start))
                kept.Add(' ');
            else
                kept.AddRange(points[start..i]);
        }

        return string.Join(' ', PythonText.Words(kept));
    }

    /// <summary>Whether the answer equals an accepted one after normalisation.</summary>
    public static bool IsExact(string answer, IReadOnlyList<string> accepted)
    {
        string normalized = Normalize(answer);
        return Accepted(accepted).Contains(normalized);
    }

    /// <summary>The best F1 of words in common over the accepted answers, 0 to 1.</summary>
    public static double F1(string answer, IReadOnlyList<string> accepted)
    {
        string[] words = Normalize(answer).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Accepted(accepted).Max(a => F1(words, a.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    private static double F1(string[] a, string[] b)
    {
        if (a.Length == 0 || b.Length == 0)
            return a.Length == b.Length ? 1 : 0;
        Dictionary<string, int> left = b.CountBy(w => w).ToDictionary();
        int common = 0;
        foreach (string word in a)
            if (left.TryGetValue(word, out int n) && n > 0)
                (left[word], common) = (n - 1, common + 1);
        return 2.0 * common / (a.Length + b.Length);
    }

    // Answers of which nothing is left count only when there is no other.
    private static string[] Accepted(IReadOnlyList<string> accepted)
    {
        string[] some = [.. accepted.Select(Normalize).Where(a => a.Length > 0)];
        return some.Length > 0 ? some : [""];
    }

    private static bool IsArticle(List<int> p, int i, int length) => length switch
    {
        1 => p[i] == 'a',
        2 => p[i] == 'a' && p[i + 1] == 'n',
        3 => p[i] == 't' && p[i + 1] == 'h' && p[i + 2] == 'e',
        _ => false,
    };

    private static bool IsWord(int p) => CharUnicodeInfo.GetUnicodeCategory(p) is <= UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;
}
