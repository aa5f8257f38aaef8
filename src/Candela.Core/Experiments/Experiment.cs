using Candela.Data;
using Candela.Energy;
using Candela.Models;
using Candela.Runs;

namespace Candela.Experiments;

/// <summary>The whole training job: data in, run folder out. The folder is created only when the input has been accepted, every file in it is written in one step,
/// and run.json comes last; killed at any moment and resumed, the run ends with the same weights as an uninterrupted one.</summary>
public static class Experiment
{
    /// <summary>Families trained beside one that was asked for by name ("is the net worth it?"), where they are among those handed in.</summary>
    public static IReadOnlyList<string> Comparators { get; } = ["linear", "boosting"];

    // The family that trains on from a model folder.
    private const string Encoder = "bert";

    /// <summary>Trains, evaluates and saves.</summary>
    /// <param name="request">What to do.</param>
    /// <param name="folder">The run folder to make.</param>
    /// <param name="families">The families known.</param>
    /// <param name="options">How to run; null takes the defaults.</param>
    /// <param name="cancellation">When cancelled, the fit under way saves a checkpoint and the folder stays resumable.</param>
    /// <returns>The finished run, opened; the caller disposes it.</returns>
    /// <exception cref="UsageException">An option cannot be used, or the folder holds something and neither resume nor overwrite was asked for.</exception>
    /// <exception cref="DataException">The data cannot be used, or it changed since the run was interrupted.</exception>
    /// <exception cref="FileFormatException">A file cannot be read; it is named.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Run Train(TrainRequest request, string folder, IReadOnlyList<IModelFamily> families, ExperimentOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new ExperimentOptions();
        using var culture = new InvariantNumbers();
        request = TableShares.Fill(request);
        if (request is { Model: "auto", Sequence.Base: not null } && families.Any(f => f.Id == Encoder))
            request = request with { Model = Encoder };
        CheckRequest(request, families);
        RunWriting.Write(request, folder, options, session =>
        {
            var data = PreparedData.Load(session);
            try
            {
                var plan = FamilyPlan.Make(data.Parts, request, families, options);
                foreach (var warning in IgnoredOptions.Find(request, data.Parts.Problem, plan.Rivals))
                    session.Report(warning);
                return new TableRun(data, plan);
            }
            catch
            {
                data.Dispose();
                throw;
            }
        }, cancellation);
        return Run.Open(folder, families);
    }

    /// <summary>Goes on with an interrupted run, as its recipe.yaml says.</summary>
    /// <inheritdoc cref="Train"/>
    public static Run Resume(string folder, IReadOnlyList<IModelFamily> families, ExperimentOptions? options = null, CancellationToken cancellation = default)
    {
        var files = new RunFolder(folder);
        if (!Directory.Exists(folder))
            throw new UsageException($"There is no run folder {folder} to resume.");
        if (!files.IsFinished && !files.IsInterrupted)
            throw new UsageException($"{folder} is not an interrupted run: it has no recipe.yaml. Train anew with --overwrite or into another folder.");
        if (files.IsFinished)
            throw new UsageException($"The run in {folder} is finished; there is nothing to resume. Train anew with --overwrite or into another folder.");
        return Train(Recipe.Read(files.Recipe), folder, families, (options ?? new ExperimentOptions()) with { Resume = true }, cancellation);
    }

    private sealed class TableRun(PreparedData data, FamilyPlan plan) : IPreparedRun
    {
        public string DataHash => data.Hash;

        public void Run(Session session, RunFolder files) => RunExperiment(session, data, plan, files);

        public void Dispose() => data.Dispose();
    }

    private static void RunExperiment(Session session, PreparedData data, FamilyPlan plan, RunFolder files)
    {
        var request = session.Request;
        var fitter = new Fitter(session);
        var search = new ModelSearch(session, fitter);
        long train = data.Parts.Count(Part.Train), valid = data.Parts.Count(Part.Valid);
        session.PlannedFits = ModelSearch.PlannedFits(request, train, valid, plan.Rivals.Count, keepAll: true) + plan.Companions.Count
            + (request.Folds * ModelSearch.PlannedFits(request, train, valid, plan.Rivals.Count, keepAll: false));

        session.Stage("training");
        using var found = search.Run(data.Parts, plan.Rivals, keepAll: true, prefix: "", purpose: null);
        session.SaveState();
        using var companions = new Fits();
        var failures = new Dictionary<string, string>(found.Failures);
        foreach (var family in plan.Companions)
        {
            if (session.Budget.Spent is not null && session.Checkpoints.Finished(family.Id) is null)
            {
                failures[family.Id] = session.SkipFit(family.Id);
                continue;
            }

            try
            {
                companions.Add(fitter.FitKept(data.Parts, family, family.Id));
            }
            catch (CandelaException error) when (ModelSearch.MayFail(error, request.Fit))
            {
                failures[family.Id] = error.Message;
            }
        }

        session.SaveState();
        foreach (var warning in found.Chosen.Facts.CurveWarnings)
            session.Report(warning);
        var folds = request.Folds == 0 ? null : FoldRuns.Run(session, fitter, data, plan, search);

        session.Stage("evaluating");
        var judged = new Judge(session, data).Evaluate(found, companions.All, plan, failures);

        session.Stage("saving");
        RunWriting.Publish(found.Chosen.Folder!, files);
        _ = files.WriteRecord(Record(session, data, found, judged, folds, files));
        session.Dispose();
        session.Checkpoints.Remove();
    }

    private static RunRecord Record(Session session, PreparedData data, SearchResult found, Judgement judged, CrossValidationRecord? folds, RunFolder files)
    {
        var request = session.Request;
        var chosen = found.Chosen;
        var energy = session.Energy();
        return new RunRecord
        {
            Name = files.Name,
            Started = session.Started,
            Versions = Versions(session.Options),
            Problem = data.Parts.Problem,
            Data = request.Data,
            DataHash = data.Hash,
            FileHashes = data.Parts.FileHashes,
            Seed = request.Fit.Seed,
            Rows = new Dictionary<string, long> { ["train"] = data.Parts.Count(Part.Train), ["valid"] = data.Parts.Count(Part.Valid), ["test"] = data.Parts.Count(Part.Test) },
            Model = chosen.Family.Id,
            ModelReason = found.Reason,
            Parameters = chosen.Model.ParameterCount,
            Summary = chosen.Model.Summary(),
            Chosen = chosen.Facts.Chosen,
            StopReason = chosen.Facts.StopReason,
            Metrics = judged.Metrics,
            Baseline = judged.Baseline,
            Candidates = judged.Candidates,
            CrossValidation = folds,
            Importance = judged.Importance,
            History = chosen.Facts.History,
            Profile = data.Profile,
            Warnings = session.Warnings,
            Seconds = session.Seconds,
            Energy = energy,
            Carbon = CarbonIntensity.Estimate(request.Region, energy.Joules),
            Exportable = false,
            NotExportable = "ONNX export is not part of this version.",
        };
    }

    internal static Dictionary<string, string> Versions(ExperimentOptions options, IReadOnlyDictionary<string, string>? engines = null)
    {
        var versions = new Dictionary<string, string>
        {
            ["candela"] = typeof(Experiment).Assembly.GetName().Version?.ToString(3) ?? "",
            ["dotnet"] = Environment.Version.ToString(),
            ["os"] = System.Runtime.InteropServices.RuntimeInformation.OSDescription,
            ["architecture"] = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString(),
            ["processors"] = Environment.ProcessorCount.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        foreach (var (name, version) in options.Versions.Concat(engines ?? new Dictionary<string, string>()))
            versions[name] = version;
        return versions;
    }

    private static void CheckRequest(TrainRequest request, IReadOnlyList<IModelFamily> families)
    {
        if (SequenceTasks.Ids.Contains(request.Task))
            throw new UsageException($"The task '{request.Task}' is not one over a table's rows; {nameof(SequenceExperiment)} runs it.");
        var ids = families.Select(f => f.Id).Prepend("auto").ToList();
        if (!ids.Contains(request.Model))
            throw new UsageException($"There is no model '{request.Model}'.{FamilyNames.Hint(request.Model, ids)} Models: {string.Join(", ", ids)}.");
        if (request.Fit.MaxTime <= TimeSpan.Zero || request.Fit.MaxJoules <= 0)
            throw new UsageException("--max-seconds and --max-joules must be above 0. Leave them out for no limit.");
        if (request.Folds is < 0 or 1)
            throw new UsageException($"--folds {request.Folds} cannot be used; 2 or more folds were needed, or 0 for none.");
        _ = CarbonIntensity.Of(request.Region);
    }

    private sealed class Fits : IDisposable
    {
        public List<Trained> All { get; } = [];

        public void Add(Trained fit) => All.Add(fit);

        public void Dispose() => All.ForEach(f => f.Dispose());
    }
}
