using Candela.Energy;
using Candela.Formats;
using Candela.Models;
using Candela.Runs;

namespace Candela.Experiments;

/// <summary>What every step of one training run shares: options, clock, meter, and where events go (the caller, events.jsonl, tfevents).</summary>
internal sealed class Session(TrainRequest request, ExperimentOptions options, CancellationToken cancellation) : IDisposable, IProgress<TrainEvent>
{
    /// <summary>Purpose of the fits of the run's own candidates.</summary>
    public const string Candidate = "candidate";

    private readonly List<Warned> _warnings = [];
    private readonly List<LoggedEvent> _before = [];
    private readonly long _start = options.Clock.GetTimestamp();
    private EventLog? _log;
    private TfEventsWriter? _curves;
    private FitCheckpoints? _checkpoints;
    private readonly Dictionary<string, List<TrainEvent>> _curvesBefore = [];
    private readonly List<Warned> _warningsBefore = [];
    private int _fits;
    private string _dataHash = "";
    private FitStart? _fit, _earlierFit;
    private long _savedAt;

    public TrainRequest Request => request;

    public ExperimentOptions Options => options;

    public CancellationToken Cancellation => cancellation;

    public IEnergyMeter Meter { get; } = options.Meter ?? EnergyMeters.Start();

    public DateTimeOffset Started { get; private set; } = options.Clock.GetUtcNow();

    public IReadOnlyList<Warned> Warnings => _warnings;

    /// <summary>Fits planned in all, for progress.</summary>
    public int PlannedFits { get; set; }

    /// <summary>Seconds and joules used by earlier sessions of a resumed run.</summary>
    public double EarlierSeconds { get; private set; }

    public EnergyReading EarlierEnergy { get; private set; } = new(0, 0, 0, "");

    public double Seconds => EarlierSeconds + options.Clock.GetElapsedTime(_start).TotalSeconds;

    /// <summary>What the whole run may use, from its start: reading the data is counted; evaluating and saving come after.</summary>
    public Budget Budget => field ??= new Budget(() => Seconds, () => Energy().Joules, request.Fit.MaxTime?.TotalSeconds, request.Fit.MaxJoules);

    /// <summary>Whether the run folder is open.</summary>
    public bool IsOpen => _checkpoints is not null;

    public FitCheckpoints Checkpoints => _checkpoints ?? throw new InvalidOperationException("The run folder is not open yet.");

    /// <summary>From here on events are logged in the folder too; those reported before are written first.</summary>
    public void Open(RunFolder folder, string dataHash)
    {
        folder.RemoveTemporaries();
        _checkpoints = new FitCheckpoints(folder.Checkpoints);
        if (_checkpoints.ReadState() is { } earlier)
        {
            if (earlier.DataHash != dataHash)
                throw new DataException($"The data of {folder.Path} has changed since the run was interrupted (SHA-256 {Short(earlier.DataHash)} then, {Short(dataHash)} now). Restore it, or start anew with --overwrite.");
            (EarlierSeconds, EarlierEnergy, Started) = (earlier.Seconds, new EnergyReading(earlier.Joules, earlier.JoulesLow, earlier.JoulesHigh, ""), earlier.Started);
            _fit = _earlierFit = earlier.Fit;
        }

        _dataHash = dataHash;
        if (Checkpoints.HasProgress && File.Exists(folder.Events))
            ReadLog(folder.Events);
        SaveState();
        _log = new EventLog(folder.Events, options.Clock);
        _curves = new TfEventsWriter(folder.Path, options.Clock);
        foreach (var item in _before)
            _log.Report(item.Event, item.Time);
    }

    /// <summary>Energy used so far, by earlier sessions too.</summary>
    public EnergyReading Energy()
    {
        var now = Meter.Read();
        return now with { Joules = EarlierEnergy.Joules + now.Joules, Low = EarlierEnergy.Low + now.Low, High = EarlierEnergy.High + now.High };
    }

    /// <summary>Notes time and energy used so far.</summary>
    public void SaveState()
    {
        var energy = Energy();
        Checkpoints.WriteState(new ExperimentState(ExperimentState.CurrentFormat, _dataHash, Started, Seconds, energy.Joules, energy.Low, energy.High) { Fit = _fit });
        _savedAt = options.Clock.GetTimestamp();
    }

    /// <summary>Notes that a fit begins. Returns where it began if an earlier session began it and left a state that counts on from there, else null.</summary>
    public FitStart? BeginFit(string key)
    {
        bool goesOn = _earlierFit?.Key == key && Directory.EnumerateFileSystemEntries(Checkpoints.FitFolder(key)).Any();
        var earlier = goesOn ? _earlierFit : null;
        _fit = earlier ?? new FitStart(key, Seconds, Energy().Joules);
        if (Budget.IsSet)
            SaveState();
        return earlier;
    }

    /// <summary>Notes that preparing is over and the steps of a fit begin: what has been used until now counts against the run's limits, by earlier sessions too, and what was used in preparing is not forgotten
    /// when the run is resumed. To be called once.</summary>
    /// <returns>The options with what is left as their limits, for a loop that counts the time and energy of its own earlier sessions.</returns>
    public FitOptions BeginTraining(string key)
    {
        bool goesOn = _earlierFit?.Key == key && Directory.EnumerateFileSystemEntries(Checkpoints.FitFolder(key)).Any();
        _fit = goesOn ? _earlierFit! with { Seconds = _earlierFit.Seconds + Seconds - EarlierSeconds, Joules = _earlierFit.Joules + Energy().Joules - EarlierEnergy.Joules } : new FitStart(key, Seconds, Energy().Joules);
        if (Budget.IsSet)
            SaveState();
        return Budget.Limit(request.Fit, _fit);
    }

