using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Candela.Data;

namespace Candela.Language;

/// <summary>Reads the files of <see cref="TextPairs"/>.</summary>
internal static partial class TextPairFiles
{
    public static bool IsJsonLines(string path) => Ends(path, ".jsonl", ".ndjson");

    public static bool IsTable(string path) => Ends(path, ".tsv", ".tab", ".csv");

    /// <summary>True when the path names two files with a comma between, and is no file itself.</summary>
    public static bool TwoFiles(string path, out string first, out string second)
    {
        (first, second) = (path, "");
        if (!path.Contains(',') || File.Exists(path))
            return false;
        // A name may hold commas of its own: the cut that gives two files counts, else the first.
        var cuts = Enumerable.Range(1, Math.Max(0, path.Length - 2)).Where(i => path[i] == ',').ToList();
        if (cuts.Count == 0)
            return false;
        int cut = cuts.Find(i => File.Exists(path[..i].Trim()) && File.Exists(path[(i + 1)..].Trim()));
        cut = cut > 0 ? cut : cuts[0];
        (first, second) = (path[..cut].Trim(), path[(cut + 1)..].Trim());
        return true;
    }

    /// <summary>The lines of a text, trimmed; those at the start may be empty.</summary>
    public static List<string> Lines(string path, IncrementalHash? hash, CancellationToken cancellation)
    {
        Need(path);
        using var text = new StrictTextReader(path, hash);
        var lines = new List<string>(Enumerable.Repeat("", (int)Math.Min(text.SkippedLines, int.MaxValue)));
        while (text.ReadLine() is { } line)
        {
            cancellation.ThrowIfCancellationRequested();
            lines.Add(line.Trim());
        }

        return lines;
    }

