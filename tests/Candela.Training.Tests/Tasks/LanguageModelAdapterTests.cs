using Candela.Experiments;
using Candela.Models;
using Candela.Tokenization;
using Candela.Training.Language;
using Candela.Training.Language.Adapters;
using Candela.Training.Tasks;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Tasks;

public sealed class LanguageModelAdapterTests : IDisposable
{
    private const string Text = "the cat sat on the mat. the dog sat on the log. a cat and a dog met on a mat.\n";
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-lora-").FullName;

    public LanguageModelAdapterTests()
    {
        File.WriteAllText(In("text.txt"), string.Concat(Enumerable.Repeat(Text, 12)));
        Tokenizer tokenizer = TokenizerTrainer.Characters([Text], new CharacterTrainingOptions { SpecialTokens = ["<unk>", "<|endoftext|>"], UnknownToken = "<unk>" });
        using CausalLm lm = CausalLm.Create(new LlamaConfig { VocabularySize = tokenizer.VocabularySize, ContextLength = 32, Width = 16, HiddenWidth = 32, Layers = 1, Heads = 2 }, 1, tokenizer);
        lm.SaveTo(In("base"));
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void Train_WithLora_RunIsTheBaseWithTheSavedAdapterMerged()
    {
        Train(Request() with { LoraRank = 2, LoraAlpha = 6, LoraTargets = ["q_proj", "up_proj"], LoraDropout = 0.1 });
        float[] run = Logits(In("run"), null), adapted = Logits(In("base"), In("run/adapter")), untouched = Logits(In("base"), null);
        Assert.NotEqual(untouched, run);
        for (int i = 0; i < run.Length; i++)
            Assert.Equal(adapted[i], run[i], 1e-5f);
        using CausalLm lm = CausalLm.Load(In("run"));
        using CausalLm origin = CausalLm.Load(In("base"));
        Assert.Equal(["model.layers.0.mlp.up_proj.weight", "model.layers.0.self_attn.q_proj.weight"], Changed(origin, lm));
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void Train_HeadOnly_ChangesTheHeadAlone()
    {
        Train(Request() with { HeadOnly = true });
        using CausalLm lm = CausalLm.Load(In("run"));
        using CausalLm origin = CausalLm.Load(In("base"));
        Assert.Equal(["lm_head.weight", "model.norm.weight"], Changed(origin, lm));
        Assert.False(Directory.Exists(In("run/adapter")));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Complete_OptionsThatDoNotGoTogether_AreRefused()
    {
        Refused("--base", new SequenceOptions { LoraRank = 4 });
        Refused("--base", new SequenceOptions { HeadOnly = true });
        Refused("--lora-rank", Request() with { LoraAlpha = 4 });
        Refused("--lora-alpha 0", Request() with { LoraRank = 4, LoraAlpha = 0 });
        Refused("--head-only", Request() with { LoraRank = 4, HeadOnly = true });

        void Refused(string words, SequenceOptions options) => Assert.Contains(words, Assert.Throws<UsageException>(() => new LanguageModelTask().Complete(Of(options))).Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string[] Changed(CausalLm before, CausalLm after)
    {
        Dictionary<string, float[]> old = before.Network.AllParameters().ToDictionary(p => p.Key, p => TensorMemory.Read(p.Value));
        return [.. after.Network.AllParameters().Where(p => !TensorMemory.Read(p.Value).AsSpan().SequenceEqual(old[p.Key])).Select(p => p.Key).Order(StringComparer.Ordinal)];
    }

    private static float[] Logits(string folder, string? adapter)
    {
        using CausalLm lm = CausalLm.Load(folder);
        if (adapter is not null)
            _ = LoraAdapter.Load(lm, adapter);
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        return TensorMemory.Read(lm.Logits(arange(8, ScalarType.Int64).unsqueeze(0)));
    }

    private void Train(SequenceOptions options) => SequenceExperiment.Train(Of(options), In("run"), [new LanguageModelTask()], new ExperimentOptions());

    private SequenceOptions Request() => new() { Base = In("base"), Block = 16 };

    private TrainRequest Of(SequenceOptions options) => new()
    {
        Data = In("text.txt"),
        Task = SequenceTasks.LanguageModel,
        Fit = new FitOptions { MaxSteps = 12, LearningRate = 0.01, Seed = 1 },
        Sequence = options,
    };

    private string In(string name) => Path.Combine(_folder, name);
}
