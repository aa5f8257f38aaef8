using System.Security.Cryptography;

namespace Candela.Runs;

/// <summary>The names of the files in a run folder, its record, and the check that nothing in it was damaged.
/// run.json is written last: a folder with it is a finished run, one with recipe.yaml but without it was interrupted and can be resumed.</summary>
public sealed class RunFolder(string path)
{
    /// <summary>The folder as given.</summary>
    public string Path { get; } = path;

    /// <summary>The folder's own name.</summary>
    public string Name => System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(Path)));

    /// <summary>config.json: what the model is.</summary>
    public string Config => In("config.json");

    /// <summary>model.safetensors: its weights.</summary>
    public string Model => In("model.safetensors");

    /// <summary>preprocessing.json: the fitted encoder.</summary>
    public string Preprocessing => In("preprocessing.json");

    /// <summary>recipe.yaml: every option used.</summary>
    public string Recipe => In("recipe.yaml");

    /// <summary>run.json: the record.</summary>
    public string Record => In("run.json");

    /// <summary>events.jsonl: the training log.</summary>
    public string Events => In("events.jsonl");

    /// <summary>report.html.</summary>
    public string Report => In("report.html");

    /// <summary>checkpoints/: state of an interrupted run; absent once the run is finished.</summary>
    public string Checkpoints => In("checkpoints");

    /// <summary>Whether a finished run is there.</summary>
    public bool IsFinished => File.Exists(Record);

    /// <summary>Whether an interrupted run is there that can be resumed.</summary>
    public bool IsInterrupted => !IsFinished && File.Exists(Recipe);

    /// <summary>Whether a process is writing a run here now.</summary>
    public bool IsBeingWritten => RunLock.IsHeld(Lock);

    /// <summary>The lock file, there only while a run is being written.</summary>
    internal string Lock => In(".candela.lock");

    // The run that is being replaced, until the new one is finished; and the same while it is half moved.
    private string Previous => In(".candela.previous");

    private string Moving => In(".candela.moving");

    /// <summary>Whether a crash came between moving one of a run's entries aside, or back, and the next.</summary>
    internal bool IsHalfMoved => Directory.Exists(Moving) || (Directory.Exists(Previous) && !OwnEntries().Any());

    private string[] OwnNames => [Record, Config, Model, Preprocessing, Recipe, Events, Report, Checkpoints, In("model.onnx"), In("tokenizer.json"), In("generation_config.json"), In("adapter"), In("audit")];

    /// <summary>The files and folders here that bear the names of a run's, and what a crash left of writing them.</summary>
    public IEnumerable<string> OwnEntries() => Directory.Exists(Path)
        ? [.. OwnNames.Where(System.IO.Path.Exists), .. Directory.EnumerateFiles(Path, "events.out.tfevents.*"), .. Temporaries(SearchOption.TopDirectoryOnly)]
        : [];

    /// <summary>Removes what a run has written here; other files stay.</summary>
    internal void Clear()
    {
        foreach (string entry in OwnEntries())
            Delete(entry);
    }

    /// <summary>Removes the temporary files of writes that a crash cut short.</summary>
    internal void RemoveTemporaries()
    {
        foreach (string left in Temporaries(SearchOption.TopDirectoryOnly).Concat(Directory.Exists(Checkpoints) ? new RunFolder(Checkpoints).Temporaries(SearchOption.AllDirectories) : []).ToList())
            File.Delete(left);
    }

    /// <summary>Moves the run that is here, if any, out of the way of a new one, until <see cref="RestorePrevious"/> or <see cref="DropPrevious"/>.</summary>
    internal void SetAside()
    {
        var own = OwnEntries().ToList();
        if (own.Count == 0)
            return;
        if (Directory.Exists(Previous))
            own.Add(Previous);
        Directory.CreateDirectory(Moving);
        foreach (string entry in own)
            Move(entry, Moving);
        Directory.Move(Moving, Previous);
    }

    /// <summary>Removes what the new run has written and puts back the one before it, if any.</summary>
    internal void RestorePrevious()
    {
        Clear();
        RecoverMove();
    }

    /// <summary>Undoes a <see cref="SetAside"/>, or ends a <see cref="RestorePrevious"/>, that a crash cut short.</summary>
    internal void RecoverMove()
    {
        if (!IsHalfMoved)
            return;
        if (!Directory.Exists(Moving))
            Directory.Move(Previous, Moving);
        // run.json goes last: the folder is a finished run only once everything is back.
        foreach (string entry in Directory.GetFileSystemEntries(Moving).OrderBy(e => System.IO.Path.GetFileName(e) == "run.json"))
            Move(entry, Path);
        Directory.Delete(Moving);
    }

    /// <summary>Forgets the run that was replaced.</summary>
    internal void DropPrevious()
    {
        if (Directory.Exists(Previous))
            Delete(Previous);
    }

    /// <summary>Removes from a finished run what a crash right after run.json kept: checkpoints, temporaries, the run it replaced.</summary>
    /// <exception cref="UsageException">The folder is being written to.</exception>
    public void RemoveLeftovers()
    {
        using var taken = RunLock.Take(this);
        if (!IsFinished)
            return;
        RemoveTemporaries();
        if (Directory.Exists(Checkpoints))
            Delete(Checkpoints);
        DropPrevious();
    }

    private static void Move(string entry, string folder)
    {
        string to = System.IO.Path.Combine(folder, System.IO.Path.GetFileName(entry));
        if (Directory.Exists(entry))
            Directory.Move(entry, to);
        else
            File.Move(entry, to);
    }

    private static void Delete(string entry)
    {
        if (Directory.Exists(entry))
            Directory.Delete(entry, recursive: true);
        else
            File.Delete(entry);
    }

    // Named by AtomicFile: NAME.PROCESS.tmp. At the top only those of a run's own files; checkpoints/ is all ours.
    private IEnumerable<string> Temporaries(SearchOption where)
    {
        var names = OwnNames.Select(System.IO.Path.GetFileName).ToHashSet();
        return Directory.EnumerateFiles(Path, "*.tmp", where).Where(file =>
        {
            string written = System.IO.Path.GetFileNameWithoutExtension(file);
            string process = System.IO.Path.GetExtension(written);
            return process.Length > 1 && process.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0
                && (where == SearchOption.AllDirectories || names.Contains(System.IO.Path.GetFileNameWithoutExtension(written)));
        });
    }

    /// <summary>Reads run.json.</summary>
    /// <exception cref="FileFormatException">It is missing, damaged or of a newer format.</exception>
    public RunRecord ReadRecord()
    {
        if (!Directory.Exists(Path))
            throw new FileFormatException(Path, Fault.Missing, "there is no such run folder.");
        if (!IsFinished)
            throw new FileFormatException(Record, Fault.Missing, IsBeingWritten
                ? "the run is still being trained. Wait until it ends."
                : IsInterrupted
                ? $"the run was interrupted before it was finished. Go on with `candela train --resume {Path}`."
                : "the file does not exist; this folder is not a run.");
        return RunRecordFile.Read(Record);
    }

    /// <summary>Writes run.json with the SHA-256 of every file the model needs, and returns the record as written. Files that may change later
    /// (logs, report, checkpoints, audit, model.onnx), and those that are not the run's, are not among them.</summary>
    public RunRecord WriteRecord(RunRecord record)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string file in new[] { Config, Model, Preprocessing, Recipe }.Where(File.Exists))
            files[System.IO.Path.GetFileName(file)] = Hash(file);
        record = record with { Files = files };
        RunRecordFile.Write(Record, record);
        return record;
    }

    /// <summary>Checks every file the record lists against its SHA-256.</summary>
    /// <exception cref="FileFormatException">A file is missing, was changed, or is not inside the folder; it is named.</exception>
    public void Verify(RunRecord record)
    {
        foreach (var (name, expected) in record.Files)
        {
            string file = In(name);
            if (System.IO.Path.IsPathRooted(name) || name.Split('/', '\\').Contains(".."))
                throw new FileFormatException(Record, Fault.Corrupt, $"'files' lists {name}, which is not inside the run folder. The record was not written by Candela; do not use it.");
            if (!File.Exists(file))
                throw new FileFormatException(file, Fault.Missing, "the file is gone, though run.json lists it. Restore it, or train again.");
            // Pipes and devices have no length; reading one may never end.
            var info = new FileInfo(file);
            if (((info.ResolveLinkTarget(returnFinalTarget: true) as FileInfo) ?? info).Length == 0 || Hash(file) != expected)
                throw new FileFormatException(file, Fault.Corrupt, "the file does not match its SHA-256 in run.json: it was damaged or edited after the run. Restore it, or train again.");
        }
    }

    private static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