    public static TextPairs Delimited(string path, string? source, string? target, CancellationToken cancellation)
    {
        var rows = Open(path, source, target);
        int from = Column(path, rows.Names, source, TextPairs.UsualSources, -1, "sources"), to = Column(path, rows.Names, target, TextPairs.UsualTargets, from, "targets");
        from = from >= 0 ? from : to == 0 ? 1 : 0;
        to = to >= 0 ? to : from == 0 ? 1 : 0;
        if (rows.Names.Count < 2)
            throw new DataException($"{path}: the rows have one cell; two columns, sources and targets, were needed. Part them by a tab, or give a second file of targets (--target-file FILE).");
        if (from == to)
            throw new DataException($"{path}: column '{rows.Names[from]}' would be sources and targets. Name both columns. Columns: {string.Join(", ", rows.Names)}.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var list = new TextPairs.PairList(path);
        using (RowReader reader = rows.Open(hash))
            while (reader.Read())
            {
                cancellation.ThrowIfCancellationRequested();
                string left = reader.Cell(from).ToString();
                list.Add(left, reader.Cell(to).ToString());
            }

        return list.Finish(rows.Names[from], rows.Names[to], hash);
    }

    public static List<string> DelimitedSources(string path, string? source, CancellationToken cancellation)
    {
        var rows = Open(path, source, null);
        int from = Column(path, rows.Names, source, TextPairs.UsualSources, -1, "sources");
        if (from < 0) // as where pairs are read: the first column that is not the targets'
            from = rows.Names.Count > 1 && Column(path, rows.Names, null, TextPairs.UsualTargets, -1, "targets") == 0 ? 1 : 0;
        var sources = new List<string>();
        using RowReader reader = rows.Open();
        while (reader.Read())
        {
            cancellation.ThrowIfCancellationRequested();
            sources.Add(reader.Cell(from).ToString());
        }

        return sources;
    }

    public static TextPairs Json(string path, string? source, string? target, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var list = new TextPairs.PairList(path);
        foreach ((JsonElement row, string where) in Objects(path, hash, cancellation))
        {
            source ??= Key(row, TextPairs.UsualSources, target ?? Known(row, TextPairs.UsualTargets), where, "sources");
            target ??= Key(row, TextPairs.UsualTargets, source, where, "targets");
            list.Add(Text(row, source, where), Text(row, target, where));
        }

        return list.Finish(source ?? "source", target ?? "target", hash);
    }

    public static List<string> JsonSources(string path, string? source, CancellationToken cancellation)
    {
        var sources = new List<string>();
        foreach ((JsonElement row, string where) in Objects(path, null, cancellation))
        {
            source ??= Texts(row, null).ToList() is [var only] ? only.Name : Key(row, TextPairs.UsualSources, Known(row, TextPairs.UsualTargets), where, "sources");
            sources.Add(Text(row, source, where));
        }

        return sources;
    }

    private static CsvSource Open(string path, string? source, string? target)
    {
        Need(path);
        TextSample sample = CsvDialect.Sample(path, 0);
        List<string[]> rows = CsvDialect.Detect(path, sample).Rows(sample, out _, 1);
        string[] first = rows.Count > 0 ? rows[0] : [];
        // Names that are not there are still names: the error then lists what the first row has, unless columns are called by place.
        bool named = first.Length > 0 && (source != null || target != null ? new[] { source, target }.Any(n => n?.StartsWith('#') == false) : IsHeader(first));
        return new CsvSource(path, new TableOptions { Header = named ? HeaderMode.Yes : HeaderMode.No });
    }

    private static bool IsHeader(string[] first) =>
        first.Any(cell => Usual(cell, TextPairs.UsualSources) >= 0 || Usual(cell, TextPairs.UsualTargets) >= 0) || (first.Length >= 2 && first[0] != first[1] && first.Take(2).All(cell => LanguageCode().IsMatch(cell)));

    private static int Usual(string name, string[] usual) => Array.FindIndex(usual, u => u.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static int Column(string path, IReadOnlyList<string> names, string? given, string[] usual, int taken, string what)
    {
        if (given != null)
        {
            int place = names.ToList().IndexOf(given);
            return place >= 0 ? place : throw new DataException($"{path}: there is no column '{given}' for the {what}.{NearestName.Hint(given, names)} Columns: {string.Join(", ", names)}.");
        }

        return Enumerable.Range(0, names.Count).Where(i => i != taken && Usual(names[i], usual) >= 0).OrderBy(i => Usual(names[i], usual)).FirstOrDefault(-1);
    }

    private static string Key(JsonElement row, string[] usual, string? taken, string where, string what)
    {
        if (Known(row, usual, taken) is { } known)
            return known;
        List<JsonProperty> texts = [.. Texts(row, taken)];
        // Two texts and nothing to tell them apart by: the first is the source.
        int wanted = taken == null ? 2 : 1;
        return texts.Count == wanted ? texts[0].Name
            : throw new DataException($"{where}: which key holds the {what} cannot be told. Name it, or call it '{usual[0]}'. Keys: {string.Join(", ", row.EnumerateObject().Select(p => p.Name))}.");
    }

    private static IEnumerable<JsonProperty> Texts(JsonElement row, string? taken) => row.EnumerateObject().Where(p => p.Value.ValueKind is JsonValueKind.String or JsonValueKind.Null && p.Name != taken);

    // The text whose name is the most usual, or null.
    private static string? Known(JsonElement row, string[] usual, string? taken = null) =>
        Texts(row, taken).Where(p => Usual(p.Name, usual) >= 0).OrderBy(p => Usual(p.Name, usual)).Select(p => p.Name).FirstOrDefault();

    private static string Text(JsonElement row, string key, string where)
    {
        if (!row.TryGetProperty(key, out JsonElement value) && !(key.Split('.', 2) is [var outer, var inner] && row.TryGetProperty(outer, out JsonElement nested) && nested.ValueKind == JsonValueKind.Object && nested.TryGetProperty(inner, out value)))
        {
            string[] keys = [.. row.EnumerateObject().SelectMany(p => p.Value.ValueKind == JsonValueKind.Object ? p.Value.EnumerateObject().Select(q => $"{p.Name}.{q.Name}") : [p.Name])];
            throw new DataException($"{where}: there is no key '{key}'.{NearestName.Hint(key, keys)} Keys: {string.Join(", ", keys)}.");
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Null => "",
            _ => throw new DataException($"{where}: '{key}' is a JSON {value.ValueKind.ToString().ToLowerInvariant()}; a text was needed."),
        };
    }

    private static IEnumerable<(JsonElement Row, string Where)> Objects(string path, IncrementalHash? hash, CancellationToken cancellation)
    {
        Need(path);
        using var text = new StrictTextReader(path, hash);
        long number = text.SkippedLines;
        while (text.ReadLine() is { } line)
        {
            cancellation.ThrowIfCancellationRequested();
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            string where = $"{path} line {number}";
            using JsonDocument json = Parse(line, where);
            yield return (json.RootElement, where);
        }
    }

    private static JsonDocument Parse(string line, string where)
    {
        try
        {
            JsonDocument json = JsonDocument.Parse(line);
            if (json.RootElement.ValueKind == JsonValueKind.Object)
                return json;
            json.Dispose();
        }
        catch (JsonException error)
        {
            throw new DataException($"{where}: not JSON ({error.Message.Split(" LineNumber")[0].TrimEnd('.')}). Each line must be one object such as {{\"source\": \"...\", \"target\": \"...\"}}.", error);
        }

        throw new DataException($"{where}: not a JSON object. Each line must be one such as {{\"source\": \"...\", \"target\": \"...\"}}.");
    }

    private static void Need(string path)
    {
        if (!File.Exists(path))
            throw new FileFormatException(path, Fault.Missing, Directory.Exists(path) ? "this is a folder; a file of pairs was needed." : "the file does not exist.");
    }

    private static bool Ends(string path, params ReadOnlySpan<string> endings)
    {
        string name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        foreach (string ending in endings)
            if (name.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }

    [GeneratedRegex("^[a-z]{2,3}([-_][A-Za-z]{2,4})?$")]
    private static partial Regex LanguageCode();
}
