using System.Runtime.InteropServices;
using Candela.Formats;

namespace Candela.Classic;

/// <summary>Reads tensors of a model file and checks their type, shape and finiteness.</summary>
internal static class ModelTensors
{
    /// <summary>A tensor of singles, all finite.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="name">Its key.</param>
    /// <param name="shape">The shape needed; -1 allows any length on that axis.</param>
    /// <exception cref="FileFormatException">It is missing, of another type or shape, or holds NaN or infinity.</exception>
    public static float[] Singles(SafetensorsFile file, string name, int[] shape)
    {
        Check(file, name, shape, TensorType.F32);
        float[] values = file.ReadSingles(name);
        for (int i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i]))
                throw new FileFormatException(file.Path, Fault.Corrupt, $"{name}[{i}] is {values[i]}; the model is damaged.");
        return values;
    }

    /// <summary>A tensor of 32-bit integers.</summary>
    /// <inheritdoc cref="Singles"/>
    public static int[] Integers(SafetensorsFile file, string name, int[] shape)
    {
        Check(file, name, shape, TensorType.I32);
        return MemoryMarshal.Cast<byte, int>(file.ReadBytes(name)).ToArray();
    }

    private static void Check(SafetensorsFile file, string name, int[] shape, TensorType type)
    {
        TensorInfo info = file.Info(name);
        bool fits = info.Type == type && info.Shape.Count == shape.Length;
        for (int i = 0; fits && i < shape.Length; i++)
            fits = shape[i] < 0 || info.Shape[i] == shape[i];
        if (!fits)
            throw new FileFormatException(file.Path, Fault.Corrupt, $"tensor '{name}' is {info.Type} [{string.Join(", ", info.Shape)}]; {type} [{string.Join(", ", shape)}] was needed.");
    }
}
