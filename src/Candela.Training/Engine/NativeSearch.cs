using System.Runtime.InteropServices;

namespace Candela.Training.Engine;

/// <summary>Where native libraries of TorchSharp and libtorch may lie, and what they are called on this platform.</summary>
internal static class NativeSearch
{
    /// <summary>The native packages' platform identifier.</summary>
    public static string Rid { get; } =
        (OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")
        + (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "-arm64" : "-x64");

    /// <summary>File name of TorchSharp's bridge to libtorch.</summary>
    public static string BridgeFile { get; } = FileName("LibTorchSharp");

    /// <summary>The file whose presence means that libtorch is there.</summary>
    public static string CoreFile { get; } = FileName("torch_cpu");

    /// <summary>The file whose presence means that a CUDA build of libtorch is there.</summary>
    public static string CudaFile { get; } = FileName("torch_cuda");

    /// <summary>libtorch's libraries in the order in which they can be loaded; those that a package does not have are passed over.</summary>
    public static IReadOnlyList<string> LoadOrder { get; } =
        OperatingSystem.IsWindows() ? ["libiomp5md.dll", "uv.dll", "c10.dll", "torch_cpu.dll", "torch.dll"]
        : OperatingSystem.IsMacOS() ? ["libomp.dylib", "libc10.dylib", "libtorch_cpu.dylib", "libtorch.dylib"]
        : ["libc10.so", "libtorch_cpu.so", "libtorch.so"];

    /// <summary>Folders to look in, in order: what the host lists, the application's, TorchSharp's, then the package cache.</summary>
    public static IReadOnlyList<string> Folders(string torchSharpFolder, string torchSharpVersion, string libTorchVersion)
    {
        List<string> folders = [];
        void Add(string folder)
        {
            if (folder.Length > 0 && Directory.Exists(folder) && !folders.Contains(folder))
                folders.Add(folder);
        }

        void AddWithRuntimes(string folder)
        {
            Add(folder);
            Add(Path.Combine(folder, "runtimes", Rid, "native"));
        }

        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string listed)
        {
            foreach (string folder in listed.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
                Add(folder);
        }

        AddWithRuntimes(AppContext.BaseDirectory);
        if (torchSharpFolder.Length > 0)
            AddWithRuntimes(torchSharpFolder);
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        Add(Path.Combine(packages, "torchsharp", torchSharpVersion, "runtimes", Rid, "native"));
        Add(Path.Combine(packages, $"libtorch-cpu-{Rid}", libTorchVersion, "runtimes", Rid, "native"));
        return folders;
    }

    /// <summary>The first of <paramref name="folders"/> that holds <paramref name="file"/>, or null.</summary>
    public static string? FolderWith(IEnumerable<string> folders, string file) => folders.FirstOrDefault(f => File.Exists(Path.Combine(f, file)));

    private static string FileName(string library) =>
        OperatingSystem.IsWindows() ? $"{library}.dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";
}
