using System.Text.Json.Nodes;
using Candela.Formats;

namespace Candela.Training.Language;

/// <summary>An encoder-decoder net over one vocabulary of both sides, as config.json of its folder has it.</summary>
public sealed record Seq2SeqConfig
{
    /// <summary>As config.json names it.</summary>
    public const string ModelType = "candela-seq2seq";

    /// <summary>Decoder input and padding ids of the tokenizers that are trained for these nets: padding, begin, end.</summary>
    internal const int DefaultPad = 0, DefaultBos = 1, DefaultEos = 2;

    private const int Most = 1 << 20;

    /// <summary>Nets there are: <c>transformer</c>, and <c>gru</c> and <c>lstm</c> with additive attention.</summary>
    public static IReadOnlyList<string> Architectures { get; } = ["transformer", "gru", "lstm"];

    /// <summary>One of <see cref="Architectures"/>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Tokens of the shared vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Numbers per token; of a recurrent net also of the state, per direction in the encoder.</summary>
    public required int Width { get; init; }

    /// <summary>Layers of the encoder, and as many of the decoder.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads of a Transformer, which must divide the width. Default 4.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Width inside a Transformer's feed-forward block; 0 (default) for twice the width.</summary>
    public int HiddenWidth { get; init; }

    /// <summary>Share of numbers set to 0 in training, 0 up to but not 1. Default 0.3.</summary>
    public double Dropout { get; init; } = 0.3;

    /// <summary>Positions that have trained vectors, which bounds both sides' lengths; 0 (default) for sinusoids, which bound nothing. Transformers only.</summary>
    public int LearnedPositions { get; init; }

    /// <summary>Most tokens that are generated. Default 128.</summary>
    public int MaxTokens { get; init; } = 128;

    /// <summary>Tokens of a source that are read, its end included; what is beyond is left out. Default 512.</summary>
    public int MaxSourceTokens { get; init; } = 512;

    /// <summary>Id that fills short sequences up. Default 0.</summary>
    public int PadId { get; init; } = DefaultPad;

    /// <summary>Id the decoder starts from. Default 1.</summary>
    public int BosId { get; init; } = DefaultBos;

    /// <summary>Id that ends both sides. Default 2.</summary>
    public int EosId { get; init; } = DefaultEos;

    internal int Hidden => HiddenWidth > 0 ? HiddenWidth : 2 * Width;

    /// <summary>Makes the net, unbuilt.</summary>
    /// <exception cref="UsageException">A size is out of range.</exception>
    public Seq2SeqNetwork CreateNetwork()
    {
        if (Problem() is { } problem)
            throw new UsageException($"An encoder-decoder net cannot be made: {problem}.");
        return Architecture == "transformer" ? new TransformerSeq2Seq(this) : new AttentionSeq2Seq(this);
    }

    internal static Seq2SeqConfig Read(string path)
    {
        JsonObject json = JsonFile.ReadObject(path);
        if (json["model_type"] is not JsonValue type || !type.TryGetValue(out string? name) || name != ModelType)
            throw new FileFormatException(path, Fault.WrongFormat, $"model_type is {json["model_type"]?.ToJsonString() ?? "missing"}; '{ModelType}' was needed.");
        T Value<T>(string key) => json[key] is JsonValue value && value.TryGetValue(out T? result) ? result
            : throw new FileFormatException(path, Fault.Corrupt, $"'{key}' is missing or of the wrong kind. The file is damaged: restore it or train again.");
        var config = new Seq2SeqConfig
        {
            Architecture = Value<string>("architecture"),
            VocabularySize = Value<int>("vocab_size"),
            Width = Value<int>("width"),
            Layers = Value<int>("layers"),
            Heads = Value<int>("heads"),
            HiddenWidth = Value<int>("hidden_width"),
            Dropout = Value<double>("dropout"),
            LearnedPositions = Value<int>("learned_positions"),
            MaxTokens = Value<int>("max_tokens"),
            MaxSourceTokens = Value<int>("max_source_tokens"),
            PadId = Value<int>("pad_token_id"),
            BosId = Value<int>("bos_token_id"),
            EosId = Value<int>("eos_token_id"),
        };
        return config.Problem() is { } problem ? throw new FileFormatException(path, Fault.Corrupt, $"{problem}. The file is damaged: restore it or train again.") : config;
    }

    internal void Write(string path) => JsonFile.WriteObject(path, new JsonObject
    {
        ["model_type"] = ModelType,
        ["architecture"] = Architecture,
        ["vocab_size"] = VocabularySize,
        ["width"] = Width,
        ["layers"] = Layers,
        ["heads"] = Heads,
        ["hidden_width"] = HiddenWidth,
        ["dropout"] = Dropout,
        ["learned_positions"] = LearnedPositions,
        ["max_tokens"] = MaxTokens,
        ["max_source_tokens"] = MaxSourceTokens,
        ["pad_token_id"] = PadId,
        ["bos_token_id"] = BosId,
        ["eos_token_id"] = EosId,
    });

    private string? Problem()
    {
        if (!Architectures.Contains(Architecture))
            return $"there is no architecture '{Architecture}'.{NearestName.Hint(Architecture, Architectures)} Known: {string.Join(", ", Architectures)}";
        foreach ((string name, int value, int least) in new[] { ("vocabulary", VocabularySize, 4), ("width", Width, 1), ("layers", Layers, 1), ("heads", Heads, 1), ("hidden width", HiddenWidth, 0), ("learned positions", LearnedPositions, 0), ("most tokens", MaxTokens, 1), ("most source tokens", MaxSourceTokens, 2) })
        {
            if (value < least || value > Most)
                return $"{name} is {value}; {least} to {Most} was needed";
        }

        if (Architecture == "transformer" && Width % (2 * Heads) != 0)
            return $"width {Width} over {Heads} heads does not give an even number each";
        if (!(Dropout >= 0 && Dropout < 1))
            return $"dropout is {Dropout}; 0 up to but not 1 was needed";
        int[] ids = [PadId, BosId, EosId];
        return ids.Distinct().Count() == 3 && ids.All(id => id >= 0 && id < VocabularySize) ? null
            : $"padding, begin and end have the ids {string.Join(", ", ids)}; three different ones below {VocabularySize} were needed";
    }
}
