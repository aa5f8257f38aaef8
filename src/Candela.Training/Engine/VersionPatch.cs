using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Candela.Training.Engine;

/// <summary>Makes TorchSharp's native library loadable on hosts whose libstdc++ is older than GCC 13's (Debian 12, Ubuntu 22.04, RHEL 9).
/// The library wants symbol version GLIBCXX_3.4.32; the one symbol behind it is never called. A copy with that want marked weak
/// (two bytes) loads. The original is never written: it may be a hard link into the package cache.</summary>
internal static class VersionPatch
{
    /// <summary>Versions that may be absent, because nothing behind them is called.</summary>
    internal static readonly string[] Dispensable = ["GLIBCXX_3.4.32"];

    /// <summary>The wanted C++ runtime versions that <paramref name="provided"/> lacks and that are not weak already.</summary>
    public static IReadOnlyList<ElfVersionNeed> Missing(ElfFile library, IReadOnlyCollection<string> provided) =>
        [.. library.VersionNeeds.Where(n => n.Library.StartsWith("libstdc++", StringComparison.Ordinal) && !n.Weak && !provided.Contains(n.Version))];

    /// <summary>The bytes with each of <paramref name="needs"/> marked weak.</summary>
    public static byte[] Apply(byte[] original, IEnumerable<ElfVersionNeed> needs)
    {
        byte[] patched = (byte[])original.Clone();
        foreach (ElfVersionNeed need in needs)
        {
            Span<byte> flags = patched.AsSpan(need.FlagsOffset, 2);
            BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | ElfFile.WeakFlag));
        }

        return patched;
    }

    /// <summary>Stores the patched bytes in the first cache folder that can be written and returns the file's path. A copy that is there
    /// already is used only if it is byte for byte what it should be.</summary>
    public static string Store(byte[] original, byte[] patched, string fileName, IEnumerable<string>? cacheRoots = null)
    {
        string key = Convert.ToHexStringLower(SHA256.HashData(original));
        List<Exception> failures = [];
        foreach (string root in cacheRoots ?? CacheRoots())
        {
            try
            {
                string folder = Path.Combine(root, "native", key);
                string path = Path.Combine(folder, fileName);
                if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(patched))
                    return path;
                CreatePrivateFolder(folder);
                AtomicFile.Write(path, stream => stream.Write(patched));
                return path;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                failures.Add(failure);
            }
        }

        throw new EngineException(
            $"libtorch needs a patched copy of {fileName} on this system, but no cache folder could be written ({failures[^1].Message}). Set XDG_CACHE_HOME to a writable folder.",
            failures[^1]);
    }

    /// <summary>Per-user cache folders in order of preference: XDG_CACHE_HOME, ~/.cache, the temporary folder.</summary>
    public static IEnumerable<string> CacheRoots()
    {
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache))
            yield return Path.Combine(cache, "candela");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (home.Length > 0)
            yield return Path.Combine(home, ".cache", "candela");
        yield return Path.Combine(Path.GetTempPath(), $"candela-{Environment.UserName}");
    }

    private static void CreatePrivateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