    /// <summary>Gives the warnings of earlier sessions again, which the log holds already.</summary>
    public void RepeatWarnings()
    {
        foreach (Warned warning in _warningsBefore)
        {
            if (_warnings.Contains(warning))
                continue;
            _warnings.Add(warning);
            options.Events?.Report(warning);
        }
    }

    /// <summary>An event of the run itself: shown and logged. A warning is given once.</summary>
    public void Report(TrainEvent value)
    {
        if (value is Warned warning)
        {
            if (_warnings.Contains(warning))
                return;
            _warnings.Add(warning);
        }

        if (_log is null)
            _before.Add(new LoggedEvent(options.Clock.GetUtcNow(), value));
        else
            _log.Report(value);
        options.Events?.Report(value);
    }

    public void Stage(string stage)
    {
        cancellation.ThrowIfCancellationRequested();
        Report(new StageStarted(stage));
    }

    /// <summary>Says that a fit is left out because the budget is spent; returns the note for the record.</summary>
    public string SkipFit(string family)
    {
        Warn("budget-spent", $"{family} was not trained: the run's budget of {Budget} was spent before its turn. Give more with {BudgetOption} to compare it.");
        return "not trained: the budget was spent";
    }

    /// <summary>The option that would give more of what was spent.</summary>
    public string BudgetOption => Budget.Spent == StopReason.Energy ? "--max-joules" : "--max-seconds";

    public void Warn(string code, string message) => Report(new Warned(code, message));

    /// <summary>Announces a fit and gives it somewhere to report. A fit made only to choose shows its progress but leaves no curve.</summary>
    public FitEvents Begin(string family, string purpose, bool curves)
    {
        cancellation.ThrowIfCancellationRequested();
        Report(new FamilyStarted(family, purpose, _fits++, PlannedFits));
        return new FitEvents(this, family, curves, curves ? _curvesBefore.GetValueOrDefault(family) : null);
    }

    public void Dispose()
    {
        _log?.Dispose();
        _curves?.Dispose();
    }

    // The points that earlier sessions logged of each candidate's curve, and their warnings.
    private void ReadLog(string path)
    {
        EventLogContent log;
        try
        {
            log = EventLog.Read(path);
        }
        catch (FileFormatException)
        {
            return; // a damaged log costs the curves of before, not the run
        }

        List<TrainEvent>? curve = null;
        foreach (var item in log.Events.Select(e => e.Event))
        {
            if (item is Warned warning)
                _warningsBefore.Add(warning);
            if (item is FamilyStarted started)
                curve = started.Purpose != Candidate ? null
                    : _curvesBefore.TryGetValue(started.Family, out var known) ? known : _curvesBefore[started.Family] = [];
            else if (curve is not null)
                FitEvents.Append(curve, item);
        }
    }

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] + "..." : hash;

    /// <summary>The events of one fit.</summary>
    public sealed class FitEvents(Session session, string family, bool curves, IReadOnlyList<TrainEvent>? before) : IProgress<TrainEvent>
    {
        private const int MaxKept = 100_000;

        // A run that is killed forgets at most so much of the time it used.
        private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(1);

        /// <summary>Steps and epochs so far, those of earlier sessions too, for <see cref="TrainingDoctor"/>.</summary>
        public List<TrainEvent> Curve { get; } = [.. before ?? []];

        /// <summary>Warnings so far.</summary>
        public List<Warned> Warnings { get; } = [];

        /// <summary>Adds a step or an epoch to a curve; points at or after it, taken before an interruption, are replaced.</summary>
        public static void Append(List<TrainEvent> curve, TrainEvent value)
        {
            if (value is StepEnded step)
                while (curve.Count > 0 && (curve[^1] is StepEnded { Step: var s } ? s : ((EpochEnded)curve[^1]).Steps) >= step.Step)
                    curve.RemoveAt(curve.Count - 1);
            else if (value is EpochEnded epoch)
                while (curve.Count > 0 && curve[^1] is EpochEnded last && last.Steps >= epoch.Steps)
                    curve.RemoveAt(curve.Count - 1);
            else
                return;
            if (curve.Count < MaxKept)
                curve.Add(value);
        }

        public void Report(TrainEvent value)
        {
            if (value is not (StepEnded or EpochEnded))
            {
                if (value is Warned warning)
                    Warnings.Add(warning);
                session.Report(value);
                return;
            }

            if (session.Options.Clock.GetElapsedTime(session._savedAt) >= SaveEvery)
                session.SaveState();
            Append(Curve, value);
            if (!curves)
            {
                session.Options.Events?.Report(value);
                return;
            }

            session.Report(value);
            if (session._curves is not { } writer)
                return;
            if (value is StepEnded step)
            {
                writer.Scalar($"{family}/step/loss", step.Step, step.Loss);
                writer.Scalar($"{family}/step/learningRate", step.Step, step.LearningRate);
                if (!double.IsNaN(step.GradientNorm))
                    writer.Scalar($"{family}/step/gradientNorm", step.Step, step.GradientNorm);
            }
            else if (value is EpochEnded epoch)
            {
                writer.Scalar($"{family}/epoch/trainLoss", epoch.Epoch, epoch.TrainLoss);
                if (epoch.ValidLoss is { } loss)
                    writer.Scalar($"{family}/epoch/validLoss", epoch.Epoch, loss);
                if (epoch.ValidScore is { } score)
                    writer.Scalar($"{family}/epoch/validScore", epoch.Epoch, score);
            }
        }
    }
}
