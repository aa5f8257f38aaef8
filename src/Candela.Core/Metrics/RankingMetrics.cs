namespace Candela.Metrics;

/// <summary>Metrics of the order that scores put rows in. Equal scores form one threshold, so ties count as half a success in the ROC area. Cost O(n log n) for the sort.</summary>
public static class RankingMetrics
{
    /// <summary>Area under the ROC curve: the probability that a positive row scores above a negative one, a tie counting half. NaN when one class is absent.</summary>
    public static double RocAuc(ReadOnlySpan<float> scores, ReadOnlySpan<bool> positive) => new Ranking(scores, positive).RocAuc();

    /// <summary>Average precision, sum of (R_n - R_(n-1)) P_n over thresholds (scikit-learn's definition of the area under the precision-recall curve;
    /// no interpolation). NaN when there is no positive row.</summary>
    public static double AveragePrecision(ReadOnlySpan<float> scores, ReadOnlySpan<bool> positive) => new Ranking(scores, positive).AveragePrecision();

    /// <summary>One-vs-rest ROC area averaged over the classes that have both positive and negative rows; <paramref name="probabilities"/> is [rows, classes].
    /// With two classes: that of the second class.</summary>
    public static double RocAuc(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes) => Macro(probabilities, labels, classes, r => r.RocAuc());

    /// <summary>One-vs-rest average precision averaged likewise.</summary>
    public static double AveragePrecision(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes) => Macro(probabilities, labels, classes, r => r.AveragePrecision());

    /// <summary>The ROC curve from (0, 0) to (1, 1), thinned to at most <paramref name="points"/> points evenly spread along the curve; its area is the exact one.</summary>
    public static Evaluation.Curve RocCurve(string name, ReadOnlySpan<float> scores, ReadOnlySpan<bool> positive, int points = 200) => new Ranking(scores, positive).RocCurve(name, points);

    /// <summary>The precision-recall curve from recall 0 (precision 1 by convention), thinned likewise; its area is <see cref="AveragePrecision(ReadOnlySpan{float}, ReadOnlySpan{bool})"/>.</summary>
    public static Evaluation.Curve PrecisionRecallCurve(string name, ReadOnlySpan<float> scores, ReadOnlySpan<bool> positive, int points = 200)
        => new Ranking(scores, positive).PrecisionRecallCurve(name, points);

    private static double Macro(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes, Func<Ranking, double> metric)
    {
        ProbabilityMetrics.Check(probabilities, labels, classes);
        double sum = 0;
        int counted = 0;
        for (int c = classes == 2 ? 1 : 0; c < classes; c++)
        {
            var ranking = Ranking.OfClass(probabilities, labels, classes, c);
            double value = ranking.IsOneSided ? double.NaN : metric(ranking);
            if (double.IsNaN(value))
                continue;
            sum += value;
            counted++;
        }

        return sum / counted;
    }
}
