namespace Candela.Metrics;

/// <summary>Metrics of class probabilities. <c>probabilities</c> is [rows, classes], row-major, each row summing to 1; <c>labels</c> holds 0..classes-1 per row.</summary>
public static class ProbabilityMetrics
{
    /// <summary>Probabilities are not taken as smaller than this in the log loss, so that one confident mistake costs 34.5 and not infinity.</summary>
    public const double LogLossFloor = 1e-15;

    /// <summary>Equal-width bins of the expected calibration error.</summary>
    public const int CalibrationBins = 15;

    /// <summary>The class of the largest probability per row; the first of equals.</summary>
    public static int[] Predict(ReadOnlySpan<float> probabilities, int classes)
    {
        var predicted = new int[probabilities.Length / classes];
        for (int i = 0; i < predicted.Length; i++)
            predicted[i] = ArgMax(probabilities.Slice(i * classes, classes));
        return predicted;
    }

    /// <summary>Share of rows whose label is the predicted class. NaN without rows.</summary>
    public static double Accuracy(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes) => TopK(probabilities, labels, classes, 1);

    /// <summary>Share of rows whose label is among the <paramref name="k"/> largest probabilities; of equal probabilities the lower class counts first.</summary>
    public static double TopK(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes, int k)
    {
        Check(probabilities, labels, classes);
        double hits = 0;
        for (int i = 0; i < labels.Length; i++)
            hits += Rank(probabilities.Slice(i * classes, classes), labels[i]) < k ? 1 : 0;
        return hits / labels.Length;
    }

    /// <summary>Mean of -ln(probability of the label), in nats, with <see cref="LogLossFloor"/>.</summary>
    public static double LogLoss(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes)
    {
        Check(probabilities, labels, classes);
        double sum = 0;
        for (int i = 0; i < labels.Length; i++)
            sum += LogLossOf(probabilities[(i * classes) + labels[i]]);
        return sum / labels.Length;
    }

    /// <summary>Brier score. Two classes: mean squared error of the second class's probability, 0..1 (Brier's halved form, scikit-learn's).
    /// More classes: mean over rows of the squared errors summed over all classes, 0..2 (Brier 1950).</summary>
    public static double Brier(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes)
    {
        Check(probabilities, labels, classes);
        double sum = 0;
        for (int i = 0; i < labels.Length; i++)
            sum += BrierOf(probabilities.Slice(i * classes, classes), labels[i]);
        return sum / labels.Length;
    }

    /// <summary>Expected calibration error (Guo et al. 2017, eq. 3): rows in 15 equal-width bins (lower end exclusive) of the largest probability; mean over rows of
    /// |accuracy - mean confidence| of their bin.</summary>
    public static double ExpectedCalibrationError(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes)
    {
        Check(probabilities, labels, classes);
        Span<double> gap = stackalloc double[CalibrationBins];
        for (int i = 0; i < labels.Length; i++)
        {
            var row = probabilities.Slice(i * classes, classes);
            int predicted = ArgMax(row);
            gap[BinOf(row[predicted])] += (predicted == labels[i] ? 1 : 0) - (double)row[predicted];
        }

        double sum = 0;
        foreach (double g in gap)
            sum += Math.Abs(g);
        return sum / labels.Length;
    }

    internal static int BinOf(double confidence) => Math.Clamp((int)Math.Ceiling(confidence * CalibrationBins) - 1, 0, CalibrationBins - 1);

    internal static double LogLossOf(double probability) => -Math.Log(Math.Clamp(probability, LogLossFloor, 1));

    internal static double BrierOf(ReadOnlySpan<float> row, int label)
    {
        if (row.Length == 2)
        {
            double miss = row[1] - (label == 1 ? 1.0 : 0.0);
            return miss * miss;
        }

        double sum = 0;
        for (int c = 0; c < row.Length; c++)
        {
            double miss = row[c] - (c == label ? 1.0 : 0.0);
            sum += miss * miss;
        }

        return sum;
    }

    internal static int ArgMax(ReadOnlySpan<float> row)
    {
        int best = 0;
        for (int c = 1; c < row.Length; c++)
            if (row[c] > row[best])
                best = c;
        return best;
    }

    /// <summary>How many classes come before <paramref name="label"/> in falling order of probability.</summary>
    internal static int Rank(ReadOnlySpan<float> row, int label)
    {
        int before = 0;
        for (int c = 0; c < row.Length; c++)
            if (row[c] > row[label] || (row[c] == row[label] && c < label))
                before++;
        return before;
    }

    internal static void Check(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes)
    {
        if (probabilities.Length != (long)labels.Length * classes)
            throw new ShapeException($"Probabilities hold {probabilities.Length} numbers; {labels.Length} labels of {classes} classes need {(long)labels.Length * classes}.");
    }
}
