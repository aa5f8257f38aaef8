using Candela.Data;

namespace Candela.Classic.Trees;

/// <summary>Raw rows for tree learners: numbers with NaN for missing, categories as codes, targets standardised (regression) or class indices.</summary>
internal sealed class TrainingTable
{
    public required int Count { get; init; }

    public required int Width { get; init; }

    /// <summary>Row-major [Count, Width].</summary>
    public required float[] Values { get; init; }

    /// <summary>Category codes of each feature, 0 for numbers; length Width.</summary>
    public required int[] Cardinalities { get; init; }

    /// <summary>Class index, or the target minus its mean over its deviation.</summary>
    public required float[] Targets { get; init; }

    /// <summary>Weight per row, or null for 1.</summary>
    public required float[]? Weights { get; init; }

    /// <summary>Classes, or 0 for regression.</summary>
    public required int Classes { get; init; }

    /// <summary>Weight per class, or null for 1.</summary>
    public double[]? ClassWeights { get; init; }

    /// <summary>Mean of the training targets (0 for classes).</summary>
    public double TargetMean { get; init; }

    /// <summary>Deviation of the training targets (1 for classes, or when they are all equal).</summary>
    public double TargetScale { get; init; } = 1;

    /// <summary>Training rows of a source.</summary>
    public static TrainingTable OfTraining(IExampleSource source, Problem problem, Models.FitOptions options, CancellationToken cancellation)
    {
        EncodedRows rows = EncodedRows.Read(source, problem, cancellation);
        double mean = 0, scale = 1;
        if (!problem.IsClassification)
        {
            mean = rows.Targets.Average(t => (double)t);
            double deviation = Math.Sqrt(rows.Targets.Average(t => (t - mean) * (t - mean)));
            scale = deviation > 0 ? deviation : 1;
        }

        double[]? classWeights = ClassWeighting.Of(problem, options, rows.Labels);
        return Of(rows, problem, mean, scale, classWeights);
    }

    /// <summary>Validation rows, standardised and weighted as these are.</summary>
    public TrainingTable OfValidation(IExampleSource source, Problem problem, CancellationToken cancellation) =>
        Of(EncodedRows.Read(source, problem, cancellation), problem, TargetMean, TargetScale, ClassWeights);

    /// <summary>Some of the rows, copied.</summary>
    public TrainingTable Take(int[] rows)
    {
        var values = new float[rows.Length * Width];
        for (int i = 0; i < rows.Length; i++)
            Values.AsSpan(rows[i] * Width, Width).CopyTo(values.AsSpan(i * Width));
        return new TrainingTable
        {
            Count = rows.Length,
            Width = Width,
            Values = values,
            Cardinalities = Cardinalities,
            Targets = [.. rows.Select(r => Targets[r])],
            Weights = Weights is null ? null : [.. rows.Select(r => Weights[r])],
            Classes = Classes,
            ClassWeights = ClassWeights,
            TargetMean = TargetMean,
            TargetScale = TargetScale,
        };
    }

    private static TrainingTable Of(EncodedRows rows, Problem problem, double mean, double scale, double[]? classWeights) => new()
    {
        Count = rows.Count,
        Width = rows.DenseWidth,
        Values = rows.Dense,
        Cardinalities = [.. Enumerable.Range(0, rows.DenseWidth).Select(i => i < rows.Layout.Cardinalities.Count ? rows.Layout.Cardinalities[i] : 0)],
        Targets = problem.IsClassification ? [.. rows.Labels.Select(l => (float)l)] : [.. rows.Targets.Select(t => (float)((t - mean) / scale))],
        Weights = classWeights is null ? null : [.. rows.Labels.Select(l => (float)classWeights[l])],
        Classes = problem.IsClassification ? problem.Classes.Count : 0,
        ClassWeights = classWeights,
        TargetMean = mean,
        TargetScale = scale,
    };
}
