using Candela.Data;
using Candela.Models;

namespace Candela.Experiments;

/// <summary>A fitted model with its encoder and how the fit went.</summary>
internal sealed class Trained(IModelFamily family, FeatureEncoder encoder, IFittedModel model, FitFacts facts, string? folder) : IDisposable
{
    public IModelFamily Family => family;

    public FeatureEncoder Encoder => encoder;

    public IFittedModel Model => model;

    public FitFacts Facts => facts;

    /// <summary>Where model and encoder were saved, when they were.</summary>
    public string? Folder => folder;

    public void Dispose() => model.Dispose();
}

/// <summary>Fits families on the training rows of some parts. A fit that an earlier session of the run finished is taken from its checkpoint.</summary>
internal sealed class Fitter(Session session)
{
    /// <summary>Bound of the encoded training rows of a family that holds them all.</summary>
    private const long HeldNumbers = 16L << 20;

    private const long HeldRowsBound = 500_000;

    /// <summary>Scores of fits shorter than this are not kept: fitting anew costs less than writing safely.</summary>
    public static readonly TimeSpan WorthKeeping = TimeSpan.FromSeconds(1);

    /// <summary>Fits a family and saves model and encoder in the checkpoint.</summary>
    public Trained FitKept(DataParts parts, IModelFamily family, string key)
    {
        var events = session.Begin(family.Id, Session.Candidate, curves: true);
        string saved = session.Checkpoints.ModelFolder(key);
        if (session.Checkpoints.Finished(key) is { } earlier)
        {
            Replay(earlier);
            var opened = FeatureEncoder.Open(saved);
            return new Trained(family, opened, family.Open(saved, parts.Problem, opened.Layout), earlier, saved);
        }

        var (encoder, result, facts) = Fit(parts, family, key, events);
        session.Checkpoints.KeepModel(key, facts, folder =>
        {
            encoder.Save(folder);
            result.Model.Save(folder);
        });
        return new Trained(family, encoder, result.Model, facts, saved);
    }

    /// <summary>Fits a family for the time being; nothing is kept of it.</summary>
    public Trained FitPassing(DataParts parts, IModelFamily family, string key, string purpose, Budget? budget = null)
    {
        var (encoder, result, facts) = Fit(parts, family, key, session.Begin(family.Id, purpose, curves: false), budget);
        session.Checkpoints.DropFit(key);
        return new Trained(family, encoder, result.Model, facts, null);
    }

    /// <summary>Fits a family only to score rows that are held out; null when the budget is spent or ends the fit, whose scores would say nothing beside those of whole fits.</summary>
    public HeldRows? FitScored(DataParts parts, IModelFamily family, string key, string purpose, Table held, Budget budget)
    {
        if (session.Checkpoints.Finished(key) is { } earlier && session.Checkpoints.Scores(key) is var kept && kept.Length == held.Rows * parts.Problem.Outputs)
        {
            _ = session.Begin(family.Id, purpose, curves: false);
            Replay(earlier);
            return WithTruth(parts, family, held, kept);
        }

        if (budget.Spent is not null)
            return null;
        using var trained = FitPassing(parts, family, key, purpose, budget);
        if (budget.IsSet && trained.Facts.StopReason is StopReason.Time or StopReason.Energy)
            return null;
        var rows = HeldRows.Score(trained.Model, trained.Encoder, held);
        if (trained.Facts.Seconds >= WorthKeeping.TotalSeconds)
            session.Checkpoints.KeepScores(key, trained.Facts, rows.Scores);
        return rows;
    }

