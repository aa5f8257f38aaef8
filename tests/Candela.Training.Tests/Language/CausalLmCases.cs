using Candela.Training.Language;
using Candela.Training.Language.Reference;

namespace Candela.Training.Tests.Language;

/// <summary>Small random models, one for each thing a configuration can ask for.</summary>
internal static class CausalLmCases
{
    private static readonly LlamaConfig Llama = new() { VocabularySize = 31, ContextLength = 48, Width = 24, HiddenWidth = 40, Layers = 2, Heads = 4, InitializerRange = 0.3 };
    private static readonly Gpt2Config Gpt2 = new() { VocabularySize = 31, ContextLength = 48, Width = 24, Layers = 2, Heads = 3, InitializerRange = 0.3 };

    public static IReadOnlyDictionary<string, CausalLmConfig> All { get; } = new Dictionary<string, CausalLmConfig>
    {
        ["llama"] = Llama,
        ["tied"] = Llama with { TiedEmbeddings = true },
        ["grouped-heads"] = Llama with { KeyValueHeads = 2 },
        ["one-key-head"] = Llama with { KeyValueHeads = 1, HeadDimension = 8 },
        ["qwen2"] = Llama with { AttentionBias = true, KeyValueHeads = 2, TiedEmbeddings = true },
        ["all-biases"] = Llama with { AttentionBias = true, OutputBias = true, MlpBias = true },
        ["qwen3"] = Llama with { NormalizeHeads = true, KeyValueHeads = 2, HeadDimension = 10 },
        ["mistral"] = Llama with { Window = 5, KeyValueHeads = 2 },
        ["late-window"] = Llama with { Window = 4, FirstWindowLayer = 1, NormalizeHeads = true },
        ["layer-types"] = Llama with { Window = 4, WindowLayers = [true, false], NormalizeHeads = true },
        ["partial-rotary"] = Llama with { HeadDimension = 8, RotaryShare = 0.5 },
        ["rope-linear"] = Llama with { Scaling = new() { Kind = RopeScalingKind.Linear, Factor = 3 } },
        ["rope-dynamic"] = Llama with { HeadDimension = 8, Scaling = new() { Kind = RopeScalingKind.Dynamic, Factor = 2, OriginalContextLength = 24 } },
        ["rope-llama3"] = Llama with { HeadDimension = 16, RopeTheta = 500, Scaling = new() { Kind = RopeScalingKind.Llama3, Factor = 8, OriginalContextLength = 24 } },
        ["rope-yarn"] = Llama with { HeadDimension = 16, RopeTheta = 100, Scaling = new() { Kind = RopeScalingKind.Yarn, Factor = 4, OriginalContextLength = 12, BetaFast = 2, BetaSlow = 0.5 } },
        ["gelu-gate"] = Llama with { Activation = TransformerActivation.Gelu },
        ["gpt2"] = Gpt2,
        ["gpt2-untied"] = Gpt2 with { TiedEmbeddings = false, HiddenWidth = 50, Activation = TransformerActivation.Gelu },
    };

    public static TheoryData<string> Names() => [.. All.Keys];

    public static double[][] Reference(CausalLm lm, int[] tokens)
    {
        Dictionary<string, float[]> weights = TrainableParameter.Of(lm.Network).ToDictionary(p => p.Key, p => TensorMemory.Read(p.Value));
        return lm.Config is LlamaConfig llama ? new ReferenceLlama(llama, weights).Logits(tokens) : new ReferenceGpt2((Gpt2Config)lm.Config, weights).Logits(tokens);
    }

    public static int[] Tokens(CausalLmConfig config, int count, long seed)
    {
        var rng = new Rng(seed);
        return [.. Enumerable.Range(0, count).Select(_ => rng.Next(config.VocabularySize))];
    }
}
