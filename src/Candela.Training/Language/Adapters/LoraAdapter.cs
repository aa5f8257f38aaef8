using Candela.Formats;

namespace Candela.Training.Language.Adapters;

/// <summary>Low-rank adapters (LoRA) beside the frozen matrices of a language model: each W x becomes W x + (alpha / rank) B A x, and A and B alone are trained, so that neither gradients nor
/// optimiser state of the base are kept. A begins uniform, B zero, so training starts from the base's own function. Files are PEFT's. Source: Hu et al. 2021.
/// <code>using LoraAdapter adapter = LoraAdapter.Attach(lm, new LoraOptions { Rank = 8 }, seed: 1);</code></summary>
public sealed class LoraAdapter : IDisposable
{
    private readonly CausalLm _model;
    private readonly SortedDictionary<string, LowRankUpdate> _updates;

    private LoraAdapter(CausalLm model, LoraOptions options, SortedDictionary<string, LowRankUpdate> updates) => (_model, Options, _updates) = (model, options, updates);

    /// <summary>What it is made of; its target modules are filled in.</summary>
    public LoraOptions Options { get; }

    /// <summary>Paths of the matrices that have an update, as PEFT names them without its prefix.</summary>
    public IReadOnlyCollection<string> Modules => _updates.Keys;

    /// <summary>Trained numbers.</summary>
    public long ParameterCount => _updates.Values.Sum(u => u.A.Value.numel() + u.B.Value.numel());

    /// <summary>Whether the updates are in the base's weights now, which costs nothing when the model runs.</summary>
    public bool IsMerged { get; private set; }

    /// <summary>Freezes the model and attaches new updates, which change nothing until they are trained. Make the trainer after this.</summary>
    /// <param name="model">Stays the caller's; it has one adapter at a time.</param>
    /// <param name="options">What is attached.</param>
    /// <param name="seed">Of A.</param>
    /// <exception cref="UsageException">An option is out of range, a target is no matrix of the model (the ones there are are named), or the model has an adapter.</exception>
    public static LoraAdapter Attach(CausalLm model, LoraOptions options, long seed)
    {
        if (model.Adapter is not null)
            throw new UsageException("The model has a LoRA adapter already. Merge and dispose that one first.");
        if (options.Rank < 1 || !double.IsFinite(options.Alpha) || options.Alpha <= 0 || !(options.Dropout >= 0 && options.Dropout < 1))
            throw new UsageException($"LoRA needs a rank of 1 or more, an alpha above 0 and a dropout from 0 to below 1; got {options.Rank}, {options.Alpha}, {options.Dropout}.");
        IReadOnlyList<string> targets = options.TargetModules ?? model.Config.AttentionProjections;
        Dictionary<string, Layer> hosts = Hosts(model);
        string[] unknown = [.. targets.Where(t => !hosts.Keys.Any(path => LoraOptions.Matches(path, t)))];
        if (unknown.Length > 0 || targets.Count == 0)
            throw new UsageException($"LoRA targets {(targets.Count == 0 ? "are none" : $"'{string.Join("', '", unknown)}' are no matrices of the model")}. There are {string.Join(", ", hosts.Keys.Select(LastPart).Distinct())}.");
        LoraAdapter adapter = Attach(model, options with { TargetModules = [.. targets] }, hosts.Where(h => targets.Any(t => LoraOptions.Matches(h.Key, t))));
        foreach ((string path, LowRankUpdate update) in adapter._updates)
        {
            update.A.Initialize(seed, $"{path}.lora_A.");
            update.B.Initialize(seed, $"{path}.lora_B.");
        }

        return adapter;
    }

