using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Formats;
using Candela.Language;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>A net that tags the tokens of sentences: embeddings, a bidirectional LSTM and a CRF. A folder of config.json (sizes, vocabularies, tags) and model.safetensors.</summary>
public sealed class SentenceTagger : ITagger
{
    /// <summary>Sentences of a batch that is not trained on.</summary>
    internal const int EvaluationBatch = 64;

    /// <summary>As config.json names it.</summary>
    internal const string ModelType = "candela-sentence-tagger";

    private const string ConfigFile = "config.json";

    internal SentenceTagger(SentenceFeatures features, SentenceNetworkSize size, long seed)
    {
        (Features, Size) = (features, size);
        Network = new SentenceNetwork(features, size);
        Network.Build([1, features.Width], seed);
        Network.eval();
    }

    /// <summary>The tags it can give, in ordinal order.</summary>
    public IReadOnlyList<string> Tags => Features.Tags;

    /// <summary>Trained numbers.</summary>
    public long ParameterCount => Network.AllParameters().Sum(p => p.Value.numel());

    internal SentenceFeatures Features { get; }

    internal SentenceNetworkSize Size { get; }

    internal SentenceNetwork Network { get; }

    /// <summary>Whether a folder's config.json names a tagger of this kind, or none of the encoders.</summary>
    internal static bool IsIn(string folder) => !Language.TransformerConfig.SupportedTypes.Contains(JsonFile.ReadObject(Path.Combine(folder, ConfigFile))["model_type"]?.ToString() ?? "");

    /// <summary>Opens what training saved.</summary>
    /// <exception cref="FileFormatException">A file is missing, damaged, or of another model.</exception>
    public static SentenceTagger Open(string folder)
    {
        string path = Path.Combine(folder, ConfigFile);
        JsonObject json = JsonFile.ReadObject(path);
        if (json["model_type"] is not JsonValue type || !type.TryGetValue(out string? name) || name != ModelType)
            throw new FileFormatException(path, Fault.WrongFormat, $"model_type is {json["model_type"]?.ToJsonString() ?? "missing"}; '{ModelType}' was needed.");
        T Value<T>(string key) => json[key] is JsonValue value && value.TryGetValue(out T? result) ? result
            : throw new FileFormatException(path, Fault.Corrupt, $"'{key}' is missing or of the wrong kind. The file is damaged: restore it or train again.");
        var size = new SentenceNetworkSize(Value<int>("layers"), Value<int>("width"), Value<double>("dropout"));
        if (size is not { Layers: >= 1 and <= 64, Width: >= 1 and <= 16384, Dropout: >= 0 and < 1 })
            throw new FileFormatException(path, Fault.Corrupt, $"layers {size.Layers}, width {size.Width}, dropout {size.Dropout} are out of range. The file is damaged: restore it or train again.");
        var tagger = new SentenceTagger(SentenceFeatures.Read(json, path), size, 0);
        try
        {
            GraphBuilder.LoadWeights(tagger.Network, Path.Combine(folder, GraphBuilder.WeightsFile));
            return tagger;
        }
        catch
        {
            tagger.Dispose();
            throw;
        }
    }

    /// <summary>Writes config.json and model.safetensors into an existing folder.</summary>
    public void Save(string folder)
    {
        GraphBuilder.SaveWeights(Network, Path.Combine(folder, GraphBuilder.WeightsFile));
        JsonObject json = Features.ToJson();
        json.Insert(0, "model_type", ModelType);
        json.Insert(1, "layers", Size.Layers);
        json.Insert(2, "width", Size.Width);
        json.Insert(3, "dropout", Size.Dropout);
        JsonFile.WriteObject(Path.Combine(folder, ConfigFile), json);
    }

    /// <summary>The best tags of each sentence (Viterbi).</summary>
    /// <param name="sentences">Each a list of tokens, parted as in training; none may be empty text.</param>
    public IReadOnlyList<IReadOnlyList<string>> Tag(IReadOnlyList<IReadOnlyList<string>> sentences)
    {
        var tagged = new IReadOnlyList<string>[sentences.Count];
        tagged.AsSpan().Fill([]);
        Network.eval();
        using IDisposable quiet = no_grad();
        var source = new SentenceSource([.. sentences.Select(s => new TaggedSentence(s, s))], Features, needTags: false);
        foreach (SentenceBatch batch in source.Batches(new BatchPlan(EvaluationBatch)))
        {
            using TensorScope scope = TensorScope.Begin();
            IReadOnlyList<int[]> decoded = Network.Crf.Decode(SentenceTrainable.Emissions(Network, batch, Network.Crf.OwnParameters[0].Value.device), batch.Lengths);
            for (int n = 0; n < batch.Count; n++)
                tagged[batch.Rows[n]] = [.. decoded[n].Select(t => Tags[t])];
        }

        return tagged;
    }

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();

    /// <summary>The net in a line or two.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(Features.ByCharacter ? "characters and pairs" : "words, affixes, letters (convolution)")} -> {Size.Layers} bidirectional LSTM of 2 x {Size.Width}, beside {Features.Pairs.Hashes.Length:N0} written-down features -> CRF over {Tags.Count} tags\n{ParameterCount:N0} parameters, vocabulary {Features.Size(0):N0}");
}
