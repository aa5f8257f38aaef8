namespace Candela.Classic.Trees;

/// <summary>Limits of one tree.</summary>
internal sealed record TreeLimits
{
    /// <summary>Levels of splits at the most.</summary>
    public int Depth { get; init; } = 64;

    /// <summary>Leaves at the most.</summary>
    public int Leaves { get; init; } = int.MaxValue;

    /// <summary>Rows per leaf at the least.</summary>
    public int MinRows { get; init; } = 1;

    /// <summary>Penalty on leaf values.</summary>
    public double L2 { get; init; }

    /// <summary>Features tried at each split, drawn anew; 0 for all.</summary>
    public int FeaturesPerSplit { get; init; }

    /// <summary>Weight of the root's mean mixed into each leaf, as if so many more rows had it.</summary>
    public double Prior { get; init; }

    /// <summary>Whether an impure node is split even when no single split lowers the cost (as XOR needs at its root); pruning removes what does not pay.</summary>
    public bool SplitWithoutGain { get; init; }
}

/// <summary>Grows regression trees of one or several outputs best-first from histograms of binned rows, minimising weighted squared error. With one-hot class targets
/// that is Gini impurity; with gradients as targets and curvatures as weights it is a Newton boosting step (Chen and Guestrin 2016).</summary>
/// <remarks>Categories are ordered by the mean of the output that varies most among them and split like numbers (exact for one output: Fisher 1958).
/// Missing cells go to whichever side lowers the cost more. Time per level: rows x features; memory: 8 bytes x bins x (outputs + 2) of scratch.</remarks>
internal sealed class TreeGrower
{
    private const double CategorySmoothing = 10;

    private readonly BinnedTable _table;
    private readonly float[] _sums;
    private readonly float[] _weights;
    private readonly int _outputs;
    private readonly TreeLimits _limits;
    private readonly Rng _rng;
    private readonly int[] _order;
    private readonly int[] _moved;
    private readonly int[] _features;
    private readonly double[] _histogram; // [bin, outputs sums, weight, rows]
    private readonly double[] _left, _right, _total;
    private double[] _prior = [];

    /// <param name="table">Binned rows.</param>
    /// <param name="sums">Weight x target of each row, [rows, outputs].</param>
    /// <param name="weights">Weight of each row.</param>
    /// <param name="outputs">Numbers per leaf.</param>
    /// <param name="rows">The rows to grow from; reordered so that each leaf's rows are a range.</param>
    /// <param name="limits">When to stop.</param>
    /// <param name="rng">Draws features.</param>
    public TreeGrower(BinnedTable table, float[] sums, float[] weights, int outputs, int[] rows, TreeLimits limits, Rng rng)
    {
        (_table, _sums, _weights, _outputs, _order, _limits, _rng) = (table, sums, weights, outputs, rows, limits, rng);
        _moved = new int[rows.Length];
        _features = [.. Enumerable.Range(0, table.Table.Width)];
        _histogram = new double[BinnedTable.Bins * (outputs + 2)];
        (_left, _right, _total) = (new double[outputs + 2], new double[outputs + 2], new double[outputs + 2]);
    }

    private sealed class Split
    {
        public double Gain { get; set; } = double.NegativeInfinity;

        public int Feature { get; set; } = -1;

        /// <summary>Whether each bin goes left.</summary>
        public bool[] GoesLeft { get; } = new bool[BinnedTable.Bins];

        public int LastLeftBin { get; set; }
    }

    /// <summary>Grows one tree.</summary>
    public GrownTree Grow(CancellationToken cancellation)
    {
        GrownNode root = Node(0, _order.Length, 0);
        var open = new PriorityQueue<(GrownNode Node, Split Split), (double, int)>();
        int leaves = 1, sequence = 0;
        void Consider(GrownNode node)
        {
            if (node.Depth < _limits.Depth && node.EndRow - node.FirstRow >= 2 * _limits.MinRows && BestSplit(node) is { } split)
                open.Enqueue((node, split), (-split.Gain, sequence++));
        }

        Consider(root);
        while (leaves < _limits.Leaves && open.TryDequeue(out var next, out _))
        {
            cancellation.ThrowIfCancellationRequested();
            Apply(next.Node, next.Split);
            leaves++;
            Consider(next.Node.Left!);
            Consider(next.Node.Right!);
        }

        return new GrownTree(root);
    }

