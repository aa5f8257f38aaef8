using Candela.Data;
using Candela.Energy;
using Candela.Evaluation;
using Candela.Models;
using Candela.Runs;

namespace Candela.Experiments;

/// <summary>A kind of training over sequences: a language model, a tagger, a translator. <see cref="SequenceExperiment"/> gives each the same run folder.</summary>
public interface ISequenceTask
{
    /// <summary>One of <see cref="SequenceTasks"/>.</summary>
    string Id { get; }

    /// <summary>The recipe keys of <see cref="SequenceOptions"/> that it uses; others that are given get the warning <c>option-ignored</c>. Null, the default, warns of none.</summary>
    IReadOnlyCollection<string>? Heeds => null;

    /// <summary>Fills in the shares of validation and test and what else the recipe should say, and refuses options that cannot be used whatever the data.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    TrainRequest Complete(TrainRequest request);

    /// <summary>Reads the data and refuses what cannot be used. Nothing is written but temporary files.</summary>
    /// <param name="request">As completed.</param>
    /// <param name="events">Told of stages and warnings.</param>
    /// <param name="cancellation">Ends reading.</param>
    /// <exception cref="DataException">The data cannot be used.</exception>
    ISequenceJob Prepare(TrainRequest request, IProgress<TrainEvent> events, CancellationToken cancellation);

    /// <summary>Opens a model that this task trained.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="problem">Task, target and classes of the run.</param>
    /// <exception cref="FileFormatException">A file is missing, damaged, or of another model.</exception>
    ISequencePredictor Open(string folder, Problem problem);
}

/// <summary>A task with its data.</summary>
public interface ISequenceJob : IDisposable
{
    /// <summary>SHA-256 of the data.</summary>
    string DataHash { get; }

    /// <summary>Task, target, and classes if there are some.</summary>
    Problem Problem { get; }

    /// <summary>Examples per split: train, valid, test.</summary>
    IReadOnlyDictionary<string, long> Rows { get; }

    /// <summary>What the data looks like.</summary>
    DataProfile Profile { get; }

    /// <summary>Trains, evaluates, and saves every file of the model into <see cref="SequenceContext.ModelFolder"/>. Called again after an interruption it goes on from its checkpoints
    /// and gives the same result.</summary>
    SequenceOutcome Run(SequenceContext context);
}

/// <summary>What surrounds the training of a sequence task.</summary>
public sealed record SequenceContext
{
    /// <summary>The options, what is left of time and energy filled in.</summary>
    public required TrainRequest Request { get; init; }

    /// <summary>To be called once, when preparing that takes time (tokenizing) is over and the steps begin: the options of training with what is left of time and energy then. A resumed run counts what its
    /// earlier sessions used in preparing. A job that prepares nothing may take <see cref="Request"/>'s limits instead.</summary>
    public required Func<FitOptions> BeginTraining { get; init; }

    /// <summary>Existing, empty folder for the files of the finished model.</summary>
    public required string ModelFolder { get; init; }

    /// <summary>Existing folder for resumable state, and for nothing else: a run that left something here is one that can be resumed.</summary>
    public required string CheckpointFolder { get; init; }

    /// <summary>Existing folder for large files that are made anew when the job is run again, such as the tokens of a text; removed at the end.</summary>
    public required string ScratchFolder { get; init; }

    /// <summary>How often a checkpoint is saved at the most.</summary>
    public required TimeSpan CheckpointEvery { get; init; }

    /// <summary>Receives progress.</summary>
    public required IProgress<TrainEvent> Events { get; init; }

    /// <summary>Counts joules.</summary>
    public required IEnergyMeter Meter { get; init; }

    /// <summary>Clock.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>When cancelled the job saves a checkpoint and throws <see cref="OperationCanceledException"/>.</summary>
    public required CancellationToken Cancellation { get; init; }
}

/// <summary>What came of a sequence task.</summary>
public sealed record SequenceOutcome
{
    /// <summary>The kind of net: llama, gpt2, lstm, ...</summary>
    public required string Model { get; init; }

    /// <summary>Why that one, as a sentence.</summary>
    public required string ModelReason { get; init; }

    /// <summary>Trained numbers.</summary>
    public required long Parameters { get; init; }

    /// <summary>The net in a few lines.</summary>
    public required string Summary { get; init; }

    /// <summary>The settings used, by recipe key.</summary>
    public required IReadOnlyDictionary<string, string> Chosen { get; init; }

    /// <summary>Why training ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>The curve.</summary>
    public required IReadOnlyList<EpochEnded> History { get; init; }

    /// <summary>Evaluations by split.</summary>
    public required IReadOnlyDictionary<string, SplitEvaluation> Metrics { get; init; }

    /// <summary>The trivial predictor on the same split.</summary>
    public required BaselineRecord Baseline { get; init; }

    /// <summary>The net and what it is compared with, the net first.</summary>
    public required IReadOnlyList<CandidateRecord> Candidates { get; init; }

    /// <summary>A few inputs with what the model makes of them, for the report.</summary>
    public IReadOnlyList<SampleRecord> Samples { get; init; } = [];

    /// <summary>Versions of engines used.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();
}
