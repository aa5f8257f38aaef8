using System.Text.Json.Nodes;
using Candela.Formats;

namespace Candela.Training.Language.Adapters;

/// <summary>The files by which PEFT keeps a LoRA adapter.</summary>
internal static class PeftFolder
{
    public const string ConfigName = "adapter_config.json", WeightsName = "adapter_model.safetensors";

    private const string Prefix = "base_model.model.";
    private const int MostRank = 1 << 16;
    private static readonly string[] Parts = ["A", "B"];

    /// <summary>The key of a matrix, <paramref name="part"/> A or B, of the update at a path.</summary>
    public static string KeyOf(string path, string part) => $"{Prefix}{path}.lora_{part}.weight";

    /// <summary>Reads adapter_config.json; what is not supported is refused.</summary>
    public static LoraOptions ReadOptions(string folder)
    {
        string path = Path.Combine(folder, ConfigName);
        var json = new ConfigReader(path, JsonFile.ReadObject(path));
        if (json.String("peft_type") is var type && type != "LORA")
            throw new FileFormatException(path, Fault.Unsupported, $"'peft_type' is '{type}'; LORA was needed.");
        foreach (string key in new[] { "use_dora", "use_qalora", "lora_bias", "use_bdlora", "modules_to_save", "rank_pattern", "alpha_pattern", "layers_to_transform", "target_parameters", "trainable_token_indices", "megatron_config", "exclude_modules" })
        {
            if (json.Json[key] is { } node && !IsEmpty(node))
                throw new FileFormatException(path, Fault.Unsupported, $"'{key}' is {Short(node)}; adapters that use it are not supported.");
        }

        if (json.String("bias") is { } bias and not "none")
            throw new FileFormatException(path, Fault.Unsupported, $"'bias' is '{bias}'; only adapters without trained biases ('none') are supported.");
        double alpha = json.Number("lora_alpha", 0, 1e9, 8);
        if (alpha <= 0)
            throw json.Bad($"'lora_alpha' is {alpha}; a number above 0 was needed.");
        return new LoraOptions
        {
            Rank = json.Int("r", 1, MostRank, 8),
            Alpha = alpha,
            Dropout = json.Number("lora_dropout", 0, 0.999, 0),
            RankStabilized = json.Bool("use_rslora", false),
            TargetModules = Targets(json),
        };
    }

    /// <summary>The paths that the file holds updates of, checked against the model.</summary>
    /// <param name="file">adapter_model.safetensors.</param>
    /// <param name="options">Rank and targets.</param>
    /// <param name="hosts">[outputs, inputs] of each of the model's matrices by path.</param>
    public static IReadOnlyList<string> Match(SafetensorsFile file, LoraOptions options, IReadOnlyDictionary<string, Shape> hosts)
    {
        List<string> unexpected = [], wrong = [], missing = [];
        var paths = new SortedSet<string>(StringComparer.Ordinal);
        foreach (TensorInfo tensor in file.Tensors)
        {
            string? part = Parts.FirstOrDefault(p => tensor.Name.EndsWith($".lora_{p}.weight", StringComparison.Ordinal));
            string path = part is not null && tensor.Name.StartsWith(Prefix, StringComparison.Ordinal) && tensor.Name.Length > Prefix.Length + ".lora_A.weight".Length
                ? tensor.Name[Prefix.Length..^".lora_A.weight".Length] : "";
            if (!hosts.TryGetValue(path, out Shape? host) || (options.TargetModules is { } named && !named.Any(t => LoraOptions.Matches(path, t))))
            {
                unexpected.Add($"'{tensor.Name}'{NearestName.Hint(path, hosts.Keys)}");
                continue;
            }

            paths.Add(path);
            Shape needed = part == "A" ? [options.Rank, host[1]] : [host[0], options.Rank];
            if (!tensor.Shape.SequenceEqual(needed))
                wrong.Add($"'{tensor.Name}' is [{string.Join(", ", tensor.Shape)}], the model and 'r' need {needed}");
        }

        IEnumerable<string> expected = options.TargetModules is { } targets ? hosts.Keys.Where(path => targets.Any(t => LoraOptions.Matches(path, t))) : paths;
        missing.AddRange(expected.SelectMany(path => new[] { KeyOf(path, "A"), KeyOf(path, "B") }).Where(key => !file.Contains(key)));
        if (missing.Count + unexpected.Count + wrong.Count > 0 || paths.Count == 0)
        {
            List<string> faults = [];
            Add("missing", missing);
            Add("unexpected", unexpected);
            Add("of another shape", wrong);
            throw new FileFormatException(file.Path, Fault.Corrupt, $"the adapter does not fit the model{(faults.Count > 0 ? $": {string.Join("; ", faults)}" : ": it holds no updates")}. It was made for another base, or is damaged.");

            void Add(string what, List<string> names)
            {
                if (names.Count > 0)
                    faults.Add($"{what} ({names.Count}): {string.Join(", ", names.Take(12))}{(names.Count > 12 ? ", ..." : "")}");
            }
        }

        return [.. paths];
    }

