using Candela.Data;
using Candela.Models;

namespace Candela.Experiments;

/// <summary>What a search found.</summary>
/// <param name="Fits">The fitted models, the chosen one first.</param>
/// <param name="Scores">Selection score by family, where there was one.</param>
/// <param name="Failures">Families that could not be fitted, with the reason.</param>
/// <param name="Reason">Why the first was chosen.</param>
internal sealed record SearchResult(IReadOnlyList<Trained> Fits, IReadOnlyDictionary<string, double> Scores, IReadOnlyDictionary<string, string> Failures, string Reason) : IDisposable
{
    public Trained Chosen => Fits[0];

    public void Dispose()
    {
        foreach (var fit in Fits)
            fit.Dispose();
    }
}

/// <summary>Chooses a family for some parts and fits it. With fewer than 3,000 rows to learn from one validation part is too noisy to choose by
/// (at 300 rows the standard error of an accuracy of 0.9 is 0.017), so the families are compared by stratified inner cross-validation over training and validation rows, and the chosen one is then
/// fitted on the training rows with the validation rows for early stopping. Larger data: each family is fitted once and compared on the validation rows.</summary>
internal sealed class ModelSearch(Session session, Fitter fitter)
{
    /// <summary>Fewer rows than this to learn from are compared by inner cross-validation.</summary>
    public const long FewRows = 3_000;

    private const int MostInnerFolds = 5;
    private const int LeastRowsForFolds = 20;

    /// <summary>Whether families are compared by inner cross-validation on such parts.</summary>
    public static bool UsesInnerFolds(TrainRequest request, long train, long valid) =>
        valid == 0 || (request.ValidFile is null && train + valid is < FewRows and >= LeastRowsForFolds);

    /// <summary>Fits made by <see cref="Run"/>.</summary>
    public static int PlannedFits(TrainRequest request, long train, long valid, int rivals, bool keepAll) =>
        rivals == 1 ? 1 : UsesInnerFolds(request, train, valid) ? (MostInnerFolds * rivals) + (keepAll ? rivals : 1) : rivals;

    /// <summary>Chooses between the rivals.</summary>
    /// <param name="parts">Rows.</param>
    /// <param name="rivals">Families to choose from; one is taken as it is.</param>
    /// <param name="keepAll">Fits and saves all rivals, for the record; else only what is needed.</param>
    /// <param name="prefix">Begins the checkpoints' keys.</param>
    /// <param name="purpose">What the fits are for, for people; null for the run's own candidates.</param>
    public SearchResult Run(DataParts parts, IReadOnlyList<IModelFamily> rivals, bool keepAll, string prefix, string? purpose)
    {
        var failures = new Dictionary<string, string>();
        Choice? choice = null;
        var able = rivals.ToList();
        if (rivals.Count > 1 && UsesInnerFolds(session.Request, parts.Count(Part.Train), parts.Count(Part.Valid)))
        {
            choice = ByInnerFolds(parts, able, failures, prefix, purpose);
            if (!keepAll && (choice is not null || parts.Count(Part.Valid) == 0))
                able = [able[choice?.Index ?? 0]];
        }

        string? favourite = choice is null ? null : keepAll ? able[choice.Index].Id : able[0].Id;
        var scores = new Dictionary<string, double>();
        if (choice is not null)
            for (int i = 0; i < choice.Scores.Count; i++)
                scores[keepAll ? able[i].Id : rivals.Where(r => !failures.ContainsKey(r.Id)).ElementAt(i).Id] = choice.Scores[i];

        // The favourite comes first: it is fitted whatever the budget.
        able = [.. able.OrderBy(f => f.Id != favourite)];
        var fits = FitAll(parts, able, keepAll, prefix, purpose, failures, mayFail: rivals.Count > 1);
        if (choice is null && fits.Count > 1 && parts.Count(Part.Valid) > 0)
        {
            using var held = parts.Sample(Part.Valid, session.Request.Fit.Seed);
            choice = FamilyChoice.Choose(parts.Problem, [.. fits.Select(f => f.Family.Id)], [.. fits.Select(f => HeldRows.Score(f.Model, f.Encoder, held))], $"{held.Rows:N0} validation rows");
            for (int i = 0; i < fits.Count; i++)
                scores[fits[i].Family.Id] = choice.Scores[i];
            favourite = fits[choice.Index].Family.Id;
        }

        int first = Math.Max(0, fits.FindIndex(f => f.Family.Id == favourite));
        Trained chosen = fits[first];
        string reason = choice is null && fits.Count < rivals.Count && session.Budget.Spent is not null ? $"The run's budget of {session.Budget} was spent before other families could be compared with it."
            : choice is null && fits.Count > 1 ? $"The first candidate: the budget of {session.Budget} left no time to compare the families by inner folds, and there are no validation rows."
            : choice is null ? (session.Request.Model == "auto" ? "The only family that can be trained on this data." : "Asked for by name.")
            : chosen.Family.Id == favourite ? choice.Reason
            : $"{favourite} was first choice but could not be trained on all rows. {choice.Reason}";
        fits.RemoveAt(first);
        return new SearchResult([chosen, .. fits.OrderByDescending(f => scores.GetValueOrDefault(f.Family.Id, double.NegativeInfinity))], scores, failures, reason);
    }

