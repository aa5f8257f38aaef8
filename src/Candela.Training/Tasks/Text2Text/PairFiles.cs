using System.Text.Json.Nodes;
using Candela.Experiments;
using Candela.Formats;
using Candela.Language;

namespace Candela.Training.Tasks;

/// <summary>Where the two sides of pairs are found: in columns, or in files whose names differ in one part (<c>train.de.gz</c>, <c>train.en.gz</c>). Kept as the run folder's preprocessing.json.</summary>
internal sealed record PairFiles
{
    public const string FileName = "preprocessing.json";

    private const int DefaultBeams = 5;
    private static readonly char[] Joints = ['.', '_', '-'];

    /// <summary>Column of the sources, or null for the usual.</summary>
    public string? SourceColumn { get; init; }

    /// <summary>Column of the targets, or null for the usual.</summary>
    public string? TargetColumn { get; init; }

    /// <summary>The part of a file's name that says it holds sources, <c>de</c>; null when both are in one file.</summary>
    public string? SourcePart { get; init; }

    /// <summary>What stands there in the name of the targets' file.</summary>
    public string? TargetPart { get; init; }

    /// <summary>Texts kept at each step when the model writes.</summary>
    public int Beams { get; init; } = DefaultBeams;

    /// <summary>What a request says.</summary>
    public static PairFiles Of(TrainRequest request)
    {
        var files = new PairFiles { SourceColumn = request.Sequence.Source, TargetColumn = request.Target, Beams = request.Sequence.Beams ?? DefaultBeams };
        return request.Sequence.TargetFile is { } target && Difference(request.Data, target) is [var from, var to] ? files with { SourcePart = from, TargetPart = to } : files;
    }

    /// <summary>Both files when a path names two with a comma between, else null.</summary>
    public static string[]? Two(string path) => !Path.Exists(path) && path.Split(',') is { Length: 2 } both && both.All(f => f.Length > 0) ? both : null;

    /// <summary>The file of targets that belongs to a file of sources, or null.</summary>
    public string? Counterpart(string path)
    {
        if (SourcePart is null)
            return null;
        string folder = Path.GetDirectoryName(path) ?? "", name = Path.GetFileName(path);
        string[] parts = Parts(name);
        int at = Array.LastIndexOf(parts, SourcePart);
        if (at < 0)
            return null;
        parts[at] = TargetPart!;
        return Path.Combine(folder, string.Concat(parts));
    }

    /// <summary>Reads pairs.</summary>
    /// <param name="path">A file of both, a file of sources, or two with a comma between.</param>
    /// <param name="targetFile">The file of targets, or null to look for it.</param>
    /// <param name="cancellation">Ends reading.</param>
    public TextPairs Read(string path, string? targetFile, CancellationToken cancellation)
    {
        if (Two(path) is { } both)
            return TextPairs.ReadAligned(both[0], both[1], cancellation);
        targetFile ??= Counterpart(path) is { } found && File.Exists(found) ? found : null;
        return targetFile is null ? TextPairs.Read(path, SourceColumn, TargetColumn, cancellation) : TextPairs.ReadAligned(path, targetFile, cancellation);
    }

    /// <summary>Writes preprocessing.json.</summary>
    public void Save(string folder) => JsonFile.WriteObject(Path.Combine(folder, FileName), new JsonObject
    {
        ["sourceColumn"] = SourceColumn,
        ["targetColumn"] = TargetColumn,
        ["sourcePart"] = SourcePart,
        ["targetPart"] = TargetPart,
        ["beams"] = Beams,
    });

    /// <summary>Reads preprocessing.json.</summary>
    public static PairFiles Open(string folder)
    {
        string path = Path.Combine(folder, FileName);
        JsonObject json = JsonFile.ReadObject(path);
        string? Text(string key) => json[key] is null ? null : json[key] is JsonValue value && value.TryGetValue(out string? text) ? text : throw Damaged(path, key);
        return new PairFiles
        {
            SourceColumn = Text("sourceColumn"),
            TargetColumn = Text("targetColumn"),
            SourcePart = Text("sourcePart"),
            TargetPart = Text("targetPart"),
            Beams = json["beams"] is JsonValue beams && beams.TryGetValue(out int count) && count is >= 1 and <= 1000 ? count : throw Damaged(path, "beams"),
        };
    }

    private static FileFormatException Damaged(string path, string key) => new(path, Fault.Corrupt, $"'{key}' is missing or out of range. The file is damaged: restore it or train again.");

    // The one part in which two file names differ, or null.
    private static string[]? Difference(string source, string target)
    {
        string[] from = Parts(Path.GetFileName(source)), to = Parts(Path.GetFileName(target));
        if (from.Length != to.Length)
            return null;
        int[] places = [.. Enumerable.Range(0, from.Length).Where(i => from[i] != to[i])];
        return places.Length == 1 ? [from[places[0]], to[places[0]]] : null;
    }

    // The name cut before and behind each joint, which are parts too.
    private static string[] Parts(string name)
    {
        var parts = new List<string>();
        int first = 0;
        for (int i = 0; i <= name.Length; i++)
        {
            if (i < name.Length && !Joints.Contains(name[i]))
                continue;
            parts.Add(name[first..i]);
            if (i < name.Length)
                parts.Add(name[i].ToString());
            first = i + 1;
        }

        return [.. parts];
    }
}
