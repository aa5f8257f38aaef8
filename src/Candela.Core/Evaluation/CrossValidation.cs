using Candela.Metrics;
using Candela.Runs;

namespace Candela.Evaluation;

/// <summary>Puts the folds of a cross-validation together.</summary>
public static class CrossValidation
{
    /// <summary>Mean over folds of every metric with a 95 % Student t interval of k - 1 degrees of freedom. The folds share training rows, so the interval is somewhat too narrow
    /// (Bengio and Grandvalet 2004: no unbiased estimator exists). A metric that is undefined in some folds is averaged over the others.</summary>
    /// <param name="folds">The metrics of each fold, by name.</param>
    public static CrossValidationRecord Summarize(IReadOnlyList<IReadOnlyDictionary<string, double>> folds)
    {
        var perFold = new Dictionary<string, IReadOnlyList<double>>();
        var metrics = new Dictionary<string, MetricValue>();
        foreach (string name in folds.SelectMany(f => f.Keys).Distinct())
        {
            double[] values = [.. folds.Where(f => f.ContainsKey(name)).Select(f => f[name])];
            perFold[name] = values;
            metrics[name] = StudentT.MeanInterval(values);
        }

        return new CrossValidationRecord(folds.Count, metrics, perFold);
    }

    /// <summary>The same from evaluations, one per fold.</summary>
    public static CrossValidationRecord Summarize(IReadOnlyList<SplitEvaluation> folds)
        => Summarize([.. folds.Select(f => (IReadOnlyDictionary<string, double>)f.Metrics.ToDictionary(m => m.Key, m => m.Value.Value))]);
}
