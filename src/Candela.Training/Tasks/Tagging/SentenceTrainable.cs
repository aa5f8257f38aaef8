using Candela.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>A tagging net as <see cref="TrainingLoop"/> trains it: the loss is the negative log-likelihood of the tags per token, in nats.</summary>
/// <param name="network">Built; it stays the caller's.</param>
/// <param name="seed">Of dropout.</param>
/// <param name="score">Of the predicted tags of all validation sentences, in order: higher is better.</param>
internal sealed class SentenceTrainable(SentenceNetwork network, long seed, Func<IReadOnlyList<int[]>, double> score) : LayerTrainable<SentenceBatch>(network, seed)
{
    /// <inheritdoc/>
    public override double WeightOf(SentenceBatch batch) => batch.Tokens;

    /// <inheritdoc/>
    public override ValidationResult Evaluate(IBatchSource<SentenceBatch> rows)
    {
        BeginEvaluation();
        BatchLoss total = default;
        var paths = new SortedDictionary<int, int[]>();
        using IDisposable quiet = no_grad();
        foreach (SentenceBatch batch in rows.Batches(new BatchPlan(SentenceTagger.EvaluationBatch)))
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor emissions = Emissions(network, batch, Device);
            IReadOnlyList<int[]> decoded = network.Crf.Decode(emissions, batch.Lengths);
            for (int n = 0; n < batch.Count; n++)
                paths[batch.Rows[n]] = decoded[n];
            for (int n = 0; n < batch.Count; n++)
            {
                ReadOnlySpan<long> tags = batch.Tags.AsSpan(n * batch.Steps, batch.Steps);
                if (tags.Contains(-1)) // a tag that training has not has no likelihood
                    continue;
                using Tensor own = emissions.narrow(0, n, 1), loss = network.Crf.SummedLikelihood(own, tags, batch.Lengths.AsSpan(n, 1), -1);
                total += new BatchLoss((double)loss.ToSingle(), batch.Lengths[n]);
            }
        }

        return new ValidationResult(total.Mean, score([.. paths.Values]));
    }

    /// <summary>The scores of a batch's tags.</summary>
    public static Tensor Emissions(SentenceNetwork network, SentenceBatch batch, Device device) =>
        network.Emissions(tensor(batch.Inputs, [batch.Count, batch.Steps, batch.Inputs.Length / (batch.Count * batch.Steps)]).to(device), batch.Lengths);

    /// <inheritdoc/>
    protected override Tensor MeanLoss(SentenceBatch batch) => network.Crf.SummedLikelihood(Emissions(network, batch, Device), batch.Tags, batch.Lengths, -1.0 / batch.Tokens);
}
