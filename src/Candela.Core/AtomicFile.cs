namespace Candela;

/// <summary>Writes files so that a reader, or a crash at any moment, sees the old content or the new one, never half of it.</summary>
public static class AtomicFile
{
    /// <summary>Writes through <paramref name="write"/> to a temporary name beside <paramref name="path"/>, flushes to disk, then renames.
    /// On an exception the temporary file is removed and the old file is untouched. A link is followed, and a device or pipe (<c>/dev/stdout</c>) is written straight into.</summary>
    /// <exception cref="IOException">The folder does not exist, or the file cannot be written; <paramref name="path"/> is named.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        if (OpenDevice(path) is { } device)
        {
            using (device)
                write(device);
            return;
        }

        string target = new FileInfo(path) is { LinkTarget: not null } link ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName : path;
        string temporary = $"{target}.{Environment.ProcessId}.tmp";
        FileStream stream;
        try
        {
            stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        }
        catch (DirectoryNotFoundException error)
        {
            throw new DirectoryNotFoundException($"{path} cannot be written: its folder does not exist.", error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new UnauthorizedAccessException($"{path} cannot be written: its folder may not be written to.", error);
        }

        try
        {
            using (stream)
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes UTF-8 text without a byte-order mark.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    // What is there but has no length may be a pipe, a terminal or a device: one that cannot seek, or lies in /dev. An empty regular file is none.
    private static Stream? OpenDevice(string path)
    {
        if (path is "/dev/stdout" or "/dev/fd/1" or "/proc/self/fd/1")
            return Console.OpenStandardOutput(); // goes on where what was printed before ends
        if (OperatingSystem.IsWindows() || !File.Exists(path))
            return null;
        string full = Path.GetFullPath(path);
        string target = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? full;
        if (new FileInfo(target) is { Exists: true, Length: > 0 })
            return null;
        var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1 << 16);
        if (!stream.CanSeek || !File.Exists(target) || target.StartsWith("/dev/", StringComparison.Ordinal))
            return stream;
        stream.Dispose();
        return null;
    }
}
