using System.Text.Json.Nodes;
using Candela.Formats;
using Candela.Tokenization;
using TorchSharp.Modules;

namespace Candela.Training.Language;

/// <summary>Reads and writes model folders as Hugging Face lays them out: config.json, generation_config.json, weights, tokenizer files.</summary>
public static class HuggingFaceFolder
{
    /// <summary>Weights above this are split over several files, unless asked otherwise: 5 GB, as Hugging Face does.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    private static readonly string[] LoadableTokenizers = ["tokenizer.json", "tokenizer.model", "tokenizer.bin"];

    private static readonly string[] TokenizerFiles =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt",
        "tokenizer.model", "sentencepiece.bpe.model", "tokenizer.bin", "chat_template.jinja", "chat_template.json",
    ];

    /// <summary>The folder's tokenizer, or null where it has none.</summary>
    /// <exception cref="FileFormatException">There is one and it cannot be used.</exception>
    public static Tokenizer? LoadTokenizer(string folder) =>
        LoadableTokenizers.Any(f => File.Exists(Path.Combine(folder, f))) ? Tokenizer.Load(folder) : null;

    /// <summary>Fills a built network's parameters from a folder's weights, each read from disk straight into its place; bf16, f16 and others become float32.</summary>
    /// <exception cref="FileFormatException">Tensors are missing, unexpected or of another shape: all are named together.</exception>
    /// <param name="folder">Where config.json and the weights are.</param>
    /// <param name="config">What was read from it.</param>
    /// <param name="make">Makes the unbuilt network.</param>
    /// <param name="mayLack">True for keys that begin at random where the folder lacks them; null for none.</param>
    /// <param name="seed">Of what begins at random.</param>
    /// <param name="fresh">Receives the keys that did.</param>
    internal static TNetwork LoadNetwork<TNetwork>(string folder, TransformerConfig config, Func<TNetwork> make, Func<string, bool>? mayLack = null, long seed = 0, List<string>? fresh = null)
        where TNetwork : Layer
    {
        using CheckpointReader reader = CheckpointReader.Open(folder);
        Dictionary<string, CheckpointReader.StoredTensor> stored = reader.Match(config, mayLack); // before anything is allocated
        TNetwork network = make();
        try
        {
            network.BuildOnly([1]);
            if (mayLack is not null)
                network.Initialize(seed);
            foreach (KeyValuePair<string, Parameter> parameter in network.AllParameters())
            {
                if (stored.TryGetValue(parameter.Key, out CheckpointReader.StoredTensor? tensor))
                    tensor.ReadInto(TensorMemory.Singles(parameter.Value));
                else
                    fresh!.Add(parameter.Key);
            }

            network.eval();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Writes a model folder. Weights come first and config.json last, each file in one step, so that a folder that was interrupted is refused or still the old one.</summary>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="config">Written as config.json.</param>
    /// <param name="network">Its parameters are written as float32.</param>
    /// <param name="tokenizer">Written as tokenizer.json where <paramref name="source"/> has none; may be null.</param>
    /// <param name="source">A folder whose tokenizer files and generation_config.json are carried along, or null.</param>
    /// <param name="maxShardBytes">Above this, weights are split over several files with an index.</param>
    internal static void Save(string folder, TransformerConfig config, Layer network, Tokenizer? tokenizer, string? source, long maxShardBytes)
    {
        if (maxShardBytes < 1)
            throw new UsageException($"Shards need 1 byte or more; got {maxShardBytes}.");
        Directory.CreateDirectory(folder);
        HashSet<string> written = WriteWeights(folder, network, maxShardBytes);
        CarryTokenizer(folder, tokenizer, source);
        WriteGeneration(folder, config, source);
        JsonFile.WriteObject(Path.Combine(folder, TransformerConfig.FileName), config.ToJson());
        foreach (string old in Directory.EnumerateFiles(folder))
        {
            string name = Path.GetFileName(old);
            bool weights = name is CheckpointReader.SafeIndex or CheckpointReader.Safe || (name.StartsWith("model-", StringComparison.Ordinal) && name.EndsWith(".safetensors", StringComparison.Ordinal));
            if (weights && !written.Contains(name))
                File.Delete(old);
        }
    }

    private static HashSet<string> WriteWeights(string folder, Layer network, long maxShardBytes)
    {
        var shards = new List<List<KeyValuePair<string, Parameter>>> { new() };
        long total = 0, filled = 0;
        foreach (KeyValuePair<string, Parameter> parameter in network.AllParameters())
        {
            long bytes = parameter.Value.numel() * sizeof(float);
            if (filled > 0 && filled + bytes > maxShardBytes)
            {
                shards.Add([]);
                filled = 0;
            }

            shards[^1].Add(parameter);
            (filled, total) = (filled + bytes, total + bytes);
        }

        var metadata = new Dictionary<string, string> { ["format"] = "pt" }; // Hugging Face refuses files without it
        var written = new HashSet<string>(StringComparer.Ordinal);
        var map = new JsonObject();
        for (int i = 0; i < shards.Count; i++)
        {
            string name = shards.Count == 1 ? CheckpointReader.Safe : $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors";
            Safetensors.Write(Path.Combine(folder, name), shards[i].Select(p => new RawTensor(p.Key, TensorType.F32, [.. p.Value.shape.Select(n => (int)n)], new ParameterBytes(p.Value).Memory)), metadata);
            written.Add(name);
            foreach (KeyValuePair<string, Parameter> parameter in shards[i])
                map[parameter.Key] = name;
        }

        if (shards.Count > 1)
        {
            JsonFile.WriteObject(Path.Combine(folder, CheckpointReader.SafeIndex), new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = map });
            written.Add(CheckpointReader.SafeIndex);
        }

        return written;
    }

    private static void CarryTokenizer(string folder, Tokenizer? tokenizer, string? source)
    {
        if (source is not null && Path.GetFullPath(source) != Path.GetFullPath(folder))
        {
            foreach (string name in TokenizerFiles.Where(n => File.Exists(Path.Combine(source, n))))
            {
                byte[] content = File.ReadAllBytes(Path.Combine(source, name));
                AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(content));
            }
        }

        if (tokenizer is not null && !File.Exists(Path.Combine(folder, "tokenizer.json")))
            tokenizer.Save(Path.Combine(folder, "tokenizer.json"));
    }

    private static void WriteGeneration(string folder, TransformerConfig config, string? source)
    {
        if (config is not CausalLmConfig)
            return;
        string target = Path.Combine(folder, "generation_config.json");
        if (source is not null && File.Exists(Path.Combine(source, "generation_config.json")))
        {
            JsonFile.WriteObject(target, JsonFile.ReadObject(Path.Combine(source, "generation_config.json")));
            return;
        }

        JsonObject json = config.ToJson();
        var generation = new JsonObject();
        foreach (string key in new[] { "bos_token_id", "eos_token_id", "pad_token_id" })
        {
            if (json[key] is { } value)
                generation[key] = value.DeepClone();
        }

        JsonFile.WriteObject(target, generation);
    }

    // A parameter's memory as bytes, without a copy.
    private sealed class ParameterBytes : System.Buffers.MemoryManager<byte>
    {
        private readonly TorchSharp.torch.Tensor _tensor;
        private readonly int _length;

        public ParameterBytes(TorchSharp.torch.Tensor tensor) => (_tensor, _length) = (tensor, checked((int)(tensor.numel() * sizeof(float))));

        public override Memory<byte> Memory => CreateMemory(_length);

        public override Span<byte> GetSpan() => System.Runtime.InteropServices.MemoryMarshal.AsBytes(TensorMemory.Singles(_tensor));

        public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
