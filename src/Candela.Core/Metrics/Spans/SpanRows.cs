using Candela.Evaluation;

namespace Candela.Metrics;

/// <summary>Span counts of each sentence, so that they can be added up under any sentence counts.</summary>
internal sealed class SpanRows : IResampledRows
{
    private const int Actual = 0, Predicted = 1, Correct = 2, Fields = 3;
    private static readonly string[] MetricNames =
        ["f1Micro", "precisionMicro", "recallMicro", "f1Macro", "precisionMacro", "recallMacro", "f1Weighted", "precisionWeighted", "recallWeighted", "tokenAccuracy"];

    private readonly string[] _types;
    private readonly (int Tokens, int Right, (int Type, int Actual, int Predicted, int Correct)[] Spans)[] _sentences;

    private SpanRows(string[] types, (int Tokens, int Right, (int Type, int Actual, int Predicted, int Correct)[] Spans)[] sentences)
    {
        (_types, _sentences) = (types, sentences);
        Tokens = sentences.Sum(s => (long)s.Tokens);
        RightTokens = sentences.Sum(s => (long)s.Right);
    }

    public long Tokens { get; }

    public long RightTokens { get; }

    public int Count => _sentences.Length;

    public int CostPerRow => 4;

    public IReadOnlyList<string> Names => MetricNames;

    public static SpanRows Of(IReadOnlyList<IReadOnlyList<string>> actual, IReadOnlyList<IReadOnlyList<string>> predicted, SpanScheme scheme)
    {
        if (actual.Count != predicted.Count)
            throw new DataException($"{predicted.Count} sentences of predicted tags; {actual.Count}, as many as of actual tags, were needed.");
        var read = new (IReadOnlyList<TaggedSpan> Actual, IReadOnlyList<TaggedSpan> Predicted)[actual.Count];
        for (int i = 0; i < read.Length; i++)
        {
            if (actual[i].Count != predicted[i].Count)
                throw new DataException($"Sentence {i + 1} has {predicted[i].Count} predicted tags; {actual[i].Count}, as many as actual ones, were needed.");
            read[i] = (Read(actual[i], "actual", i), Read(predicted[i], "predicted", i));
        }

        string[] types = [.. read.SelectMany(s => s.Actual.Concat(s.Predicted)).Select(s => s.Type).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string type in types)
            index[type] = index.Count;
        var sentences = new (int, int, (int, int, int, int)[])[read.Length];
        for (int i = 0; i < read.Length; i++)
            sentences[i] = (actual[i].Count, actual[i].Where((tag, t) => tag == predicted[i][t]).Count(), CountsOf(read[i].Actual, read[i].Predicted, index));
        return new SpanRows(types, sentences);

        IReadOnlyList<TaggedSpan> Read(IReadOnlyList<string> tags, string which, int sentence)
        {
            try
            {
                return SpanTags.Read(tags, scheme);
            }
            catch (DataException e)
            {
                throw new DataException($"Sentence {sentence + 1}, {which} tags: {e.Message}", e);
            }
        }
    }

    public IReadOnlyList<SpanTypeScore> Scores()
    {
        long[] sums = Sums([], out _, out _);
        return [.. _types.Select((type, k) => new SpanTypeScore(type, sums[(Fields * k) + Actual], sums[(Fields * k) + Predicted], sums[(Fields * k) + Correct]))];
    }

    public (double Low, double High) Range(int metric) => (0, 1);

    public bool IsShare(int metric) => MetricNames[metric] is "f1Micro" or "precisionMicro" or "recallMicro" or "recallWeighted" or "tokenAccuracy";

    /// <summary>Sentences are what is drawn, so they are what is counted: those with a span, and for averages over types those with the type (Bonferroni over types).</summary>
    public double? LeastWhenPerfect(int metric)
    {
        if (MetricNames[metric] == "tokenAccuracy")
            return PerfectScores.Share(_sentences.Count(s => s.Tokens > 0));
        if (IsShare(metric))
            return PerfectScores.Share(_sentences.Count(s => s.Spans.Length > 0));
        return Enumerable.Range(0, _types.Length).Average(k => PerfectScores.Share(_sentences.Count(s => s.Spans.Any(t => t.Type == k)), 0.025 / _types.Length));
    }

    public void Compute(ReadOnlySpan<int> counts, Span<double> values)
    {
        long[] sums = Sums(counts, out long tokens, out long right);
        long actual = 0, predicted = 0, correct = 0;
        int types = 0;
        values.Clear();
        for (int k = 0; k < sums.Length; k += Fields)
        {
            if (sums[k + Actual] + sums[k + Predicted] == 0) // not in this resample
                continue;
            var score = new SpanTypeScore("", sums[k + Actual], sums[k + Predicted], sums[k + Correct]);
            (actual, predicted, correct) = (actual + score.Actual, predicted + score.Predicted, correct + score.Correct);
            types++;
            double[] three = [score.F1, score.Precision, score.Recall];
            for (int m = 0; m < three.Length; m++)
            {
                values[3 + m] += three[m];
                values[6 + m] += score.Actual * three[m];
            }
        }

        var all = new SpanTypeScore("", actual, predicted, correct);
        (values[0], values[1], values[2]) = (all.F1, all.Precision, all.Recall);
        for (int m = 0; m < 3; m++)
        {
            values[3 + m] /= Math.Max(1, types);
            values[6 + m] /= Math.Max(1, actual);
        }

        values[9] = tokens == 0 ? 0 : (double)right / tokens;
    }

    public IResampledRows Take(int[] rows) => new SpanRows(_types, Array.ConvertAll(rows, i => _sentences[i]));

    private static (int Type, int Actual, int Predicted, int Correct)[] CountsOf(IReadOnlyList<TaggedSpan> actual, IReadOnlyList<TaggedSpan> predicted, Dictionary<string, int> index)
    {
        var there = actual.ToHashSet();
        return [.. actual.Concat(predicted).Select(s => s.Type).Distinct(StringComparer.Ordinal).Select(type =>
            (index[type], actual.Count(s => s.Type == type), predicted.Count(s => s.Type == type), predicted.Count(s => s.Type == type && there.Contains(s))))];
    }

    private long[] Sums(ReadOnlySpan<int> counts, out long tokens, out long right)
    {
        var sums = new long[Fields * _types.Length];
        (tokens, right) = (0, 0);
        for (int i = 0; i < _sentences.Length; i++)
        {
            long times = counts.Length == 0 ? 1 : counts[i];
            if (times == 0)
                continue;
            tokens += times * _sentences[i].Tokens;
            right += times * _sentences[i].Right;
            foreach (var (type, actual, predicted, correct) in _sentences[i].Spans)
            {
                sums[(Fields * type) + Actual] += times * actual;
                sums[(Fields * type) + Predicted] += times * predicted;
                sums[(Fields * type) + Correct] += times * correct;
            }
        }

        return sums;
    }
}
