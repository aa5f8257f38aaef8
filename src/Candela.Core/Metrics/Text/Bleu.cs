using System.Globalization;

namespace Candela.Metrics;

/// <summary>BLEU (Papineni et al. 2002) as sacreBLEU 2 computes it (Post 2018): clipped n-gram precisions of the corpus, their geometric mean, and a penalty for brevity. 0 to 100, more is better.
/// Checked against the scores in sacreBLEU's own tests. Safe from several threads. Cost: linear in the text.</summary>
public sealed class Bleu
{
    private readonly BleuOptions _options;

    /// <summary>Fixes the options, by default sacreBLEU's.</summary>
    /// <exception cref="UsageException">An order below 1, a negative smoothing value, or one for a smoothing that takes none.</exception>
    public Bleu(BleuOptions? options = null)
    {
        _options = options ?? new BleuOptions();
        BleuTokens.Name(_options.Tokenizer);
        if (_options.MaxOrder is < 1 or > 16)
            throw new UsageException($"BLEU got a largest order of {_options.MaxOrder}; give 1 to 16 (4 is usual).");
        if (_options.SmoothingValue is { } value && (!(value >= 0) || double.IsInfinity(value) || _options.Smoothing is not (BleuSmoothing.Floor or BleuSmoothing.AddK)))
            throw new UsageException($"BLEU got smoothing value {value.ToString(CultureInfo.InvariantCulture)} for {_options.Smoothing}; floor and add-k take one of 0 or more, the others none.");
    }

    /// <summary>Scores a corpus with one reference a segment.</summary>
    /// <exception cref="DataException">No segment, or not as many references as hypotheses.</exception>
    public BleuScore Score(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references) => Score(hypotheses, Segments.Single(references));

    /// <summary>Scores a corpus with one or more references of each segment: <c>references[i]</c> are those of <c>hypotheses[i]</c>.</summary>
    /// <exception cref="DataException">No segment, a segment without reference, or not as many of one as of the other.</exception>
    public BleuScore Score(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string>> references)
    {
        Segments.Check("BLEU", hypotheses, references);
        // Of a segment: lengths of hypothesis and reference, then matches, then totals of each order.
        int orders = _options.MaxOrder, width = 2 + (2 * orders);
        var statistics = new double[hypotheses.Count * width];
        var matcher = new NGramMatcher();
        for (int i = 0; i < hypotheses.Count; i++)
        {
            int[] hypothesis = matcher.Number(Tokens(hypotheses[i]));
            int[][] segment = [.. references[i].Select(r => matcher.Number(Tokens(r)))];
            Span<double> into = statistics.AsSpan(i * width, width);
            into[0] = hypothesis.Length;
            into[1] = segment.Select(r => r.Length).OrderBy(length => (Math.Abs(length - hypothesis.Length), length)).First();
            matcher.Match(hypothesis, segment, into.Slice(2, orders));
            for (int n = 0; n < orders; n++)
                into[2 + orders + n] = Math.Max(0, hypothesis.Length - n);
        }

        var sums = new SegmentSums(["bleu"], 100, width, statistics, (s, values) => values[0] = ScoreOf(s, stackalloc double[orders]));
        double[] total = sums.Total();
        var precisions = new double[orders];
        ScoreOf(total, precisions);
        return new BleuScore(sums.Intervals(_options)[0], precisions, Brevity(total), [.. total[2..(2 + orders)].Select(n => (long)n)], [.. total[(2 + orders)..].Select(n => (long)n)], (long)total[0], (long)total[1], Signature(references));
    }

    /// <summary>Scores one sentence, 0 to 100; wants <see cref="BleuOptions.EffectiveOrder"/>.</summary>
    /// <exception cref="DataException">No reference.</exception>
    public double Sentence(string hypothesis, params IReadOnlyList<string> references)
        => new Bleu(_options with { Resamples = 0 }).Score([hypothesis], [references]).Value.Value;

    /// <summary>The tokens that are compared.</summary>
    public IReadOnlyList<string> Tokenize(string segment) => Tokens(segment);

    private List<string> Tokens(string segment) => BleuTokens.Split(_options.Lowercase ? PythonText.Lower(segment) : segment, _options.Tokenizer);

    private static double Brevity(ReadOnlySpan<double> sums) => sums[0] >= sums[1] ? 1 : sums[0] > 0 ? Math.Exp(1 - (sums[1] / sums[0])) : 0;

    private double ScoreOf(ReadOnlySpan<double> sums, Span<double> precisions)
    {
        int orders = precisions.Length, effective = _options.EffectiveOrder ? 0 : orders;
        precisions.Clear();
        ReadOnlySpan<double> matches = sums.Slice(2, orders), totals = sums[(2 + orders)..];
        if (!matches.ContainsAnyExcept(0.0))
            return 0;
        double halves = 1, logs = 0, value = _options.SmoothingValue ?? (_options.Smoothing == BleuSmoothing.AddK ? 1 : 0.1);
        for (int n = 0; n < orders; n++)
        {
            double added = n > 0 && _options.Smoothing == BleuSmoothing.AddK ? value : 0, match = matches[n] + added, total = totals[n] + added;
            if (total == 0)
                break;
            if (_options.EffectiveOrder)
                effective = n + 1;
            if (match == 0)
                match = _options.Smoothing switch
                {
                    BleuSmoothing.Exp => 1 / (halves *= 2),
                    BleuSmoothing.Floor => value,
                    _ => 0,
                };
            precisions[n] = 100 * match / total;
        }

        for (int n = 0; n < effective; n++)
            logs += Math.Log(precisions[n]);
        return Math.Min(100, Brevity(sums) * Math.Exp(logs / effective));
    }

    private string Signature(IReadOnlyList<IReadOnlyList<string>> references)
    {
        double value = _options.SmoothingValue ?? (_options.Smoothing == BleuSmoothing.AddK ? 1 : 0.1);
        string smoothing = _options.Smoothing switch
        {
            BleuSmoothing.Exp => "exp",
            BleuSmoothing.Floor => string.Create(CultureInfo.InvariantCulture, $"floor[{value:F2}]"),
            BleuSmoothing.AddK => string.Create(CultureInfo.InvariantCulture, $"add-k[{value:F2}]"),
            _ => "none",
        };
        return $"nrefs:{Segments.ReferenceCount(references)}|case:{(_options.Lowercase ? "lc" : "mixed")}|eff:{(_options.EffectiveOrder ? "yes" : "no")}|tok:{BleuTokens.Name(_options.Tokenizer)}|smooth:{smoothing}|version:{Segments.Version}";
    }
}