    private GrownNode Node(int first, int end, int depth)
    {
        Array.Clear(_total);
        for (int i = first; i < end; i++)
        {
            int row = _order[i];
            for (int k = 0; k < _outputs; k++)
                _total[k] += _sums[(row * _outputs) + k];
            _total[_outputs] += _weights[row];
        }

        double weight = _total[_outputs];
        if (depth == 0)
            _prior = [.. _total.Take(_outputs).Select(s => weight > 0 ? s / weight : 0)];
        double shrunk = weight + _limits.L2 + _limits.Prior;
        var value = new float[_outputs];
        for (int k = 0; k < _outputs; k++)
            value[k] = shrunk > 0 ? (float)((_total[k] + (_limits.Prior * _prior[k])) / shrunk) : 0;
        return new GrownNode { Value = value, Cost = -Fit(_total), Depth = depth, FirstRow = first, EndRow = end };
    }

    // |S|^2 / (W + l2): what a leaf of these sums takes off the squared error.
    private double Fit(double[] sums)
    {
        double squares = 0, weight = sums[_outputs] + _limits.L2;
        for (int k = 0; k < _outputs; k++)
            squares += sums[k] * sums[k];
        return weight > 0 ? squares / weight : 0;
    }

    private Split? BestSplit(GrownNode node)
    {
        int tried = _limits.FeaturesPerSplit > 0 ? Math.Min(_limits.FeaturesPerSplit, _features.Length) : _features.Length;
        var best = new Split();
        // Drawing goes on beyond `tried` until one splittable feature was met, so that constant features do not end a branch.
        for (int i = 0; i < _features.Length && (i < tried || best.Feature < 0); i++)
        {
            if (_limits.FeaturesPerSplit > 0)
            {
                int j = i + _rng.Next(_features.Length - i);
                (_features[i], _features[j]) = (_features[j], _features[i]);
            }

            Search(node, _features[i], best);
        }

        double least = _limits.SplitWithoutGain ? -1e-9 * Math.Abs(node.Cost) : 1e-12 * (1 + Math.Abs(node.Cost));
        return best.Feature >= 0 && best.Gain > least && !(_limits.SplitWithoutGain && IsPure(node)) ? best : null;
    }

    private bool IsPure(GrownNode node)
    {
        int first = _order[node.FirstRow];
        for (int i = node.FirstRow + 1; i < node.EndRow; i++)
            for (int k = 0; k < _outputs; k++)
                if (_sums[(_order[i] * _outputs) + k] * _weights[first] != _sums[(first * _outputs) + k] * _weights[_order[i]])
                    return false;
        return true;
    }

