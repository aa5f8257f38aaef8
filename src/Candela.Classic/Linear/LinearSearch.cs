using Candela.Models;

namespace Candela.Classic.Linear;

/// <summary>Fits a linear model iteratively, after choosing the L2 strength and the n-gram weighting (see <see cref="LinearFamily"/>).</summary>
internal sealed class LinearSearch
{
    /// <summary>Up to so many training rows the settings are chosen on folds of them, and the validation rows are left alone.</summary>
    public const int FoldRows = 5_000;

    // Of the time and the energy there is, at most so much goes into choosing a setting.
    private const double SearchShare = 0.5;

    private const int Folds = 5, MaxIterations = 1_000, MaxProximalIterations = 20_000;

    // Shares of the largest weight gradient at the start: text features have far smaller gradients than standardised columns.
    private const double Tolerance = 1e-6, SparseTolerance = 1e-4, SearchTolerance = 3e-3;

    private readonly FitContext _context;
    private readonly FitOptions _options;
    private readonly FitLimits _limits;
    private readonly DesignMatrix _train;
    private readonly DesignMatrix? _valid;
    private readonly int[] _all;
    private readonly double[]? _classWeights;
    private readonly double _targetMean, _targetScale = 1;
    private readonly List<EpochEnded> _history = [];

    public LinearSearch(FitContext context)
    {
        (_context, _options, _limits) = (context, context.Options, new FitLimits(context));
        EncodedRows rows = EncodedRows.Read(context.Train, context.Problem, context.Cancellation);
        _train = DesignMatrix.OfTraining(rows);
        _valid = context.Valid is { Count: > 0 } valid ? _train.OfOther(EncodedRows.Read(valid, context.Problem, context.Cancellation)) : null;
        _all = [.. Enumerable.Range(0, rows.Count)];
        _classWeights = ClassWeighting.Of(context.Problem, _options, rows.Labels);
        if (!context.Problem.IsClassification)
        {
            _targetMean = rows.Targets.Average(t => (double)t);
            double variance = rows.Targets.Average(t => (t - _targetMean) * (t - _targetMean));
            _targetScale = variance > 0 ? Math.Sqrt(variance) : 1;
        }
    }

    private readonly record struct Setting(bool NaiveBayes, double L2);

    public FitResult Fit()
    {
        Setting setting = Choose();
        LinearObjective objective = Objective(_all, setting.NaiveBayes);
        objective.L2 = setting.L2;
        var parameters = new double[objective.Length];
        int limit = (int)Math.Min(_options.MaxSteps ?? int.MaxValue, _options.L1 > 0 ? MaxProximalIterations : MaxIterations);
        Minimum minimum = Minimise(objective, parameters, _train.SparseWidth > 0 ? SparseTolerance : Tolerance, limit, Log);
        HeldOutScore? valid = _valid is null ? null : objective.ScoreOn(_valid, [.. Enumerable.Range(0, _valid.Count)], parameters);
        var last = new EpochEnded(_history.Count, minimum.Iterations, objective.ScoreOn(_train, _all, parameters).Loss, valid?.Loss, valid?.Score, 0, _limits.Seconds);
        _history.Add(last);
        _context.Events?.Report(last);
        return new FitResult(Model(objective, parameters), _limits.Stopped ?? (minimum.Converged ? StopReason.GradientNorm : StopReason.Steps), _history, new Dictionary<string, string>
        {
            ["l1"] = LinearFamily.Text(_options.L1),
            ["l2"] = LinearFamily.Text(setting.L2),
            ["solver"] = _options.L1 > 0 ? "fista" : "lbfgs",
            ["ngramWeighting"] = _train.SparseWidth == 0 ? "none" : setting.NaiveBayes ? "naive-bayes" : "plain",
        });
    }

