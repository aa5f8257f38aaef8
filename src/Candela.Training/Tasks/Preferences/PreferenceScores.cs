using Candela.Evaluation;
using Candela.Metrics;

namespace Candela.Training.Tasks;

/// <summary>How well a model's preferences agree with the data's.</summary>
internal static class PreferenceScores
{
    private const double Tail = 0.025;

    /// <summary>The loss of a pair whose margin, times beta, is this.</summary>
    public static double Loss(double scaled, double smoothing) => ((1 - smoothing) * SoftPlus(-scaled)) + (smoothing * SoftPlus(scaled));

    /// <summary>Accuracy (margins above 0; one of 0 counts half), mean margin of the implicit rewards, loss, and both mean rewards, with intervals over pairs.</summary>
    /// <param name="policy">The trained model's log-probabilities.</param>
    /// <param name="reference">The base's.</param>
    /// <param name="beta">Reward = beta x (log p - log r).</param>
    /// <param name="smoothing">Of the loss.</param>
    /// <param name="seed">Of the intervals.</param>
    public static SplitEvaluation Of(AnswerLikelihoods policy, AnswerLikelihoods reference, double beta, double smoothing, long seed)
    {
        double[] chosen = [.. policy.Chosen.Zip(reference.Chosen, (p, r) => beta * (p - r))], rejected = [.. policy.Rejected.Zip(reference.Rejected, (p, r) => beta * (p - r))];
        double[] margins = [.. chosen.Zip(rejected, (c, r) => c - r)];
        return new SplitEvaluation
        {
            Rows = margins.Length,
            SplitRows = margins.Length,
            Metrics = new Dictionary<string, MetricValue>
            {
                ["accuracy"] = Accuracy(margins, seed),
                ["margin"] = Mean(margins, seed),
                ["loss"] = Mean([.. margins.Select(m => Loss(m, smoothing))], seed),
                ["chosenReward"] = Mean(chosen, seed),
                ["rejectedReward"] = Mean(rejected, seed),
            },
        };
    }

    /// <summary>The share of margins above 0, those of 0 counted half. Where all agree no resample differs, so the bound is the closed one: 0.025^(1/n) (Clopper and Pearson 1934).</summary>
    public static MetricValue Accuracy(IReadOnlyList<double> margins, long seed)
    {
        MetricValue mean = Mean([.. margins.Select(m => m > 0 ? 1 : m < 0 ? 0 : 0.5)], seed);
        double bound = Math.Pow(Tail, 1.0 / margins.Count);
        return mean.Value == 1 ? mean with { Low = bound } : mean.Value == 0 ? mean with { High = 1 - bound } : mean;
    }

    private static MetricValue Mean(double[] values, long seed) => RatioBootstrap.Interval(values, [.. values.Select(_ => 1.0)], seed);

    // log(1 + e^x) without overflow.
    private static double SoftPlus(double x) => Math.Max(x, 0) + double.LogP1(Math.Exp(-Math.Abs(x)));
}
