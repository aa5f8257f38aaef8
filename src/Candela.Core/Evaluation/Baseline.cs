using Candela.Data;
using Candela.Runs;

namespace Candela.Evaluation;

/// <summary>The trivial predictor every model must beat: it looks at no input.</summary>
/// <param name="Name"><c>majority</c> or <c>mean</c>.</param>
/// <param name="Prediction">The class or the value it always gives.</param>
/// <param name="Scores">What it scores every row: the training frequency of each class, or the training mean.</param>
public sealed record Baseline(string Name, string Prediction, IReadOnlyList<float> Scores)
{
    /// <summary>From the classes of the training rows.</summary>
    public static Baseline OfLabels(Problem problem, ReadOnlySpan<int> labels)
    {
        var counts = new long[problem.Classes.Count];
        foreach (int label in labels)
            counts[label]++;
        return OfClassCounts(problem, counts);
    }

    /// <summary>From how often each class occurs in the training rows.</summary>
    /// <exception cref="DataException">There are no rows.</exception>
    public static Baseline OfClassCounts(Problem problem, ReadOnlySpan<long> counts)
    {
        double total = 0;
        foreach (long count in counts)
            total += count;
        if (total == 0)
            throw new DataException("There are no training rows to take the majority class of.");
        var scores = new float[counts.Length];
        int best = 0;
        for (int c = 0; c < scores.Length; c++)
        {
            scores[c] = (float)(counts[c] / total);
            best = counts[c] > counts[best] ? c : best;
        }

        return new Baseline("majority", problem.Classes[best], scores);
    }

    /// <summary>From the targets of the training rows.</summary>
    public static Baseline OfTargets(ReadOnlySpan<float> targets)
    {
        double sum = 0;
        foreach (float target in targets)
            sum += target;
        return targets.Length > 0 ? OfMean(sum / targets.Length) : throw new DataException("There are no training rows to take the mean of.");
    }

    /// <summary>From the mean target of the training rows.</summary>
    public static Baseline OfMean(double mean) => new("mean", mean.ToString("G6", System.Globalization.CultureInfo.InvariantCulture), [(float)mean]);

    /// <summary>Its metrics on a split, as <see cref="Evaluator.Evaluate"/> gives them.</summary>
    public BaselineRecord Evaluate(Problem problem, int[]? labels, float[]? targets, long seed, int resamples = 1000)
    {
        int rows = labels?.Length ?? targets?.Length ?? 0;
        var scores = new float[rows * Scores.Count];
        for (int i = 0; i < scores.Length; i++)
            scores[i] = Scores[i % Scores.Count];
        return new BaselineRecord(Name, Prediction, Evaluator.Evaluate(problem, scores, labels, targets, rows, seed, resamples).Metrics);
    }
}
