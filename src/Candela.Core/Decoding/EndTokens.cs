using System.Text.Json;

namespace Candela.Decoding;

/// <summary>The ids that end a text as a model folder says.</summary>
public static class EndTokens
{
    /// <summary>Reads <c>eos_token_id</c>, one id or a list, from generation_config.json, else from config.json; none where neither says.</summary>
    /// <exception cref="FileFormatException">A file is not JSON.</exception>
    public static IReadOnlyList<int> Of(string folder)
    {
        foreach (string name in new[] { "generation_config.json", "config.json" })
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path))
                continue;
            try
            {
                using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
                if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("eos_token_id", out JsonElement value))
                    continue;
                if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int one))
                    return [one];
                if (value.ValueKind == JsonValueKind.Array)
                    return [.. value.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.Number).Select(e => e.TryGetInt32(out int id) ? id : -1).Where(id => id >= 0)];
            }
            catch (JsonException exception)
            {
                throw new FileFormatException(path, Fault.Corrupt, $"not JSON: {exception.Message}", exception);
            }
        }

        return [];
    }
}
