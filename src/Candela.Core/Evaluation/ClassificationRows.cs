using Candela.Metrics;

namespace Candela.Evaluation;

/// <summary>Class probabilities prepared for resampling: per row the predicted class and its loss terms, per class the order of scores.</summary>
internal sealed class ClassificationRows : IResampledRows
{
    private static readonly int[] Tops = [3, 5]; // each where there are more classes
    private readonly float[] _scores;
    private readonly int[] _labels;
    private readonly int _classes;
    private readonly int[] _predicted;
    private readonly double[] _logLoss;
    private readonly double[] _brier;
    private readonly int[] _bin;
    private readonly double[] _gap;
    private readonly int[] _rank;
    private readonly List<string> _names;
    private readonly ConfusionMatrix _resampled;

    public ClassificationRows(float[] scores, int[] labels, int classes)
    {
        (_scores, _labels, _classes) = (scores, labels, classes);
        _predicted = ProbabilityMetrics.Predict(scores, classes);
        _logLoss = new double[labels.Length];
        _brier = new double[labels.Length];
        _bin = new int[labels.Length];
        _gap = new double[labels.Length];
        _rank = new int[labels.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            var row = scores.AsSpan(i * classes, classes);
            _logLoss[i] = ProbabilityMetrics.LogLossOf(row[labels[i]]);
            _brier[i] = ProbabilityMetrics.BrierOf(row, labels[i]);
            _bin[i] = ProbabilityMetrics.BinOf(row[_predicted[i]]);
            _gap[i] = (_predicted[i] == labels[i] ? 1.0 : 0.0) - row[_predicted[i]];
            _rank[i] = classes > Tops[0] ? ProbabilityMetrics.Rank(row, labels[i]) : 0;
        }

        Confusion = ConfusionMatrix.Of(labels, _predicted, classes);
        _resampled = new ConfusionMatrix(classes);
        var ranked = new List<int>();
        var rankings = new List<Ranking>();
        for (int c = classes == 2 ? 1 : 0; c < classes; c++)
        {
            long support = Confusion.Support(c);
            if (support == 0 || support == labels.Length)
                continue;
            ranked.Add(c);
            rankings.Add(Ranking.OfClass(scores, labels, classes, c));
        }

        (RankedClasses, Rankings) = ([.. ranked], [.. rankings]);
        _names = ["accuracy", "precisionMacro", "recallMacro", "f1Micro", "f1Macro", "f1Weighted", "mcc", "logLoss", "brier", "ece", "rocAuc", "prAuc", "precisionMicro", "recallMicro", "precisionWeighted", "recallWeighted"];
        foreach (int top in Tops.Where(top => classes > top))
            _names.Add($"top{top}");
    }

    public ConfusionMatrix Confusion { get; }

    /// <summary>The classes with both positive and negative rows; of a binary task the positive one only.</summary>
    public int[] RankedClasses { get; }

    public Ranking[] Rankings { get; }

    public int Count => _labels.Length;

    public int CostPerRow => 3 + Rankings.Length;

    public IReadOnlyList<string> Names => _names;

    public (double Low, double High) Range(int metric) => _names[metric] switch
    {
        "mcc" => (-1, 1),
        "logLoss" => (0, double.PositiveInfinity),
        "brier" => (0, _classes == 2 ? 1 : 2),
        _ => (0, 1),
    };

    public bool IsShare(int metric) => _names[metric] is "accuracy" or "f1Micro" or "precisionMicro" or "recallMicro" or "recallWeighted" or "top3" or "top5";

