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

    /// <summary>The files and folders here that bear the names of a run's.</summary>
    public IEnumerable<string> OwnEntries()
    {
        if (!Directory.Exists(Path))
            return [];
        string[] names = [Config, Model, Preprocessing, Recipe, Record, Events, Report, Checkpoints, In("model.onnx"), In("tokenizer.json"), In("audit")];
        return [.. names.Where(System.IO.Path.Exists), .. Directory.EnumerateFiles(Path, "events.out.tfevents.*"), .. Directory.EnumerateFiles(Path, "*.tmp")];
    }

    /// <summary>Removes what a run has written here, and the folder itself when nothing else is in it; other files stay.</summary>
    public void Clear()
    {
        foreach (string entry in OwnEntries())
        {
            if (Directory.Exists(entry))
                Directory.Delete(entry, recursive: true);
            else
                File.Delete(entry);
        }

        if (Directory.Exists(Path) && !Directory.EnumerateFileSystemEntries(Path).Any())
            Directory.Delete(Path);
    }

    /// <summary>Reads run.json.</summary>
    /// <exception cref="FileFormatException">It is missing, damaged or of a newer format.</exception>
    public RunRecord ReadRecord()
    {
        if (!Directory.Exists(Path))
            throw new FileFormatException(Path, Fault.Missing, "there is no such run folder.");
        if (!IsFinished)
            throw new FileFormatException(Record, Fault.Missing, IsInterrupted
                ? $"the run was interrupted before it was finished. Go on with `candela train --resume {Path}`."
                : "the file does not exist; this folder is not a run.");
        return RunRecordFile.Read(Record);
    }

    /// <summary>Writes run.json with the SHA-256 of every file the model needs, and returns the record as written. Files that may change later
    /// (logs, report, checkpoints, audit, model.onnx) are not among them.</summary>
    public RunRecord WriteRecord(RunRecord record)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories))
        {
            string name = System.IO.Path.GetRelativePath(Path, file).Replace('\\', '/');
            if (IsNeeded(name))
                files[name] = Hash(file);
        }

        record = record with { Files = files };
        RunRecordFile.Write(Record, record);
        return record;
    }

    /// <summary>Checks every file the record lists against its SHA-256.</summary>
    /// <exception cref="FileFormatException">A file is missing or was changed; it is named.</exception>
    public void Verify(RunRecord record)
    {
        foreach (var (name, expected) in record.Files)
        {
            string file = In(name);
            if (!File.Exists(file))
                throw new FileFormatException(file, Fault.Missing, "the file is gone, though run.json lists it. Restore it, or train again.");
            if (Hash(file) != expected)
                throw new FileFormatException(file, Fault.Corrupt, "the file does not match its SHA-256 in run.json: it was damaged or edited after the run. Restore it, or train again.");
        }
    }

    private static bool IsNeeded(string name) => name is not ("run.json" or "events.jsonl" or "report.html" or "model.onnx")
        && !name.StartsWith("events.out.tfevents.", StringComparison.Ordinal)
        && !name.StartsWith("checkpoints/", StringComparison.Ordinal)
        && !name.StartsWith("audit/", StringComparison.Ordinal)
        && !name.EndsWith(".tmp", StringComparison.Ordinal);

    private static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
