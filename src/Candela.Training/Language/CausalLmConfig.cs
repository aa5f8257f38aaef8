namespace Candela.Training.Language;

/// <summary>The configuration of a causal language model.</summary>
public abstract record CausalLmConfig : TransformerConfig
{
    /// <summary>Reads a config.json, or the one in a folder, of a causal language model.</summary>
    /// <inheritdoc cref="TransformerConfig.Load"/>
    public static new CausalLmConfig Load(string path) => TransformerConfig.Load(path) as CausalLmConfig
        ?? throw new FileFormatException(Directory.Exists(path) ? Path.Combine(path, FileName) : path, Fault.WrongFormat, "the model reads text in both directions and generates none; a causal language model (llama, mistral, qwen2, qwen3, gpt2) was needed.");

    /// <summary>The names by which low-rank adapters find the family's attention projections, each the last part or parts of a key.</summary>
    public abstract IReadOnlyList<string> AttentionProjections { get; }

    /// <summary>True for the last norm and the output matrix, which is the embedding matrix where the two are tied.</summary>
    internal abstract bool IsHead(string key);

    /// <summary>An unbuilt network of this configuration.</summary>
    internal abstract CausalNetwork Network();
}
