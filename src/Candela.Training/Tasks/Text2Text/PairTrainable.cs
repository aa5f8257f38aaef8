using Candela.Data;
using Candela.Training.Language;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>An encoder-decoder net as <see cref="TrainingLoop"/> trains it: the loss is the mean cross-entropy of target tokens in nats, in training with label smoothing (Szegedy et al. 2016), in evaluation without.</summary>
/// <param name="network">Built; it stays the caller's.</param>
/// <param name="smoothing">Share of the target spread over all tokens, 0 to below 1.</param>
/// <param name="seed">Of dropout.</param>
/// <param name="score">How well the net writes, higher is better; asked after each validation, the net in evaluation mode. Null for none.</param>
internal sealed class PairTrainable(Seq2SeqNetwork network, double smoothing, long seed, Func<double>? score) : LayerTrainable<PairBatch>(network, seed)
{
    /// <inheritdoc/>
    public override double WeightOf(PairBatch batch) => batch.Tokens;

    /// <inheritdoc/>
    public override ValidationResult Evaluate(IBatchSource<PairBatch> rows)
    {
        BatchLoss total = Loss(rows);
        return new ValidationResult(total.Mean, score?.Invoke());
    }

    /// <summary>The loss of all pairs, without smoothing.</summary>
    public BatchLoss Loss(IBatchSource<PairBatch> rows)
    {
        BeginEvaluation();
        BatchLoss total = default;
        using IDisposable quiet = no_grad();
        foreach (PairBatch batch in rows.Batches(new BatchPlan(1)))
        {
            using TensorScope scope = TensorScope.Begin();
            total += new BatchLoss((double)Loss(batch, 0).ToSingle() * batch.Tokens, batch.Tokens);
        }

        return total;
    }

    /// <inheritdoc/>
    protected override Tensor MeanLoss(PairBatch batch) => Loss(batch, smoothing);

    // On the CPU the logits of all tokens never exist at once.
    /// <inheritdoc/>
    protected override double Backward(PairBatch batch, double weight, double gradientScale) => Device.type == TorchSharp.DeviceType.CPU
        ? TiedCrossEntropy.Backward(Hidden(batch), network.Table, batch.Labels, smoothing, gradientScale / batch.Tokens)
        : base.Backward(batch, weight, gradientScale);

    private Tensor Loss(PairBatch batch, double labelSmoothing) =>
        nn.functional.cross_entropy(network.Project(Hidden(batch)), tensor(batch.Labels).to(Device), label_smoothing: labelSmoothing);

    // [tokens, width]: only real target tokens reach the output matrix, which is the largest part of the work.
    private Tensor Hidden(PairBatch batch)
    {
        Tensor sources = tensor(batch.Sources, [batch.Pairs, batch.SourceSteps]).to(Device), inputs = tensor(batch.Inputs, [batch.Pairs, batch.TargetSteps]).to(Device);
        Tensor hidden = network.Hidden(sources, batch.Lengths, inputs), flat = hidden.view(-1, hidden.size(-1));
        return batch.Tokens == flat.size(0) ? flat : flat.index_select(0, tensor(batch.Places).to(Device));
    }
}
