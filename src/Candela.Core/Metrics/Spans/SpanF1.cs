using Candela.Evaluation;

namespace Candela.Metrics;

/// <summary>Precision, recall and F1 of spans marked by tags (named entities, phrases, arguments): a span counts when start, end and type are right.</summary>
/// <remarks>Tjong Kim Sang and Buchholz 2000 (conlleval); averages as in seqeval. Types are those of the actual or the predicted spans; macro is their plain mean, weighted their mean by support.
/// Verified against conlleval.pl and against seqeval's scheme readers.</remarks>
public sealed class SpanF1
{
    private readonly SpanRows _rows;

    private SpanF1(SpanRows rows)
    {
        _rows = rows;
        Types = rows.Scores();
        All = new SpanTypeScore("*", Types.Sum(t => t.Actual), Types.Sum(t => t.Predicted), Types.Sum(t => t.Correct));
    }

    /// <summary>Each type's counts, by name in ordinal order.</summary>
    public IReadOnlyList<SpanTypeScore> Types { get; }

    /// <summary>Counts of all types together: the micro average.</summary>
    public SpanTypeScore All { get; }

    /// <summary>Sentences compared.</summary>
    public int Sentences => _rows.Count;

    /// <summary>Tokens compared.</summary>
    public long Tokens => _rows.Tokens;

    /// <summary>Share of tokens whose whole tag is right, 0..1; 0 when there are none.</summary>
    public double TokenAccuracy => Tokens == 0 ? 0 : (double)_rows.RightTokens / Tokens;

    /// <summary>Whether tags mark spans (<c>B-PER I-PER O</c>) rather than classes: <c>O</c> is among them and every other one begins with a letter of a scheme and a hyphen.</summary>
    public static bool AreSpanTags(IReadOnlyList<string> tags) =>
        tags.Contains("O") && tags.Any(t => t.Length > 2) && tags.All(t => t == "O" || (t.Length > 2 && t[1] == '-' && "BIESLU".Contains(t[0])));

    /// <summary>Compares predicted tags with the actual ones.</summary>
    /// <param name="actual">Tags of each sentence.</param>
    /// <param name="predicted">As many sentences of as many tags.</param>
    /// <param name="scheme">How tags mark spans; lenient by default.</param>
    /// <exception cref="DataException">The two differ in length, or a tag does not fit (its sentence is named, counted from 1).</exception>
    public static SpanF1 Of(IReadOnlyList<IReadOnlyList<string>> actual, IReadOnlyList<IReadOnlyList<string>> predicted, SpanScheme scheme = SpanScheme.Lenient)
        => new(SpanRows.Of(actual, predicted, scheme));

    /// <summary>The plain mean over types of one of their scores.</summary>
    /// <param name="score">For instance <c>t => t.F1</c>.</param>
    public double Macro(Func<SpanTypeScore, double> score) => Types.Count == 0 ? 0 : Types.Average(score);

    /// <summary>The mean over types of one of their scores, weighted by how many spans of the type there are; 0 when there are none.</summary>
    /// <param name="score">For instance <c>t => t.F1</c>.</param>
    public double Weighted(Func<SpanTypeScore, double> score) => All.Actual == 0 ? 0 : Types.Sum(t => t.Actual * score(t)) / All.Actual;

    /// <summary>The summary with 95 % bootstrap intervals over sentences: <c>f1Micro precisionMicro recallMicro f1Macro precisionMacro recallMacro f1Weighted precisionWeighted recallWeighted
    /// tokenAccuracy</c>.</summary>
    /// <param name="seed">Of the resamples.</param>
    /// <param name="resamples">How many; 0 leaves the intervals at the value.</param>
    /// <remarks>Takes time in proportion to resamples times sentences that hold a span.</remarks>
    public IReadOnlyDictionary<string, MetricValue> Metrics(long seed = 0, int resamples = 1000) => Bootstrap.Intervals(_rows, seed, resamples);
}
