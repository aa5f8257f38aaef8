namespace Candela.Classic.Trees;

/// <summary>Newton gradient boosting (Chen and Guestrin 2016) over <see cref="TreeGrower"/>: what <see cref="LightGbmBooster"/> does, in managed code and on one thread,
/// for machines where its native library cannot be loaded. L1 is not applied.</summary>
internal sealed class GrownBooster : IBooster
{
    private readonly TrainingTable _train;
    private readonly TrainingTable? _valid;
    private readonly BinnedTable _binned;
    private readonly BoostingSettings _settings;
    private readonly int _sums;
    private readonly double[] _start;
    private readonly double[] _trainSums;
    private readonly double[] _validSums;
    private readonly List<GrownTree> _trees = [];
    private readonly Rng _rng;

    /// <summary>Bins the rows and starts from the mean (regression) or the log odds of the classes.</summary>
    public GrownBooster(TrainingTable train, TrainingTable? valid, BoostingSettings settings)
    {
        (_train, _valid, _settings) = (train, valid, settings);
        _binned = new BinnedTable(train, settings.Seed);
        _rng = new Rng(settings.Seed, 41);
        _sums = train.Classes > 2 ? train.Classes : 1;
        _start = new double[_sums];
        if (train.Classes > 0)
        {
            // One row's weight spread over the classes keeps an absent class finite.
            double total = 1;
            var shares = new double[train.Classes];
            Array.Fill(shares, 1.0 / train.Classes);
            for (int row = 0; row < train.Count; row++)
            {
                double weight = train.Weights?[row] ?? 1;
                shares[(int)train.Targets[row]] += weight;
                total += weight;
            }

            if (_sums == 1)
                _start[0] = Math.Log(shares[1] / shares[0]);
            else
                for (int k = 0; k < _sums; k++)
                    _start[k] = Math.Log(shares[k] / total);
        }

        _trainSums = Repeat(train.Count);
        _validSums = Repeat(valid?.Count ?? 0);
    }

    /// <inheritdoc/>
    public bool AddRound()
    {
        int count = _train.Count;
        int[] rows = [.. Enumerable.Range(0, count)];
        if (_settings.RowShare < 1)
        {
            _rng.Shuffle(rows.AsSpan());
            Array.Resize(ref rows, Math.Max(1, (int)(count * _settings.RowShare)));
            Array.Sort(rows);
        }

        float[] gradients = new float[count * _sums], curvatures = new float[count * _sums];
        Derivatives(gradients, curvatures);
        var limits = new TreeLimits { Leaves = _settings.Leaves, MinRows = _settings.MinRowsPerLeaf, L2 = _settings.L2, FeaturesPerSplit = (int)Math.Ceiling(_train.Width * _settings.FeatureShare) };
        var grown = new GrownTree[_sums];
        bool split = false;
        for (int k = 0; k < _sums; k++)
        {
            float[] sums = new float[count], weights = new float[count];
            for (int row = 0; row < count; row++)
                (sums[row], weights[row]) = (-gradients[(row * _sums) + k], curvatures[(row * _sums) + k]);
            grown[k] = new TreeGrower(_binned, sums, weights, 1, [.. rows], limits, _rng).Grow(default);
            split |= grown[k].Root.Left is not null;
        }

        if (!split)
            return false;
        _trees.AddRange(grown);
        TreeEnsemble added = Ensemble(grown, new double[_sums]);
        AddTo(_trainSums, _train, added);
        if (_valid is not null)
            AddTo(_validSums, _valid, added);
        return true;
    }

    /// <inheritdoc/>
    public double TrainLoss() => Loss(_train, _trainSums);

    /// <inheritdoc/>
    public double ValidLoss() => Loss(_valid!, _validSums);

    /// <inheritdoc/>
    public TreeEnsemble Take(int rounds) => Ensemble(_trees.Count == 0 ? Constant() : [.. _trees.Take(rounds * _sums)], _start);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private GrownTree[] Constant() => [.. Enumerable.Range(0, _sums).Select(_ => new GrownTree(new GrownNode { Value = [0], Cost = 0 }))];

    private TreeEnsemble Ensemble(GrownTree[] trees, double[] start)
    {
        var builder = new TreeEnsembleBuilder(1);
        foreach (GrownTree tree in trees)
            tree.AppendTo(builder, (float)_settings.LearningRate);
        return _train.Classes == 0 ? builder.Build(TreeLink.Identity, start, _train.TargetScale, _train.TargetMean)
            : builder.Build(_sums == 1 ? TreeLink.Sigmoid : TreeLink.Softmax, start);
    }

    private double[] Repeat(int rows)
    {
        var sums = new double[rows * _sums];
        for (int i = 0; i < sums.Length; i++)
            sums[i] = _start[i % _sums];
        return sums;
    }

    private void AddTo(double[] sums, TrainingTable table, TreeEnsemble added)
    {
        var one = new double[_sums];
        for (int row = 0; row < table.Count; row++)
        {
            added.SumRow(table.Values.AsSpan(row * table.Width, table.Width), one);
            for (int k = 0; k < _sums; k++)
                sums[(row * _sums) + k] += one[k];
        }
    }

    // First and second derivatives of the loss with respect to each sum, times the row's weight.
    private void Derivatives(float[] gradients, float[] curvatures)
    {
        var p = new double[_sums];
        for (int row = 0; row < _train.Count; row++)
        {
            double weight = _train.Weights?[row] ?? 1;
            ReadOnlySpan<double> sums = _trainSums.AsSpan(row * _sums, _sums);
            if (_train.Classes == 0)
            {
                gradients[row] = (float)(weight * (sums[0] - _train.Targets[row]));
                curvatures[row] = (float)weight;
                continue;
            }

            Probabilities(sums, p);
            for (int k = 0; k < _sums; k++)
            {
                double target = _sums == 1 ? _train.Targets[row] : _train.Targets[row] == k ? 1 : 0, bend = p[k] * (1 - p[k]);
                gradients[(row * _sums) + k] = (float)(weight * (p[k] - target));
                curvatures[(row * _sums) + k] = (float)(weight * Math.Max(1e-6, _sums == 1 ? bend : bend * _sums / (_sums - 1)));
            }
        }
    }

    private static void Probabilities(ReadOnlySpan<double> sums, double[] p)
    {
        if (sums.Length == 1)
        {
            p[0] = 1 / (1 + Math.Exp(-sums[0]));
            return;
        }

        double max = double.NegativeInfinity, total = 0;
        foreach (double sum in sums)
            max = Math.Max(max, sum);
        for (int k = 0; k < p.Length; k++)
            total += p[k] = Math.Exp(sums[k] - max);
        for (int k = 0; k < p.Length; k++)
            p[k] /= total;
    }

    private double Loss(TrainingTable table, double[] all)
    {
        var p = new double[_sums];
        double total = 0, weights = 0;
        for (int row = 0; row < table.Count; row++)
        {
            double weight = table.Weights?[row] ?? 1, loss;
            ReadOnlySpan<double> sums = all.AsSpan(row * _sums, _sums);
            if (table.Classes == 0)
                loss = (sums[0] - table.Targets[row]) * (sums[0] - table.Targets[row]);
            else
            {
                Probabilities(sums, p);
                double own = _sums > 1 ? p[(int)table.Targets[row]] : table.Targets[row] == 1 ? p[0] : 1 - p[0];
                loss = -Math.Log(Math.Max(own, 1e-15));
            }

            total += weight * loss;
            weights += weight;
        }

        return total / weights;
    }
}
