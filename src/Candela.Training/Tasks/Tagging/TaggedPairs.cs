using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Candela.Training.Tasks;

/// <summary>Features by their hashes, and the tags each was seen with in training.</summary>
/// <param name="Hashes">[features], ascending.</param>
/// <param name="Starts">[features + 1]: where each feature's pairs start.</param>
/// <param name="Tags">[pairs]: the tag of each pair.</param>
internal sealed record TaggedPairs(ulong[] Hashes, int[] Starts, int[] Tags)
{
    /// <summary>In the order of features and tags.</summary>
    public static TaggedPairs Of(IReadOnlyCollection<(ulong Feature, int Tag)> pairs)
    {
        (ulong Feature, int Tag)[] sorted = [.. pairs.Order()];
        var hashes = new List<ulong>();
        var starts = new List<int>();
        for (int i = 0; i < sorted.Length; i++)
        {
            if (i > 0 && sorted[i].Feature == sorted[i - 1].Feature)
                continue;
            hashes.Add(sorted[i].Feature);
            starts.Add(i);
        }

        return new TaggedPairs([.. hashes], [.. starts, sorted.Length], Array.ConvertAll(sorted, p => p.Tag));
    }

    /// <summary>Base64 of little-endian numbers: 8 bytes per hash, 4 per start and per tag.</summary>
    public JsonObject ToJson() => new()
    {
        ["hashes"] = Convert.ToBase64String(MemoryMarshal.AsBytes<ulong>(Hashes)),
        ["starts"] = Convert.ToBase64String(MemoryMarshal.AsBytes<int>(Starts)),
        ["tags"] = Convert.ToBase64String(MemoryMarshal.AsBytes<int>(Tags)),
    };

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FileFormatException">Something is missing, or the parts do not fit together.</exception>
    public static TaggedPairs Read(JsonNode? json, int tags, string path)
    {
        var read = new TaggedPairs(Numbers<ulong>(json, "hashes", path), Numbers<int>(json, "starts", path), Numbers<int>(json, "tags", path));
        bool fits = read.Starts.Length == read.Hashes.Length + 1 && read.Starts[0] == 0 && read.Starts[^1] == read.Tags.Length && read.Tags.All(t => t >= 0 && t < tags);
        for (int i = 1; fits && i < read.Starts.Length; i++)
            fits = read.Starts[i] > read.Starts[i - 1];
        for (int i = 1; fits && i < read.Hashes.Length; i++)
            fits = read.Hashes[i] > read.Hashes[i - 1];
        return fits ? read : throw new FileFormatException(path, Fault.Corrupt, "The parts of 'features' do not fit together. The file is damaged: restore it or train again.");
    }

    private static T[] Numbers<T>(JsonNode? json, string key, string path)
        where T : unmanaged
    {
        if (json is JsonObject all && all[key] is JsonValue value && value.TryGetValue(out string? text))
        {
            var bytes = new byte[text.Length];
            if (Convert.TryFromBase64String(text, bytes, out int length) && length % Marshal.SizeOf<T>() == 0)
                return MemoryMarshal.Cast<byte, T>(bytes.AsSpan(0, length)).ToArray();
        }

        throw new FileFormatException(path, Fault.Corrupt, $"'features.{key}' is missing or not base64 of whole numbers. The file is damaged: restore it or train again.");
    }
}
