using Candela.Data;
using Candela.Evaluation;
using Candela.Metrics;

namespace Candela.Training.Tasks;

/// <summary>The figures of hidden tokens, with intervals over sequences.</summary>
internal static class MaskedScores
{
    /// <summary>Loss per hidden token in nats, its exponential, the share found, and the share of pairs judged rightly where there are pairs.</summary>
    public static SplitEvaluation Of(IReadOnlyList<MaskedRow> rows, long seed)
    {
        double[] hidden = [.. rows.Select(r => (double)r.Hidden)];
        if (hidden.Sum() <= 0)
            throw new DataException("No token of the text can be hidden: it has none but unknown ones. Give other text, or another tokenizer.");
        MetricValue loss = RatioBootstrap.Interval([.. rows.Select(r => r.Loss)], hidden, seed);
        var metrics = new Dictionary<string, MetricValue>
        {
            ["loss"] = loss,
            ["maskedAccuracy"] = RatioBootstrap.Interval([.. rows.Select(r => (double)r.Right)], hidden, seed),
            ["perplexity"] = new(Math.Exp(loss.Value), Math.Exp(loss.Low), Math.Exp(loss.High)),
        };
        if (rows.All(r => r.PairRight is not null))
            metrics["nspAccuracy"] = RatioBootstrap.Interval([.. rows.Select(r => r.PairRight == true ? 1.0 : 0)], [.. rows.Select(_ => 1.0)], seed);
        return new SplitEvaluation { Rows = (long)hidden.Sum(), SplitRows = (long)hidden.Sum(), Metrics = metrics };
    }

    /// <summary>The rows as they come of a guess that does not look: each token as likely as in training, of pairs always "related", which half of them are.</summary>
    /// <param name="rows">The sequences, as a net sees them.</param>
    /// <param name="counts">How often each id is in training.</param>
    /// <param name="batchSize">Sequences at once.</param>
    public static IReadOnlyList<MaskedRow> Unigram(IBatchSource<MaskedBatch> rows, IReadOnlyList<long> counts, int batchSize)
    {
        double all = counts.Sum() + counts.Count; // add one: an id that training has not is possible
        long usual = Enumerable.Range(0, counts.Count).MaxBy(i => counts[i]);
        var judged = new List<MaskedRow>();
        foreach (MaskedBatch batch in rows.Batches(new BatchPlan(batchSize)))
        {
            for (int row = 0, at = 0; row < batch.Count; row++)
            {
                double loss = 0;
                int right = 0;
                for (int i = 0; i < batch.HiddenOf[row]; i++, at++)
                    (loss, right) = (loss - Math.Log((counts[(int)batch.Hidden[at]] + 1) / all), right + (batch.Hidden[at] == usual ? 1 : 0));
                // Pairs are made half related and half not, so one answer is as good as the other: always "related".
                judged.Add(new MaskedRow(loss, batch.HiddenOf[row], right, 0, batch.Unrelated.Length > 0 ? batch.Unrelated[row] == 0 : null));
            }
        }

        return judged;
    }
}
