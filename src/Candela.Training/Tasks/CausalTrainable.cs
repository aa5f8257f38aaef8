using Candela.Data;
using Candela.Training.Language;
using Candela.Training.Transformers;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>A network over token sequences, [N, T] ids to [N, T, V] logits, as <see cref="TrainingLoop"/> trains it: the loss is the mean cross-entropy in nats of the tokens that
/// are learned. A <see cref="CausalNetwork"/> in float32 on the CPU runs on the managed transformer engine, anything else on libtorch.</summary>
public sealed class CausalTrainable : ITrainable<TokenBatch>, IDisposable
{
    private readonly Layer _network;
    private readonly FlatParameters _flat;
    private readonly int _batchSize;
    private readonly long _seed;
    private readonly TransformerEngine? _engine;
    private readonly bool _bfloat16;
    private bool _training;

    /// <summary>Moves the network's trained parameters into flat buffers.</summary>
    /// <param name="network">Built; it stays the caller's.</param>
    /// <param name="batchSize">Sequences of an evaluation batch.</param>
    /// <param name="seed">Of dropout.</param>
    public CausalTrainable(Layer network, int batchSize, long seed) : this(network, batchSize, seed, managed: true)
    {
    }

    /// <summary>The same, on libtorch alone where <paramref name="managed"/> is false.</summary>
    /// <param name="network">Built.</param>
    /// <param name="batchSize">Sequences of an evaluation batch.</param>
    /// <param name="seed">Of dropout.</param>
    /// <param name="managed">Whether the managed engine is taken where it can.</param>
    /// <param name="recompute">Keep the inputs of blocks alone and run each again on the way back.</param>
    /// <param name="bfloat16">Products in bfloat16, on libtorch.</param>
    /// <exception cref="UsageException">Blocks are to be run again and the managed engine can not run the network.</exception>
    internal CausalTrainable(Layer network, int batchSize, long seed, bool managed, bool recompute = false, bool bfloat16 = false)
    {
        (_network, _batchSize, _seed) = (network, batchSize, seed);
        _flat = new FlatParameters(network);
        _bfloat16 = bfloat16;
        _engine = managed && !bfloat16 && network is CausalNetwork causal ? TransformerEngine.Create(causal, recompute) : null;
        if (!recompute || _engine is not null)
            return;
        _flat.Dispose();
        throw new UsageException("--checkpoint-activations needs float32 weights on the CPU and --precision fp32, where blocks run on the managed engine. Leave it out, or train there.");
    }

    /// <inheritdoc/>
    public IReadOnlyList<ParameterSegment> Segments => _flat.Segments;

    /// <inheritdoc/>
    public Span<float> Parameters => _flat.Values;

    /// <inheritdoc/>
    public Span<float> Gradients => _flat.Gradients;

    /// <inheritdoc/>
    public double WeightOf(TokenBatch batch) => batch.Learned;

    /// <inheritdoc/>
    public BatchLoss Differentiate(TokenBatch batch, long step, bool accumulate, double gradientScale)
    {
        using TensorScope scope = TensorScope.Begin();
        Mode(training: true);
        _flat.Upload();
        if (!accumulate)
            _flat.ZeroGradients();
        if (batch.Learned == 0)
            return default;
        _network.BeginStep(_seed, step);
        if (_engine is not null)
            return _engine.Differentiate(batch, gradientScale);
        Tensor loss = Loss(batch, nn.Reduction.Mean);
        (gradientScale == 1 ? loss : loss * gradientScale).backward();
        _flat.Download();
        return new BatchLoss((double)loss.ToSingle() * batch.Learned, batch.Learned);
    }

    /// <inheritdoc/>
    public ValidationResult Evaluate(IBatchSource<TokenBatch> rows)
    {
        BatchLoss total = default;
        foreach (float[] block in BlockLosses(rows, tokens => total += new BatchLoss(0, tokens)))
            foreach (float loss in block)
                total += new BatchLoss(loss, 0);
        return new ValidationResult(total.Mean, null);
    }

    /// <summary>The summed loss of each sequence, in nats, batch after batch.</summary>
    /// <param name="rows">The sequences, in order.</param>
    /// <param name="learned">Told the number of learned tokens of each batch.</param>
    internal IEnumerable<float[]> BlockLosses(IBatchSource<TokenBatch> rows, Action<int> learned)
    {
        Mode(training: false);
        _flat.Upload();
        foreach (TokenBatch batch in rows.Batches(new BatchPlan(_batchSize)))
        {
            learned(batch.Learned);
            yield return SequenceLosses(batch);
        }
    }

    /// <summary>Leaves the network in evaluation mode with the final values.</summary>
    public void Dispose()
    {
        _flat.Upload();
        _network.eval();
        _engine?.Dispose();
        _flat.Dispose();
    }

    private float[] SequenceLosses(TokenBatch batch)
    {
        if (_engine is not null)
            return _engine.Losses(batch);
        using TensorScope scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        return TensorMemory.Read(Loss(batch, nn.Reduction.None).view(batch.Count, batch.Length).sum(1));
    }

    private Tensor Loss(TokenBatch batch, nn.Reduction reduction)
    {
        int tokens = batch.Count * batch.Length;
        Tensor inputs = tensor(batch.Inputs.AsMemory(0, tokens), [batch.Count, batch.Length], ScalarType.Int64).to(_flat.Device);
        Tensor targets = tensor(batch.Targets.AsMemory(0, tokens), [tokens], ScalarType.Int64).to(_flat.Device);
        using Bfloat16Products.Scope half = Bfloat16Products.Begin(_bfloat16);
        Tensor logits = _network.call(inputs);
        return nn.functional.cross_entropy(logits.view(tokens, logits.size(2)), targets, ignore_index: TokenBatch.Ignored, reduction: reduction);
    }

    private void Mode(bool training)
    {
        if (_training == training)
            return;
        _network.train(training);
        _training = training;
    }
}
