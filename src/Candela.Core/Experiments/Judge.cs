using Candela.Data;
using Candela.Evaluation;
using Candela.Metrics;
using Candela.Runs;

namespace Candela.Experiments;

/// <summary>What the evaluation of a run found.</summary>
internal sealed record Judgement(IReadOnlyDictionary<string, SplitEvaluation> Metrics, BaselineRecord Baseline, IReadOnlyList<CandidateRecord> Candidates, IReadOnlyList<ColumnImportance> Importance);

/// <summary>Evaluates the chosen model on every part, all fitted models and the baseline on the test rows, and the importance of the columns. Parts beyond 200,000 rows are sampled.</summary>
internal sealed class Judge(Session session, PreparedData data)
{
    // A model of so many parameters takes long for a row: its columns are shuffled in fewer of them.
    private const long LargeModel = 20_000_000;
    private const int RowsOfLargeModel = 200;
    private readonly long _seed = session.Request.Fit.Seed;

    public Judgement Evaluate(SearchResult found, IReadOnlyList<Trained> companions, FamilyPlan plan, IReadOnlyDictionary<string, string> failures)
    {
        var parts = data.Parts;
        var chosen = found.Chosen;
        var metrics = new Dictionary<string, SplitEvaluation>();
        HeldRows? train = null, last = null;
        foreach (var (part, name) in new[] { (Part.Train, "train"), (Part.Valid, "valid"), (Part.Test, "test") })
        {
            if (parts.Count(part) == 0)
                continue;
            session.Cancellation.ThrowIfCancellationRequested();
            using var rows = parts.Sample(part, _seed);
            last = HeldRows.Score(chosen.Model, chosen.Encoder, rows);
            train ??= last;
            metrics[name] = Evaluator.Evaluate(parts.Problem, last.Scores, last.Labels, last.Targets, parts.Count(part), _seed);
        }

        // The baseline learns from the training rows and is judged on the last part there is: the test, when rows were kept for it.
        var baseline = parts.Problem.IsClassification ? Baseline.OfLabels(parts.Problem, train!.Labels!) : Baseline.OfTargets(train!.Targets!);
        return new Judgement(metrics, baseline.Evaluate(parts.Problem, last!.Labels, last.Targets, _seed), Candidates(found, companions, plan, failures, metrics), Importance(chosen));
    }

    private List<CandidateRecord> Candidates(SearchResult found, IReadOnlyList<Trained> companions, FamilyPlan plan, IReadOnlyDictionary<string, string> failures, Dictionary<string, SplitEvaluation> metrics)
    {
        var candidates = new List<CandidateRecord>();
        using var test = data.Parts.Count(Part.Test) == 0 ? null : data.Parts.Sample(Part.Test, _seed);
        foreach (var fit in found.Fits.Concat(companions))
        {
            session.Cancellation.ThrowIfCancellationRequested();
            IReadOnlyDictionary<string, MetricValue>? onTest = fit == found.Chosen ? metrics.GetValueOrDefault("test")?.Metrics : null;
            if (onTest is null && test is not null)
            {
                try
                {
                    var held = HeldRows.Score(fit.Model, fit.Encoder, test);
                    onTest = Evaluator.Evaluate(data.Parts.Problem, held.Scores, held.Labels, held.Targets, data.Parts.Count(Part.Test), _seed).Metrics;
                }
                catch (CandelaException error) when (error is not (DataException or ShapeException))
                {
                    session.Warn("candidate-failed", $"{fit.Family.Id} was trained but cannot be evaluated: {error.Message}");
                }
            }

            candidates.Add(new CandidateRecord(
                fit.Family.Id, fit.Model.ParameterCount, found.Scores.TryGetValue(fit.Family.Id, out double score) ? score : null,
                onTest, fit.Facts.Seconds, fit.Facts.Joules, fit == found.Chosen ? "chosen" : companions.Contains(fit) ? "for comparison" : "not chosen"));
        }

        candidates.AddRange(failures.Select(f => new CandidateRecord(f.Key, 0, null, null, 0, 0, f.Value)));
        candidates.AddRange(plan.Unfit.Select(u => new CandidateRecord(u.Key, 0, null, null, 0, 0, u.Value)));
        return candidates;
    }

    private IReadOnlyList<ColumnImportance> Importance(Trained chosen)
    {
        if (data.Parts.Count(Part.Test) < 2)
            return [];
        session.Stage("permutation importance");
        using var rows = data.Parts.Sample(Part.Test, _seed, chosen.Model.ParameterCount > LargeModel ? RowsOfLargeModel : PermutationImportance.MaxRows);
        var held = HeldRows.Score(chosen.Model, chosen.Encoder, rows);
        var predictor = new RunPredictor(chosen.Encoder, chosen.Model); // not disposed: the model is the caller's
        return PermutationImportance.Compute(predictor, rows.ReadChunk(0), held.Labels, held.Targets, _seed, cancellation: session.Cancellation);
    }
}
