using Candela.Models;
using Candela.Tokenization;
using Candela.Training.Language.Adapters;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>A causal language model on libtorch: loaded from or saved to a Hugging Face folder, trained through <see cref="Logits"/>, read token by token through <see cref="ICausalLm"/>. Float32.
/// <code>using CausalLm lm = CausalLm.Load("models/TinyLlama"); using ICausalState state = lm.Begin();</code></summary>
public sealed class CausalLm : ICausalLm
{
    private CausalLm(CausalLmConfig config, CausalNetwork network) => (Config, Network) = (config, network);

    /// <summary>What it is made of.</summary>
    public CausalLmConfig Config { get; }

    /// <summary>The network, for a trainer; owned by this. Its parameters' keys are the checkpoint's. It begins in evaluation mode.</summary>
    public CausalNetwork Network { get; }

    /// <summary>The folder's tokenizer, or the one given; null where there is none.</summary>
    public Tokenizer? Tokenizer { get; init; }

    /// <summary>The folder it came from, whose tokenizer files <see cref="SaveTo"/> carries along; null for a new model.</summary>
    public string? Folder { get; private init; }

    /// <summary>The adapter attached to it, or null.</summary>
    public LoraAdapter? Adapter { get; internal set; }

    /// <inheritdoc/>
    public int VocabularySize => Config.VocabularySize;

    /// <inheritdoc/>
    public int ContextLength => Config.ContextLength;

    /// <summary>Opens a model folder: config.json, weights (model.safetensors, shards with an index, or pytorch_model.bin), and its tokenizer where there is one.</summary>
    /// <exception cref="FileFormatException">A file is missing, damaged or of an unknown family, or the tensors do not fit the configuration (all named together).</exception>
    public static CausalLm Load(string folder)
    {
        CausalLmConfig config = CausalLmConfig.Load(folder);
        Tokenizer? tokenizer = HuggingFaceFolder.LoadTokenizer(folder);
        return new CausalLm(config, HuggingFaceFolder.LoadNetwork(folder, config, config.Network)) { Folder = folder, Tokenizer = tokenizer };
    }

    /// <summary>A new model with random weights.</summary>
    /// <param name="config">What it is made of.</param>
    /// <param name="seed">Of the weights: normal with the family's deviation (GPT-2 also scales what writes into the residual stream, as its paper does).</param>
    /// <param name="tokenizer">Saved with it; may be null.</param>
    public static CausalLm Create(CausalLmConfig config, long seed, Tokenizer? tokenizer = null)
    {
        CausalNetwork network = config.Network();
        network.Build([1], seed);
        network.eval();
        return new CausalLm(config, network) { Tokenizer = tokenizer };
    }

    /// <summary>Writes the model as a Hugging Face folder, float32, with its tokenizer files.</summary>
    /// <param name="folder">Made if it is not there; files of a model in it are replaced.</param>
    /// <param name="maxShardBytes">Above this, weights are split over several files with an index. Default 5 GB.</param>
    /// <exception cref="UsageException">A <see cref="LoraAdapter"/> is attached and not merged: the folder would hold a model that says something else.</exception>
    public void SaveTo(string folder, long maxShardBytes = HuggingFaceFolder.DefaultShardBytes)
    {
        if (Adapter is { IsMerged: false })
            throw new UsageException("The model has a LoRA adapter that is not merged, which its own files cannot hold. Save the adapter, or Merge() it first.");
        HuggingFaceFolder.Save(folder, Config, Network, Tokenizer, Folder, maxShardBytes);
    }

    /// <summary>[B, T] int64 ids -> [B, T, V] logits, recorded for the gradient unless <c>no_grad</c> is on.</summary>
    /// <exception cref="ShapeException">Not two axes, more tokens than the context, ids that are not int64 or outside the vocabulary.</exception>
    public Tensor Logits(Tensor ids)
    {
        if (ids.dim() != 2 || ids.dtype != ScalarType.Int64 || ids.numel() == 0)
            throw new ShapeException($"Logits needs int64 ids [batch, tokens]; got {ids.dtype} [{string.Join(", ", ids.shape)}].");
        using (Tensor least = ids.min(), most = ids.max())
        {
            if (least.ToInt64() < 0 || most.ToInt64() >= VocabularySize)
                throw new ShapeException($"Token ids must be 0 to {VocabularySize - 1}; got {least.ToInt64()} to {most.ToInt64()}.");
        }

        return Network.call(ids);
    }

    /// <summary>Freezes everything but the last norm and the output matrix: a trainer made after this changes them alone. Where the output matrix is the embedding matrix
    /// (<see cref="TransformerConfig.TiedEmbeddings"/>), it is trained in both its uses, so gradients still pass through the whole network; else nothing below the head costs gradient memory.</summary>
    public void TrainHeadOnly() => TrainOnly(Config.IsHead);

    /// <summary>Makes the parameters whose keys pass trainable and freezes the others.</summary>
    public void TrainOnly(Func<string, bool> keys)
    {
        foreach (KeyValuePair<string, TorchSharp.Modules.Parameter> parameter in Network.AllParameters())
            parameter.Value.requires_grad = keys(parameter.Key);
    }

    /// <inheritdoc/>
    public ICausalState Begin() => new CausalState(Network, Network.NewCache());

    /// <summary>Frees the network.</summary>
    public void Dispose()
    {
        Adapter?.Dispose();
        Network.Dispose();
    }
}
