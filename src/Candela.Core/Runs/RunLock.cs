namespace Candela.Runs;

/// <summary>Keeps a run folder, or the name of one, to one process: a file the system locks, so that one left by a process that died is no obstacle.</summary>
internal sealed class RunLock : IDisposable
{
    private readonly FileStream _file;
    private readonly string? _remove;

    private RunLock(FileStream file, string? remove) => (_file, _remove) = (file, remove);

    /// <summary>Takes the lock of an existing folder.</summary>
    /// <exception cref="UsageException">Another process, or another run of this one, is writing there.</exception>
    public static RunLock Take(RunFolder folder)
    {
        for (int attempt = 0; ; attempt++)
        {
            if (TryTake(folder.Lock) is { } taken)
                return taken;
            if (attempt == 3) // whoever only asks whether a run is being written holds the lock for a moment
                throw new UsageException($"Another run is being written to {folder.Path} now. Wait until it ends, or choose another --out.");
            Thread.Sleep(20);
        }
    }

    /// <summary>Takes a lock file, or returns null when somebody has it.</summary>
    public static RunLock? TryTake(string path)
    {
        while (true)
        {
            FileStream file;
            try
            {
                file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
            }
            catch (IOException error) when (IsHeld(error))
            {
                return null;
            }

            if (Own(file, path) is { } taken)
                return taken;
        }
    }

    /// <summary>The lock of a file that was opened and locked, or null, and the file closed, when the name leads to another file by now: its holder may have removed it between our opening and our locking it,
    /// and somebody may have made another. (On Windows a file keeps its name while it is open.)</summary>
    internal static RunLock? Own(FileStream file, string path)
    {
        if (OperatingSystem.IsWindows())
            return new RunLock(file, null);
        // A time that only we can have written tells whether the name leads to the file we locked.
        File.SetLastWriteTimeUtc(file.SafeFileHandle, DateTime.UnixEpoch.AddTicks((long)(BitConverter.ToUInt64(Guid.NewGuid().ToByteArray()) % (ulong)TimeSpan.TicksPerDay * 10_000)));
        if (File.Exists(path) && File.GetLastWriteTimeUtc(path) == File.GetLastWriteTimeUtc(file.SafeFileHandle))
            return new RunLock(file, path);
        file.Dispose();
        return null;
    }

    /// <summary>Whether somebody has the lock file.</summary>
    public static bool IsHeld(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            return false;
        }
        catch (IOException error) when (IsHeld(error))
        {
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false; // not there
        }
    }

    public void Dispose()
    {
        if (_remove is not null && !_file.SafeFileHandle.IsClosed)
            File.Delete(_remove); // while the lock is held, so that it is ours
        _file.Dispose();
    }

    // EAGAIN of Linux, a sharing violation of Windows, EAGAIN of macOS.
    private static bool IsHeld(IOException error) => (error.HResult & 0xFFFF) is 11 or 32 or 35;
}
