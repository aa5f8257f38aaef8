using System.Text.Json.Nodes;

namespace Candela.Training.Language;

/// <summary>Reads a Hugging Face config.json; every refusal names the key, what it holds and what is allowed. A key that is null counts as absent, as there.</summary>
internal sealed class ConfigReader(string path, JsonObject json)
{
    public const int MostWidth = 1 << 20, MostLayers = 4096, MostVocabulary = 1 << 26, MostContext = 1 << 28;

    public string Path => path;

    public JsonObject Json => json;

    public bool Has(string key) => json[key] is not null;

    public int Int(string key, int min, int max, int? otherwise = null)
    {
        if (json[key] is not { } node)
            return otherwise ?? throw Bad($"'{key}' is missing; a whole number from {min} to {max} was needed.");
        return node is JsonValue value && value.TryGetValue(out double number) && number == Math.Floor(number) && number >= min && number <= max ? (int)number
            : throw Bad($"'{key}' is {Text(node)}; a whole number from {min} to {max} was needed.");
    }

    public double Number(string key, double min, double max, double otherwise)
    {
        if (json[key] is not { } node)
            return otherwise;
        return node is JsonValue value && value.TryGetValue(out double number) && number >= min && number <= max ? number
            : throw Bad($"'{key}' is {Text(node)}; a number from {min} to {max} was needed.");
    }

    public bool Bool(string key, bool otherwise)
    {
        if (json[key] is not { } node)
            return otherwise;
        return node is JsonValue value && value.TryGetValue(out bool flag) ? flag : throw Bad($"'{key}' is {Text(node)}; true or false was needed.");
    }

    public string? String(string key)
    {
        if (json[key] is not { } node)
            return null;
        return node is JsonValue value && value.TryGetValue(out string? text) ? text : throw Bad($"'{key}' is {Text(node)}; a text was needed.");
    }

    public JsonObject? Object(string key) => json[key] switch
    {
        null => null,
        JsonObject inner => inner,
        { } node => throw Bad($"'{key}' is {Text(node)}; a JSON object was needed."),
    };

    /// <summary>A token id, a list of ids, or neither.</summary>
    public IReadOnlyList<int> Ids(string key)
    {
        if (json[key] is not { } node)
            return [];
        JsonNode?[] items = node is JsonArray array ? [.. array] : [node];
        var ids = new List<int>();
        foreach (JsonNode? item in items)
        {
            if (item is not JsonValue value || !value.TryGetValue(out int id))
                throw Bad($"'{key}' is {Text(node)}; a token id or a list of them was needed.");
            if (id >= 0) // some write -1 for none
                ids.Add(id);
        }

        return ids;
    }

    public TransformerActivation Activation(string key, TransformerActivation otherwise)
    {
        if (String(key) is not { } name)
            return otherwise;
        return TransformerActivations.Find(name)
            ?? throw new FileFormatException(path, Fault.Unsupported, $"'{key}' is '{name}'; supported are {string.Join(", ", TransformerActivations.All)}.{NearestName.Hint(name, TransformerActivations.All)}");
    }

    public ConfigReader Inner(string key, JsonObject inner) => new($"{path}: '{key}'", inner);

    public FileFormatException Bad(string message) => new(path, Fault.Corrupt, message);

    private static string Text(JsonNode node)
    {
        string text = node.ToJsonString();
        return text.Length <= 60 ? text : text[..57] + "...";
    }
}
