using Candela.Data;
using Candela.Energy;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Metrics;
using Candela.Models;

namespace Candela.Runs;

/// <summary>Everything a run says about itself: the content of run.json (see <see cref="RunRecordFile"/> for its spelling).</summary>
public sealed record RunRecord
{
    /// <summary>The format this version of Candela writes. A larger number in a file is refused by name.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Format of this record.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    /// <summary>The run folder's name.</summary>
    public required string Name { get; init; }

    /// <summary>When training began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>Versions of Candela, .NET, libtorch and other engines used, and the processor.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    /// <summary>Task, target and classes.</summary>
    public required Problem Problem { get; init; }

    /// <summary>Path of the data as given.</summary>
    public required string Data { get; init; }

    /// <summary>SHA-256 of the data file(s), hexadecimal.</summary>
    public required string DataHash { get; init; }

    /// <summary>SHA-256 of each file by what it gave: <c>data</c>, and where they are files of their own <c>valid</c> and <c>test</c>.</summary>
    public IReadOnlyDictionary<string, string> FileHashes { get; init; } = new Dictionary<string, string>();

    /// <summary>Seed of split and training.</summary>
    public required long Seed { get; init; }

    /// <summary>Rows (of a language model tokens) per split: train, valid, test.</summary>
    public required IReadOnlyDictionary<string, long> Rows { get; init; }

    /// <summary>The chosen family's id.</summary>
    public required string Model { get; init; }

    /// <summary>Why it was chosen, as a sentence.</summary>
    public required string ModelReason { get; init; }

    /// <summary>Trained numbers of the chosen model.</summary>
    public required long Parameters { get; init; }

    /// <summary>The model in a few lines.</summary>
    public required string Summary { get; init; }

    /// <summary>The settings the chosen model was trained with, by recipe key, defaults filled in.</summary>
    public IReadOnlyDictionary<string, string> Chosen { get; init; } = new Dictionary<string, string>();

    /// <summary>Why training ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>Evaluations of the chosen model by split: train, valid, test.</summary>
    public required IReadOnlyDictionary<string, SplitEvaluation> Metrics { get; init; }

    /// <summary>The majority class or the training mean, on the test split.</summary>
    public required BaselineRecord Baseline { get; init; }

    /// <summary>Every family that was considered, the chosen one first.</summary>
    public required IReadOnlyList<CandidateRecord> Candidates { get; init; }

    /// <summary>k-fold cross-validation, or null when it was not asked for.</summary>
    public CrossValidationRecord? CrossValidation { get; init; }

    /// <summary>Permutation importance on the test split, most important first; empty for images and single text columns.</summary>
    public IReadOnlyList<ColumnImportance> Importance { get; init; } = [];

    /// <summary>A few inputs with what the model makes of them; empty for tables.</summary>
    public IReadOnlyList<SampleRecord> Samples { get; init; } = [];

    /// <summary>Training curve of the chosen model.</summary>
    public IReadOnlyList<EpochEnded> History { get; init; } = [];

    /// <summary>The data profile.</summary>
    public required DataProfile Profile { get; init; }

    /// <summary>Warnings given during the run.</summary>
    public IReadOnlyList<Warned> Warnings { get; init; } = [];

    /// <summary>Wall time of the whole run.</summary>
    public required double Seconds { get; init; }

    /// <summary>Energy of the whole run.</summary>
    public required EnergyReading Energy { get; init; }

    /// <summary>Carbon: grams of CO2 equivalent = kWh x intensity of the region.</summary>
    public required CarbonRecord Carbon { get; init; }

    /// <summary>Whether model.onnx was written.</summary>
    public bool Exportable { get; init; }

    /// <summary>Why not, when it was not.</summary>
    public string? NotExportable { get; init; }

    /// <summary>SHA-256 (hexadecimal) of each file the model needs, by its path in the folder; checked when the run is opened.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    /// <summary>The split the model is judged by: <c>test</c>; of a task over sequences without a test part, <c>valid</c>. Null when it was not scored.</summary>
    public string? JudgedSplit() => Metrics.ContainsKey("test") ? "test" : SequenceTasks.IdOf(Problem.Task) is not null && Metrics.ContainsKey("valid") ? "valid" : null;
}

/// <summary>The trivial predictor every model must beat.</summary>
/// <param name="Name">majority, mean or unigram.</param>
/// <param name="Prediction">The class or the value it always gives; of unigrams, what they are.</param>
/// <param name="Metrics">On the judged split (<see cref="RunRecord.JudgedSplit"/>).</param>
public sealed record BaselineRecord(string Name, string Prediction, IReadOnlyDictionary<string, MetricValue> Metrics);

/// <summary>An input and what the model makes of it.</summary>
/// <param name="Input">The input, or the prompt; shortened.</param>
/// <param name="Output">What the model gives.</param>
/// <param name="Expected">What the data has, if it has something.</param>
public sealed record SampleRecord(string Input, string Output, string? Expected = null);

/// <summary>One family considered for the run.</summary>
/// <param name="Model">The family's id.</param>
/// <param name="Parameters">Trained numbers; 0 when it was not trained.</param>
/// <param name="ValidScore">The selection score (accuracy, R2 or the negative loss; mean over inner folds on small data), or null.</param>
/// <param name="Test">Metrics on the judged split, or null when it was not trained.</param>
/// <param name="Seconds">Wall time to train.</param>
/// <param name="Joules">Energy to train.</param>
/// <param name="Note">chosen, or why not.</param>
public sealed record CandidateRecord(string Model, long Parameters, double? ValidScore, IReadOnlyDictionary<string, MetricValue>? Test, double Seconds, double Joules, string Note);

/// <summary>k-fold cross-validation of the whole procedure (encoder and, for auto, the choice are refitted in every fold).</summary>
/// <param name="Folds">k.</param>
/// <param name="Metrics">Mean over folds with a 95 % t-interval.</param>
/// <param name="PerFold">Each fold's values by metric name.</param>
public sealed record CrossValidationRecord(int Folds, IReadOnlyDictionary<string, MetricValue> Metrics, IReadOnlyDictionary<string, IReadOnlyList<double>> PerFold);

/// <summary>An estimate of emissions.</summary>
/// <param name="Region">Region id of the intensity table.</param>
/// <param name="GramsPerKilowattHour">Its intensity.</param>
/// <param name="Grams">CO2 equivalent of this run.</param>
public sealed record CarbonRecord(string Region, double GramsPerKilowattHour, double Grams);
