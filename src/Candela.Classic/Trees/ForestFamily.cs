using System.Globalization;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Trees;

/// <summary>A random forest (Breiman 2001): 300 trees on bootstrap samples, the square root of the features (a third, at least 2, for regression) drawn at each split, leaves of at least
/// 1 row (3 for regression); the score is the mean of the leaves' class shares or values.</summary>
/// <remarks>The training loss in the events is out-of-bag: squared error (Brier score) of each row by the trees that did not see it. Heeded: MaxSteps (trees), MaxTime and MaxJoules (asked after every 10 trees), ClassWeights, Seed, Threads.
/// Deterministic across thread counts. Memory: 5 bytes per cell, 16 bytes per row and class, and per thread 4 more; trees hold at most 20 million numbers together.</remarks>
internal sealed class ForestFamily : IModelFamily
{
    public const string FamilyId = "forest";

    private const int DefaultTrees = 300, MaxNumbers = 20_000_000;

    /// <inheritdoc/>
    public string Id => FamilyId;

    /// <inheritdoc/>
    public string Description => "Random forest";

    /// <inheritdoc/>
    public bool ConsideredByAuto => false;

    /// <inheritdoc/>
    public bool HoldsAllRows => true;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Heeds => ["max-steps", "class-weights"];

    /// <inheritdoc/>
    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) => TreeInputs.WhyNot(inputs);

    /// <inheritdoc/>
    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => TreeInputs.Request;

    /// <inheritdoc/>
    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => TreeModel.Open(FamilyId, folder, problem, layout);

    /// <inheritdoc/>
    public FitResult Fit(FitContext context)
    {
        var limits = new FitLimits(context);
        TrainingTable train = TrainingTable.OfTraining(context.Train, context.Problem, context.Options, context.Cancellation);
        TrainingTable? valid = context.Valid is { Count: > 0 } source ? train.OfValidation(source, context.Problem, context.Cancellation) : null;
        int count = (int)Math.Min(context.Options.MaxSteps ?? DefaultTrees, 100_000), outputs = Math.Max(1, train.Classes);
        int perSplit = train.Classes > 0 ? Math.Max(1, (int)Math.Sqrt(train.Width)) : Math.Max(Math.Min(2, train.Width), train.Width / 3);
        var tree = new TreeLimits
        {
            MinRows = train.Classes > 0 ? 1 : 3,
            FeaturesPerSplit = perSplit,
            Leaves = Math.Max(64, MaxNumbers / (count * (outputs + 6))),
            Prior = train.Classes > 0 ? 1 : 0,
        };
        var binned = new BinnedTable(train, context.Options.Seed);
        var builder = new TreeEnsembleBuilder(outputs);
        var history = new List<EpochEnded>();
        var outOfBag = new Tally(train, outputs);
        Tally? validTally = valid is null ? null : new Tally(valid, outputs);
        const int group = 10;
        int trees = 0;
        while (trees < count && (trees == 0 || !limits.Reached()))
        {
            int first = trees;
            var grown = new Growth[Math.Min(group, count - trees)];
            Parallel.For(0, grown.Length, new ParallelOptions
            {
                CancellationToken = context.Cancellation,
                MaxDegreeOfParallelism = context.Options.Threads > 0 ? context.Options.Threads : Environment.ProcessorCount,
            }, t => grown[t] = Grow(binned, tree, context.Options.Seed, first + t, context.Cancellation));
            foreach (Growth growth in grown)
            {
                growth.Tree.AppendTo(builder);
                var single = new TreeEnsembleBuilder(outputs);
                growth.Tree.AppendTo(single);
                TreeEnsemble one = single.Build(TreeLink.Mean, new double[outputs]);
                outOfBag.Add(one, growth.Times);
                validTally?.Add(one, null);
            }

            trees += grown.Length;
            var ended = new EpochEnded(history.Count, trees, outOfBag.Loss(), validTally?.Loss(), null, 0, limits.Seconds);
            history.Add(ended);
            context.Events?.Report(ended);
        }

        TreeEnsemble forest = builder.Build(TreeLink.Mean, new double[outputs], train.TargetScale, train.TargetMean);
        static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
        return new FitResult(new TreeModel(FamilyId, context.Problem, context.Train.Layout, forest), trees < count ? limits.Stopped!.Value : StopReason.Steps, history, new Dictionary<string, string>
        {
            ["trees"] = Text(trees),
            ["featuresPerSplit"] = Text(perSplit),
            ["minRowsPerLeaf"] = Text(tree.MinRows),
        });
    }

    private sealed record Growth(GrownTree Tree, int[] Times);

    private static Growth Grow(BinnedTable binned, TreeLimits limits, long seed, int tree, CancellationToken cancellation)
    {
        var rng = new Rng(seed, 1000 + tree);
        int count = binned.Table.Count;
        var times = new int[count];
        for (int i = 0; i < count; i++)
            times[rng.Next(count)]++;
        var targets = new TreeTargets(binned.Table);
        var rows = new List<int>(count);
        for (int row = 0; row < count; row++)
            if (times[row] > 0)
            {
                targets.Set(row, times[row]);
                rows.Add(row);
            }

        return new Growth(new TreeGrower(binned, targets.Sums, targets.Weights, targets.Outputs, [.. rows], limits, rng).Grow(cancellation), times);
    }

    /// <summary>Running means of the trees' predictions for some rows.</summary>
    private sealed class Tally(TrainingTable table, int outputs)
    {
        private readonly double[] _sums = new double[table.Count * outputs];
        private readonly int[] _trees = new int[table.Count];
        private readonly double[] _one = new double[outputs];

        /// <summary>Adds one tree for the rows with no entry in <paramref name="seen"/>.</summary>
        public void Add(TreeEnsemble tree, int[]? seen)
        {
            for (int row = 0; row < table.Count; row++)
            {
                if (seen is not null && seen[row] > 0)
                    continue;
                tree.SumRow(table.Values.AsSpan(row * table.Width, table.Width), _one);
                _trees[row]++;
                for (int k = 0; k < outputs; k++)
                    _sums[(row * outputs) + k] += _one[k];
            }
        }

        /// <summary>Mean squared error (Brier score) of the rows scored so far.</summary>
        public double Loss()
        {
            double total = 0;
            int rows = 0;
            for (int row = 0; row < table.Count; row++)
            {
                if (_trees[row] == 0)
                    continue;
                for (int k = 0; k < outputs; k++)
                    _one[k] = _sums[(row * outputs) + k] / _trees[row];
                total += TreeTargets.SquaredError(table, row, _one);
                rows++;
            }

            return rows == 0 ? 0 : total / rows;
        }
    }
}
