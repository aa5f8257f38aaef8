using Candela.Training.Engine;
using TorchSharp;

namespace Candela.Training;

/// <summary>Turns a device's name into a device that is there.</summary>
public static class Devices
{
    /// <summary>Names <see cref="Resolve"/> accepts (cuda also with an index, <c>cuda:1</c>).</summary>
    public static IReadOnlyList<string> Names { get; } = ["auto", "cpu", "cuda", "mps"];

    /// <summary>The device for a name; <c>auto</c> takes CUDA, then MPS, then the CPU. Loads libtorch.</summary>
    /// <exception cref="UsageException">The name is unknown.</exception>
    /// <exception cref="EngineException">The device or its package is absent; the message names what to add.</exception>
    public static torch.Device Resolve(string name)
    {
        string kind = name.Split(':')[0];
        int index = -1;
        if (!Names.Contains(kind) || (name.Length > kind.Length && (kind != "cuda" || !int.TryParse(name.AsSpan(kind.Length + 1), out index) || index < 0)))
            throw new UsageException($"Device '{name}' is unknown; use {string.Join(", ", Names)} or cuda:INDEX.{NearestName.Hint(name, Names)}");
        EngineReport engine = LibTorch.Load();
        switch (kind)
        {
            case "cpu":
                return torch.CPU;
            case "mps":
                return HasMps ? torch.MPS : throw new EngineException($"Device 'mps' needs macOS on Apple silicon and the package libtorch-cpu-osx-arm64 {engine.LibTorchVersion}; this is {engine.Rid}. Use --device cpu.");
            case "cuda":
                return Cuda(engine, Math.Max(index, 0));
            default:
                return HasCuda(engine) ? new torch.Device(DeviceType.CUDA, 0) : HasMps ? torch.MPS : torch.CPU;
        }
    }

    /// <summary>Refuses a device that cannot be used. Loads libtorch only for one that needs it.</summary>
    /// <inheritdoc cref="Resolve"/>
    internal static void Check(string name)
    {
        if (name is not ("auto" or "cpu"))
            _ = Resolve(name);
    }

    /// <summary>The devices that can be used, by the names <see cref="Resolve"/> takes. Loads libtorch.</summary>
    public static IReadOnlyList<string> Available()
    {
        EngineReport engine = LibTorch.Load();
        List<string> names = ["cpu"];
        if (HasCuda(engine))
            names.AddRange(Enumerable.Range(0, torch.cuda.device_count()).Select(i => $"cuda:{i}"));
        if (HasMps)
            names.Add("mps");
        return names;
    }

    private static bool HasMps => OperatingSystem.IsMacOS() && NativeSearch.Rid == "osx-arm64";

    private static bool HasCudaBuild(EngineReport engine) => engine.LibTorchFolder is { } folder && File.Exists(Path.Combine(folder, NativeSearch.CudaFile));

    // TorchSharp prints to the console when a CUDA build is absent, so its presence is looked up first.
    private static bool HasCuda(EngineReport engine) => HasCudaBuild(engine) && torch.TryInitializeDeviceType(DeviceType.CUDA) && torch.cuda.is_available();

    private static torch.Device Cuda(EngineReport engine, int index)
    {
        if (!HasCudaBuild(engine))
            throw new EngineException($"Device 'cuda' needs a CUDA build of libtorch, and {engine.LibTorchFolder} holds the CPU one. Replace the package libtorch-cpu-{engine.Rid} with libtorch-cuda-12.8-{engine.Rid} {engine.LibTorchVersion}, or use --device cpu.");
        if (!HasCuda(engine))
            throw new EngineException("Device 'cuda': the CUDA build of libtorch is there but it finds no usable GPU. Check the NVIDIA driver (nvidia-smi; CUDA 12.8 or later), or use --device cpu.");
        int count = torch.cuda.device_count();
        return index < count
            ? new torch.Device(DeviceType.CUDA, index)
            : throw new EngineException($"Device 'cuda:{index}' does not exist; there are {count} CUDA devices, cuda:0 to cuda:{count - 1}.");
    }
}
