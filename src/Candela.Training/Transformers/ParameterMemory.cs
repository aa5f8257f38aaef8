using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Transformers;

/// <summary>Where a parameter's numbers lie.</summary>
internal static unsafe class ParameterMemory
{
    /// <summary>Its values.</summary>
    public static float* Values(LayerParameter parameter) => (float*)TensorAddress.Of(parameter.Value);

    /// <summary>Its gradient's, or null where it is not trained.</summary>
    public static float* Gradients(LayerParameter parameter)
    {
        if (!parameter.Value.requires_grad)
            return null;
        using Tensor? gradient = parameter.Value.grad;
        return gradient is null ? null : (float*)TensorAddress.Of(gradient);
    }

    /// <summary>Whether the kernels can read it: float32 on the CPU, row-major.</summary>
    public static bool Fits(LayerParameter parameter) =>
        parameter.Value.dtype == ScalarType.Float32 && parameter.Value.device_type == DeviceType.CPU && parameter.Value.is_contiguous();
}
