namespace Candela.Runs;

/// <summary>A free name for a run folder, kept from other processes until it is disposed: the folder itself appears only once the input has been accepted.</summary>
public sealed class RunFolderClaim : IDisposable
{
    private readonly RunLock _lock;
    private readonly string? _made;

    private RunFolderClaim(string path, RunLock taken, string? made) => (Path, _lock, _made) = (path, taken, made);

    /// <summary>The folder to use: <c>PARENT/NAME</c>, or <c>PARENT/NAME-2</c>, ... where that is taken.</summary>
    public string Path { get; }

    /// <summary>Finds and keeps a name that is neither on the disk nor claimed by another. The parent is made when it is missing, and removed again when it is empty at the end.</summary>
    public static RunFolderClaim Take(string parent, string name)
    {
        string? made = Directory.Exists(parent) ? null : parent;
        Directory.CreateDirectory(parent);
        for (int number = 1; ; number++)
        {
            string folder = number == 1 ? name : $"{name}-{number}", path = System.IO.Path.Combine(parent, folder);
            if (System.IO.Path.Exists(path) || RunLock.TryTake(System.IO.Path.Combine(parent, $".{folder}.claim")) is not { } taken)
                continue;
            if (!System.IO.Path.Exists(path))
                return new RunFolderClaim(path, taken, made);
            taken.Dispose(); // made, and let go of, since we looked
        }
    }

    /// <summary>Lets go of the name.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        try
        {
            if (_made is not null && !Directory.EnumerateFileSystemEntries(_made).Any())
                Directory.Delete(_made);
        }
        catch (IOException)
        {
            // another process put something there, or removed it, in this moment: as good
        }
    }
}
