namespace Candela.Metrics;

/// <summary>Weighted counts of (actual, predicted) class pairs and the metrics that follow from them. A ratio without a denominator is 0.
/// Macro averages run over the classes that occur among the actual or the predicted labels, as scikit-learn's default does.</summary>
public sealed class ConfusionMatrix
{
    private readonly long[] _counts;
    private readonly long[] _support;
    private readonly long[] _predicted;

    /// <summary>An empty matrix of <paramref name="classes"/> classes.</summary>
    public ConfusionMatrix(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Classes = classes;
        (_counts, _support, _predicted) = (new long[classes * classes], new long[classes], new long[classes]);
    }

    /// <summary>Counts pairs of labels, each 0..classes-1.</summary>
    public static ConfusionMatrix Of(ReadOnlySpan<int> actual, ReadOnlySpan<int> predicted, int classes)
    {
        if (actual.Length != predicted.Length)
            throw new ShapeException($"A confusion matrix got {actual.Length} actual and {predicted.Length} predicted labels; they must be as many.");
        var matrix = new ConfusionMatrix(classes);
        for (int i = 0; i < actual.Length; i++)
            matrix.Add(actual[i], predicted[i]);
        return matrix;
    }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>Rows counted.</summary>
    public long Total => _support.Sum();

    /// <summary>Rows of class <paramref name="actual"/> that were predicted as <paramref name="predicted"/>.</summary>
    public long this[int actual, int predicted] => _counts[(actual * Classes) + predicted];

    /// <summary>Counts one row <paramref name="times"/> times.</summary>
    public void Add(int actual, int predicted, long times = 1)
    {
        _counts[(actual * Classes) + predicted] += times;
        _support[actual] += times;
        _predicted[predicted] += times;
    }

    /// <summary>Back to no rows.</summary>
    public void Clear()
    {
        Array.Clear(_counts);
        Array.Clear(_support);
        Array.Clear(_predicted);
    }

    /// <summary>Rows whose actual class is <paramref name="c"/>.</summary>
    public long Support(int c) => _support[c];

    /// <summary>Rows predicted as class <paramref name="c"/>.</summary>
    public long Predicted(int c) => _predicted[c];

    /// <summary>Share of rows on the diagonal. It equals micro-averaged precision, recall and F1, as each row has one label.</summary>
    public double Accuracy
    {
        get
        {
            long hits = 0;
            for (int c = 0; c < Classes; c++)
                hits += this[c, c];
            return Ratio(hits, Total);
        }
    }

    /// <summary>Of the rows predicted as <paramref name="c"/>, the share that is.</summary>
    public double Precision(int c) => Ratio(this[c, c], Predicted(c));

    /// <summary>Of the rows that are <paramref name="c"/>, the share that was found.</summary>
    public double Recall(int c) => Ratio(this[c, c], Support(c));

    /// <summary>2 TP / (2 TP + FP + FN) of class <paramref name="c"/>.</summary>
    public double F1(int c) => Ratio(2 * this[c, c], Support(c) + Predicted(c));

    /// <summary>Mean precision over classes.</summary>
    public double PrecisionMacro => Macro(Precision);

    /// <summary>Mean recall over classes.</summary>
    public double RecallMacro => Macro(Recall);

    /// <summary>Mean F1 over classes.</summary>
    public double F1Macro => Macro(F1);

    /// <summary>F1 of the pooled counts; equals <see cref="Accuracy"/>.</summary>
    public double F1Micro => Accuracy;

    /// <summary>Precision weighted by support.</summary>
    public double PrecisionWeighted => Weighted(Precision);

    /// <summary>Recall weighted by support; equals <see cref="Accuracy"/>.</summary>
    public double RecallWeighted => Weighted(Recall);

    /// <summary>F1 weighted by support.</summary>
    public double F1Weighted => Weighted(F1);

    /// <summary>Matthews correlation coefficient for any number of classes (Gorodkin 2004, R_K), -1..1; 0 when all actual or all predicted labels are one class.</summary>
    public double Mcc
    {
        get
        {
            double total = Total, hits = 0, cross = 0, actual2 = 0, predicted2 = 0;
            for (int c = 0; c < Classes; c++)
            {
                double t = Support(c), p = Predicted(c);
                hits += this[c, c];
                cross += t * p;
                actual2 += t * t;
                predicted2 += p * p;
            }

            double scale = Math.Sqrt(((total * total) - actual2) * ((total * total) - predicted2));
            return scale > 0 ? ((hits * total) - cross) / scale : 0;
        }
    }

    /// <summary>The counts as [actual][predicted].</summary>
    public IReadOnlyList<IReadOnlyList<long>> ToRows()
    {
        var rows = new IReadOnlyList<long>[Classes];
        for (int i = 0; i < Classes; i++)
            rows[i] = _counts[(i * Classes)..((i + 1) * Classes)];
        return rows;
    }

    private double Macro(Func<int, double> metric)
    {
        double sum = 0;
        int present = 0;
        for (int c = 0; c < Classes; c++)
        {
            if (Support(c) + Predicted(c) == 0)
                continue;
            sum += metric(c);
            present++;
        }

        return present == 0 ? 0 : sum / present;
    }

    private double Weighted(Func<int, double> metric)
    {
        double sum = 0;
        for (int c = 0; c < Classes; c++)
            sum += metric(c) * Support(c);
        long total = Total;
        return total == 0 ? 0 : sum / total;
    }

    private static double Ratio(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}