    private Setting Choose()
    {
        bool[] weightings = _train.SparseWidth > 0 && _context.Problem.IsClassification ? [false, true] : [false];
        if (_options.L2 is { } given && weightings.Length == 1)
            return new Setting(false, given);
        if (_options.L1 > 0 && weightings.Length == 1)
            return new Setting(false, _options.L2 ?? 0);
        // A large problem gets a coarser grid: the choice costs at most a few times the final fit.
        double work = (double)_train.Count * (_train.DenseWidth + ((double)_train.SparseStarts[_train.Count] / _train.Count)) * LinearObjective.OutputsOf(_context.Problem);
        double[] strengths = _options.L2 is { } fixedStrength ? [fixedStrength]
            : _options.L1 > 0 ? [0]
            : _train.SparseWidth > 0 ? [3e-4, 1e-4, 3e-5, 1e-5, 3e-6]
            : work > 3e7 ? [1e-2, 1e-3, 1e-4]
            : [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5];
        bool folded = _valid is null || _train.Count <= FoldRows;
        int[][] held = folded ? FoldRowsOf() : [[]];
        var best = new Setting(false, strengths[strengths.Length / 2]);
        double bestLoss = double.PositiveInfinity;
        int leastFolds = 1;
        foreach (bool naiveBayes in weightings)
        {
            var losses = new double[strengths.Length];
            int compared = held.TakeWhile(fold => !_limits.Reached(SearchShare) && AddLosses(fold, naiveBayes, strengths, losses)).Count();
            if (compared < leastFolds)
                break; // a limit was reached: sums over fewer folds say nothing beside those of the first weighting
            leastFolds = compared;
            for (int i = 0; i < strengths.Length; i++)
                if (losses[i] < bestLoss)
                    (best, bestLoss) = (new Setting(naiveBayes, strengths[i]), losses[i]);
        }

        return best;
    }

    // Adds the held-out loss of each strength, from the strongest down, each fit starting at the last one. The path ends once the loss has
    // risen well over its least (weaker penalties overfit more and cost more iterations); the strengths left get an infinite loss.
    // False when a limit left no time for even one strength.
    private bool AddLosses(int[] heldOut, bool naiveBayes, double[] strengths, double[] losses)
    {
        bool onValid = heldOut.Length == 0;
        var excluded = new HashSet<int>(heldOut);
        int[] fitted = onValid ? _all : [.. _all.Where(r => !excluded.Contains(r))];
        DesignMatrix scored = onValid ? _valid! : _train;
        int[] scoredRows = onValid ? [.. Enumerable.Range(0, _valid!.Count)] : heldOut;
        LinearObjective objective = Objective(fitted, naiveBayes);
        var parameters = new double[objective.Length];
        double least = double.PositiveInfinity;
        for (int i = 0; i < strengths.Length; i++)
        {
            if (double.IsPositiveInfinity(losses[i]))
                break;
            objective.L2 = strengths[i];
            Minimise(objective, parameters, SearchTolerance, 200, Search);
            if (_limits.Reached(SearchShare))
            {
                // A strength that was not fitted to its end is not compared, nor are those after it; before the first there is nothing to compare yet.
                if (i > 0)
                    losses.AsSpan(i).Fill(double.PositiveInfinity);
                return i > 0;
            }

            double loss = objective.ScoreOn(scored, scoredRows, parameters).Loss;
            losses[i] += loss * scoredRows.Length;
            least = Math.Min(least, loss);
            if (loss > 1.2 * least)
            {
                losses.AsSpan(i + 1).Fill(double.PositiveInfinity);
                break;
            }
        }

        return true;
    }

    // Row indices of each fold; classes are dealt out evenly.
    private int[][] FoldRowsOf()
    {
        int folds = Math.Min(Folds, _train.Count);
        var order = (int[])_all.Clone();
        new Rng(_options.Seed, 71).Shuffle(order.AsSpan());
        if (_context.Problem.IsClassification)
            order = [.. order.OrderBy(r => _train.Rows.Labels[r])]; // a stable sort: shuffled within each class
        return [.. Enumerable.Range(0, folds).Select(f => order.Where((_, i) => i % folds == f).ToArray())];
    }

    private LinearObjective Objective(int[] rows, bool naiveBayes) => new(_train, rows, _context.Problem, _classWeights, _targetMean, _targetScale, _options.Threads, _context.Cancellation)
    {
        SparseScale = naiveBayes ? LogCountRatios(rows) : null,
    };

    // Factor 0.3 + |r| with r = log((1/2 + d_own) / |1/2 + d_own|) - log((1/2 + d_other) / |1/2 + d_other|), d the rows of the class (of the others) that have the feature. The sign of
    // r is left to the weight; the 0.3, as in the paper's interpolation with unscaled features, keeps features that do not tell alone within reach of the fit.
    private float[] LogCountRatios(int[] rows)
    {
        const double smoothing = 0.5, floor = 0.3;
        int outputs = LinearObjective.OutputsOf(_context.Problem), classes = _context.Problem.Classes.Count, width = _train.SparseWidth;
        var counts = new float[classes * width];
        var all = new double[width];
        foreach (int row in rows)
        {
            Span<float> own = counts.AsSpan(_train.Rows.Labels[row] * width, width);
            for (int e = _train.SparseStarts[row]; e < _train.SparseStarts[row + 1]; e++)
            {
                own[_train.SparseIndices[e]]++;
                all[_train.SparseIndices[e]]++;
            }
        }

        double grand = all.Sum();
        var ratios = new float[outputs * width];
        for (int o = 0; o < outputs; o++)
        {
            ReadOnlySpan<float> own = counts.AsSpan((outputs == 1 ? 1 : o) * width, width);
            double ownTotal = 0;
            foreach (float count in own)
                ownTotal += count;
            double otherTotal = grand - ownTotal + (smoothing * width);
            ownTotal += smoothing * width;
            for (int j = 0; j < width; j++)
                ratios[(o * width) + j] = (float)(floor + Math.Abs(Math.Log((smoothing + own[j]) / ownTotal) - Math.Log((smoothing + all[j] - own[j]) / otherTotal)));
        }

        return ratios;
    }

