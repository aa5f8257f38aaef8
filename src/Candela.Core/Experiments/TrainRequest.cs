using Candela.Data;
using Candela.Models;

namespace Candela.Experiments;

/// <summary>What <c>candela train</c> is asked to do; the recipe.yaml of a run folder holds the same.</summary>
public sealed record TrainRequest
{
    /// <summary>A table file, an image folder, or an IDX images file.</summary>
    public required string Data { get; init; }

    /// <summary>The target: a column's name, <c>#INDEX</c> (0-based) or <c>last</c>. Null for image folders and IDX.</summary>
    public string? Target { get; init; }

    /// <summary>How the file is read.</summary>
    public TableOptions Table { get; init; } = new();

    /// <summary>Columns left out.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>If not empty, the only input columns used.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>A file of validation rows, or null to take <see cref="ValidFraction"/> of the training rows.</summary>
    public string? ValidFile { get; init; }

    /// <summary>Share of all rows used for validation. Null (default) is 0.15 of a table, 0.1 of a text.</summary>
    public double? ValidFraction { get; init; }

    /// <summary>A file of test rows, or null to take <see cref="TestFraction"/>.</summary>
    public string? TestFile { get; init; }

    /// <summary>Share of all rows used for the test. Null (default) is 0.2 of a table; of a text 0.1, or 0 where the task says so.</summary>
    public double? TestFraction { get; init; }

    /// <summary>k of k-fold cross-validation; 0 (default) for none.</summary>
    public int Folds { get; init; }

    /// <summary>Forces the task: one of <see cref="Data.ProblemInference.Tasks"/>, or names one of <see cref="SequenceTasks"/>; null infers regression or classification.</summary>
    public string? Task { get; init; }

    /// <summary>A family's id, or <c>auto</c> (default).</summary>
    public string Model { get; init; } = "auto";

    /// <summary>Options of training.</summary>
    public FitOptions Fit { get; init; } = new();

    /// <summary>Options of training on text and sequences.</summary>
    public SequenceOptions Sequence { get; init; } = new();

    /// <summary>Region of the carbon intensity. Default <c>world</c>.</summary>
    public string Region { get; init; } = "world";
}