    private (FeatureEncoder Encoder, FitResult Result, FitFacts Facts) Fit(DataParts parts, IModelFamily family, string key, Session.FitEvents events, Budget? budget = null)
    {
        var options = session.Options;
        long started = options.Clock.GetTimestamp();
        double joules = session.Meter.Read().Joules;
        var encoder = parts.Encoder(family.Request(parts.Problem, parts.InputSchema, parts.Count(Part.Train)));
        using var bounded = Bounded(parts, family, encoder, Part.Train, events);
        using var boundedValid = Bounded(parts, family, encoder, Part.Valid, events);
        var train = bounded is null ? parts.Examples(Part.Train, encoder)! : Whole(bounded, Part.Train, encoder);
        foreach (var warning in TrainingDoctor.ExamineInputs(train))
            events.Report(warning);
        var result = family.Fit(new FitContext
        {
            Problem = parts.Problem,
            Train = train,
            Valid = boundedValid is null ? parts.Examples(Part.Valid, encoder) : Whole(boundedValid, Part.Valid, encoder),
            Options = (budget ?? session.Budget).Limit(OptionsFor(family), session.BeginFit(key)),
            Sequence = session.Request.Sequence,
            Events = events,
            CheckpointFolder = session.Checkpoints.FitFolder(key),
            CheckpointEvery = options.CheckpointEvery,
            Meter = session.Meter,
            Clock = options.Clock,
            Cancellation = session.Cancellation,
        });
        session.Cancellation.ThrowIfCancellationRequested();
        if (bounded is not null || boundedValid is not null)
            GC.Collect(); // a few hundred megabytes of large arrays are garbage now; the next fit should not come on top of them
        return (encoder, result, new FitFacts(result.StopReason, result.History, result.Chosen,
            options.Clock.GetElapsedTime(started).TotalSeconds, session.Meter.Read().Joules - joules)
        {
            Warnings = events.Warnings,
            CurveWarnings = TrainingDoctor.ExamineCurve(events.Curve, family.Id),
        });
    }

    /// <summary>Gives the warnings of fits that an earlier session finished.</summary>
    public void Replay(FitFacts earlier)
    {
        foreach (var warning in earlier.Warnings)
            session.Report(warning);
    }

    // Options are meant for the model asked for by name, or under auto for the nets: a comparator is trained as it does best, not with a net's learning rate.
    private FitOptions OptionsFor(IModelFamily family)
    {
        var request = session.Request;
        return family.Id == request.Model ? request.Fit
            : request.Model != "auto" ? request.Fit.ForComparator()
            : family.TakesSteps ? request.Fit : request.Fit.WithoutSteps();
    }

    // Null when all rows of the part can be given. Validation rows are bounded for every family: more do not steer better.
    private Table? Bounded(DataParts parts, IModelFamily family, FeatureEncoder encoder, Part part, Session.FitEvents events)
    {
        long most = part == Part.Valid ? TableSample.DefaultRows
            : family.HoldsAllRows ? Math.Clamp(HeldNumbers / Math.Max(1, encoder.Layout.DenseWidth), 1, HeldRowsBound)
            : long.MaxValue;
        if (parts.Count(part) <= most)
            return null;
        var sample = parts.Sample(part, session.Request.Fit.Seed, most);
        if (part == Part.Train)
            events.Report(new Warned("rows-sampled", $"{family.Id} holds its training rows in memory: it was trained on a uniform sample of {sample.Rows:N0} of {parts.Count(part):N0} rows."));
        return sample;
    }

    // A bounded sample is not also kept encoded: training rows are read once by a family that holds them, validation rows are few.
    private static EncodedTable Whole(Table table, Part part, FeatureEncoder encoder) =>
        new(table, TableSplit.Whole(table, part), part, encoder, memoryBudget: part == Part.Train ? 0 : EncodedTable.DefaultMemoryBudget);

    /// <summary>Scores that came from a checkpoint, with labels and targets read from the table again.</summary>
    public static HeldRows WithTruth(DataParts parts, IModelFamily family, Table held, float[] scores)
    {
        var encoder = parts.Encoder(family.Request(parts.Problem, parts.InputSchema, parts.Count(Part.Train)));
        var batch = new FeatureBatch();
        var labels = new List<int>();
        var targets = new List<float>();
        foreach (var chunk in held.Pass())
        {
            encoder.Encode(chunk, batch, withTargets: true);
            if (parts.Problem.IsClassification)
                labels.AddRange(batch.Labels.AsSpan(0, batch.Count));
            else
                targets.AddRange(batch.Targets.AsSpan(0, batch.Count));
        }

        return new HeldRows(scores, parts.Problem.IsClassification ? [.. labels] : null, parts.Problem.IsClassification ? null : [.. targets]);
    }
}
