namespace Candela.Training;

/// <summary>What computes the steps of <see cref="Trainer"/>. Both engines have the same layers, losses, dropout masks and optimisers and agree within rounding; each is
/// reproducible bit by bit, but not the one by the other.</summary>
public enum TrainingEngine
{
    /// <summary>The managed kernels where they cover the net, the loss and the rows, for they are faster on the CPU; libtorch elsewhere (default).</summary>
    Auto,

    /// <summary>libtorch: every module, every device.</summary>
    LibTorch,

    /// <summary>The managed kernels; where they do not cover the net a <see cref="UsageException"/> says why.</summary>
    Managed,
}
