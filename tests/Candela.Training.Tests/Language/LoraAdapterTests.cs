using System.Text.Json.Nodes;
using Candela.Formats;
using Candela.Training.Language;
using Candela.Training.Language.Adapters;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Language;

[NoTensorLeaks]
public sealed class LoraAdapterTests
{
    private static readonly LoraOptions Options = new() { Rank = 3, Alpha = 12 };

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("gpt2")]
    [Trait("Kind", "analytic")]
    public void Attach_BZero_LogitsEqualTheBase(string name)
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All[name], 2);
        float[] expected = Logits(lm);
        using (LoraAdapter adapter = LoraAdapter.Attach(lm, Options, 1))
        {
            Assert.Equal(expected, Logits(lm));
            Assert.All(TrainableParameter.Of(lm.Network), p => Assert.Matches(@"\.lora_[AB]\.weight$", p.Key));
            Assert.Equal(adapter.ParameterCount, TrainableParameter.Of(lm.Network).Sum(p => p.Value.numel()));
            Perturb(lm);
            Assert.NotEqual(expected, Logits(lm));
            Assert.Throws<UsageException>(() => LoraAdapter.Attach(lm, Options, 1));
        }

        Assert.Equal(expected, Logits(lm));
        Assert.Equal(lm.Config.ParameterCount, TrainableParameter.Of(lm.Network).Sum(p => p.Value.numel()));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Attach_A_IsUniformWithinOneOverRootOfInputsAndDiffersBetweenModules()
    {
        using CausalLm lm = CausalLm.Create(new LlamaConfig { VocabularySize = 20, ContextLength = 8, Width = 256, HiddenWidth = 32, Layers = 2, Heads = 4 }, 2);
        using LoraAdapter adapter = LoraAdapter.Attach(lm, new LoraOptions { Rank = 8 }, 1);
        float[][] all = [.. TrainableParameter.Of(lm.Network).Where(p => p.Key.EndsWith("lora_A.weight", StringComparison.Ordinal)).Select(p => TensorMemory.Read(p.Value))];
        Assert.Equal(8, all.Length);
        Assert.Equal(8, all.Select(a => a[0]).Distinct().Count());
        float[] values = [.. all.SelectMany(a => a)];
        Assert.InRange(values.Max(Math.Abs), 0.0620f, 0.0625f); // 1 / sqrt(256)
        Assert.Equal(0.0625 * 0.0625 / 3, values.Average(v => (double)v * v), 0.0625 * 0.0625 / 3 * 0.03);
    }

    // The adapted model against the plain double-precision twin of a model whose weights are W + (alpha / r) B A, computed here.
    [Theory]
    [InlineData("llama", false)]
    [InlineData("grouped-heads", true)]
    [InlineData("gpt2", false)]
    [Trait("Kind", "conformance")]
    public void Merge_TrainedUpdates_GivesTheAdaptedLogitsAndUnmergeTheBase(string name, bool stabilized)
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All[name], 2);
        Dictionary<string, float[]> before = Weights(lm);
        using LoraAdapter adapter = LoraAdapter.Attach(lm, Options with { RankStabilized = stabilized }, 1);
        Perturb(lm);
        float[] adapted = Logits(lm);
        Dictionary<string, float[]> updates = TrainableParameter.Of(lm.Network).ToDictionary(p => p.Key, p => TensorMemory.Read(p.Value));
        Assert.Throws<UsageException>(() => lm.SaveTo(Path.GetTempPath()));
        adapter.Merge();
        Assert.True(adapter.IsMerged);
        AssertClose(adapted, Logits(lm), 2e-5f);
        foreach (string path in adapter.Modules)
        {
            float[] a = updates[$"{path}.lora_A.weight"], b = updates[$"{path}.lora_B.weight"], merged = Weights(lm)[$"{path}.weight"], old = before[$"{path}.weight"];
            int inputs = a.Length / 3, outputs = b.Length / 3;
            for (int o = 0; o < outputs; o++)
            {
                for (int i = 0; i < inputs; i++)
                {
                    double sum = 0;
                    for (int r = 0; r < 3; r++)
                        sum += (double)b[(o * 3) + r] * a[(r * inputs) + i];
                    int at = name == "gpt2" ? (i * outputs) + o : (o * inputs) + i;
                    Assert.Equal(old[at] + (12 / (stabilized ? Math.Sqrt(3) : 3) * sum), merged[at], 1e-5);
                }
            }
        }

        adapter.Unmerge();
        foreach ((string key, float[] values) in Weights(lm))
            AssertClose(before[key], values, 1e-6f);
        AssertClose(adapted, Logits(lm), 2e-5f);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    [Trait("Kind", "gradient")]
    public void Gradients_InDoublePrecision_EqualCentralDifferencesAndReachTheAdapterAlone(string name)
    {
        CausalLmConfig config = CausalLmCases.All[name];
        if (config is Gpt2Config gpt2)
            config = gpt2 with { EmbeddingDropout = 0, ResidualDropout = 0, AttentionDropout = 0 };
        using CausalLm lm = CausalLm.Create(config, 2);
        using LoraAdapter adapter = LoraAdapter.Attach(lm, Options with { Dropout = 0.3, TargetModules = name == "gpt2" ? ["c_attn", "c_proj"] : ["q_proj", "v_proj", "down_proj", "lm_head"] }, 1);
        Perturb(lm);
        lm.Network.to(ScalarType.Float64);
        lm.Network.train();
        using var scope = TensorScope.Begin();
        Tensor ids = tensor(CausalLmCases.Tokens(lm.Config, 14, 9).Select(t => (long)t).ToArray(), [2, 7]);
        CentralDifferences.Check(lm.Network, Loss, afterBackward: () =>
        {
            Assert.All(lm.Network.AllParameters(), p => Assert.Null(p.Value.grad));
            Assert.Equal(2 * adapter.Modules.Count, TrainableParameter.Of(lm.Network).Count);
        });

        Tensor Loss()
        {
            lm.Network.BeginStep(3, 5); // the same noise each time
            Tensor logits = lm.Logits(ids);
            return nn.functional.cross_entropy(logits.view(-1, lm.VocabularySize), ids.roll(1, 1).reshape(-1));
        }
    }

    [Theory]
    [InlineData("llama", "model.layers.0.self_attn.q_proj", "q_proj,k_proj,v_proj,o_proj", 8)]
    [InlineData("gpt2", "transformer.h.1.attn.c_attn", "c_attn,attn.c_proj", 4)]
    [Trait("Kind", "golden")]
    public void Save_LoadedElsewhere_GivesTheSameLogitsUnderPeftsNames(string name, string path, string targets, int modules)
    {
        using var folder = new Folder();
        using CausalLm lm = CausalLm.Create(CausalLmCases.All[name], 2);
        float[] adapted;
        using (LoraAdapter adapter = LoraAdapter.Attach(lm, Options with { Dropout = 0.25 }, 1))
        {
            Perturb(lm);
            adapted = Logits(lm);
            adapter.Save(folder.Path, "some/base");
        }

        Assert.Equal(["adapter_config.json", "adapter_model.safetensors"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        JsonObject json = JsonFile.ReadObject(Path.Combine(folder.Path, "adapter_config.json"));
        Assert.Equal(("LORA", "CAUSAL_LM", "some/base", "none", 3, 12, 0.25, name == "gpt2"), ((string?)json["peft_type"], (string?)json["task_type"], (string?)json["base_model_name_or_path"],
            (string?)json["bias"], (int)json["r"]!, (int)json["lora_alpha"]!, (double)json["lora_dropout"]!, (bool)json["fan_in_fan_out"]!));
        Assert.Equal(targets, string.Join(',', json["target_modules"]!.AsArray().Select(t => (string?)t)));
        using (SafetensorsFile file = Safetensors.Open(Path.Combine(folder.Path, "adapter_model.safetensors")))
        {
            Assert.Equal(2 * modules, file.Tensors.Count);
            Assert.Equal([3, 24], file.Info($"base_model.model.{path}.lora_A.weight").Shape);
            Assert.Equal([name == "gpt2" ? 72 : 24, 3], file.Info($"base_model.model.{path}.lora_B.weight").Shape);
        }

        using CausalLm other = CausalLm.Create(CausalLmCases.All[name], 2);
        using LoraAdapter loaded = LoraAdapter.Load(other, folder.Path);
        Assert.Equal(adapted, Logits(other));
        Assert.Equal(0.25, loaded.Options.Dropout);
    }

    [Theory]
    [InlineData("rank", "of another shape")]
    [InlineData("missing", "missing (1): base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight")]
    [InlineData("unexpected", "unexpected (1): 'base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight'")]
    [InlineData("nan", "finite numbers were needed")]
    [InlineData("dora", "use_dora")]
    [InlineData("type", "peft_type")]
    [InlineData("alpha", "lora_alpha")]
    [InlineData("huge", "'r' is 100000000")]
    [InlineData("targets", "target_modules")]
    [InlineData("saved", "modules_to_save")]
    [InlineData("cut", "adapter_model.safetensors")]
    [InlineData("gone", "does not exist")]
    [InlineData("empty", "holds no updates")]
    [Trait("Kind", "fault")]
    public void Load_HostileFolder_IsRefusedAndTheModelIsAsBefore(string fault, string message)
    {
        using var folder = new Folder();
        using CausalLm lm = CausalLm.Create(CausalLmCases.All["llama"], 2);
        float[] expected = Logits(lm);
        using (LoraAdapter adapter = LoraAdapter.Attach(lm, Options with { TargetModules = ["q_proj"] }, 1))
            adapter.Save(folder.Path);
        string config = Path.Combine(folder.Path, "adapter_config.json"), weights = Path.Combine(folder.Path, "adapter_model.safetensors");
        JsonObject json = JsonFile.ReadObject(config);
        List<NamedTensor> tensors;
        using (SafetensorsFile file = Safetensors.Open(weights))
            tensors = [.. file.Tensors.Select(t => new NamedTensor(t.Name, [.. t.Shape], file.ReadSingles(t.Name)))];
        switch (fault)
        {
            case "rank": json["r"] = 4; break;
            case "missing": tensors.RemoveAll(t => t.Name.EndsWith("layers.1.self_attn.q_proj.lora_B.weight", StringComparison.Ordinal)); break;
            case "unexpected": tensors.Add(new NamedTensor("base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight", [3, 24], new float[72])); break;
            case "nan": tensors[1].Values[5] = float.NaN; break;
            case "dora": json["use_dora"] = true; break;
            case "type": json["peft_type"] = "IA3"; break;
            case "alpha": json["lora_alpha"] = 0; break;
            case "huge": json["r"] = 100_000_000; break;
            case "targets": json["target_modules"] = new JsonArray(1, 2); break;
            case "saved": json["modules_to_save"] = new JsonArray("lm_head"); break;
            case "empty": (json["target_modules"], tensors) = (null, []); break;
        }

        JsonFile.WriteObject(config, json);
        Safetensors.Write(weights, tensors);
        if (fault == "cut")
            File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^40]);
        if (fault == "gone")
            File.Delete(weights);
        FileFormatException error = Assert.Throws<FileFormatException>(() => LoraAdapter.Load(lm, folder.Path));
        Assert.Contains(message, error.Message);
        Assert.Null(lm.Adapter);
        Assert.Equal(expected, Logits(lm));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Attach_UnknownTarget_NamesWhatThereIs()
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All["llama"], 2);
        string message = Assert.Throws<UsageException>(() => LoraAdapter.Attach(lm, Options with { TargetModules = ["q_proj", "c_attn"] }, 1)).Message;
        Assert.Contains("'c_attn'", message);
        Assert.Contains("gate_proj", message);
        Assert.Throws<UsageException>(() => LoraAdapter.Attach(lm, Options with { Rank = 0 }, 1));
        Assert.Throws<UsageException>(() => LoraAdapter.Attach(lm, Options with { Dropout = 1 }, 1));
    }

    [Theory]
    [InlineData("llama", "lm_head.weight,model.norm.weight")]
    [InlineData("tied", "model.embed_tokens.weight,model.norm.weight")]
    [InlineData("gpt2", "transformer.ln_f.bias,transformer.ln_f.weight,transformer.wte.weight")]
    [Trait("Kind", "analytic")]
    public void TrainHeadOnly_LeavesTheHeadAlone(string name, string keys)
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All[name], 2);
        lm.TrainHeadOnly();
        Assert.Equal(keys, string.Join(',', TrainableParameter.Of(lm.Network).Select(p => p.Key).Order(StringComparer.Ordinal)));
    }

    private static Dictionary<string, float[]> Weights(CausalLm lm) => lm.Network.AllParameters().ToDictionary(p => p.Key, p => TensorMemory.Read(p.Value));

    private static float[] Logits(CausalLm lm)
    {
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        return TensorMemory.Read(lm.Logits(tensor(CausalLmCases.Tokens(lm.Config, 11, 3).Select(t => (long)t).ToArray(), [1, 11])));
    }

    private static void Perturb(CausalLm lm)
    {
        var rng = new Rng(8);
        foreach (TrainableParameter parameter in TrainableParameter.Of(lm.Network))
            TensorMemory.Write(parameter.Value, [.. TensorMemory.Read(parameter.Value).Select(v => v + (0.1f * (float)rng.NextGaussian()))]);
    }

    private static void AssertClose(float[] expected, float[] actual, float tolerance)
    {
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], tolerance * Math.Max(1, Math.Abs(expected[i])));
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("candela-lora-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
