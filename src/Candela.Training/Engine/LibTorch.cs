using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Candela.Training.Engine;
using TorchSharp;

namespace Candela.Training;

/// <summary>Loads libtorch, once per process, on first need. Everything in Candela.Training that touches a tensor calls
/// <see cref="Load"/> first; a program that never does pays nothing and maps no native library.</summary>
public static class LibTorch
{
    private static readonly Lock Gate = new();
    private static volatile EngineReport? _report;
    private static EngineException? _failure;

    /// <summary>True once libtorch is loaded.</summary>
    public static bool IsLoaded => _report is not null;

    /// <summary>Loads libtorch if it is not loaded and says what was found and done. Thread-safe; later calls are free.
    /// Takes about 0.3 s the first time, and about 150 MB of resident memory.</summary>
    /// <exception cref="EngineException">It cannot be used; the message names the package to add or the runtime to update.</exception>
    public static EngineReport Load()
    {
        if (_report is { } report)
            return report;
        lock (Gate)
        {
            if (_report is { } loaded)
                return loaded;
            if (_failure is not null)
                throw new EngineException(_failure.Message, _failure);
            try
            {
                return _report = LoadOnce();
            }
            catch (EngineException failure)
            {
                _failure = failure;
                throw;
            }
        }
    }

    /// <summary>What <see cref="Load"/> would say, without throwing: a failure is in <see cref="EngineReport.Problem"/>.</summary>
    public static EngineReport Inspect()
    {
        try
        {
            EngineReport report = Load();
            return report with { Devices = Training.Devices.Available(), Threads = torch.get_num_threads() };
        }
        catch (EngineException failure)
        {
            return Describe(loaded: false) with { Problem = failure.Message };
        }
    }

    /// <summary>Sets how many threads libtorch uses inside one operation (0: all processors available to this process).</summary>
    public static void SetThreads(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        Load();
        torch.set_num_threads(threads == 0 ? Environment.ProcessorCount : threads);
    }

    /// <summary>Whether a build of libtorch for a GPU lies beside the application. Looks for files only; loads nothing.</summary>
    internal static bool HasAcceleratorBuild =>
        NativeSearch.Rid == "osx-arm64" || NativeSearch.FolderWith(NativeSearch.Folders(Path.GetDirectoryName(Bridge.Location) ?? "", TorchSharpVersion, LibTorchVersion), NativeSearch.CudaFile) is not null;

    private static Assembly Bridge => typeof(torch).Assembly;

    private static string TorchSharpVersion =>
        (Bridge.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? Bridge.GetName().Version!.ToString()).Split('+')[0];

    // Read from metadata: calling any member of `torch` runs its static constructor, which tries to load the library by itself.
    private static string LibTorchVersion =>
        typeof(torch).GetField("libtorchPackageVersion", BindingFlags.NonPublic | BindingFlags.Static)?.GetRawConstantValue() is string version
            ? string.Join('.', version.Split('.').Take(3))
            : "2.10.0";

    private static EngineReport Describe(bool loaded) => new()
    {
        Loaded = loaded,
        TorchSharpVersion = TorchSharpVersion,
        LibTorchVersion = LibTorchVersion,
        Rid = NativeSearch.Rid,
    };

    private static EngineReport LoadOnce()
    {
        long started = Stopwatch.GetTimestamp();
        if (!Environment.Is64BitProcess)
            throw new EngineException("libtorch needs a 64-bit process; this one is 32-bit. Run the 64-bit .NET runtime.");
        IReadOnlyList<string> folders = NativeSearch.Folders(Path.GetDirectoryName(Bridge.Location) ?? "", TorchSharpVersion, LibTorchVersion);
        Locate(folders, out string bridgeFolder, out string torchFolder);
        ThreadWaiting.Calm();
        EngineReport report = Describe(loaded: true) with { LibTorchFolder = torchFolder, BridgeFile = Path.Combine(bridgeFolder, NativeSearch.BridgeFile) };
        foreach (string file in NativeSearch.LoadOrder)
        {
            string path = Path.Combine(torchFolder, file);
            if (File.Exists(path))
                LoadFile(path);
        }

        if (OperatingSystem.IsLinux())
            report = PatchIfNeeded(report);
        nint bridge = LoadFile(report.BridgeFile!);
        try
        {
            NativeLibrary.SetDllImportResolver(Bridge, (name, _, _) => name == "LibTorchSharp" ? bridge : 0);
        }
        catch (InvalidOperationException)
        {
            // The host has set its own resolver: the library is found by the name it is loaded under.
        }

        if (!torch.TryInitializeDeviceType(DeviceType.CPU))
            throw new EngineException($"libtorch was loaded from {torchFolder} but TorchSharp could not start it.");
        return report with { Devices = ["cpu"], Threads = torch.get_num_threads(), LoadTime = Stopwatch.GetElapsedTime(started) };
    }