    public double? LeastWhenPerfect(int metric)
    {
        long[] Positives() => [.. RankedClasses.Select(Confusion.Support)];
        return _names[metric] switch
        {
            "rocAuc" => PerfectScores.Roc(Positives(), Count),
            "prAuc" => PerfectScores.Precision(Positives(), Count),
            "precisionMacro" => PerfectScores.Confused(Confusion, m => m.PrecisionMacro),
            "recallMacro" => PerfectScores.Confused(Confusion, m => m.RecallMacro),
            "f1Macro" => PerfectScores.Confused(Confusion, m => m.F1Macro),
            "f1Weighted" => PerfectScores.Confused(Confusion, m => m.F1Weighted),
            "precisionWeighted" => PerfectScores.Confused(Confusion, m => m.PrecisionWeighted),
            "mcc" => PerfectScores.Confused(Confusion, m => m.Mcc),
            _ => IsShare(metric) ? PerfectScores.Share(Count) : null,
        };
    }

    public IResampledRows Take(int[] rows)
    {
        var scores = new float[rows.Length * _classes];
        for (int i = 0; i < rows.Length; i++)
            Array.Copy(_scores, (long)rows[i] * _classes, scores, (long)i * _classes, _classes);
        return new ClassificationRows(scores, Array.ConvertAll(rows, i => _labels[i]), _classes);
    }

    public void Compute(ReadOnlySpan<int> counts, Span<double> values)
    {
        bool weighted = counts.Length > 0;
        double logLoss = 0, brier = 0, top3 = 0, top5 = 0;
        Span<double> gap = stackalloc double[ProbabilityMetrics.CalibrationBins];
        _resampled.Clear();
        for (int i = 0; i < _labels.Length; i++)
        {
            int w = weighted ? counts[i] : 1;
            _resampled.Add(_labels[i], _predicted[i], w);
            logLoss += w * _logLoss[i];
            brier += w * _brier[i];
            top3 += _rank[i] < 3 ? w : 0;
            top5 += _rank[i] < 5 ? w : 0;
            gap[_bin[i]] += w * _gap[i];
        }

        double ece = 0, roc = 0, precision = 0;
        foreach (double g in gap)
            ece += Math.Abs(g);
        int ranked = 0;
        foreach (Ranking ranking in Rankings)
        {
            RankAreas areas = ranking.Areas(counts);
            if (double.IsNaN(areas.Roc) || double.IsNaN(areas.Precision))
                continue;
            roc += areas.Roc;
            precision += areas.Precision;
            ranked++;
        }

        int n = _labels.Length;
        values[0] = values[3] = _resampled.Accuracy;
        values[1] = _resampled.PrecisionMacro;
        values[2] = _resampled.RecallMacro;
        values[4] = _resampled.F1Macro;
        values[5] = _resampled.F1Weighted;
        values[6] = _resampled.Mcc;
        values[7] = logLoss / n;
        values[8] = brier / n;
        values[9] = ece / n;
        values[10] = ranked == 0 ? double.NaN : roc / ranked;
        values[11] = ranked == 0 ? double.NaN : precision / ranked;
        values[12] = values[13] = _resampled.Accuracy; // pooled over classes, each wrong row is one false positive and one false negative
        values[14] = _resampled.PrecisionWeighted;
        values[15] = _resampled.RecallWeighted;
        if (values.Length > 16)
            values[16] = top3 / n;
        if (values.Length > 17)
            values[17] = top5 / n;
    }

    /// <summary>The non-empty reliability bins, by rising confidence.</summary>
    public List<CalibrationBin> Reliability()
    {
        Span<double> confidence = stackalloc double[ProbabilityMetrics.CalibrationBins];
        Span<long> hits = stackalloc long[ProbabilityMetrics.CalibrationBins], rows = stackalloc long[ProbabilityMetrics.CalibrationBins];
        for (int i = 0; i < _labels.Length; i++)
        {
            confidence[_bin[i]] += _scores[(i * _classes) + _predicted[i]];
            hits[_bin[i]] += _predicted[i] == _labels[i] ? 1 : 0;
            rows[_bin[i]]++;
        }

        var bins = new List<CalibrationBin>();
        for (int b = 0; b < rows.Length; b++)
            if (rows[b] > 0)
                bins.Add(new CalibrationBin(confidence[b] / rows[b], (double)hits[b] / rows[b], rows[b]));
        return bins;
    }
}
