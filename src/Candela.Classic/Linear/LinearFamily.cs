using System.Globalization;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Linear;

/// <summary>The converged linear model: least squares, ridge, lasso and elastic net for regression; logistic and softmax regression for classes,
/// over dense features and hashed n-grams of text.</summary>
/// <remarks>
/// <para>Objective: mean loss (weighted by class weights) + <see cref="FitOptions.L1"/> |w| + <see cref="FitOptions.L2"/>/2 |w|^2; intercepts are not penalised; regression targets are
/// divided by their standard deviation first. Run to convergence: of the step options only <see cref="FitOptions.MaxSteps"/> (iterations at the most) is heeded.</para>
/// <para>Without <see cref="FitOptions.L2"/> the strength is chosen: dense regression by generalised cross-validation; else from a grid by the loss on
/// 5 folds of the training rows when these are at most 5,000 or no validation rows are given, and on the validation rows otherwise. N-grams are
/// tried as they come and weighted by naive-Bayes log-count ratios (Wang and Manning 2012); the better one stays.</para>
/// <para><see cref="FitOptions.MaxTime"/> and <see cref="FitOptions.MaxJoules"/> are asked after every iteration or sweep, and at most half of each goes into choosing the strength;
/// reading the rows and a closed form are not cut short.</para>
/// <para>Solvers: Cholesky, coordinate descent, L-BFGS, FISTA. Deterministic, also across thread counts. A resumed run fits again and ends in the same weights; no checkpoint is kept.</para>
/// </remarks>
internal sealed class LinearFamily : IModelFamily
{
    private const long MaxPixels = 4_000_000;

    public const string FamilyId = "linear";

    /// <summary>Wider dense regressions are solved iteratively instead of from their F x F covariance.</summary>
    private const int MaxClosedFormWidth = 2048;

    /// <inheritdoc/>
    public string Id => FamilyId;

    /// <inheritdoc/>
    public string Description => "Linear, logistic or softmax regression, fitted to convergence";

    /// <inheritdoc/>
    public bool ConsideredByAuto => true;

    /// <inheritdoc/>
    public bool HoldsAllRows => true;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Heeds => ["max-steps", "l1", "l2", "class-weights"];

    /// <inheritdoc/>
    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows)
    {
        if (trainingRows < 2)
            return "a linear model needs at least 2 training rows";
        long pixels = trainingRows * inputs.Columns.Sum(c => (long)(c.Image?.Length ?? 0));
        return pixels > MaxPixels ? $"its exact solver would take longer than a net on {pixels:N0} pixels" : null;
    }

    /// <inheritdoc/>
    public bool UsesValidation(long trainingRows) => trainingRows > LinearSearch.FoldRows;

    /// <inheritdoc/>
    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => new(FeatureStyle.Scaled);

    /// <inheritdoc/>
    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => LinearModel.Open(folder, problem, layout);

    /// <inheritdoc/>
    public FitResult Fit(FitContext context)
    {
        if (context.Options.L1 < 0 || context.Options.L2 < 0)
            throw new UsageException($"Penalties cannot be negative: L1 is {context.Options.L1}, L2 is {context.Options.L2}.");
        FeatureLayout layout = context.Train.Layout;
        return !context.Problem.IsClassification && layout.SparseWidth == 0 && layout.DenseWidth is > 0 and <= MaxClosedFormWidth
            ? FitLeastSquares(context)
            : new LinearSearch(context).Fit();
    }

    private static FitResult FitLeastSquares(FitContext context)
    {
        var limits = new FitLimits(context);
        FitOptions options = context.Options;
        LeastSquares squares = LeastSquares.Of(context.Train, context.Cancellation);
        double l2 = options.L2 ?? (options.L1 > 0 ? 0 : squares.StrengthByCrossValidation());
        double[] weights;
        string solver;
        if (options.L1 > 0)
            (weights, solver) = (squares.ElasticNet(options.L1, l2, context.Cancellation, limits), "coordinate-descent");
        else
            (weights, solver) = (squares.Ridge(l2) ?? squares.NearMinimumNorm(l2), "cholesky");
        double bias = squares.Intercept([.. weights.Select(w => w * squares.TargetScale)]);
        var model = new LinearModel(context.Problem, context.Train.Layout, squares.TargetScale, squares.TargetMean, [.. weights.Select(w => (float)w)],
            [(float)((bias - squares.TargetMean) / squares.TargetScale)], squares.FeatureDeviations(), [], []);
        double trainLoss = squares.MeanSquaredError(weights) / 2;
        var ended = new EpochEnded(0, 1, trainLoss, null, null, 0, limits.Seconds);
        context.Events?.Report(ended);
        return new FitResult(model, limits.Stopped ?? StopReason.Exact, [ended], new Dictionary<string, string>
        {
            ["l1"] = Text(options.L1),
            ["l2"] = Text(l2),
            ["solver"] = solver,
        });
    }

    internal static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
