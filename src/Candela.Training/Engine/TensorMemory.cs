using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Moves numbers between managed arrays and tensors.</summary>
public static class TensorMemory
{
    /// <summary>The memory of a contiguous float32 tensor on the CPU, without a copy; valid while the tensor lives.</summary>
    /// <exception cref="ShapeException">The tensor is of another type, elsewhere, or not contiguous.</exception>
    public static Span<float> Singles(Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Float32 || tensor.device_type != DeviceType.CPU || !tensor.is_contiguous())
            throw new ShapeException($"A contiguous float32 tensor on the CPU was needed; got {tensor.dtype} on {tensor.device}{(tensor.is_contiguous() ? "" : ", not contiguous")}.");
        return MemoryMarshal.Cast<byte, float>(tensor.bytes);
    }

    /// <summary>A copy of the values as singles, row-major, from any device and type.</summary>
    public static float[] Read(Tensor tensor)
    {
        using var scope = TensorScope.Begin();
        return Singles(tensor.detach().to(ScalarType.Float32).cpu().contiguous()).ToArray();
    }

    /// <summary>Overwrites the tensor's values, row-major, in place; its type and device stay. Not recorded by autograd.</summary>
    /// <exception cref="ShapeException">The counts differ.</exception>
    public static void Write(Tensor tensor, ReadOnlySpan<float> values)
    {
        if (tensor.numel() != values.Length)
            throw new ShapeException($"A tensor of shape [{string.Join(", ", tensor.shape)}] takes {tensor.numel()} values; got {values.Length}.");
        if (tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU && tensor.is_contiguous())
        {
            values.CopyTo(Singles(tensor));
            return;
        }

        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        tensor.copy_(torch.tensor(values.ToArray(), tensor.shape));
    }

    /// <summary>A new float32 tensor on the CPU with these values; the caller, or the open scope, disposes it.</summary>
    public static Tensor FromSingles(ReadOnlySpan<float> values, params long[] shape)
    {
        LibTorch.Load();
        Tensor tensor = empty(shape, ScalarType.Float32);
        Write(tensor, values);
        return tensor;
    }
}
