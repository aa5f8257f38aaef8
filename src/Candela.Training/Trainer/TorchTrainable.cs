using Candela.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>What an epoch's validation score is.</summary>
public enum ValidationScore
{
    /// <summary>By the loss: accuracy for cross-entropies, R2 for regression losses, none for others.</summary>
    Auto,

    /// <summary>Share of rows whose largest output (one output: its sign) is the label's.</summary>
    Accuracy,

    /// <summary>1 - squared error / squared deviation from the mean.</summary>
    R2,

    /// <summary>No score: the loss decides.</summary>
    None,
}

/// <summary>A TorchSharp module with its loss, as <see cref="TrainingLoop"/> trains it. Its step is: forward, loss, backward into the flat gradients.</summary>
public sealed class TorchTrainable : ITrainable<FeatureBatch>, IDisposable
{
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly Loss _loss;
    private readonly FlatParameters _flat;
    private readonly TensorBatch _batch;
    private readonly List<KeyValuePair<string, Tensor>> _buffers;
    private readonly int _batchSize;
    private readonly long _seed;
    private readonly ValidationScore _score;
    private bool _training;

    /// <summary>Prepares the module: builds a <see cref="Layer"/> that is not built yet, and moves its parameters into flat buffers.</summary>
    /// <param name="module">Any module from a batch to outputs; it stays the caller's.</param>
    /// <param name="loss">Of the mean kind.</param>
    /// <param name="layout">What the rows hold.</param>
    /// <param name="batchSize">Rows of a batch at the most.</param>
    /// <param name="seed">Of dropout.</param>
    /// <param name="score">The validation score. Default by the loss.</param>
    public TorchTrainable(nn.Module<Tensor, Tensor> module, Loss loss, FeatureLayout layout, int batchSize, long seed = 0, ValidationScore score = ValidationScore.Auto)
    {
        if (loss.Reduction != Reduction.Mean)
            throw new UsageException($"The trainer needs a loss with the mean reduction; {loss.GetType().Name} has {loss.Reduction}.");
        LibTorch.Load();
        Build(module, layout, seed);
        (_module, _loss, _batchSize, _seed) = (module, loss, batchSize, seed);
        FewestRows = module is BatchNorm1d or TorchSharp.Modules.BatchNorm1d || module.modules().Any(m => m is BatchNorm1d or TorchSharp.Modules.BatchNorm1d) ? 2 : 1;
        _flat = new FlatParameters(module);
        _batch = new TensorBatch(layout, batchSize, _flat.Device);
        _buffers = [.. module.named_buffers(true).Select(b => new KeyValuePair<string, Tensor>(b.name, b.buffer)).Where(b => b.Value.numel() > 0)];
        _score = score != ValidationScore.Auto ? score : loss switch
        {
            SparseCategoricalCrossEntropy or BinaryCrossEntropy or CategoricalCrossEntropy => ValidationScore.Accuracy,
            MeanSquaredError or MeanAbsoluteError or Huber => ValidationScore.R2,
            _ => ValidationScore.None,
        };
    }

    /// <inheritdoc/>
    public IReadOnlyList<ParameterSegment> Segments => _flat.Segments;

    /// <inheritdoc/>
    public Span<float> Parameters => _flat.Values;

    /// <inheritdoc/>
    public Span<float> Gradients => _flat.Gradients;

    /// <inheritdoc/>
    public BatchLoss Differentiate(FeatureBatch batch, long step, bool accumulate, double gradientScale)
    {
        using TensorScope scope = TensorScope.Begin();
        Mode(training: true);
        _batch.Fill(batch);
        _flat.Upload();
        if (!accumulate)
            _flat.ZeroGradients();
        if (_module is Layer layer)
            layer.BeginStep(_seed, step);
        else
            torch.random.manual_seed((long)(Rng.Mix((ulong)_seed ^ Rng.Mix((ulong)step + 1)) >> 1)); // torch's own dropout
        Tensor outputs = _module.call(_batch.Inputs), loss = _loss.Of(outputs, Targets(outputs), RowWeights(batch));
        (gradientScale == 1 ? loss : loss * gradientScale).backward();
        _flat.Download();
        double weight = WeightOf(batch);
        return new BatchLoss((double)loss.ToSingle() * weight, weight);
    }

