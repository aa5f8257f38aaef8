using Candela.Data;
using Candela.Training.Language;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>An encoder-decoder net as <see cref="TrainingLoop"/> trains it: the loss is the mean cross-entropy of target tokens in nats, in training with label smoothing (Szegedy et al. 2016), in evaluation without.</summary>
internal sealed class PairTrainable : ITrainable<PairBatch>, IDisposable
{
    private readonly Seq2SeqNetwork _network;
    private readonly FlatParameters _flat;
    private readonly double _smoothing;
    private readonly long _seed;
    private readonly Func<double>? _score;
    private bool _training;

    /// <summary>Moves the net's parameters into flat buffers.</summary>
    /// <param name="network">Built; it stays the caller's.</param>
    /// <param name="smoothing">Share of the target spread over all tokens, 0 to below 1.</param>
    /// <param name="seed">Of dropout.</param>
    /// <param name="score">How well the net writes, higher is better; asked after each validation, the net in evaluation mode. Null for none.</param>
    public PairTrainable(Seq2SeqNetwork network, double smoothing, long seed, Func<double>? score)
    {
        (_network, _smoothing, _seed, _score) = (network, smoothing, seed, score);
        _flat = new FlatParameters(network);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ParameterSegment> Segments => _flat.Segments;

    /// <inheritdoc/>
    public Span<float> Parameters => _flat.Values;

    /// <inheritdoc/>
    public Span<float> Gradients => _flat.Gradients;

    /// <inheritdoc/>
    public double WeightOf(PairBatch batch) => batch.Tokens;

    /// <inheritdoc/>
    public BatchLoss Differentiate(PairBatch batch, long step, bool accumulate, double gradientScale)
    {
        using TensorScope scope = TensorScope.Begin();
        Mode(training: true);
        _flat.Upload();
        if (!accumulate)
            _flat.ZeroGradients();
        _network.BeginStep(_seed, step);
        if (_flat.Device.type == TorchSharp.DeviceType.CPU)
            return new BatchLoss(TiedCrossEntropy.Backward(Hidden(batch), _network.Table, batch.Labels, _smoothing, gradientScale / batch.Tokens), batch.Tokens);
        Tensor loss = Loss(batch, _smoothing);
        (gradientScale == 1 ? loss : loss * gradientScale).backward();
        _flat.Download();
        return new BatchLoss((double)loss.ToSingle() * batch.Tokens, batch.Tokens);
    }

    /// <inheritdoc/>
    public ValidationResult Evaluate(IBatchSource<PairBatch> rows)
    {
        BatchLoss total = Loss(rows);
        return new ValidationResult(total.Mean, _score?.Invoke());
    }

    /// <summary>The loss of all pairs, without smoothing.</summary>
    public BatchLoss Loss(IBatchSource<PairBatch> rows)
    {
        Mode(training: false);
        _flat.Upload();
        BatchLoss total = default;
        using IDisposable quiet = no_grad();
        foreach (PairBatch batch in rows.Batches(new BatchPlan(1)))
        {
            using TensorScope scope = TensorScope.Begin();
            total += new BatchLoss((double)Loss(batch, 0).ToSingle() * batch.Tokens, batch.Tokens);
        }

        return total;
    }

    /// <summary>Leaves the net in evaluation mode with the final values.</summary>
    public void Dispose()
    {
        _flat.Upload();
        _network.eval();
        _flat.Dispose();
    }

    private Tensor Loss(PairBatch batch, double smoothing) =>
        nn.functional.cross_entropy(_network.Project(Hidden(batch)), tensor(batch.Labels).to(_flat.Device), label_smoothing: smoothing);

    // [tokens, width]: only real target tokens reach the output matrix, which is the largest part of the work.
    private Tensor Hidden(PairBatch batch)
    {
        Tensor sources = tensor(batch.Sources, [batch.Pairs, batch.SourceSteps]).to(_flat.Device), inputs = tensor(batch.Inputs, [batch.Pairs, batch.TargetSteps]).to(_flat.Device);
        Tensor hidden = _network.Hidden(sources, batch.Lengths, inputs), flat = hidden.view(-1, hidden.size(-1));
        return batch.Tokens == flat.size(0) ? flat : flat.index_select(0, tensor(batch.Places).to(_flat.Device));
    }

    private void Mode(bool training)
    {
        if (_training == training)
            return;
        _network.train(training);
        _training = training;
    }
}
