using Candela.Evaluation;

namespace Candela.Metrics;

/// <summary>Rows sorted once by falling score, so that areas under ROC and precision-recall curves of any reweighting of the rows take one pass.</summary>
internal sealed class Ranking
{
    private readonly int[] _order;       // row indices by falling score
    private readonly int[] _positive;    // 1 or 0, in that order
    private readonly bool[] _ends;       // the last row of a group of equal scores
    private readonly int _positives;

    public Ranking(ReadOnlySpan<float> scores, ReadOnlySpan<bool> positive)
    {
        if (scores.Length != positive.Length)
            throw new ShapeException($"A ranking metric got {scores.Length} scores and {positive.Length} labels; they must be as many.");
        int n = scores.Length;
        var keys = new float[n];
        _order = new int[n];
        for (int i = 0; i < n; i++)
            (keys[i], _order[i]) = (-scores[i], i);
        Array.Sort(keys, _order);
        _positive = new int[n];
        _ends = new bool[n];
        for (int i = 0; i < n; i++)
        {
            _positive[i] = positive[_order[i]] ? 1 : 0;
            _ends[i] = i == n - 1 || keys[i] != keys[i + 1];
            _positives += _positive[i];
        }
    }

    public static Ranking OfClass(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> labels, int classes, int c)
    {
        var scores = new float[labels.Length];
        var positive = new bool[labels.Length];
        for (int i = 0; i < labels.Length; i++)
            (scores[i], positive[i]) = (probabilities[(i * classes) + c], labels[i] == c);
        return new Ranking(scores, positive);
    }

    public bool IsOneSided => _positives == 0 || _positives == _order.Length;

    public double RocAuc() => Areas(null).Roc;

    public double AveragePrecision() => Areas(null).Precision;

    /// <summary>Both areas with row i counted <c>counts[i]</c> times; null counts each once. NaN where a class has no rows.</summary>
    public RankAreas Areas(ReadOnlySpan<int> counts)
    {
        bool weighted = counts.Length > 0;
        double tp = 0, fp = 0, area = 0, precision = 0;
        int groupTp = 0, group = 0;
        int[] order = _order, positive = _positive;
        bool[] ends = _ends;
        // Without branches on labels or counts: they are random, and a missed guess costs more than the whole step.
        for (int i = 0; i < order.Length; i++)
        {
            int w = weighted ? counts[order[i]] : 1;
            groupTp += w * positive[i];
            group += w;
            if (!ends[i])
                continue;
            double groupFp = group - groupTp;
            area += groupFp * (tp + (groupTp * 0.5));
            tp += groupTp;
            fp += groupFp;
            precision += groupTp * tp / Math.Max(tp + fp, 1);
            groupTp = group = 0;
        }

        return new RankAreas(area / (tp * fp), precision / tp);
    }

    public Curve RocCurve(string name, int points)
    {
        var (x, y) = (new List<double> { 0 }, new List<double> { 0 });
        double tp = 0, fp = 0, negatives = _order.Length - _positives;
        for (int i = 0; i < _order.Length; i++)
        {
            tp += _positive[i];
            fp += 1 - _positive[i];
            if (!_ends[i])
                continue;
            x.Add(fp / negatives);
            y.Add(tp / _positives);
        }

        return Thin(name, x, y, points, RocAuc());
    }

    public Curve PrecisionRecallCurve(string name, int points)
    {
        var (x, y) = (new List<double> { 0 }, new List<double> { 1 });
        double tp = 0;
        for (int i = 0; i < _order.Length; i++)
        {
            tp += _positive[i];
            if (!_ends[i])
                continue;
            x.Add(tp / _positives);
            y.Add(tp / (i + 1));
        }

        return Thin(name, x, y, points, AveragePrecision());
    }

    // Keeps the ends and, between them, the first point past each equal step of the path's length |dx| + |dy|.
    private static Curve Thin(string name, List<double> x, List<double> y, int points, double area)
    {
        if (x.Count <= points)
            return new Curve(name, x, y, area);
        double length = 0;
        for (int i = 1; i < x.Count; i++)
            length += Math.Abs(x[i] - x[i - 1]) + Math.Abs(y[i] - y[i - 1]);
        double step = length / (points - 1), walked = 0, next = step;
        var (keptX, keptY) = (new List<double> { x[0] }, new List<double> { y[0] });
        for (int i = 1; i < x.Count - 1; i++)
        {
            walked += Math.Abs(x[i] - x[i - 1]) + Math.Abs(y[i] - y[i - 1]);
            if (walked < next || keptX.Count == points - 1)
                continue;
            keptX.Add(x[i]);
            keptY.Add(y[i]);
            next = (Math.Floor(walked / step) + 1) * step;
        }

        keptX.Add(x[^1]);
        keptY.Add(y[^1]);
        return new Curve(name, keptX, keptY, area);
    }
}

/// <summary>Areas under the ROC curve and (average precision) the precision-recall curve.</summary>
internal readonly record struct RankAreas(double Roc, double Precision);
