using Candela.Data;
using Candela.Evaluation;
using Candela.Runs;

namespace Candela.Experiments;

/// <summary>k-fold cross-validation of the whole procedure: in every fold encoder and choice of family are made anew from the fold's own training rows. Ends when the run's budget is
/// spent, with the folds that were finished by then.</summary>
internal static class FoldRuns
{
    public static CrossValidationRecord? Run(Session session, Fitter fitter, PreparedData data, FamilyPlan plan, ModelSearch search)
    {
        var request = session.Request;
        var metrics = new List<SplitEvaluation>();
        for (int fold = 0; fold < request.Folds; fold++)
        {
            var finished = session.Checkpoints.Finished($"fold{fold}");
            if (finished is null && session.Budget.Spent is not null)
                break;
            session.Stage($"fold {fold + 1} of {request.Folds}");
            var parts = data.Parts;
            double valid = Math.Min(request.ValidFile is null ? request.ValidFraction ?? TableShares.Valid : TableShares.Valid, (1 - (1.0 / request.Folds)) / 2);
            var split = TableSplit.Fold(parts.Table, parts.Problem, request.Folds, fold, valid, request.Fit.Seed);
            var rows = new DataParts(parts.Table, split, parts.Problem, parts.Inputs);
            using var test = rows.Sample(Part.Test, request.Fit.Seed);
            if (finished is not null)
                fitter.Replay(finished);
            var held = finished is not null
                ? Fitter.WithTruth(rows, plan.Rivals[0], test, session.Checkpoints.Scores($"fold{fold}"))
                : Search(session, plan, search, rows, fold, test);
            if (held is null)
                break;
            metrics.Add(Evaluator.Evaluate(parts.Problem, held.Scores, held.Labels, held.Targets, rows.Count(Part.Test), request.Fit.Seed, resamples: 0));
            session.SaveState();
        }

        if (metrics.Count < request.Folds)
            session.Warn("budget-spent", $"Cross-validation ended after {metrics.Count} of {request.Folds} folds: the run's budget of {session.Budget} was spent. Give more with {session.BudgetOption}.");
        return metrics.Count < 2 ? null : CrossValidation.Summarize(metrics);
    }

    // Null when the budget was spent before the fold was finished: it is no measure of the whole procedure.
    private static HeldRows? Search(Session session, FamilyPlan plan, ModelSearch search, DataParts rows, int fold, Table test)
    {
        double before = session.Seconds;
        int warned = session.Warnings.Count;
        using var found = search.Run(rows, plan.Rivals, keepAll: false, $"fold{fold}-", $"fold {fold + 1} of {session.Request.Folds}");
        if (session.Budget.Spent is not null)
            return null;
        var held = HeldRows.Score(found.Chosen.Model, found.Chosen.Encoder, test);
        if (session.Seconds - before >= Fitter.WorthKeeping.TotalSeconds)
            session.Checkpoints.KeepScores($"fold{fold}", found.Chosen.Facts with { Warnings = [.. session.Warnings.Skip(warned)], CurveWarnings = [] }, held.Scores);
        return held;
    }
}
