using Candela.Runs;

namespace Candela.Experiments;

/// <summary>A run whose input has been read and accepted, and nothing written yet.</summary>
internal interface IPreparedRun : IDisposable
{
    /// <summary>SHA-256 of the data: an interrupted run goes on only with the same.</summary>
    string DataHash { get; }

    /// <summary>Trains, evaluates, and writes every file of the folder, run.json last.</summary>
    void Run(Session session, RunFolder files);
}

/// <summary>The life of a run folder while it is written, whatever is trained: it appears only when the input has been accepted, is locked against other runs, and
/// ends finished, resumable, or as it was before.</summary>
internal static class RunWriting
{
    /// <summary>Prepares and runs.</summary>
    /// <param name="request">What to do.</param>
    /// <param name="folder">The run folder to make.</param>
    /// <param name="options">How to run.</param>
    /// <param name="prepare">Reads the input and refuses what cannot be used.</param>
    /// <param name="cancellation">When cancelled the folder stays resumable.</param>
    public static void Write(TrainRequest request, string folder, ExperimentOptions options, Func<Session, IPreparedRun> prepare, CancellationToken cancellation)
    {
        var files = new RunFolder(folder);
        if (!files.IsHalfMoved)
            CheckFolder(files, request, options);
        RunLock? taken = null;
        bool made = false, done = false;
        try
        {
            // A folder that is there is kept from other runs from now on; one that is not appears only when the input has been accepted.
            if (Directory.Exists(folder))
                taken = Take(files, request, options);
            using var session = new Session(request, options, cancellation);
            using IPreparedRun run = prepare(session);
            if (taken is null)
            {
                made = !Directory.Exists(folder);
                Directory.CreateDirectory(folder);
                taken = Take(files, request, options);
            }

            Write(session, run, files);
            done = true;
        }
        finally
        {
            taken?.Dispose();
            if (made && !done && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }
    }

    /// <summary>Moves the files of a finished model from its checkpoint into the run folder, each in one step.</summary>
    public static void Publish(string saved, RunFolder files)
    {
        foreach (string file in Directory.EnumerateFiles(saved, "*", SearchOption.AllDirectories))
        {
            string to = Path.Combine(files.Path, Path.GetRelativePath(saved, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            AtomicFile.Write(to, stream =>
            {
                using var from = File.OpenRead(file);
                from.CopyTo(stream);
            });
        }
    }

    private static RunLock Take(RunFolder files, TrainRequest request, ExperimentOptions options)
    {
        var taken = RunLock.Take(files);
        try
        {
            files.RecoverMove();
            CheckFolder(files, request, options); // another run may have come and gone since
            return taken;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    // What --overwrite replaces is set aside until the new run is finished, and put back when that is refused or cancelled before anything was trained.
    private static void Write(Session session, IPreparedRun run, RunFolder files)
    {
        bool fresh = !session.Options.Resume || !files.IsInterrupted;
        try
        {
            if (fresh)
            {
                if (session.Options.Overwrite)
                    files.SetAside();
                Recipe.Write(files.Recipe, session.Request);
            }

            session.Open(files, run.DataHash);
            run.Run(session, files);
        }
        catch (Exception error) when (fresh && error is CandelaException or OperationCanceledException or IOException && !files.IsFinished && !new FitCheckpoints(files.Checkpoints).HasProgress)
        {
            session.Dispose();
            files.RestorePrevious();
            throw;
        }
        catch (OperationCanceledException) when (session.IsOpen)
        {
            session.SaveState(); // the time used counts towards the budget of the resumed run
            throw;
        }

        files.DropPrevious();
    }

    private static void CheckFolder(RunFolder files, TrainRequest request, ExperimentOptions options)
    {
        if (File.Exists(files.Path))
            throw new UsageException($"{files.Path} is a file; a folder was needed for the run.");
        if (!Directory.Exists(files.Path) || Directory.EnumerateFileSystemEntries(files.Path).All(e => Path.GetFileName(e) == Path.GetFileName(files.Lock)))
            return;
        if (options.Resume)
        {
            if (!files.IsInterrupted)
                throw new UsageException($"{files.Path} {(files.IsFinished ? "holds a finished run" : "is not a run folder")}: there is nothing to resume.");
            if (Recipe.ToYaml(Recipe.Read(files.Recipe)) != Recipe.ToYaml(request))
                throw new UsageException($"The options differ from those in {files.Recipe}: a run is resumed as it was begun. Leave the options out, or start anew with --overwrite.");
        }
        else if (!options.Overwrite)
        {
            throw new UsageException($"The folder {files.Path} is not empty. Choose another --out, go on with --resume {files.Path}, or replace it with --overwrite.");
        }
        else if (!files.IsFinished && !files.IsInterrupted && files.OwnEntries().FirstOrDefault() is { } taken)
        {
            throw new UsageException($"{files.Path} is no run (no run.json, no recipe.yaml) but holds {Path.GetFileName(taken)}: --overwrite will not replace a file that is not a run's. Choose another --out.");
        }
    }
}