    /// <summary>Freezes the model and attaches the updates of a PEFT folder: adapter_config.json and adapter_model.safetensors.</summary>
    /// <exception cref="FileFormatException">A file is missing or damaged, asks for what is not supported (DoRA, trained biases or further modules, ranks that differ), or does not fit the model; all tensors that do not fit are named.</exception>
    /// <exception cref="UsageException">The model has an adapter.</exception>
    public static LoraAdapter Load(CausalLm model, string folder)
    {
        if (model.Adapter is not null)
            throw new UsageException("The model has a LoRA adapter already. Merge and dispose that one first.");
        LoraOptions options = PeftFolder.ReadOptions(folder);
        using SafetensorsFile file = Safetensors.Open(Path.Combine(folder, PeftFolder.WeightsName));
        Dictionary<string, Layer> hosts = Hosts(model);
        IReadOnlyList<string> paths = PeftFolder.Match(file, options, hosts.ToDictionary(h => h.Key, h => Sizes(h.Value)));
        LoraAdapter adapter = Attach(model, options with { TargetModules = options.TargetModules ?? [.. paths.Select(LastPart).Distinct()] }, paths.Select(p => new KeyValuePair<string, Layer>(p, hosts[p])));
        try
        {
            foreach ((string path, LowRankUpdate update) in adapter._updates)
            {
                TensorMemory.Write(update.A.Value, PeftFolder.ReadFinite(file, PeftFolder.KeyOf(path, "A")));
                TensorMemory.Write(update.B.Value, PeftFolder.ReadFinite(file, PeftFolder.KeyOf(path, "B")));
            }

            return adapter;
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }

    /// <summary>Writes adapter_config.json and adapter_model.safetensors, float32, which PEFT loads onto the base model.</summary>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="baseModel">Where the base is, for the reader; default the folder the model came from.</param>
    public void Save(string folder, string? baseModel = null)
    {
        Directory.CreateDirectory(folder);
        PeftFolder.Write(folder, Options, baseModel ?? _model.Folder, _model.Config is Gpt2Config, _updates.SelectMany(u => new[]
        {
            new NamedTensor(PeftFolder.KeyOf(u.Key, "A"), [.. u.Value.A.Value.shape.Select(n => (int)n)], TensorMemory.Read(u.Value.A.Value)),
            new NamedTensor(PeftFolder.KeyOf(u.Key, "B"), [.. u.Value.B.Value.shape.Select(n => (int)n)], TensorMemory.Read(u.Value.B.Value)),
        }));
    }

    /// <summary>Adds the updates to the base's weights, in place: the same function without the extra products. The adapter's own matrices stay.</summary>
    public void Merge() => Merge(true);

    /// <summary>Takes the updates out of the base's weights again; they come back to within rounding.</summary>
    public void Unmerge() => Merge(false);

    /// <summary>Takes the updates off the model and frees them; what was merged stays in the weights. All of the model's weights can be trained again.</summary>
    public void Dispose()
    {
        if (_model.Adapter != this)
            return;
        foreach (LowRankUpdate update in _updates.Values)
            update.Dispose();
        _model.Adapter = null;
        _model.TrainOnly(_ => true);
    }

    private static LoraAdapter Attach(CausalLm model, LoraOptions options, IEnumerable<KeyValuePair<string, Layer>> hosts)
    {
        var updates = new SortedDictionary<string, LowRankUpdate>(StringComparer.Ordinal);
        foreach ((string path, Layer host) in hosts)
            updates.Add(path, new LowRankUpdate(host, options.Rank, options.Scale, options.Dropout));
        model.TrainOnly(_ => false);
        return model.Adapter = new LoraAdapter(model, options, updates);
    }

    private static Dictionary<string, Layer> Hosts(CausalLm model) => model.Network.Paths().Where(p => p.Value is ILowRankHost).ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal);

    private static Shape Sizes(Layer host)
    {
        long[] shape = ((ILowRankHost)host).Weight.Value.shape;
        return ((ILowRankHost)host).IsTransposed ? [(int)shape[1], (int)shape[0]] : [(int)shape[0], (int)shape[1]];
    }

    private static string LastPart(string path) => path[(path.LastIndexOf('.') + 1)..];

    private void Merge(bool into)
    {
        ObjectDisposedException.ThrowIf(_model.Adapter != this, this);
        foreach (LowRankUpdate update in _updates.Values)
            update.Merge(into);
        IsMerged = into;
    }
}
