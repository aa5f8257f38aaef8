namespace Candela.Runs;

/// <summary>Keeps a run folder to one process while a run is written there: a file the system locks, so that one left by a process that died is no obstacle.</summary>
internal sealed class RunLock : IDisposable
{
    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <summary>Takes the lock of an existing folder.</summary>
    /// <exception cref="UsageException">Another process, or another run of this one, is writing there.</exception>
    public static RunLock Take(RunFolder folder)
    {
        while (true)
        {
            FileStream file;
            try
            {
                file = new FileStream(folder.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (IOException error) when ((error.HResult & 0xFFFF) is 11 or 32 or 35) // EAGAIN of Linux, a sharing violation of Windows, EAGAIN of macOS
            {
                throw new UsageException($"Another run is being written to {folder.Path} now. Wait until it ends, or choose another --out.", error);
            }

            if (File.Exists(folder.Lock))
                return new RunLock(file);
            file.Dispose(); // its holder removed the file between our opening and locking it
        }
    }

    public void Dispose() => _file.Dispose();
}
