namespace Candela.Metrics;

/// <summary>Translation edit rate (Snover et al. 2006) as sacreBLEU 2 computes it after Tercom: edits that turn the hypothesis into the reference, where moving a phrase is one edit. Less is better; 0 is perfect.
/// Shifts are found greedily, and the distance within a beam of 25 words around the diagonal. Checked against the scores in sacreBLEU's own tests. Safe from several threads.
/// Cost: for each segment up to 1000 distances of 50 cells a word.</summary>
public sealed class Ter(TerOptions? options = null)
{
    private readonly TerOptions _options = options ?? new TerOptions();

    /// <summary>Scores a corpus with one reference a segment.</summary>
    /// <exception cref="DataException">No segment, or not as many references as hypotheses.</exception>
    public TerScore Score(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references) => Score(hypotheses, Segments.Single(references));

    /// <summary>Scores a corpus with one or more references of each segment: the fewest edits over their mean length.</summary>
    /// <exception cref="DataException">No segment, a segment without reference, or not as many of one as of the other.</exception>
    public TerScore Score(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string>> references)
    {
        Segments.Check("TER", hypotheses, references);
        // Of a segment: edits and words of the references.
        var statistics = new double[2 * hypotheses.Count];
        var numbers = new NGramMatcher();
        for (int i = 0; i < hypotheses.Count; i++)
        {
            int[] hypothesis = numbers.Number(Tokens(hypotheses[i]));
            int[][] segment = [.. references[i].Select(r => numbers.Number(Tokens(r)))];
            statistics[2 * i] = segment.Min(r => new TerShifts(r).Edits(hypothesis));
            statistics[(2 * i) + 1] = segment.Average(r => r.Length);
        }

        var sums = new SegmentSums(["ter"], double.PositiveInfinity, 2, statistics, (s, values) => values[0] = s[1] > 0 ? 100 * s[0] / s[1] : s[0] > 0 ? 100 : 0);
        double[] total = sums.Total();
        return new TerScore(sums.Intervals(_options)[0], (long)total[0], total[1], $"nrefs:{Segments.ReferenceCount(references)}|case:{(_options.CaseSensitive ? "mixed" : "lc")}|tok:tercom|norm:{YesNo(_options.Normalized)}|punct:{YesNo(!_options.NoPunctuation)}|asian:{YesNo(_options.AsianSupport)}|version:{Segments.Version}");
    }

    /// <summary>Scores one sentence.</summary>
    /// <exception cref="DataException">No reference.</exception>
    public double Sentence(string hypothesis, params IReadOnlyList<string> references)
        => new Ter(_options with { Resamples = 0 }).Score([hypothesis], [references]).Value.Value;

    /// <summary>The words that are compared.</summary>
    public IReadOnlyList<string> Tokenize(string segment) => Tokens(segment);

    private static string YesNo(bool value) => value ? "yes" : "no";

    private List<string> Tokens(string segment)
    {
        string text = PythonText.TrimEnd(segment);
        if (!_options.CaseSensitive)
            text = PythonText.Lower(text);
        List<int> points = _options.Normalized ? Normalize(text) : PythonText.CodePoints(text);
        if (_options.NoPunctuation)
            points.RemoveAll(p => p is '.' or ',' or '?' or ':' or ';' or '!' or '"' or '(' or ')' || (_options.AsianSupport && IsAsianPunctuation(p)));
        return PythonText.Words(points);
    }

    private List<int> Normalize(string text)
    {
        text = text.Replace("\n-", "").Replace('\n', ' ').Replace("&quot;", "\"").Replace("&amp;", "&").Replace("&lt;", "<").Replace("&gt;", ">");
        List<int> points = BleuTokens.SpaceAround(PythonText.CodePoints($" {text} "), BleuTokens.IsSeparated);
        points = BleuTokens.NumbersAndPoints(PythonText.CodePoints(PythonText.Join(points).Replace("'s ", " 's ")));
        // The reference's rules for kana ask for a line that begins with them; after the space put before the line they never apply.
        return _options.AsianSupport ? BleuTokens.SpaceAround(points, p => IsIdeograph(p) || IsAsianPunctuation(p)) : points;
    }

    private static bool IsIdeograph(int p) => p is (>= 0x2E80 and <= 0x2EFF) or (>= 0x31C0 and <= 0x31EF) or (>= 0x3200 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE4F);

    private static bool IsAsianPunctuation(int p) => p is 0x3001 or 0x3002 or (>= 0x3008 and <= 0x3011) or (>= 0x3014 and <= 0x301F) or (>= 0xFF61 and <= 0xFF65) or 0x30FB
        or 0xFF0E or 0xFF0C or 0xFF1F or 0xFF1A or 0xFF1B or 0xFF01 or 0xFF02 or 0xFF08 or 0xFF09;
}
