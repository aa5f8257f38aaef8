using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Models;

namespace Candela.Runs;

/// <summary>A finished run folder, opened: its record and a predictor.</summary>
public sealed class Run : IDisposable
{
    private readonly RunPredictor _predictor;
    private readonly FeatureEncoder _encoder;

    private Run(RunFolder folder, RunRecord record, FeatureEncoder encoder, IFittedModel model)
    {
        (Folder, Record, _encoder) = (folder, record, encoder);
        _predictor = new RunPredictor(encoder, model);
    }

    /// <summary>Where it is.</summary>
    public RunFolder Folder { get; }

    /// <summary>What it says about itself.</summary>
    public RunRecord Record { get; }

    /// <summary>Scores raw rows; disposed with the run.</summary>
    public IPredictor Predictor => _predictor;

    /// <summary>The fitted model over encoded rows.</summary>
    public IFittedModel Model => _predictor.Model;

    /// <summary>Opens a run: reads its record, checks every file it lists against its SHA-256, opens encoder and model.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="families">The families known; the run's must be among them.</param>
    /// <exception cref="FileFormatException">A file is missing, damaged, edited, or of a newer format; it is named.</exception>
    public static Run Open(string folder, IReadOnlyList<IModelFamily> families)
    {
        var files = new RunFolder(folder);
        var record = files.ReadRecord();
        files.Verify(record);
        if (SequenceTasks.IdOf(record.Problem.Task) is { } task)
            throw new FileFormatException(files.Record, Fault.Unsupported, $"the run is of the task {task}, which takes no rows of a table. {(record.Problem.Task == TaskKind.LanguageModel ? "`candela generate` continues a text with it, `candela evaluate` scores one." : "")}".TrimEnd());
        var family = families.FirstOrDefault(f => f.Id == record.Model)
            ?? throw new FileFormatException(files.Record, Fault.Unsupported, $"the model is a '{record.Model}', which this program does not know. Known: {string.Join(", ", families.Select(f => f.Id))}.");
        var encoder = FeatureEncoder.Open(folder);
        return new Run(files, record, encoder, family.Open(folder, encoder.Problem, encoder.Layout));
    }

    /// <summary>Evaluates the model on other rows that hold the target. More than 200,000 rows (fewer when there are more than 167 classes) are sampled, uniformly and by seed.</summary>
    /// <param name="rows">A table with the input columns and the target.</param>
    /// <param name="seed">Seed of sample and resamples. Default 0.</param>
    /// <param name="resamples">Bootstrap resamples. Default 1,000.</param>
    /// <exception cref="DataException">A column is missing, or a target is of no known class.</exception>
    public SplitEvaluation Evaluate(Table rows, long seed = 0, int resamples = 1000)
    {
        using var sample = TableSample.Take(rows, TableSplit.Whole(rows, Part.Test), [Part.Test], seed, HeldRows.MaxRows(_encoder.Problem));
        var held = HeldRows.Score(Model, _encoder, sample);
        return Evaluator.Evaluate(_encoder.Problem, held.Scores, held.Labels, held.Targets, rows.Rows, seed, resamples);
    }

    /// <summary>Evaluates the model on a file that holds the inputs and the target.</summary>
    /// <param name="path">As for <see cref="Table.Load"/>; read as the run's own data was (header, missing marks, kinds).</param>
    /// <param name="labelsFile">The labels of an IDX images file, or null.</param>
    /// <param name="events">Told, as a <see cref="Warned"/> with the code <c>seen-in-training</c>, when the file or many of its rows have shaped the model; null does not look.</param>
    /// <exception cref="DataException">A column is missing, a cell does not fit its kind, or a target is of no known class.</exception>
    /// <exception cref="FileFormatException">The file cannot be read.</exception>
    public SplitEvaluation Evaluate(string path, string? labelsFile = null, IProgress<TrainEvent>? events = null)
    {
        TrainRequest request = Recipe.Read(Folder.Recipe);
        using Table rows = Table.LoadLike(path, _encoder.Labelled, request.Table with { LabelsFile = labelsFile }, events);
        if (events is not null && SeenRows.Find(Record, request, _encoder.Labelled, rows) is { } seen)
            events.Report(seen);
        return Evaluate(rows);
    }

    /// <summary>The model's input columns of a file, as a stream: memory does not grow with the file.</summary>
    /// <inheritdoc cref="Evaluate(string, string, IProgress{TrainEvent})"/>
    public IEnumerable<TableChunk> ReadInputs(string path) => TableScan.Read(path, _encoder.Inputs, Recipe.Read(Folder.Recipe).Table with { LabelsFile = null });

    /// <summary>The same with the cells of other columns beside, as text.</summary>
    /// <param name="path">A file of rows, read as the run's own data was.</param>
    /// <param name="keep">The columns to carry; null for all of the file.</param>
    /// <inheritdoc cref="TableScan.ReadKeeping"/>
    public KeptScan ReadInputs(string path, IReadOnlyList<string>? keep) => TableScan.ReadKeeping(path, _encoder.Inputs, keep, Recipe.Read(Folder.Recipe).Table with { LabelsFile = null });

    /// <summary>Frees the model.</summary>
    public void Dispose() => _predictor.Dispose();
}