    private void Search(GrownNode node, int feature, Split best)
    {
        int bins = _table.BinCount(feature), stride = _outputs + 2;
        Span<double> histogram = _histogram.AsSpan(0, bins * stride);
        histogram.Clear();
        byte[] column = _table.Columns[feature];
        for (int i = node.FirstRow; i < node.EndRow; i++)
        {
            int row = _order[i];
            Span<double> slot = histogram.Slice(column[row] * stride, stride);
            for (int k = 0; k < _outputs; k++)
                slot[k] += _sums[(row * _outputs) + k];
            slot[_outputs] += _weights[row];
            slot[_outputs + 1]++;
        }

        Array.Clear(_total);
        Span<int> order = stackalloc int[bins];
        int present = 0;
        for (int b = 0; b < bins; b++)
        {
            for (int k = 0; k < stride; k++)
                _total[k] += histogram[(b * stride) + k];
            if (b > 0 && histogram[(b * stride) + stride - 1] > 0)
                order[present++] = b;
        }

        bool category = _table.IsCategory(feature), missing = histogram[stride - 1] > 0;
        order = order[..present];
        if (category)
            OrderCategories(order, histogram);
        double whole = Fit(_total);
        // Missing left, then right: the first bins of `order` are sent left along with or without bin 0.
        for (int side = missing ? 0 : 1; side < 2; side++)
        {
            Array.Clear(_left);
            if (side == 0)
                histogram[..stride].CopyTo(_left);
            // With the missing on the right, all others on the left is a split too.
            int last = side == 1 && missing ? present : present - 1;
            for (int p = 0; p < last; p++)
            {
                ReadOnlySpan<double> bin = histogram.Slice(order[p] * stride, stride);
                for (int k = 0; k < stride; k++)
                {
                    _left[k] += bin[k];
                    _right[k] = _total[k] - _left[k];
                }

                if (_left[^1] < _limits.MinRows || _right[^1] < _limits.MinRows)
                    continue;
                double gain = Fit(_left) + Fit(_right) - whole;
                if (gain > best.Gain)
                {
                    (best.Gain, best.Feature, best.LastLeftBin) = (gain, feature, order[p]);
                    Array.Clear(best.GoesLeft);
                    // Without missing rows here the larger side takes those to come.
                    best.GoesLeft[0] = missing ? side == 0 : _left[^1] >= _right[^1];
                    foreach (int b in order[..(p + 1)])
                        best.GoesLeft[b] = true;
                }
            }
        }
    }

    private void OrderCategories(Span<int> bins, ReadOnlySpan<double> histogram)
    {
        int stride = _outputs + 2, widest = 0;
        double widestSpread = -1;
        for (int k = 0; k < _outputs; k++)
        {
            double mean = _total[k] / _total[_outputs], spread = 0;
            foreach (int b in bins)
            {
                double weight = histogram[(b * stride) + _outputs], difference = weight > 0 ? (histogram[(b * stride) + k] / weight) - mean : 0;
                spread += weight * difference * difference;
            }

            if (spread > widestSpread)
                (widest, widestSpread) = (k, spread);
        }

        double centre = _total[widest] / _total[_outputs];
        Span<double> keys = stackalloc double[bins.Length];
        for (int i = 0; i < bins.Length; i++)
        {
            // Rare categories are drawn towards the node's mean.
            double weight = histogram[(bins[i] * stride) + _outputs], rows = histogram[(bins[i] * stride) + stride - 1], pull = CategorySmoothing * weight / Math.Max(rows, 1);
            keys[i] = (histogram[(bins[i] * stride) + widest] + (pull * centre)) / Math.Max(weight + pull, 1e-300);
        }

        keys.Sort(bins);
    }

    private void Apply(GrownNode node, Split split)
    {
        byte[] column = _table.Columns[split.Feature];
        int kept = node.FirstRow, moved = 0;
        for (int i = node.FirstRow; i < node.EndRow; i++)
        {
            int row = _order[i];
            if (split.GoesLeft[column[row]])
                _order[kept++] = row;
            else
                _moved[moved++] = row;
        }

        _moved.AsSpan(0, moved).CopyTo(_order.AsSpan(kept));
        node.Feature = split.Feature;
        node.Gain = Math.Max(0, split.Gain);
        node.MissingLeft = split.GoesLeft[0];
        if (_table.IsCategory(split.Feature))
            node.Words = _table.Words(split.Feature, [.. Enumerable.Range(1, BinnedTable.Bins - 1).Where(b => split.GoesLeft[b])]);
        else
            node.Threshold = split.LastLeftBin - 1 < _table.BinCount(split.Feature) - 2 ? _table.ThresholdAfter(split.Feature, split.LastLeftBin) : float.MaxValue;
        node.Left = Node(node.FirstRow, kept, node.Depth + 1);
        node.Right = Node(kept, node.EndRow, node.Depth + 1);
    }
}
