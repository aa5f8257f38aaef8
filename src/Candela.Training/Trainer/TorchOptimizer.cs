using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A fused optimiser bound to a module's parameters, for one's own training loop:
/// <code>
/// using var optimizer = new TorchOptimizer(net, new AdamOptions());
/// foreach (FeatureBatch rows in source.Batches(plan))
/// {
///     using var scope = TensorScope.Begin();
///     batch.Fill(rows);
///     optimizer.ZeroGrad();
///     loss.Of(net.call(batch.Inputs), batch.Targets(loss.Targets)).backward();
///     optimizer.Step(learningRate);
/// }
/// </code></summary>
public sealed class TorchOptimizer : IDisposable
{
    private readonly FlatParameters _flat;

    /// <summary>Moves the module's parameters into flat buffers and starts the optimiser over them.</summary>
    /// <param name="module">Any TorchSharp module with float32 parameters; a <see cref="Layer"/> must be built.</param>
    /// <param name="options">Which optimiser.</param>
    public TorchOptimizer(nn.Module module, OptimizerOptions options)
    {
        LibTorch.Load();
        _flat = new FlatParameters(module);
        Optimizer = Optimizer.Create(options, _flat.Segments);
    }

    /// <summary>The optimiser, for its state.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>The parameters.</summary>
    public FlatParameters Parameters => _flat;

    /// <summary>Sets all gradients to 0 in place.</summary>
    public void ZeroGrad() => _flat.ZeroGradients();

    /// <summary>Updates the parameters from their gradients.</summary>
    /// <param name="learningRate">The rate.</param>
    /// <param name="maxNorm">Global gradient-norm clip. Default none.</param>
    /// <returns>The gradient norm before clipping.</returns>
    public double Step(double learningRate, double maxNorm = double.PositiveInfinity)
    {
        _flat.Reattach(); // module.zero_grad() and others replace the module's gradients
        _flat.Download();

        double norm = Optimizer.Step(_flat.Values, _flat.Gradients, learningRate, maxNorm);
        _flat.Upload();
        return norm;
    }

    /// <summary>One step of a line-searching optimiser (LBFGS); others evaluate once.</summary>
    /// <param name="loss">Zeroes the gradients, computes the loss, calls backward, and returns the loss.</param>
    /// <param name="learningRate">The rate.</param>
    public double Step(LossClosure loss, double learningRate = 1)
    {
        double value = Optimizer.Minimize(_flat.Values, _flat.Gradients, () =>
        {
            _flat.Upload();
            double result = loss();
            _flat.Reattach();
            _flat.Download();
            return result;
        }, learningRate);
        _flat.Upload();
        return value;
    }

    /// <summary>Leaves the module with its present values.</summary>
    public void Dispose() => _flat.Dispose();
}
