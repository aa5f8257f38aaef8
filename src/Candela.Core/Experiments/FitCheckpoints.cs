using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Formats;
using Candela.Models;
using Candela.Runs;

namespace Candela.Experiments;

/// <summary>How one finished fit went, as kept in a checkpoint.</summary>
internal sealed record FitFacts(StopReason StopReason, IReadOnlyList<EpochEnded> History, IReadOnlyDictionary<string, string> Chosen, double Seconds, double Joules)
{
    /// <summary>SHA-256 of each file that belongs to it, so that a damaged one is fitted anew instead of used.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    /// <summary>Warnings given while it was fitted; a resumed run gives them again.</summary>
    public IReadOnlyList<Warned> Warnings { get; init; } = [];

    /// <summary>What <see cref="TrainingDoctor.ExamineCurve"/> says of its curve; given when it is the chosen one.</summary>
    public IReadOnlyList<Warned> CurveWarnings { get; init; } = [];
}

/// <summary>What the whole run was about, so that it is only resumed on the same data; and what it had used when last saved.</summary>
internal sealed record ExperimentState(int FormatVersion, string DataHash, DateTimeOffset Started, double Seconds, double Joules, double JoulesLow, double JoulesHigh)
{
    public const int CurrentFormat = 1;

    /// <summary>The fit under way.</summary>
    public FitStart? Fit { get; init; }
}

/// <summary>checkpoints/ of an interrupted run: one folder per fit. <c>fit/</c> is the family's own resumable state, <c>scratch/</c> what it can make anew, <c>model/</c> a finished model with its encoder,
/// <c>scores.npy</c> the scores of a fit made only to choose, and <c>done.json</c>, written last, says that the fit is finished. Whatever is damaged is fitted anew.</summary>
internal sealed class FitCheckpoints(string folder)
{
    private const string Scratch = "scratch";

    private string StatePath => Path.Combine(folder, "state.json");

    /// <summary>The state saved, or null when there is none or it was never completed.</summary>
    /// <exception cref="FileFormatException">It is damaged or of a newer format.</exception>
    public ExperimentState? ReadState()
    {
        if (!File.Exists(StatePath))
            return !HasProgress ? null
                : throw new FileFormatException(StatePath, Fault.Missing, "the file is gone, so it cannot be told which data the checkpoints beside it belong to. Restore it, or start anew with --overwrite.");
        try
        {
            var state = JsonSerializer.Deserialize(JsonFile.ReadBytes(StatePath), CheckpointJson.Default.ExperimentState)
                ?? throw new FileFormatException(StatePath, Fault.WrongFormat, "the file holds null.");
            return state.FormatVersion <= ExperimentState.CurrentFormat ? state
                : throw new FileFormatException(StatePath, Fault.Unsupported, $"formatVersion is {state.FormatVersion}; this version of Candela reads up to {ExperimentState.CurrentFormat}. Resume with a newer Candela.");
        }
        catch (JsonException error)
        {
            throw JsonFile.NotJson(StatePath, error);
        }
    }

    /// <summary>Saves the state.</summary>
    public void WriteState(ExperimentState state)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.Write(StatePath, stream => JsonSerializer.Serialize(stream, state, CheckpointJson.Default.ExperimentState));
    }

    /// <summary>The family's folder for resumable state; created.</summary>
    public string FitFolder(string key) => Directory.CreateDirectory(Path.Combine(folder, key, "fit")).FullName;

    /// <summary>A folder for what a fit puts on the disk but can make anew at any time; created. Nothing in it counts as progress.</summary>
    public string ScratchFolder(string key) => Directory.CreateDirectory(Path.Combine(folder, key, Scratch)).FullName;

    /// <summary>Where a finished model is kept.</summary>
    public string ModelFolder(string key) => Path.Combine(folder, key, "model");

    /// <summary>Facts of a finished fit whose files are whole, or null.</summary>
    public FitFacts? Finished(string key)
    {
        string path = Path.Combine(folder, key, "done.json");
        if (!File.Exists(path))
            return null;
        try
        {
            var facts = JsonSerializer.Deserialize(File.ReadAllBytes(path), CheckpointJson.Default.FitFacts);
            return facts is not null && facts.Files.All(f => File.Exists(In(key, f.Key)) && Hash(In(key, f.Key)) == f.Value) ? facts : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Keeps a finished model: <paramref name="save"/> writes its files into the folder given.</summary>
    public void KeepModel(string key, FitFacts facts, Action<string> save)
    {
        string model = ModelFolder(key);
        if (Directory.Exists(model))
            Directory.Delete(model, recursive: true);
        Directory.CreateDirectory(model);
        save(model);
        Finish(key, facts, Directory.EnumerateFiles(model, "*", SearchOption.AllDirectories));
    }

    /// <summary>Keeps the scores of a finished fit.</summary>
    public void KeepScores(string key, FitFacts facts, float[] scores)
    {
        string path = In(key, "scores.npy");
        Directory.CreateDirectory(Path.Combine(folder, key));
        NpyFile.Write(path, RawTensor.Of("scores", [scores.Length], scores));
        Finish(key, facts, [path]);
    }

    /// <summary>The scores of a finished fit.</summary>
    public float[] Scores(string key) => NpyFile.Read(In(key, "scores.npy")).ToSingles();

    /// <summary>Forgets the family's own state of a fit.</summary>
    public void DropFit(string key)
    {
        string fit = Path.Combine(folder, key, "fit");
        if (Directory.Exists(fit))
            Directory.Delete(fit, recursive: true);
    }

    /// <summary>Whether any fit has left something worth resuming.</summary>
    public bool HasProgress => Directory.Exists(folder)
        && Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any(f => f != StatePath && !f.EndsWith(".tmp", StringComparison.Ordinal) && Path.GetFileName(Path.GetDirectoryName(f)) != Scratch);

    /// <summary>Removes everything: the run is finished.</summary>
    public void Remove()
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static string Hash(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private void Finish(string key, FitFacts facts, IEnumerable<string> files)
    {
        var hashes = files.ToDictionary(f => Path.GetRelativePath(Path.Combine(folder, key), f).Replace('\\', '/'), Hash);
        AtomicFile.Write(In(key, "done.json"), stream => JsonSerializer.Serialize(stream, facts with { Files = hashes }, CheckpointJson.Default.FitFacts));
        DropFit(key);
    }

    private string In(string key, string name) => Path.Combine(folder, key, name);
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    Converters = [typeof(CamelCase<StopReason>)])]
[JsonSerializable(typeof(FitFacts))]
[JsonSerializable(typeof(ExperimentState))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
