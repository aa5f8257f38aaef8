using Candela.Data;
using Candela.Training.Language;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>What a net makes of one sequence.</summary>
/// <param name="Loss">Summed over hidden tokens, nats.</param>
/// <param name="Hidden">Hidden tokens.</param>
/// <param name="Right">Of them, those found.</param>
/// <param name="PairLoss">Of whether the second text follows, nats; 0 without pairs.</param>
/// <param name="PairRight">Whether that was right; null without pairs.</param>
internal sealed record MaskedRow(double Loss, int Hidden, int Right, double PairLoss, bool? PairRight);

/// <summary>The likeliest tokens at hidden places, and how likely they are.</summary>
internal sealed record FoundTokens(long[] Ids, float[] Probabilities);

/// <summary>An encoder that finds hidden tokens and, given pairs, tells whether the second text follows, as <see cref="TrainingLoop"/> trains it. The loss is the mean over hidden tokens plus
/// the mean over pairs (Devlin et al. 2019, appendix A.2).</summary>
internal sealed class MaskedTrainable(BertModel network, int evaluationBatch, long seed) : LayerTrainable<MaskedBatch>(network, seed)
{
    /// <inheritdoc/>
    public override double WeightOf(MaskedBatch batch) => batch.Hidden.Length;

    /// <inheritdoc/>
    public override ValidationResult Evaluate(IBatchSource<MaskedBatch> rows)
    {
        double loss = 0, pairs = 0;
        long hidden = 0, count = 0;
        foreach (MaskedRow row in Rows(rows))
            (loss, hidden, pairs, count) = (loss + row.Loss, hidden + row.Hidden, pairs + row.PairLoss, count + 1);
        return new ValidationResult((loss / Math.Max(1, hidden)) + (pairs / Math.Max(1, count)), null);
    }

    /// <summary>Each sequence of a source, in order.</summary>
    public IEnumerable<MaskedRow> Rows(IBatchSource<MaskedBatch> rows)
    {
        BeginEvaluation();
        foreach (MaskedBatch batch in rows.Batches(new BatchPlan(evaluationBatch)))
            foreach (MaskedRow row in Rows(batch))
                yield return row;
    }

    /// <summary>The likeliest token at each hidden place of a batch.</summary>
    public FoundTokens Found(MaskedBatch batch)
    {
        if (batch.Places.Length == 0)
            return new FoundTokens([], []);
        BeginEvaluation();
        using TensorScope scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        (Tensor most, Tensor ids) = nn.functional.softmax(Scores(network, Hidden(network, batch, Device), batch), 1).max(1);
        return new FoundTokens(ids.cpu().data<long>().ToArray(), TensorMemory.Read(most));
    }

    /// <summary>The loss of a batch, recorded for the gradient.</summary>
    public static Tensor LossOf(BertModel network, MaskedBatch batch, Device device)
    {
        Tensor hidden = Hidden(network, batch, device), loss = nn.functional.cross_entropy(Scores(network, hidden, batch), On(batch.Hidden, device));
        return batch.Unrelated.Length == 0 ? loss : loss + nn.functional.cross_entropy(network.NextSentenceLogits(network.Pooled(hidden)), On(batch.Unrelated, device));
    }

    /// <inheritdoc/>
    protected override Tensor MeanLoss(MaskedBatch batch) => LossOf(network, batch, Device);

    private MaskedRow[] Rows(MaskedBatch batch)
    {
        using TensorScope scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        Tensor hidden = Hidden(network, batch, Device);
        float[] losses = [], pairLosses = [];
        long[] found = [], pairs = [];
        if (batch.Places.Length > 0)
        {
            Tensor scores = Scores(network, hidden, batch);
            losses = TensorMemory.Read(nn.functional.cross_entropy(scores, On(batch.Hidden, Device), reduction: nn.Reduction.None));
            found = scores.argmax(1).cpu().data<long>().ToArray();
        }

        if (batch.Unrelated.Length > 0)
        {
            Tensor scores = network.NextSentenceLogits(network.Pooled(hidden));
            pairLosses = TensorMemory.Read(nn.functional.cross_entropy(scores, On(batch.Unrelated, Device), reduction: nn.Reduction.None));
            pairs = scores.argmax(1).cpu().data<long>().ToArray();
        }

        var rows = new MaskedRow[batch.Count];
        for (int row = 0, at = 0; row < rows.Length; row++)
        {
            double loss = 0;
            int right = 0;
            for (int i = 0; i < batch.HiddenOf[row]; i++, at++)
                (loss, right) = (loss + losses[at], right + (found[at] == batch.Hidden[at] ? 1 : 0));
            rows[row] = new MaskedRow(loss, batch.HiddenOf[row], right, pairs.Length == 0 ? 0 : pairLosses[row], pairs.Length == 0 ? null : pairs[row] == batch.Unrelated[row]);
        }

        return rows;
    }

    private static Tensor Hidden(BertModel network, MaskedBatch batch, Device device)
    {
        Tensor Rows(long[] values) => tensor(values, [batch.Count, batch.Steps]).to(device);
        return network.Hidden(Rows(batch.Ids), batch.Unrelated.Length == 0 ? null : Rows(batch.Types), Array.IndexOf(batch.Seen, 0) < 0 ? null : Rows(batch.Seen));
    }

    // Only hidden places are carried to the vocabulary.
    private static Tensor Scores(BertModel network, Tensor hidden, MaskedBatch batch) => network.MaskedLogits(hidden.reshape(-1, hidden.size(2)).index_select(0, On(batch.Places, hidden.device)));

    private static Tensor On(long[] values, Device device) => tensor(values).to(device);
}
