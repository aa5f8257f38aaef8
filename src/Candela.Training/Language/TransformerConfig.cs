using System.Text.Json.Nodes;
using Candela.Formats;

namespace Candela.Training.Language;

/// <summary>What a transformer is made of: the part of config.json its family reads. Families: <see cref="LlamaConfig"/>, <see cref="Gpt2Config"/>, <see cref="BertConfig"/>.</summary>
public abstract record TransformerConfig
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "config.json";

    /// <summary>The family as config.json names it (<c>llama</c>, <c>qwen2</c>, <c>gpt2</c>).</summary>
    public string ModelType { get; init; } = "";

    /// <summary>Number of token ids.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The most tokens of one sequence.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Numbers per token between the blocks.</summary>
    public required int Width { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads of each attention.</summary>
    public required int Heads { get; init; }

    /// <summary>Deviation of the first weights. Default 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Whether the output matrix is the embedding matrix.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>The token that begins a text, or null.</summary>
    public int? BosId { get; init; }

    /// <summary>The tokens that end a text.</summary>
    public IReadOnlyList<int> EosIds { get; init; } = [];

    /// <summary>The token that fills batches, or null.</summary>
    public int? PadId { get; init; }

    /// <summary>Numbers per token and layer that a cache of keys and values keeps, keys and values together.</summary>
    public abstract int CacheWidth { get; }

    /// <summary>All trained tensors by the checkpoint's keys, in the order they are saved. Nothing is allocated and libtorch is not loaded.</summary>
    public abstract IEnumerable<TensorSpec> Tensors();

    /// <summary>The config.json of this configuration: what the file it was read from held, with the values here.</summary>
    public abstract JsonObject ToJson();

    /// <summary>How many trained numbers there are. Counted from <see cref="Tensors"/>.</summary>
    public long ParameterCount => Tensors().Sum(t => t.Elements);

    /// <summary>Floating-point operations of one token's forward pass over a context of that many tokens, two per multiply-add, the output matrix included.</summary>
    /// <param name="context">Tokens it attends to, itself included.</param>
    public double FlopsPerToken(int context)
    {
        double weights = Tensors().Where(t => t.Shape.Count == 2 && !IsLookup(t.Key)).Sum(t => (double)t.Elements);
        if (TiedEmbeddings)
            weights += (double)VocabularySize * Width;
        return (2 * weights) + (4.0 * context * Layers * Heads * HeadWidth);
    }

    internal abstract int HeadWidth { get; }

    /// <summary>What the file it came from held, for keys that are not read here.</summary>
    internal JsonObject? Source { get; init; }

    /// <summary>True for a matrix of which a token reads one row.</summary>
    internal abstract bool IsLookup(string key);

    /// <summary>The key here of a tensor in somebody's checkpoint; null for one that is not a parameter (a mask, a repeated output matrix).</summary>
    /// <param name="stored">The key in the file.</param>
    /// <param name="all">All keys in the file or files, to tell spellings apart.</param>
    internal abstract string? KeyOf(string stored, IReadOnlySet<string> all);

    /// <summary>Families that <see cref="Load"/> reads, by <c>model_type</c>.</summary>
    public static IReadOnlyList<string> SupportedTypes { get; } = ["llama", "mistral", "qwen2", "qwen3", "gpt2", "bert", "distilbert", "roberta", "xlm-roberta"];

    /// <summary>Reads a config.json, or the one in a folder.</summary>
    /// <exception cref="FileFormatException">The file is missing, is no config of a supported family (which are named), or holds values that cannot be (the key is named).</exception>
    public static TransformerConfig Load(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        var reader = new ConfigReader(file, JsonFile.ReadObject(file));
        string? type = reader.String("model_type");
        return type switch
        {
            "llama" or "mistral" or "qwen2" or "qwen3" => LlamaConfig.Read(reader, type),
            "gpt2" => Gpt2Config.Read(reader),
            "bert" or "distilbert" or "roberta" or "xlm-roberta" => BertConfig.Read(reader, type),
            null => throw new FileFormatException(file, Fault.WrongFormat, $"there is no 'model_type'; supported are {string.Join(", ", Supported)}."),
            _ => throw new FileFormatException(file, Fault.Unsupported, $"'model_type' is '{type}'; supported are {string.Join(", ", Supported)}.{NearestName.Hint(type, Supported)}"),
        };
    }

    private static IEnumerable<string> Supported => SupportedTypes;

    private protected void WriteTo(JsonObject json)
    {
        json["model_type"] = ModelType;
        json["vocab_size"] = VocabularySize;
        json["initializer_range"] = InitializerRange;
        json["tie_word_embeddings"] = TiedEmbeddings;
        Set(json, "bos_token_id", BosId);
        Set(json, "pad_token_id", PadId);
        json["eos_token_id"] = EosIds.Count switch { 0 => null, 1 => EosIds[0], _ => new JsonArray([.. EosIds.Select(i => (JsonNode?)i)]) };
        json.Remove("dtype");
        json["torch_dtype"] = "float32";
    }

    private static void Set(JsonObject json, string key, int? value) => json[key] = value;
}
