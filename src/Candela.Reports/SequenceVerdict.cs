using Candela.Experiments;
using Candela.Metrics;
using Candela.Runs;

namespace Candela.Reports;

/// <summary>The verdict on a tagger, translator, summariser, forecaster and the like: its main metric beside the best method without a net and the baseline, on the same examples.</summary>
internal static class SequenceVerdict
{
    public static Verdict Of(RunRecord run)
    {
        string main = TaskTerms.MainMetric(run.Problem);
        if (run.JudgedSplit() is not { } split || run.Metrics[split].Metrics.GetValueOrDefault(main) is not { } net)
            return new Verdict("The model has not been scored on data it has not seen.", ["Without such data, nothing can be said about how well it works."]);
        double sign = MetricNames.HigherIsBetter(main) ? 1 : -1;
        MetricValue? baseline = run.Baseline.Metrics.GetValueOrDefault(main);
        CandidateRecord? simple = run.Candidates.Where(c => c.Model != run.Model && !ModelNames.IsNet(c.Model) && c.Test?.ContainsKey(main) == true).MaxBy(c => sign * c.Test![main].Value);
        string metric = MetricNames.Name(main);
        var reasons = new List<string>
        {
            $"On {Figures.Count(run.Metrics[split].Rows)} {PartOf(split)} {TaskTerms.Scored(run.Problem.Task)} {ModelNames.InSentence(run.Model)} has {metric} {Figures.Metric(main, net.Value)} (95 % interval {Figures.Interval(main, net)})"
                + (baseline is null ? "." : $"; the baseline, {run.Baseline.Name}, has {Figures.Metric(main, baseline.Value)}."),
        };
        string answer;
        if (baseline is not null && (sign > 0 ? net.Low <= baseline.Value : net.High >= baseline.Value))
        {
            bool behind = sign > 0 ? net.High < baseline.Value : net.Low > baseline.Value;
            answer = behind ? $"No, the baseline, {run.Baseline.Name}, does better." : $"The net is not clearly better than the baseline, {run.Baseline.Name}.";
            reasons.Add(behind ? "Its whole interval lies on the wrong side of the baseline's figure: it has learned too little. More data, or longer training, is needed." : "Its interval reaches the baseline's figure. More data, or longer training, is needed before it is worth its cost.");
            if (simple is not null)
                _ = Compare(run, main, sign, net, simple, reasons);
        }
        else
        {
            answer = simple is null ? "Better than the baseline; nothing else was tried." : Compare(run, main, sign, net, simple, reasons);
        }

        if (split == "valid")
            reasons.Add("There was no test part. The validation part chose the weights that were kept, so other data may give a slightly worse figure: keep a part with `--test 0.1`, or score a file with `candela evaluate`.");
        return new Verdict(answer, reasons);
    }

    /// <summary>The part of the data as a sentence names it.</summary>
    public static string PartOf(string split) => split == "valid" ? "validation" : split;

    private static string Compare(RunRecord run, string main, double sign, MetricValue net, CandidateRecord other, List<string> reasons)
    {
        MetricValue simple = other.Test![main];
        double gap = sign * (net.Value - simple.Value);
        // Figures on the same examples go up and down together: where their difference has an interval of its own, that decides.
        bool apart = other.Test!.TryGetValue(TaskTerms.OverNet(main), out MetricValue? excess) ? excess.Low > 0 || excess.High < 0 : (net.Low > simple.Value && simple.High < net.Value) || (net.High < simple.Value && simple.Low > net.Value);
        string name = ModelNames.InSentence(other.Model), by = $"{Figures.Metric(main, Math.Abs(gap))} {MetricNames.Name(main)}";
        CandidateRecord? own = run.Candidates.FirstOrDefault(c => c.Model == run.Model);
        string cost = own is { Seconds: > 0 } && other.Seconds > 0 ? $" The net took {Figures.Duration(own.Seconds)} and {Figures.Energy(own.Joules)}, the other {Figures.Duration(other.Seconds)} and {Figures.Energy(other.Joules)}." : "";
        string chance = excess is null ? "the interval of either" : $"the interval of their difference, {Figures.Interval(main, excess)},";
        if (!apart)
        {
            reasons.Add($"It and {name} are {by} apart, within what chance does on so much data.{cost}");
            return "The net is not clearly worth it here.";
        }

        reasons.Add(gap > 0 ? $"It is ahead of {name} by {by}, more than {chance} allows for.{cost}" : $"{Sentence.Upper(name)} is ahead of it by {by}, more than {chance} allows for.{cost}");
        return gap > 0 ? "Yes, the net is worth it here." : "No, a simpler method does better here.";
    }
}
