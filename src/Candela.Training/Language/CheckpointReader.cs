using Candela.Formats;

namespace Candela.Training.Language;

/// <summary>All tensors of a model folder, wherever they lie: model.safetensors, its shards by model.safetensors.index.json, pytorch_model.bin or its shards.</summary>
internal sealed class CheckpointReader : IDisposable
{
    public const string Safe = "model.safetensors", SafeIndex = "model.safetensors.index.json", Torch = "pytorch_model.bin", TorchIndex = "pytorch_model.bin.index.json";

    private readonly List<IDisposable> _open = [];
    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);

    private CheckpointReader(string source) => Source = source;

    /// <summary>One tensor that can be read into memory of one's own.</summary>
    public sealed record StoredTensor(string Key, IReadOnlyList<int> Shape, Action<Span<float>> ReadInto);

    /// <summary>Receives a span.</summary>
    public delegate void Action<T>(T into) where T : allows ref struct;

    /// <summary>The file, or the index, that names the tensors.</summary>
    public string Source { get; }

    public IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors;

    /// <summary>Opens what the folder holds; safetensors win over PyTorch's files.</summary>
    public static CheckpointReader Open(string folder)
    {
        string[] names = [Safe, SafeIndex, Torch, TorchIndex];
        string name = names.FirstOrDefault(n => File.Exists(Path.Combine(folder, n)))
            ?? throw new FileFormatException(folder, Fault.Missing, $"there are no weights; one of {string.Join(", ", names)} was needed.");
        var reader = new CheckpointReader(Path.Combine(folder, name));
        try
        {
            if (name is SafeIndex or TorchIndex)
                reader.AddShards(folder, name == SafeIndex);
            else
                reader.AddFile(reader.Source, name == Safe, null);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Compares what is stored with what a configuration needs, and gives the stored tensor of each needed key.</summary>
    /// <param name="config">What is needed.</param>
    /// <param name="mayLack">True for keys whose absence is no fault (a new head); stored tensors of other heads are no fault then either.</param>
    /// <exception cref="FileFormatException">Tensors are missing, unexpected or of another shape: all of them are named, with the nearest names.</exception>
    public Dictionary<string, StoredTensor> Match(TransformerConfig config, Func<string, bool>? mayLack = null)
    {
        var all = _tensors.Keys.ToHashSet(StringComparer.Ordinal);
        var byKey = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        foreach (StoredTensor tensor in _tensors.Values)
        {
            if (config.KeyOf(tensor.Key, all) is { } key && !byKey.TryAdd(key, tensor))
                throw new FileFormatException(Source, Fault.Corrupt, $"tensors '{byKey[key].Key}' and '{tensor.Key}' are both the parameter '{key}'.");
        }

        var found = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        List<string> missing = [], wrong = [];
        foreach (TensorSpec needed in config.Tensors())
        {
            if (!byKey.Remove(needed.Key, out StoredTensor? stored))
            {
                if (mayLack?.Invoke(needed.Key) != true)
                    missing.Add(needed.Key);
            }
            else if (mayLack?.Invoke(needed.Key) == true && !stored.Shape.SequenceEqual(needed.Shape))
            {
                continue; // another number of labels: the head begins anew
            }
            else if (!stored.Shape.SequenceEqual(needed.Shape))
                wrong.Add($"'{stored.Key}' is [{string.Join(", ", stored.Shape)}], config.json needs {needed.Shape}");
            else
                found.Add(needed.Key, stored);
        }

        if (mayLack is not null)
        {
            foreach (string key in byKey.Keys.Where(mayLack).ToList())
                byKey.Remove(key);
        }

        if (missing.Count + wrong.Count + byKey.Count == 0)
            return found;
        string[] unexpected = [.. byKey.Values.Select(t => t.Key)];
        List<string> parts = [];
        if (missing.Count > 0)
            parts.Add($"missing ({missing.Count}): {string.Join(", ", Grouped(missing).Select(g => $"'{g.Key}'{Nearest(g.Value, unexpected)}"))}");
        if (unexpected.Length > 0)
            parts.Add($"unexpected ({unexpected.Length}): {string.Join(", ", Grouped(unexpected).Select(g => $"'{g.Key}'"))}");
        if (wrong.Count > 0)
            parts.Add($"of another shape ({wrong.Count}): {string.Join(", ", wrong)}");
        throw new FileFormatException(Source, Fault.Corrupt, $"the tensors do not fit {TransformerConfig.FileName} ({config.ModelType}): {string.Join("; ", parts)}.");

        static string Nearest(string key, IEnumerable<string> left) => NearestName.Of(key, left) is { } near ? $" (nearest: '{near}')" : "";
    }

    public void Dispose()
    {
        foreach (IDisposable file in _open)
            file.Dispose();
    }

    // Names that differ in their first number alone as one, model.layers.{0, 1, 2}.mlp.up_proj.weight; the value is the first of them.
    private static IEnumerable<KeyValuePair<string, string>> Grouped(IEnumerable<string> keys) => keys
        .GroupBy(key => string.Join('.', key.Split('.').Select((part, i) => i == FirstNumber(key) ? "#" : part)))
        .Select(group => new KeyValuePair<string, string>(
            group.Count() == 1 ? group.First() : group.Key.Replace("#", $"{{{string.Join(", ", group.Select(key => key.Split('.')[FirstNumber(key)]))}}}", StringComparison.Ordinal), group.First()));

    private static int FirstNumber(string key) => Array.FindIndex(key.Split('.'), part => part.Length > 0 && part.All(char.IsAsciiDigit));

    private void AddShards(string folder, bool safe)
    {
        System.Text.Json.Nodes.JsonObject index = JsonFile.ReadObject(Source);
        if (index["weight_map"] is not System.Text.Json.Nodes.JsonObject map)
            throw new FileFormatException(Source, Fault.Corrupt, "there is no object 'weight_map'.");
        var shards = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach ((string key, System.Text.Json.Nodes.JsonNode? node) in map)
        {
            if (node is not System.Text.Json.Nodes.JsonValue value || !value.TryGetValue(out string? file) || file.Length == 0 || file != Path.GetFileName(file) || file.Contains('\\') || file is "." or "..")
                throw new FileFormatException(Source, Fault.Corrupt, $"tensor '{key}' is said to lie in {node?.ToJsonString() ?? "null"}; the name of a file in the same folder was needed.");
            if (!shards.TryGetValue(file, out HashSet<string>? keys))
                shards[file] = keys = new HashSet<string>(StringComparer.Ordinal);
            keys.Add(key);
        }

        foreach ((string file, HashSet<string> keys) in shards)
            AddFile(Path.Combine(folder, file), safe, keys);
    }

    private void AddFile(string path, bool safe, HashSet<string>? named)
    {
        IEnumerable<StoredTensor> stored;
        if (safe)
        {
            SafetensorsFile file = Safetensors.Open(path);
            _open.Add(file);
            stored = file.Tensors.Select(t => new StoredTensor(t.Name, t.Shape, into => file.ReadSingles(t.Name, into)));
        }
        else
        {
            PyTorchFile file = PyTorchFile.Open(path);
            _open.Add(file);
            stored = file.Tensors.Select(t => new StoredTensor(t.Name, t.Shape, into => file.ReadSingles(t.Name, into)));
        }

        foreach (StoredTensor tensor in stored)
        {
            if (named is not null && !named.Remove(tensor.Key))
                throw new FileFormatException(path, Fault.Corrupt, $"tensor '{tensor.Key}' is in the file but {Path.GetFileName(Source)} does not place it there.");
            if (!_tensors.TryAdd(tensor.Key, tensor))
                throw new FileFormatException(path, Fault.Corrupt, $"tensor '{tensor.Key}' is in two files.");
        }

        if (named is { Count: > 0 })
            throw new FileFormatException(path, Fault.Corrupt, $"{Path.GetFileName(Source)} places {named.Count} tensors here that the file does not hold: {string.Join(", ", named.Order(StringComparer.Ordinal).Take(40))}.");
    }
}