    /// <inheritdoc/>
    public int FewestRows { get; }

    /// <inheritdoc/>
    public double WeightOf(FeatureBatch batch)
    {
        IReadOnlyList<float>? weights = _loss is SparseCategoricalCrossEntropy sparse ? sparse.ClassWeights : _loss is BinaryCrossEntropy binary ? binary.ClassWeights : null;
        bool byClass = weights is not null && batch.Labels.Length >= batch.Count;
        if (!byClass && batch.Weights.Length == 0)
            return batch.Count;
        double sum = 0;
        for (int row = 0; row < batch.Count; row++)
            sum += batch.WeightOf(row) * (byClass && (uint)batch.Labels[row] < (uint)weights!.Count ? weights[batch.Labels[row]] : 1.0); // a wrong label is the loss's to refuse
        return sum;
    }

    /// <inheritdoc/>
    public ValidationResult Evaluate(IBatchSource<FeatureBatch> rows)
    {
        Mode(training: false);
        _flat.Upload();
        BatchLoss total = default;
        var tally = new ScoreTally(_score);
        using IDisposable quiet = no_grad();
        foreach (FeatureBatch batch in rows.Batches(new BatchPlan(_batchSize)))
        {
            using TensorScope scope = TensorScope.Begin();
            _batch.Fill(batch);
            Tensor outputs = _module.call(_batch.Inputs);
            double weight = WeightOf(batch);
            total += new BatchLoss((double)_loss.Of(outputs, Targets(outputs), RowWeights(batch)).ToSingle() * weight, weight);
            if (_score != ValidationScore.None)
                tally.Add(TensorMemory.Singles(outputs.cpu().contiguous()), batch);
        }

        return new ValidationResult(total.Mean, tally.Value);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, float[]> SaveBuffers() => _buffers.ToDictionary(b => b.Key, b => TensorMemory.Read(b.Value));

    /// <inheritdoc/>
    public bool IsAveraged(string buffer) => _buffers.First(b => b.Key == buffer).Value.is_floating_point();

    /// <inheritdoc/>
    public void LoadBuffers(IReadOnlyDictionary<string, float[]> buffers)
    {
        foreach ((string name, Tensor buffer) in _buffers)
            TensorMemory.Write(buffer, buffers[name]);
    }

    /// <summary>Uploads the final values, leaves the module in evaluation mode, and frees the buffers.</summary>
    public void Dispose()
    {
        _flat.Upload();
        _module.eval();
        _batch.Dispose();
        _flat.Dispose();
    }

    /// <summary>Builds a <see cref="Layer"/> for such rows if it is not built yet.</summary>
    internal static void Build(nn.Module module, FeatureLayout layout, long seed)
    {
        if (module is Layer { IsBuilt: false } layer)
            layer.Build(layout.TokenLength > 0 ? [layout.TokenLength] : Shape.Of(layout.DenseShape), seed);
    }

    private Tensor? RowWeights(FeatureBatch batch) => batch.Weights.Length == 0 ? null : tensor(batch.Weights.AsSpan(0, batch.Count).ToArray()).to(_flat.Device);

    private void Mode(bool training)
    {
        if (_training == training)
            return;
        _module.train(training);
        _training = training;
    }

    private Tensor Targets(Tensor outputs)
    {
        Tensor targets = _batch.Targets(_loss.Targets, _loss.Targets == TargetForm.Distribution ? outputs.size(1) : 0);
        return _loss.Targets == TargetForm.Values && outputs.dim() == 1 ? targets.view(-1) : targets; // [N, 1] is meant where the net gives [N]
    }
}
