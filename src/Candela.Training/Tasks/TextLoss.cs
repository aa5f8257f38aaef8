using Candela.Evaluation;
using Candela.Metrics;

namespace Candela.Training.Tasks;

/// <summary>How well a model predicts a text.</summary>
internal sealed record TextLoss(SplitEvaluation Evaluation)
{
    /// <summary>Metrics of a part: loss (nats per token), perplexity (its exponential), bits per byte (which tokenizers can be compared by), with intervals over blocks.</summary>
    public static TextLoss Of(CausalTrainable network, TokenBlocks blocks, CorpusTokens text, long seed)
    {
        var losses = new List<double>();
        var tokens = new List<double>();
        int learned = 0;
        foreach (float[] batch in network.BlockLosses(blocks, count => learned = count))
        {
            foreach (float loss in batch)
            {
                losses.Add(loss);
                tokens.Add((double)learned / batch.Length);
            }
        }

        return new TextLoss(Of([.. losses], [.. tokens], text, seed));
    }

    /// <summary>The same of losses summed over units of text.</summary>
    public static SplitEvaluation Of(double[] losses, double[] tokens, CorpusTokens text, long seed)
    {
        if (tokens.Sum() <= 0)
            throw new DataException("No token of the text is to be learned: it has no answers. Give documents whose last message is the assistant's.");
        MetricValue loss = RatioBootstrap.Interval(losses, tokens, seed);
        double bitsPerNat = tokens.Sum() / Math.Log(2) / Math.Max(1, text.LearnedBytes);
        return new SplitEvaluation
        {
            Rows = (long)tokens.Sum(),
            SplitRows = text.Tokens,
            Metrics = new Dictionary<string, MetricValue>
            {
                ["loss"] = loss,
                ["perplexity"] = new(Math.Exp(loss.Value), Math.Exp(loss.Low), Math.Exp(loss.High)),
                ["bitsPerByte"] = new(loss.Value * bitsPerNat, loss.Low * bitsPerNat, loss.High * bitsPerNat),
            },
        };
    }
}
