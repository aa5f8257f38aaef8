using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Candela.Training;

/// <summary>What the native engine is, where it was found and what was done to load it; <c>candela doctor</c> prints it.</summary>
public sealed record EngineReport
{
    /// <summary>True when libtorch is loaded and usable.</summary>
    public required bool Loaded { get; init; }

    /// <summary>Why it is not, or null.</summary>
    public string? Problem { get; init; }

    /// <summary>Version of the TorchSharp assembly.</summary>
    public required string TorchSharpVersion { get; init; }

    /// <summary>Version of libtorch TorchSharp was built for.</summary>
    public required string LibTorchVersion { get; init; }

    /// <summary>Platform identifier of the native packages, for example <c>linux-x64</c>.</summary>
    public required string Rid { get; init; }

    /// <summary>The folder libtorch was found in, or null.</summary>
    public string? LibTorchFolder { get; init; }

    /// <summary>The TorchSharp native library that was loaded (the original or the patched copy), or null.</summary>
    public string? BridgeFile { get; init; }

    /// <summary>Symbol versions marked weak in the copy that was loaded; empty when the original was loaded.</summary>
    public IReadOnlyList<string> Patched { get; init; } = [];

    /// <summary>Why a patched copy was needed, or null.</summary>
    public string? PatchReason { get; init; }

    /// <summary>The host's C++ runtime library, or null when it was not looked at.</summary>
    public string? CppRuntimeFile { get; init; }

    /// <summary>Devices that can be used: cpu, cuda:0, mps.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Threads libtorch uses inside one operation; 0 when it is not loaded.</summary>
    public int Threads { get; init; }

    /// <summary>Vector instruction sets this process may use, as .NET sees them.</summary>
    public IReadOnlyList<string> ProcessorFeatures { get; init; } = DetectProcessorFeatures();

    /// <summary>Logical processors available to this process.</summary>
    public int Processors { get; init; } = Environment.ProcessorCount;

    /// <summary>Wall time that loading took; zero when not loaded.</summary>
    public TimeSpan LoadTime { get; init; }

    private static List<string> DetectProcessorFeatures()
    {
        List<string> features = [];
        void Add(bool has, string name)
        {
            if (has)
                features.Add(name);
        }

        Add(Sse42.IsSupported, "SSE4.2");
        Add(Avx2.IsSupported, "AVX2");
        Add(Fma.IsSupported, "FMA");
        Add(Avx512F.IsSupported, "AVX-512F");
        Add(Avx512BW.IsSupported, "AVX-512BW");
        Add(Avx512Vbmi.IsSupported, "AVX-512VBMI");
        Add(AdvSimd.IsSupported, "AdvSimd");
        Add(Dp.IsSupported, "Arm dot product");
        return features.Count > 0 ? features : [$"no vector set known on {RuntimeInformation.ProcessArchitecture}"];
    }
}
