using Candela.Tokenization;

namespace Candela.Training.Language;

/// <summary>An encoder of the BERT family on libtorch, loaded from or saved to a Hugging Face folder. Float32.
/// <code>using Bert bert = Bert.Load("models/bert-base-uncased", BertHead.SequenceClassification, ["negative", "positive"], seed: 1);</code></summary>
public sealed class Bert : IDisposable
{
    private Bert(BertConfig config, BertModel network) => (Config, Network) = (config, network);

    /// <summary>What it is made of.</summary>
    public BertConfig Config { get; }

    /// <summary>The network, owned by this. It begins in evaluation mode.</summary>
    public BertModel Network { get; }

    /// <summary>The folder's tokenizer, or the one given; null where there is none.</summary>
    public Tokenizer? Tokenizer { get; init; }

    /// <summary>The folder it came from; null for a new model.</summary>
    public string? Folder { get; private init; }

    /// <summary>Tensors of the head that the folder did not have and that began at random.</summary>
    public IReadOnlyList<string> NewTensors { get; private init; } = [];

    /// <summary>Opens a model folder with the head its config.json names.</summary>
    /// <exception cref="FileFormatException">A file is missing, damaged or of another family, or tensors do not fit (all named together).</exception>
    public static Bert Load(string folder) => Load(folder, ReadConfig(folder), anew: false, seed: 0);

    /// <summary>Opens a model folder for another task: what the head needs and the folder lacks begins at random, heads of other tasks are left out.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="head">What to put on it.</param>
    /// <param name="labels">Classes of a classification head; null keeps the folder's.</param>
    /// <param name="seed">Of the new weights.</param>
    /// <inheritdoc cref="Load(string)"/>
    public static Bert Load(string folder, BertHead head, IReadOnlyList<string>? labels, long seed)
    {
        BertConfig config = ReadConfig(folder);
        return Load(folder, config with { Head = head, Labels = labels ?? config.Labels }, anew: true, seed);
    }

    /// <summary>Makes the parameters whose keys pass trainable and freezes the others.</summary>
    public void TrainOnly(Func<string, bool> keys)
    {
        foreach (KeyValuePair<string, TorchSharp.Modules.Parameter> parameter in Network.AllParameters())
            parameter.Value.requires_grad = keys(parameter.Key);
    }

    /// <summary>Opens a folder's weights for a configuration that differs in its head.</summary>
    internal static Bert Load(string folder, BertConfig config, long seed) => Load(folder, config, anew: true, seed);

    /// <summary>A new model with random weights: normal with deviation <see cref="TransformerConfig.InitializerRange"/>, offsets 0, norms 1.</summary>
    public static Bert Create(BertConfig config, long seed, Tokenizer? tokenizer = null)
    {
        var network = new BertModel(config);
        network.Build([1], seed);
        network.eval();
        return new Bert(config, network) { Tokenizer = tokenizer };
    }

    /// <summary>Writes the model as a Hugging Face folder, float32, with its tokenizer files.</summary>
    /// <param name="folder">Made if it is not there; files of a model in it are replaced.</param>
    /// <param name="maxShardBytes">Above this, weights are split over several files with an index. Default 5 GB.</param>
    public void SaveTo(string folder, long maxShardBytes = HuggingFaceFolder.DefaultShardBytes) =>
        HuggingFaceFolder.Save(folder, Config, Network, Tokenizer, Folder, maxShardBytes);

    /// <summary>Frees the network.</summary>
    public void Dispose() => Network.Dispose();

    private static BertConfig ReadConfig(string folder) => TransformerConfig.Load(folder) as BertConfig
        ?? throw new FileFormatException(Path.Combine(folder, TransformerConfig.FileName), Fault.WrongFormat, "the model is a causal language model; an encoder (bert, distilbert, roberta) was needed.");

    private static Bert Load(string folder, BertConfig config, bool anew, long seed)
    {
        Tokenizer? tokenizer = HuggingFaceFolder.LoadTokenizer(folder);
        List<string> fresh = [];
        BertModel network = HuggingFaceFolder.LoadNetwork(folder, config, () => new BertModel(config), anew ? config.IsHead : null, seed, fresh);
        return new Bert(config, network) { Folder = folder, Tokenizer = tokenizer, NewTensors = fresh };
    }
}
