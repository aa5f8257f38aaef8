using System.Globalization;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Trees;

/// <summary>One decision tree in the manner of CART (Breiman et al. 1984): Gini impurity or squared error, at least 5 rows per leaf (2 under 200 rows), depth at most 30, then
/// cost-complexity pruning whose strength is chosen by squared error (Brier score) on 5 folds of the training rows, or on the validation rows when there are
/// more than 5,000 training rows. Under 50 training rows nothing is pruned.</summary>
/// <remarks>Leaves of classes hold shares drawn towards the training shares by the weight of one row, so that no probability is 0. Heeded: ClassWeights, Seed. Memory: 5 bytes per cell
/// and 8 bytes per row and class.</remarks>
internal sealed class TreeFamily : IModelFamily
{
    public const string FamilyId = "tree";

    private const int Folds = 5, FoldRows = 5_000, UnprunedRows = 50;

    private static readonly double[] Strengths = [0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2];

    /// <inheritdoc/>
    public string Id => FamilyId;

    /// <inheritdoc/>
    public string Description => "One pruned decision tree";

    /// <inheritdoc/>
    public bool ConsideredByAuto => false;

    /// <inheritdoc/>
    public bool HoldsAllRows => true;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Heeds => ["class-weights"];

    /// <inheritdoc/>
    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) => TreeInputs.WhyNot(inputs);

    /// <inheritdoc/>
    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => TreeInputs.Request;

    /// <inheritdoc/>
    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => TreeModel.Open(FamilyId, folder, problem, layout);

    /// <inheritdoc/>
    public FitResult Fit(FitContext context) => Fit(context, null);

    /// <summary>Fits with given limits instead of the defaults, and then without pruning.</summary>
    internal static FitResult Fit(FitContext context, TreeLimits? given)
    {
        long began = context.Clock.GetTimestamp();
        TrainingTable train = TrainingTable.OfTraining(context.Train, context.Problem, context.Options, context.Cancellation);
        TrainingTable? valid = context.Valid is { Count: > 0 } source ? train.OfValidation(source, context.Problem, context.Cancellation) : null;
        TreeLimits limits = given ?? new TreeLimits
        {
            Depth = 30,
            MinRows = train.Count < UnprunedRows ? 1 : train.Count < 200 ? 2 : 5,
            Prior = train.Classes > 0 ? 1 : 0,
            SplitWithoutGain = true,
        };
        var binned = new BinnedTable(train, context.Options.Seed);
        var targets = new TreeTargets(train);
        int[] all = [.. Enumerable.Range(0, train.Count)];
        GrownTree Grow(int[] rows) => new TreeGrower(binned, targets.Sums, targets.Weights, targets.Outputs, [.. rows], limits, new Rng(context.Options.Seed)).Grow(context.Cancellation);
        GrownTree whole = Grow(all);
        double strength = 0;
        if (given is null && train.Count >= UnprunedRows)
        {
            var losses = new double[Strengths.Length];
            if (valid is not null && train.Count > FoldRows)
                AddLosses(whole, train, all.Length, valid, Enumerable.Range(0, valid.Count), losses);
            else
            {
                new Rng(context.Options.Seed, 29).Shuffle(all.AsSpan());
                for (int fold = 0; fold < Folds; fold++)
                {
                    int[] rest = [.. all.Where((_, i) => i % Folds != fold)];
                    AddLosses(Grow(rest), train, rest.Length, train, all.Where((_, i) => i % Folds == fold), losses);
                }
            }

            // Of nearly equal ones the smaller tree.
            double best = losses.Min();
            strength = Strengths[Array.FindLastIndex(losses, l => l <= best * 1.001)];
            whole = whole.Pruned(strength * train.Count);
        }

        TreeEnsemble trees = Ensemble(whole, train);
        double trainLoss = Loss(trees, train), seconds = context.Clock.GetElapsedTime(began).TotalSeconds;
        var ended = new EpochEnded(0, 1, trainLoss, valid is null ? null : Loss(trees, valid), null, 0, seconds);
        context.Events?.Report(ended);
        return new FitResult(new TreeModel(FamilyId, context.Problem, context.Train.Layout, trees), StopReason.Exact, [ended], new Dictionary<string, string>
        {
            ["minRowsPerLeaf"] = limits.MinRows.ToString(CultureInfo.InvariantCulture),
            ["pruning"] = strength.ToString("R", CultureInfo.InvariantCulture),
        });
    }

    private static TreeEnsemble Ensemble(GrownTree tree, TrainingTable table)
    {
        var builder = new TreeEnsembleBuilder(Math.Max(1, table.Classes));
        tree.AppendTo(builder);
        return builder.Build(TreeLink.Mean, new double[Math.Max(1, table.Classes)], table.TargetScale, table.TargetMean);
    }

    private static double Loss(TreeEnsemble trees, TrainingTable table)
    {
        var sums = new double[trees.Sums];
        double total = 0;
        for (int row = 0; row < table.Count; row++)
        {
            trees.SumRow(table.Values.AsSpan(row * table.Width, table.Width), sums);
            total += TreeTargets.SquaredError(table, row, sums);
        }

        return total / table.Count;
    }

    private static void AddLosses(GrownTree grown, TrainingTable train, int grownRows, TrainingTable scored, IEnumerable<int> rows, double[] losses)
    {
        int[] list = [.. rows];
        for (int i = 0; i < Strengths.Length; i++)
        {
            TreeEnsemble trees = Ensemble(grown.Pruned(Strengths[i] * grownRows), train);
            var sums = new double[trees.Sums];
            foreach (int row in list)
            {
                trees.SumRow(scored.Values.AsSpan(row * scored.Width, scored.Width), sums);
                losses[i] += TreeTargets.SquaredError(scored, row, sums);
            }
        }
    }
}
