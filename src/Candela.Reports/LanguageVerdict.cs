using System.Globalization;
using Candela.Metrics;
using Candela.Runs;

namespace Candela.Reports;

/// <summary>The verdict on a language model: its loss, of which less is better, beside n-grams and single-token counts on the same text.</summary>
internal static class LanguageVerdict
{
    public static Verdict Of(RunRecord run)
    {
        if (run.JudgedSplit() is not { } split || run.Metrics[split].Metrics.GetValueOrDefault("loss") is not { } loss)
            return new Verdict("The model has not been scored on text it has not seen.", ["Without such text, nothing can be said about how well it works."]);
        MetricValue? baseline = run.Baseline.Metrics.GetValueOrDefault("loss");
        CandidateRecord? simple = run.Candidates.Where(c => c.Model != run.Model && c.Test?.ContainsKey("loss") == true).MinBy(c => c.Test!["loss"].Value);
        var reasons = new List<string> { Level(run, split, loss, baseline) };
        string answer;
        if (baseline is not null && loss.High >= baseline.Value)
        {
            answer = "This net has learned nothing that counting tokens does not give.";
            reasons.Add("Its interval reaches up to the loss of counting how often each token occurs. Train longer, or look at the learning rate.");
        }
        else
        {
            answer = simple is null ? "Better than counting tokens; nothing else was tried." : Compare(run, loss, simple, reasons);
        }

        if (StillFalling(run))
            reasons.Add("The validation loss was still falling when training ended: more steps (`--max-steps`) would lower it further.");
        else if (Rises(run))
            reasons.Add("The validation loss rose again before training ended, a sign of learning the text by heart: the weights of the best evaluation are kept. More text, or a smaller net, helps.");
        if (split == "valid")
            reasons.Add("There was no test part. The validation text chose the weights that were kept, so the loss on other text may be a little higher: keep a part with `--test 0.1`, or score a text with `candela evaluate`.");
        return new Verdict(answer, reasons);
    }

    private static string Level(RunRecord run, string split, MetricValue loss, MetricValue? baseline)
    {
        string perplexity = run.Metrics[split].Metrics.GetValueOrDefault("perplexity") is { } p ? $": at each token it is as unsure as among {Figures.Number(p.Value, 3)} equally likely ones" : "";
        return $"On {Figures.Count(run.Metrics[split].Rows)} tokens of {SequenceVerdict.PartOf(split)} text {ModelNames.InSentence(run.Model)} has a loss of {Figures.Number(loss.Value)} nats a token (95 % interval {Figures.Number(loss.Low)} to {Figures.Number(loss.High)}){perplexity}."
            + (baseline is null ? "" : $" Counting how often each token occurs gives {Figures.Number(baseline.Value)}, as among {Figures.Number(Math.Exp(baseline.Value), 3)}.");
    }

    private static string Compare(RunRecord run, MetricValue net, CandidateRecord other, List<string> reasons)
    {
        MetricValue simple = other.Test!["loss"];
        double gap = simple.Value - net.Value;
        bool apart = gap > 0 ? net.High < simple.Value && simple.Low > net.Value : net.Low > simple.Value && simple.High < net.Value;
        string name = ModelNames.InSentence(run.Model), counts = ModelNames.InSentence(other.Model);
        string share = (100 * Math.Abs(Math.Exp(-Math.Abs(gap)) - 1)).ToString("0", CultureInfo.InvariantCulture);
        if (!apart)
        {
            reasons.Add($"It and {counts}, which only counts which token follows which, are {Figures.Number(Math.Abs(gap), 3)} nats apart, within what chance does on so much text.");
            return "The net is not clearly worth it here.";
        }

        if (gap > 0)
        {
            reasons.Add($"It is ahead of {counts}, which only counts which token follows which, by {Figures.Number(gap, 3)} nats a token: {share} % less perplexity, more than the intervals of both allow for.");
            return "Yes, the net is worth it here.";
        }

        reasons.Add($"{char.ToUpperInvariant(counts[0])}{counts[1..]}, which only counts which token follows which, is ahead of {name} by {Figures.Number(-gap, 3)} nats a token: {share} % less perplexity, more than the intervals of both allow for."
            + (run.Chosen.TryGetValue("passes", out string? passes) ? $" The net went over the training text {passes} times." : ""));
        return "No, counting predicts this text better so far.";
    }

    // Counts as falling when the last evaluation is the best and gained more than a thousandth.
    private static bool StillFalling(RunRecord run) => Valid(run) is { Length: > 2 } valid && valid[^1] <= valid.Min() && valid[^1] < 0.999 * valid[^2];

    private static bool Rises(RunRecord run) => Valid(run) is { Length: > 2 } valid && valid[^1] > 1.01 * valid.Min();

    private static double[] Valid(RunRecord run) => [.. run.History.Select(h => h.ValidLoss ?? double.NaN).Where(double.IsFinite)];
}