    /// <summary>A tensor's values, which must be finite.</summary>
    public static float[] ReadFinite(SafetensorsFile file, string key)
    {
        float[] values = file.ReadSingles(key);
        int at = Array.FindIndex(values, v => !float.IsFinite(v));
        return at < 0 ? values : throw new FileFormatException(file.Path, Fault.Corrupt, $"tensor '{key}' holds {values[at]} at {at}; finite numbers were needed.");
    }

    /// <summary>Writes both files, the weights first.</summary>
    public static void Write(string folder, LoraOptions options, string? baseModel, bool transposed, IEnumerable<NamedTensor> tensors)
    {
        Safetensors.Write(Path.Combine(folder, WeightsName), tensors, new Dictionary<string, string> { ["format"] = "pt" });
        JsonFile.WriteObject(Path.Combine(folder, ConfigName), new JsonObject
        {
            ["alpha_pattern"] = new JsonObject(),
            ["auto_mapping"] = null,
            ["base_model_name_or_path"] = baseModel,
            ["bias"] = "none",
            ["fan_in_fan_out"] = transposed,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["layers_pattern"] = null,
            ["layers_to_transform"] = null,
            ["lora_alpha"] = options.Alpha == Math.Floor(options.Alpha) && options.Alpha < int.MaxValue ? (int)options.Alpha : options.Alpha,
            ["lora_dropout"] = options.Dropout,
            ["modules_to_save"] = null,
            ["peft_type"] = "LORA",
            ["r"] = options.Rank,
            ["rank_pattern"] = new JsonObject(),
            ["revision"] = null,
            ["target_modules"] = new JsonArray([.. options.TargetModules!.Select(t => (JsonNode?)t)]),
            ["task_type"] = "CAUSAL_LM",
            ["use_dora"] = false,
            ["use_rslora"] = options.RankStabilized,
        });
    }

    private static List<string>? Targets(ConfigReader json)
    {
        switch (json.Json["target_modules"])
        {
            case null:
            case JsonValue value when value.TryGetValue(out string? text) && text == "all-linear":
                return null;
            case JsonArray array:
                var names = new List<string>();
                foreach (JsonNode? item in array)
                    names.Add(item is JsonValue entry && entry.TryGetValue(out string? name) && name.Length > 0 ? name : throw json.Bad($"'target_modules' holds {item?.ToJsonString() ?? "null"}; names were needed."));
                return names.Count > 0 ? names : throw json.Bad("'target_modules' is empty; names were needed.");
            case JsonValue value when value.TryGetValue(out string? _):
                return null; // a pattern: the tensors that are there tell which modules it meant
            case { } other:
                throw json.Bad($"'target_modules' is {Short(other)}; a list of names was needed.");
        }
    }

    private static bool IsEmpty(JsonNode node) => node switch
    {
        JsonArray array => array.Count == 0,
        JsonObject inner => inner.Count == 0,
        JsonValue value => value.TryGetValue(out bool flag) && !flag,
        _ => false,
    };

    private static string Short(JsonNode node) => node.ToJsonString() is var text && text.Length <= 60 ? text : text[..57] + "...";
}