    private Minimum Minimise(LinearObjective objective, double[] parameters, double share, int iterations, Func<int, double, bool> goOn)
    {
        double tolerance = share * Math.Max(StartGradient(objective), 1e-7);
        if (_options.L1 == 0)
            return Lbfgs.Minimise(objective, parameters, tolerance, iterations, goOn);
        var penalty = new double[objective.Length];
        int stride = objective.Length / objective.Outputs;
        for (int i = 0; i < penalty.Length; i++)
            penalty[i] = i % stride == stride - 1 ? 0 : _options.L1;
        return ProximalGradient.Minimise(objective, penalty, parameters, tolerance, iterations, goOn);
    }

    // The largest gradient component of a weight when all weights are 0 and the intercepts are the log odds (the mean, for regression).
    private double StartGradient(LinearObjective objective)
    {
        var start = new double[objective.Length];
        var gradient = new double[objective.Length];
        int stride = objective.Length / objective.Outputs;
        if (_context.Problem.IsClassification)
        {
            var shares = new double[_context.Problem.Classes.Count];
            Array.Fill(shares, 1.0);
            foreach (int label in _train.Rows.Labels)
                shares[label] += _classWeights?[label] ?? 1;
            for (int k = 0; k < objective.Outputs; k++)
                start[((k + 1) * stride) - 1] = objective.Outputs == 1 ? Math.Log(shares[1] / shares[0]) : Math.Log(shares[k]);
        }

        objective.Evaluate(start, gradient);
        double largest = 0;
        for (int i = 0; i < gradient.Length; i++)
            if (i % stride != stride - 1)
                largest = Math.Max(largest, Math.Abs(gradient[i]));
        return largest;
    }

    private bool Search(int iteration, double value)
    {
        _context.Cancellation.ThrowIfCancellationRequested();
        return !_limits.Reached(SearchShare);
    }

    // The first iteration is always run: a model of zeros is none.
    private bool Log(int iteration, double value)
    {
        _context.Cancellation.ThrowIfCancellationRequested();
        if (iteration % 10 == 0)
        {
            var ended = new EpochEnded(_history.Count, iteration, value, null, null, 0, _limits.Seconds);
            _history.Add(ended);
            _context.Events?.Report(ended);
        }

        return iteration == 0 || !_limits.Reached();
    }

    private LinearModel Model(LinearObjective objective, double[] parameters)
    {
        int outputs = objective.Outputs, dense = _train.DenseWidth, sparse = _train.SparseWidth, stride = dense + sparse + 1;
        var weights = new float[outputs * dense];
        var bias = new float[outputs];
        var sparseWeights = new float[sparse * outputs];
        for (int k = 0; k < outputs; k++)
        {
            ReadOnlySpan<double> own = parameters.AsSpan(k * stride, stride);
            for (int j = 0; j < dense; j++)
                weights[(k * dense) + j] = (float)own[j];
            for (int j = 0; j < sparse; j++)
                sparseWeights[(j * outputs) + k] = (float)(own[dense + j] * (objective.SparseScale?[(k * sparse) + j] ?? 1));
            bias[k] = (float)own[^1];
        }

        return new LinearModel(_context.Problem, _context.Train.Layout, _targetScale, _targetMean, weights, bias, Deviations(), _train.Vocabulary, sparseWeights);
    }

    private float[] Deviations()
    {
        int width = _train.DenseWidth;
        double[] mean = new double[width], squares = new double[width];
        for (int row = 0; row < _train.Count; row++)
        {
            ReadOnlySpan<float> values = _train.Rows.DenseRow(row);
            double share = 1.0 / (row + 1);
            for (int j = 0; j < width; j++)
            {
                double difference = values[j] - mean[j];
                mean[j] += difference * share;
                squares[j] += difference * (values[j] - mean[j]);
            }
        }

        return [.. squares.Select(s => (float)Math.Sqrt(s / _train.Count))];
    }
}
