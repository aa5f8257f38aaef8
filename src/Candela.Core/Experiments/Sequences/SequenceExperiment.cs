using Candela.Energy;
using Candela.Runs;

namespace Candela.Experiments;

/// <summary>The training job for text and sequences: data in, run folder out, with the same promises as <see cref="Experiment"/> gives for tables.</summary>
public static class SequenceExperiment
{
    private const string Key = "net";

    /// <summary>Trains, evaluates and saves.</summary>
    /// <param name="request">What to do; its task is one of <paramref name="tasks"/>.</param>
    /// <param name="folder">The run folder to make.</param>
    /// <param name="tasks">The tasks known.</param>
    /// <param name="options">How to run; null takes the defaults.</param>
    /// <param name="cancellation">When cancelled a checkpoint is saved and the folder stays resumable.</param>
    /// <returns>The record of the finished run.</returns>
    /// <exception cref="UsageException">An option cannot be used, or the folder holds something and neither resume nor overwrite was asked for.</exception>
    /// <exception cref="DataException">The data cannot be used, or it changed since the run was interrupted.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static RunRecord Train(TrainRequest request, string folder, IReadOnlyList<ISequenceTask> tasks, ExperimentOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new ExperimentOptions();
        using var culture = new InvariantNumbers();
        ISequenceTask task = tasks.FirstOrDefault(t => t.Id == request.Task)
            ?? throw new UsageException($"There is no task '{request.Task}' over sequences.{NearestName.Hint(request.Task ?? "", tasks.Select(t => t.Id))} Tasks: {string.Join(", ", tasks.Select(t => t.Id))}.");
        if (request.Fit.MaxTime <= TimeSpan.Zero || request.Fit.MaxJoules <= 0)
            throw new UsageException("--max-seconds and --max-joules must be above 0. Leave them out for no limit.");
        if (request.Folds != 0)
            throw new UsageException($"--folds cannot be used with --task {task.Id}: folds are for tables.");
        _ = CarbonIntensity.Of(request.Region);
        request = task.Complete(request);
        RunWriting.Write(request, folder, options, session =>
        {
            session.Stage($"reading {Path.GetFileName(Path.TrimEndingDirectorySeparator(request.Data))}");
            foreach (var warning in IgnoredOptions.OfTables(request).Concat(IgnoredOptions.OfTask(request, task)))
                session.Report(warning);
            return new SequenceRun(task.Prepare(request, session, cancellation));
        }, cancellation);
        return new RunFolder(folder).ReadRecord();
    }

    /// <summary>Opens the model of a finished run over sequences: every file is checked against the run's record first.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="tasks">The tasks known; the run's must be among them.</param>
    /// <returns>The model, or null when the run is over a table's rows.</returns>
    /// <exception cref="FileFormatException">A file is missing, damaged, edited, or of a newer format; it is named.</exception>
    public static ISequencePredictor? Open(string folder, IReadOnlyList<ISequenceTask> tasks)
    {
        var files = new RunFolder(folder);
        RunRecord record = files.ReadRecord();
        if (SequenceTasks.IdOf(record.Problem.Task) is not { } id)
            return null;
        files.Verify(record);
        ISequenceTask task = tasks.FirstOrDefault(t => t.Id == id)
            ?? throw new FileFormatException(files.Record, Fault.Unsupported, $"the run is of the task {id}, which this program does not know. Known: {string.Join(", ", tasks.Select(t => t.Id))}.");
        return task.Open(folder, record.Problem);
    }

    private sealed class SequenceRun(ISequenceJob job) : IPreparedRun
    {
        public string DataHash => job.DataHash;

        public void Run(Session session, RunFolder files)
        {
            session.PlannedFits = 1;
            session.RepeatWarnings();
            var events = session.Begin(session.Request.Task!, "candidate", curves: true);
            string saved = session.Checkpoints.ModelFolder(Key);
            if (Directory.Exists(saved))
                Directory.Delete(saved, recursive: true);
            Directory.CreateDirectory(saved);
            SequenceOutcome outcome = job.Run(new SequenceContext
            {
                Request = session.Request with { Fit = session.Budget.Limit(session.Request.Fit, session.BeginFit(Key)) },
                BeginTraining = () => session.BeginTraining(Key),
                ModelFolder = saved,
                CheckpointFolder = session.Checkpoints.FitFolder(Key),
                ScratchFolder = session.Checkpoints.ScratchFolder(Key),
                CheckpointEvery = session.Options.CheckpointEvery,
                Events = events,
                Meter = session.Meter,
                Clock = session.Options.Clock,
                Cancellation = session.Cancellation,
            });
            foreach (var warning in TrainingDoctor.ExamineCurve(events.Curve, outcome.Model))
                session.Report(warning);
            session.Stage("saving");
            RunWriting.Publish(saved, files);
            _ = files.WriteRecord(Record(session, outcome, files));
            session.Dispose();
            session.Checkpoints.Remove();
        }

        public void Dispose() => job.Dispose();

        private RunRecord Record(Session session, SequenceOutcome outcome, RunFolder files)
        {
            EnergyReading energy = session.Energy();
            return new RunRecord
            {
                Name = files.Name,
                Started = session.Started,
                Versions = Experiment.Versions(session.Options, outcome.Versions),
                Problem = job.Problem,
                Data = session.Request.Data,
                DataHash = job.DataHash,
                Seed = session.Request.Fit.Seed,
                Rows = job.Rows,
                Model = outcome.Model,
                ModelReason = outcome.ModelReason,
                Parameters = outcome.Parameters,
                Summary = outcome.Summary,
                Chosen = outcome.Chosen,
                StopReason = outcome.StopReason,
                Metrics = outcome.Metrics,
                Baseline = outcome.Baseline,
                Candidates = outcome.Candidates,
                Samples = outcome.Samples,
                History = outcome.History,
                Profile = job.Profile,
                Warnings = session.Warnings,
                Seconds = session.Seconds,
                Energy = energy,
                Carbon = CarbonIntensity.Estimate(session.Request.Region, energy.Joules),
                Exportable = false,
                NotExportable = "ONNX export is not part of this version.",
            };
        }
    }
}
