using Candela.Data;
using Candela.Experiments;
using Candela.Metrics;
using Candela.Runs;

namespace Candela.Reports;

/// <summary>"Is the net worth it?" in plain words, from the candidates' test metrics, their intervals and their cost.</summary>
/// <param name="Answer">One short sentence.</param>
/// <param name="Reasons">The figures behind it, a sentence or two each.</param>
internal sealed record Verdict(string Answer, IReadOnlyList<string> Reasons)
{
    public static Verdict Of(RunRecord run)
    {
        if (run.Problem.Task == TaskKind.LanguageModel)
            return LanguageVerdict.Of(run);
        if (SequenceTasks.IdOf(run.Problem.Task) is not null)
            return SequenceVerdict.Of(run);
        string main = TaskTerms.MainMetric(run.Problem);
        var reasons = new List<string>();
        string answer;
        var test = run.Metrics.GetValueOrDefault("test");
        MetricValue? chosen = test?.Metrics.GetValueOrDefault(main), baseline = run.Baseline.Metrics.GetValueOrDefault(main);
        if (test is null || chosen is null)
            return new Verdict("The model has not been scored on test rows.", ["Without rows it has never seen, nothing can be said about how well it works."]);

        reasons.Add(Level(run, main, chosen, baseline, test.Rows));
        var scored = run.Candidates.Where(c => c.Test?.ContainsKey(main) == true).ToList();
        CandidateRecord? net = Best(scored.Where(c => ModelNames.IsNet(c.Model)), main), simple = Best(scored.Where(c => !ModelNames.IsNet(c.Model)), main);
        bool useless = baseline is not null && chosen.Low <= baseline.Value;
        if (useless)
            answer = "No model here is clearly better than guessing.";
        else if (net is null)
            answer = scored.Count > 1 ? "Better than guessing; no net was trained." : "Better than guessing; nothing else was trained.";
        else if (simple is null)
            answer = "Better than guessing; nothing simpler was trained.";
        else
            answer = Compare(net, simple, main, reasons);

        if (useless && baseline is not null)
            reasons.Add($"The interval reaches down to what {Guess(run)} scores. More rows, better columns or another question are needed before any of these models is.");
        else if (net is null && scored.Count > 1)
            reasons.Add("This run does not say what a neural net would reach. Try one with `--model mlp`.");
        else if (simple is null)
            reasons.Add("Train once with `--model auto` to see whether boosted trees or a linear model would do as well for less.");
        if (chosen.Value >= 0.999 && test.Rows >= 20 && !useless)
            reasons.Add("Nearly perfect scores are rare on real questions: make sure that no column gives the answer away" + (run.Importance.Count > 0 ? $". The model leans most on '{Figures.Clip(run.Importance[0].Column)}'." : "."));
        if (run.Problem.IsClassification && baseline is not null && baseline.Value >= 0.8)
            reasons.Add($"One class makes up {Figures.Percent(baseline.Value)} of the rows, so accuracy flatters every model: judge by ROC AUC, PR AUC and MCC.");
        return new Verdict(answer, reasons);
    }

    private static string Level(RunRecord run, string main, MetricValue chosen, MetricValue? baseline, long rows)
    {
        string model = ModelNames.InSentence(run.Model);
        if (run.Problem.IsClassification)
            return $"On {Figures.Count(rows)} test rows {model} is right {Figures.Percent(chosen.Value)} of the time (95 % interval {Figures.Percent(chosen.Low)} to {Figures.Percent(chosen.High)})"
                + (baseline is null ? "." : $"; {Guess(run)} is right {Figures.Percent(baseline.Value)}.");
        MetricValue? rmse = run.Metrics["test"].Metrics.GetValueOrDefault("rmse"), guess = run.Baseline.Metrics.GetValueOrDefault("rmse");
        return $"On {Figures.Count(rows)} test rows {model} explains {Figures.Percent(chosen.Value)} of the variance (95 % interval {Figures.Percent(chosen.Low)} to {Figures.Percent(chosen.High)})"
            + (rmse is null ? "." : $" with a typical error (RMSE) of {Figures.Number(rmse.Value)}" + (guess is null ? "." : $"; {Guess(run)} errs by {Figures.Number(guess.Value)}."));
    }

    private static string Guess(RunRecord run)
        => run.Baseline.Name == "majority" ? $"always answering '{Figures.Clip(run.Baseline.Prediction, 32)}'" : $"always answering the mean, {Figures.Clip(run.Baseline.Prediction, 32)},";

    private static string Compare(CandidateRecord net, CandidateRecord simple, string main, List<string> reasons)
    {
        MetricValue a = net.Test![main], b = simple.Test![main];
        double gap = a.Value - b.Value;
        bool apart = gap > 0 ? a.Low > b.Value && b.High < a.Value : a.High < b.Value && b.Low > a.Value;
        string unit = main == "accuracy" ? "points of accuracy" : "points of explained variance", size = (100 * Math.Abs(gap)).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture);
        string netName = ModelNames.InSentence(net.Model), simpleName = ModelNames.InSentence(simple.Model);
        string cost = Cost(net, simple);
        if (apart && gap > 0)
        {
            reasons.Add($"{Sentence.Upper(netName)} is ahead of {simpleName} by {size} {unit}, more than the intervals of both allow for. {cost}");
            return "Yes, the net is worth it here.";
        }

        if (apart)
        {
            reasons.Add($"{Sentence.Upper(simpleName)} is ahead of {netName} by {size} {unit}, more than the intervals of both allow for. {cost}");
            return "No, the net is not worth it here.";
        }

        reasons.Add($"Best net and best simpler model, {netName} and {simpleName}, are {size} {unit} apart, within what chance does on so many rows. {cost}");
        return gap > 0 && !Costlier(net, simple) ? "The net costs no more and does as well." : "The net is not clearly worth it here.";
    }

    private static string Cost(CandidateRecord net, CandidateRecord simple)
    {
        string figures = $"The net took {Figures.Duration(net.Seconds)} and {Figures.Energy(net.Joules)} to train, the other {Figures.Duration(simple.Seconds)} and {Figures.Energy(simple.Joules)}";
        double ratio = net.Joules / simple.Joules;
        return double.IsFinite(ratio) && ratio >= 1.5 ? $"{figures}: {Figures.Number(ratio, 2)} times the energy." : double.IsFinite(ratio) && ratio > 0 && ratio <= 1 / 1.5 ? $"{figures}: {Figures.Number(1 / ratio, 2)} times less energy." : figures + ".";
    }

    private static bool Costlier(CandidateRecord net, CandidateRecord simple) => net.Joules > 1.5 * simple.Joules || net.Seconds > 1.5 * simple.Seconds;

    private static CandidateRecord? Best(IEnumerable<CandidateRecord> candidates, string main) => candidates.MaxBy(c => c.Test![main].Value);
}