    private List<Trained> FitAll(DataParts parts, List<IModelFamily> families, bool keep, string prefix, string? purpose, Dictionary<string, string> failures, bool mayFail)
    {
        var fits = new List<Trained>();
        try
        {
            foreach (var family in families)
            {
                try
                {
                    string key = prefix + family.Id;
                    if (fits.Count > 0 && session.Budget.Spent is not null && !(keep && session.Checkpoints.Finished(key) is not null))
                    {
                        if (purpose is null)
                            failures[family.Id] = session.SkipFit(family.Id);
                        continue;
                    }

                    fits.Add(keep ? fitter.FitKept(parts, family, key) : fitter.FitPassing(parts, family, key, purpose ?? Session.Candidate));
                }
                catch (CandelaException error) when (mayFail && MayFail(error, session.Request.Fit))
                {
                    Fail(family, error, failures);
                }
            }

            return fits.Count > 0 ? fits : throw NoneFitted(failures);
        }
        catch
        {
            foreach (var fit in fits)
                fit.Dispose();
            throw;
        }
    }

    // Families that fail are removed from the list. At most half of the budget goes into it; only folds in which every family was fitted to its end count. Null when there are none.
    private Choice? ByInnerFolds(DataParts parts, List<IModelFamily> families, Dictionary<string, string> failures, string prefix, string? purpose)
    {
        long seed = session.Request.Fit.Seed;
        using var rows = parts.LearningRows(seed);
        int folds = (int)Math.Min(MostInnerFolds, Math.Max(2, rows.Rows / 4));
        var held = families.ToDictionary(f => f, _ => new List<HeldRows>());
        var budget = purpose is null ? session.Budget.Half() : session.Budget.HalfOfRest();
        bool cut = false;
        for (int fold = 0; fold < folds && !cut; fold++)
        {
            double share = parts.Count(Part.Valid) > 0 ? Math.Min(0.15, 1.0 / folds) : 0;
            var inner = new DataParts(rows, TableSplit.Fold(rows, parts.Problem, folds, fold, share, seed), parts.Problem, parts.Inputs);
            var whole = new DataParts(rows, TableSplit.Fold(rows, parts.Problem, folds, fold, 0, seed), parts.Problem, parts.Inputs); // the same test rows
            using var judge = inner.Sample(Part.Test, seed);
            foreach (var family in families.ToList())
            {
                try
                {
                    var scored = fitter.FitScored(family.UsesValidation(inner.Count(Part.Train)) ? inner : whole, family, $"{prefix}inner{fold}-{family.Id}", $"{(purpose is null ? "" : purpose + ", ")}inner fold {fold + 1} of {folds}", judge, budget);
                    if (scored is null)
                    {
                        cut = true;
                        break;
                    }

                    held[family].Add(scored);
                }
                catch (CandelaException error) when (MayFail(error, session.Request.Fit))
                {
                    Fail(family, error, failures);
                    families.Remove(family);
                }
            }
        }

        if (families.Count == 0)
            throw NoneFitted(failures);
        int compared = families.Min(f => held[f].Count);
        if (cut && purpose is null)
            session.Warn("budget-spent", $"Half of the run's budget of {session.Budget} was spent after {compared} of {folds} inner folds: {(compared == 0 ? "the families were not compared by them" : "the families are compared on those")}. Give more with --max-seconds or --max-joules.");
        return compared == 0 ? null
            : FamilyChoice.Choose(parts.Problem, [.. families.Select(f => f.Id)], [.. families.Select(f => HeldRows.Concat(held[f][..compared]))],
                cut ? $"{compared} of {folds} inner folds of {rows.Rows:N0} rows (half of the budget was spent)" : $"{folds}-fold inner cross-validation of {rows.Rows:N0} rows");
    }

    /// <summary>Whether a run can go on without a family that failed so. What was asked for by an option is not left out in silence.</summary>
    public static bool MayFail(CandelaException error, FitOptions asked) => error switch
    {
        UsageException => false,
        EngineException => asked.Device == "auto",
        _ => true,
    };

    private void Fail(IModelFamily family, CandelaException error, Dictionary<string, string> failures)
    {
        failures[family.Id] = error.Message;
        session.Warn("candidate-failed", $"{family.Id} could not be trained and is left out: {error.Message}");
    }

    private static DataException NoneFitted(Dictionary<string, string> failures) =>
        new($"No family could be trained on this data. {string.Join(" ", failures.Select(f => $"{f.Key}: {f.Value}"))}");
}
