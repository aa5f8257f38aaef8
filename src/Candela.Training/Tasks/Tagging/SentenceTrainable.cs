using Candela.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>A tagging net as <see cref="TrainingLoop"/> trains it: the loss is the negative log-likelihood of the tags per token, in nats.</summary>
internal sealed class SentenceTrainable : ITrainable<SentenceBatch>, IDisposable
{
    private readonly SentenceNetwork _network;
    private readonly FlatParameters _flat;
    private readonly long _seed;
    private readonly Func<IReadOnlyList<int[]>, double> _score;
    private bool _training;

    /// <summary>Moves the net's parameters into flat buffers.</summary>
    /// <param name="network">Built; it stays the caller's.</param>
    /// <param name="seed">Of dropout.</param>
    /// <param name="score">Of the predicted tags of all validation sentences, in order: higher is better.</param>
    public SentenceTrainable(SentenceNetwork network, long seed, Func<IReadOnlyList<int[]>, double> score)
    {
        (_network, _seed, _score) = (network, seed, score);
        _flat = new FlatParameters(network);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ParameterSegment> Segments => _flat.Segments;

    /// <inheritdoc/>
    public Span<float> Parameters => _flat.Values;

    /// <inheritdoc/>
    public Span<float> Gradients => _flat.Gradients;

    /// <inheritdoc/>
    public double WeightOf(SentenceBatch batch) => batch.Tokens;

    /// <inheritdoc/>
    public BatchLoss Differentiate(SentenceBatch batch, long step, bool accumulate, double gradientScale)
    {
        using TensorScope scope = TensorScope.Begin();
        Mode(training: true);
        _flat.Upload();
        if (!accumulate)
            _flat.ZeroGradients();
        _network.BeginStep(_seed, step);
        Tensor loss = _network.Crf.SummedLikelihood(Emissions(_network, batch, _flat.Device), batch.Tags, batch.Lengths, -1.0 / batch.Tokens);
        (gradientScale == 1 ? loss : loss * gradientScale).backward();
        _flat.Download();
        return new BatchLoss((double)loss.ToSingle() * batch.Tokens, batch.Tokens);
    }

    /// <inheritdoc/>
    public ValidationResult Evaluate(IBatchSource<SentenceBatch> rows)
    {
        Mode(training: false);
        _flat.Upload();
        BatchLoss total = default;
        var paths = new SortedDictionary<int, int[]>();
        using IDisposable quiet = no_grad();
        foreach (SentenceBatch batch in rows.Batches(new BatchPlan(SentenceTagger.EvaluationBatch)))
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor emissions = Emissions(_network, batch, _flat.Device);
            IReadOnlyList<int[]> decoded = _network.Crf.Decode(emissions, batch.Lengths);
            for (int n = 0; n < batch.Count; n++)
                paths[batch.Rows[n]] = decoded[n];
            for (int n = 0; n < batch.Count; n++)
            {
                ReadOnlySpan<long> tags = batch.Tags.AsSpan(n * batch.Steps, batch.Steps);
                if (tags.Contains(-1)) // a tag that training has not has no likelihood
                    continue;
                using Tensor own = emissions.narrow(0, n, 1), loss = _network.Crf.SummedLikelihood(own, tags, batch.Lengths.AsSpan(n, 1), -1);
                total += new BatchLoss((double)loss.ToSingle(), batch.Lengths[n]);
            }
        }

        return new ValidationResult(total.Mean, _score([.. paths.Values]));
    }

    /// <summary>Leaves the net in evaluation mode with the final values.</summary>
    public void Dispose()
    {
        _flat.Upload();
        _network.eval();
        _flat.Dispose();
    }

    /// <summary>The scores of a batch's tags.</summary>
    public static Tensor Emissions(SentenceNetwork network, SentenceBatch batch, Device device) =>
        network.Emissions(tensor(batch.Inputs, [batch.Count, batch.Steps, batch.Inputs.Length / (batch.Count * batch.Steps)]).to(device), batch.Lengths);

    private void Mode(bool training)
    {
        if (_training == training)
            return;
        _network.train(training);
        _training = training;
    }
}
