using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A layer with a weight whose scale sets the variance of its outputs: what LSUV scales.</summary>
internal interface IAffineLayer
{
    /// <summary>The weight.</summary>
    LayerParameter Weight { get; }

    /// <summary>The outputs before the activation.</summary>
    Tensor Affine(Tensor input);
}
