using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Candela.Formats;
using Candela.Language;

namespace Candela.Classic.Sequences;

public sealed partial class FeatureTagger
{
    private const string ModelType = "candela-feature-tagger", ConfigFile = "config.json", WeightsFile = "model.safetensors";
    private const int Format = 1;

    /// <summary>Writes config.json (templates and tags) and model.safetensors into a folder, which is created if need be, each under a temporary name and then renamed.</summary>
    /// <remarks>Tensors: <c>feature.name</c> (UTF-16, little-endian, one after another: an affix may end within a surrogate pair), <c>feature.name_end</c> [features] (in
    /// units of two bytes), <c>feature.start</c> [features + 1] (each feature's first pair), <c>pair.tag</c> and
    /// <c>pair.weight</c> [pairs], <c>transition.weight</c> [tags + 1, tags], whose last row is for the first token.</remarks>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        var ends = new int[_names.Length];
        for (int i = 0, end = 0; i < ends.Length; i++)
            ends[i] = end += _names[i].Length;
        string text = string.Concat(_names);

        int pairs = _shape.PairTags.Length;
        float[] weights = Array.ConvertAll(_weights, w => (float)w);
        RawTensor[] tensors =
        [
            RawTensor.Of("feature.name", [2 * text.Length], MemoryMarshal.AsBytes<char>(text)),
            RawTensor.Of("feature.name_end", [ends.Length], ends),
            RawTensor.Of("feature.start", [_shape.Starts.Length], _shape.Starts),
            RawTensor.Of("pair.tag", [pairs], _shape.PairTags),
            RawTensor.Of("pair.weight", [pairs], weights.AsSpan(0, pairs)),
            RawTensor.Of("transition.weight", [Tags.Count + 1, Tags.Count], weights.AsSpan(pairs)),
        ];
        Safetensors.Write(Path.Combine(folder, WeightsFile), tensors);
        JsonFile.WriteObject(Path.Combine(folder, ConfigFile), new JsonObject
        {
            ["model_type"] = ModelType,
            ["format_version"] = Format,
            ["templates"] = Templates == TokenTemplates.Characters ? "characters" : "words",
            ["tags"] = new JsonArray([.. Tags.Select(tag => JsonValue.Create(tag))]),
        });
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FileFormatException">A file is missing, damaged, or of another model.</exception>
    public static FeatureTagger Open(string folder)
    {
        string path = Path.Combine(folder, ConfigFile);
        JsonObject json = JsonFile.ReadObject(path);
        FileFormatException Bad(string what) => new(path, Fault.Corrupt, what + " The file is damaged: restore it or train again.");
        T Value<T>(string key) => json[key] is JsonValue value && value.TryGetValue(out T? result) ? result : throw Bad($"'{key}' is missing or of the wrong type.");
        if (Value<string>("model_type") is var type && type != ModelType)
            throw new FileFormatException(path, Fault.WrongFormat, $"model_type is '{type}'; '{ModelType}' was needed.");
        if (Value<int>("format_version") is var format && format != Format)
            throw new FileFormatException(path, Fault.Unsupported, $"format_version is {format}; this version of Candela reads {Format}.");
        TokenTemplates templates = Value<string>("templates") switch
        {
            "words" => TokenTemplates.Words,
            "characters" => TokenTemplates.Characters,
            var other => throw Bad($"'templates' is '{other}'; 'words' or 'characters' was needed."),
        };
        if (json["tags"] is not JsonArray { Count: > 0 } list || list.Any(n => n is not JsonValue v || !v.TryGetValue(out string? _)))
            throw Bad("'tags' is missing or not a list of texts.");
        string[] tags = [.. list.Select(n => n!.GetValue<string>())];

        using SafetensorsFile file = Safetensors.Open(Path.Combine(folder, WeightsFile));
        int[] ends = ModelTensors.Integers(file, "feature.name_end", [-1]);
        int[] starts = ModelTensors.Integers(file, "feature.start", [ends.Length + 1]);
        int[] pairTags = ModelTensors.Integers(file, "pair.tag", [-1]);
        float[] pairWeights = ModelTensors.Singles(file, "pair.weight", [pairTags.Length]);
        float[] transitions = ModelTensors.Singles(file, "transition.weight", [tags.Length + 1, tags.Length]);
        ReadOnlySpan<char> text = MemoryMarshal.Cast<byte, char>(file.ReadBytes("feature.name"));
        if (starts[0] != 0 || starts[^1] != pairTags.Length || Falls(starts) || pairTags.Any(t => t < 0 || t >= tags.Length))
            throw new FileFormatException(file.Path, Fault.Corrupt, "feature.start and pair.tag do not fit together. The file is damaged: restore it or train again.");
        if (Falls(ends) || (ends.Length > 0 && (ends[0] < 0 || ends[^1] != text.Length)))
            throw new FileFormatException(file.Path, Fault.Corrupt, "feature.name_end does not fit feature.name. The file is damaged: restore it or train again.");
        var names = new string[ends.Length];
        for (int i = 0, from = 0; i < names.Length; from = ends[i++])
            names[i] = text[from..ends[i]].ToString();
        return new FeatureTagger(templates, tags, names, new ChainShape(starts, pairTags, tags.Length), [.. pairWeights.Concat(transitions).Select(w => (double)w)]);
    }

    private static bool Falls(int[] values)
    {
        for (int i = 1; i < values.Length; i++)
            if (values[i] < values[i - 1])
                return true;
        return false;
    }
}
