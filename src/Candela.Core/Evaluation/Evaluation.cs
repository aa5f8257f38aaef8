using Candela.Metrics;

namespace Candela.Evaluation;

/// <summary>How good a model is on one split: metrics with intervals, and what the report draws.</summary>
public sealed record SplitEvaluation
{
    /// <summary>Rows the numbers are computed on.</summary>
    public required long Rows { get; init; }

    /// <summary>Rows of the split; more than <see cref="Rows"/> when a seeded uniform sample was evaluated to bound memory.</summary>
    public required long SplitRows { get; init; }

    /// <summary>By name: accuracy, precision, recall and f1 each Micro, Macro and Weighted (precisionMicro, ...), rocAuc, prAuc, logLoss, brier, ece, mcc, top3, top5;
    /// or mse, rmse, mae, r2, mape. One that does not apply is absent.</summary>
    public required IReadOnlyDictionary<string, MetricValue> Metrics { get; init; }

    /// <summary>Counts [actual][predicted], or null for regression.</summary>
    public IReadOnlyList<IReadOnlyList<long>>? Confusion { get; init; }

    /// <summary>Per class, or null for regression.</summary>
    public IReadOnlyList<ClassMetrics>? Classes { get; init; }

    /// <summary>ROC curves, one per class (one for binary; of the 20 most frequent classes), at most 200 points each, or null.</summary>
    public IReadOnlyList<Curve>? Roc { get; init; }

    /// <summary>Precision-recall curves likewise.</summary>
    public IReadOnlyList<Curve>? PrecisionRecall { get; init; }

    /// <summary>Reliability bins of the predicted class's probability, or null.</summary>
    public IReadOnlyList<CalibrationBin>? Calibration { get; init; }

    /// <summary>At most 1,000 sampled (actual, predicted) pairs for regression, or null.</summary>
    public IReadOnlyList<ResidualPoint>? Residuals { get; init; }
}

/// <summary>Precision, recall and F1 of one class against the rest; 0 where a ratio has no denominator.</summary>
public sealed record ClassMetrics(string Name, double Precision, double Recall, double F1, long Support);

/// <summary>A named curve.</summary>
/// <param name="Name">The class.</param>
/// <param name="X">False positive rate, or recall.</param>
/// <param name="Y">True positive rate, or precision.</param>
/// <param name="Area">Under the curve.</param>
public sealed record Curve(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y, double Area);

/// <summary>One reliability bin.</summary>
public sealed record CalibrationBin(double MeanConfidence, double Accuracy, long Count);

/// <summary>One row of a residual plot, in the target's unit.</summary>
public sealed record ResidualPoint(double Actual, double Predicted);

/// <summary>Permutation importance of one column: how much the selection score falls when its values are shuffled, with a 95 % interval.</summary>
public sealed record ColumnImportance(string Column, double Drop, double Low, double High);
