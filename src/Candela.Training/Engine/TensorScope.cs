using TorchSharp;

namespace Candela.Training;

/// <summary>Disposes every tensor made while it is open, except those kept. The garbage collector does not see native memory, so a step
/// without a scope leaks. A <c>ref struct</c>: it cannot cross an <c>await</c>, where TorchSharp's thread-bound scopes break.</summary>
public readonly ref struct TensorScope
{
    private readonly DisposeScope _scope;

    private TensorScope(DisposeScope scope) => _scope = scope;

    /// <summary>Opens a scope: <c>using var scope = TensorScope.Begin();</c>. Loads libtorch.</summary>
    public static TensorScope Begin()
    {
        LibTorch.Load();
        return new TensorScope(torch.NewDisposeScope());
    }

    /// <summary>Hands the tensor to the scope outside this one, or to the caller when there is none.</summary>
    public torch.Tensor Keep(torch.Tensor tensor) => _scope.MoveToOuter(tensor);

    /// <summary>Takes the tensor out of every scope: the caller disposes it.</summary>
    public torch.Tensor Release(torch.Tensor tensor) => _scope.Detach(tensor);

    /// <summary>Tensors made on this thread and not disposed yet; leak tests compare it before and after.</summary>
    public static long LiveTensors => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    /// <summary>Closes the scope.</summary>
    public void Dispose() => _scope.Dispose();
}