    /// <summary>Finds both native parts; a CUDA build of libtorch goes before a CPU one.</summary>
    /// <exception cref="EngineException">One is in none of the folders; the message names its package.</exception>
    internal static void Locate(IReadOnlyList<string> folders, out string bridgeFolder, out string torchFolder)
    {
        bridgeFolder = NativeSearch.FolderWith(folders, NativeSearch.BridgeFile)
            ?? throw new EngineException($"TorchSharp's native library {NativeSearch.BridgeFile} is not in {Where(folders)}. Add the package TorchSharp {TorchSharpVersion} to the application; it supports win-x64, linux-x64 and osx-arm64, and this is {NativeSearch.Rid}.");
        torchFolder = NativeSearch.FolderWith(folders.Where(f => File.Exists(Path.Combine(f, NativeSearch.CudaFile))), NativeSearch.CoreFile)
            ?? NativeSearch.FolderWith(folders, NativeSearch.CoreFile)
            ?? throw new EngineException($"libtorch ({NativeSearch.CoreFile}) is not in {Where(folders)}. Add the package libtorch-cpu-{NativeSearch.Rid} {LibTorchVersion} to the application: dotnet add package libtorch-cpu-{NativeSearch.Rid} --version {LibTorchVersion}");
    }

    private static EngineReport PatchIfNeeded(EngineReport report)
    {
        string bridgeFile = report.BridgeFile!;
        string? runtimeFile = HostCppRuntime();
        if (runtimeFile is null)
            return report;
        byte[] original = File.ReadAllBytes(bridgeFile);
        var library = ElfFile.Parse(original, bridgeFile);
        HashSet<string> provided = [.. ElfFile.Parse(File.ReadAllBytes(runtimeFile), runtimeFile).VersionDefinitions];
        IReadOnlyList<ElfVersionNeed> missing = VersionPatch.Missing(library, provided);
        report = report with { CppRuntimeFile = runtimeFile };
        if (missing.Count == 0)
            return report;
        if (missing.FirstOrDefault(n => !VersionPatch.Dispensable.Contains(n.Version)) is { } needed)
            throw new EngineException($"The C++ runtime {runtimeFile} does not provide {needed.Version}, which {Path.GetFileName(bridgeFile)} needs. Update libstdc++6 to that of GCC 12 or later.");
        string copy = VersionPatch.Store(original, VersionPatch.Apply(original, missing), Path.GetFileName(bridgeFile));
        string names = string.Join(", ", missing.Select(n => n.Version));
        return report with
        {
            BridgeFile = copy,
            Patched = [.. missing.Select(n => n.Version)],
            PatchReason = $"{runtimeFile} does not provide {names}; nothing behind it is called, so a copy was made in which it is optional",
        };
    }

    private static string? HostCppRuntime()
    {
        if (!NativeLibrary.TryLoad("libstdc++.so.6", out _) || !File.Exists("/proc/self/maps"))
            return null;
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            int at = line.IndexOf('/', StringComparison.Ordinal);
            if (at >= 0 && Path.GetFileName(line[at..]).StartsWith("libstdc++.so.6", StringComparison.Ordinal))
                return line[at..];
        }

        return null;
    }

    private static nint LoadFile(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            throw new EngineException($"{path} could not be loaded: {Reason(failure.Message)}. The packages TorchSharp {TorchSharpVersion} and libtorch-cpu-{NativeSearch.Rid} {LibTorchVersion} belong together; check that both are referenced and that the system's C and C++ runtimes are not older than Debian 12's.", failure);
        }
    }

    // The loader's own text lists every path it tried; the last line carries the cause.
    private static string Reason(string message) =>
        message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 1 } lines ? lines[^1].TrimEnd('.') : message.TrimEnd('.');

    private static string Where(IReadOnlyList<string> folders) => folders.Count == 0 ? "any known folder" : $"any of {folders.Count} folders from {folders[0]} on";
}
