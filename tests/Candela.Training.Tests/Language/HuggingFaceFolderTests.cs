using System.Text.Json.Nodes;
using Candela.Formats;
using Candela.Training.Language;

namespace Candela.Training.Tests.Language;

[NoTensorLeaks]
public sealed class HuggingFaceFolderTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [MemberData(nameof(CausalLmCases.Names), MemberType = typeof(CausalLmCases))]
    [Trait("Kind", "property")]
    public void SaveTo_ThenLoad_GivesTheSameLogitsAndConfiguration(string name)
    {
        int[] tokens = CausalLmCases.Tokens(CausalLmCases.All[name], 12, 1);
        float[] expected;
        using (CausalLm lm = CausalLm.Create(CausalLmCases.All[name], 4))
        {
            CausalLmTests.Perturb(lm);
            expected = CausalLmTests.Uncached(lm, tokens);
            lm.SaveTo(_folder);
            Assert.Equal(lm.Config.Tensors().Select(t => t.Key).Order(), lm.Network.AllParameters().Select(p => p.Key).Order());
            Assert.Equal(lm.Config.Tensors().ToDictionary(t => t.Key, t => t.Shape.ToString()), lm.Network.AllParameters().ToDictionary(p => p.Key, p => $"[{string.Join(", ", p.Value.shape)}]"));
        }

        using CausalLm loaded = CausalLm.Load(_folder);
        Assert.Equal(expected, CausalLmTests.Uncached(loaded, tokens));
        Assert.Equal(CausalLmCases.All[name].ParameterCount, loaded.Config.ParameterCount);
        Assert.Equal(CausalLmCases.All[name].ContextLength, loaded.ContextLength);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void SaveTo_AboveTheLimit_WritesShardsWithAnIndexAndRemovesOldFiles()
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All["qwen2"], 4);
        lm.SaveTo(_folder);
        lm.SaveTo(_folder, maxShardBytes: 6000);
        Assert.False(File.Exists(Path.Combine(_folder, "model.safetensors")));
        string[] shards = [.. Directory.GetFiles(_folder, "model-*.safetensors").Select(f => Path.GetFileName(f)!).Order()];
        Assert.Equal($"model-00001-of-{shards.Length:00000}.safetensors", shards[0]);
        Assert.InRange(shards.Length, 3, 30);
        JsonObject index = JsonFile.ReadObject(Path.Combine(_folder, "model.safetensors.index.json"));
        Assert.Equal(lm.Config.ParameterCount * 4, (long)index["metadata"]!["total_size"]!);
        int[] tokens = [1, 2, 3, 4];
        using (CausalLm loaded = CausalLm.Load(_folder))
            Assert.Equal(CausalLmTests.Uncached(lm, tokens), CausalLmTests.Uncached(loaded, tokens));
        File.Delete(Path.Combine(_folder, shards[1]));
        FileFormatException gone = Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder));
        Assert.Equal(Fault.Missing, gone.Fault);
        Assert.Contains(shards[1], gone.Message);
        lm.SaveTo(_folder);
        Assert.Empty(Directory.GetFiles(_folder, "model-*"));
        Assert.False(File.Exists(Path.Combine(_folder, "model.safetensors.index.json")));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Load_IndexThatLeavesTheFolderOrContradictsItsFiles_IsRefused()
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All["llama"], 4);
        lm.SaveTo(_folder, maxShardBytes: 6000);
        string path = Path.Combine(_folder, "model.safetensors.index.json");
        JsonObject index = JsonFile.ReadObject(path);
        foreach (string bad in new[] { "../model.safetensors", "/etc/passwd", "", "a\\b", ".." })
        {
            JsonObject changed = index.DeepClone().AsObject();
            changed["weight_map"]!["model.norm.weight"] = bad;
            JsonFile.WriteObject(path, changed);
            Assert.Contains("same folder", Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder)).Message);
        }

        JsonObject moved = index.DeepClone().AsObject();
        moved["weight_map"]!["model.norm.weight"] = (string)index["weight_map"]!["model.embed_tokens.weight"]!;
        JsonFile.WriteObject(path, moved);
        Assert.Contains("model.norm.weight", Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder)).Message);
        JsonObject less = index.DeepClone().AsObject();
        less["weight_map"]!.AsObject().Remove("model.norm.weight");
        JsonFile.WriteObject(path, less);
        Assert.Contains("model.norm.weight", Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder)).Message);
        JsonFile.WriteObject(path, []);
        Assert.Contains("weight_map", Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder)).Message);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Load_TensorsThatDoNotFit_AreAllNamedTogether()
    {
        Rewrite(CausalLmCases.All["llama"], tensors =>
        {
            tensors.RemoveAll(t => t.Name == "model.layers.1.mlp.up_proj.weight");
            tensors.Add(new NamedTensor("model.layers.1.mlp.upp_proj.weight", [40, 24], new float[960]));
            tensors.Add(new NamedTensor("classifier", [1], [1]));
            int norm = tensors.FindIndex(t => t.Name == "model.norm.weight");
            tensors[norm] = new NamedTensor("model.norm.weight", [23], new float[23]);
            tensors.RemoveAll(t => t.Name == "lm_head.weight");
        });
        FileFormatException error = Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder));
        Assert.Contains("missing (2)", error.Message);
        Assert.Contains("'model.layers.1.mlp.up_proj.weight' (nearest: 'model.layers.1.mlp.upp_proj.weight')", error.Message);
        Assert.Contains("'lm_head.weight'", error.Message);
        Assert.Contains("unexpected (2)", error.Message);
        Assert.Contains("'classifier'", error.Message);
        Assert.Contains("'model.norm.weight' is [23], config.json needs [24]", error.Message);
    }

    [Theory]
    [InlineData(TensorType.F16, 2e-3)]
    [InlineData(TensorType.BF16, 2e-2)]
    [InlineData(TensorType.F64, 0)]
    [Trait("Kind", "property")]
    public void Load_OtherElementTypes_BecomeSingles(TensorType type, double tolerance)
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All["llama"] with { InitializerRange = 0.05 }, 4);
        lm.SaveTo(_folder);
        string path = Path.Combine(_folder, "model.safetensors");
        List<RawTensor> raw;
        using (SafetensorsFile file = Safetensors.Open(path))
        {
            raw = [.. file.Tensors.Select(t => new RawTensor(t.Name, type, t.Shape, file.ReadSingles(t.Name).SelectMany(x => type switch
            {
                TensorType.F16 => BitConverter.GetBytes((Half)x),
                TensorType.F64 => BitConverter.GetBytes((double)x),
                _ => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits(x) >> 16)),
            }).ToArray()))];
        }

        Safetensors.Write(path, raw);
        using CausalLm loaded = CausalLm.Load(_folder);
        float[] a = CausalLmTests.Uncached(lm, [1, 2, 3]), b = CausalLmTests.Uncached(loaded, [1, 2, 3]);
        for (int i = 0; i < a.Length; i++)
            Assert.Equal(a[i], b[i], tolerance * 2);
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Load_PyTorchFile_GivesTheSameLogits()
    {
        // Written by hand in the format before zip: magic number, version, system, state_dict, storage keys, storages.
        using CausalLm lm = CausalLm.Create(CausalLmCases.All["gpt2"], 4);
        lm.SaveTo(_folder);
        File.Delete(Path.Combine(_folder, "model.safetensors"));
        KeyValuePair<string, float[]>[] weights = [.. lm.Network.AllParameters().Select(p => new KeyValuePair<string, float[]>(p.Key, TensorMemory.Read(p.Value)))];
        using (var file = new BinaryWriter(File.Create(Path.Combine(_folder, "pytorch_model.bin"))))
        {
            file.Write([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.', 0x80, 2, (byte)'M', 0xE9, 3, (byte)'.', 0x80, 2, (byte)'}', (byte)'.']);
            file.Write([0x80, 2, (byte)'}', (byte)'(']);
            foreach ((string key, TorchSharp.Modules.Parameter value) in lm.Network.AllParameters())
            {
                Text(file, key);
                file.Write("ctorch._utils\n_rebuild_tensor_v2\n(("u8);
                Text(file, "storage");
                file.Write("ctorch\nFloatStorage\n"u8);
                Text(file, key);
                Text(file, "cpu");
                Number(file, value.numel());
                file.Write("NtQK\0("u8);
                foreach (long size in value.shape)
                    Number(file, size);
                file.Write("t("u8);
                foreach (long stride in value.stride())
                    Number(file, stride);
                file.Write([(byte)'t', 0x89, .. "ccollections\nOrderedDict\n)RtR"u8]);
            }

            file.Write([(byte)'u', (byte)'.', 0x80, 2, (byte)']', (byte)'(']);
            foreach (KeyValuePair<string, float[]> weight in weights)
                Text(file, weight.Key);
            file.Write("e."u8);
            foreach (KeyValuePair<string, float[]> weight in weights)
            {
                file.Write((long)weight.Value.Length);
                file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(weight.Value.AsSpan()));
            }
        }

        using CausalLm loaded = CausalLm.Load(_folder);
        Assert.Equal(CausalLmTests.Uncached(lm, [1, 2, 3]), CausalLmTests.Uncached(loaded, [1, 2, 3]));

        static void Text(BinaryWriter file, string text)
        {
            file.Write((byte)'X');
            file.Write(text.Length);
            file.Write(System.Text.Encoding.ASCII.GetBytes(text));
        }

        static void Number(BinaryWriter file, long value)
        {
            file.Write((byte)'J');
            file.Write((int)value);
        }
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Load_PublishedGpt2Spelling_IsRead()
    {
        // The published gpt2 file has no "transformer." and holds the causal masks; others repeat the tied output matrix.
        Rewrite(CausalLmCases.All["gpt2"], tensors =>
        {
            for (int i = 0; i < tensors.Count; i++)
                tensors[i] = tensors[i] with { Name = tensors[i].Name.Replace("transformer.", "", StringComparison.Ordinal) };
            tensors.Add(new NamedTensor("h.0.attn.bias", [1, 1, 4, 4], new float[16]));
            tensors.Add(new NamedTensor("h.0.attn.masked_bias", [], [1]));
            tensors.Add(new NamedTensor("lm_head.weight", [31, 24], new float[31 * 24]));
        });
        using CausalLm original = CausalLm.Create(CausalLmCases.All["gpt2"], 4), loaded = CausalLm.Load(_folder);
        Assert.Equal(CausalLmTests.Uncached(original, [1, 2, 3]), CausalLmTests.Uncached(loaded, [1, 2, 3]));
    }

    [Theory]
    [InlineData("num_attention_heads", "0")]
    [InlineData("num_attention_heads", "5")]
    [InlineData("num_attention_heads", "-4")]
    [InlineData("num_key_value_heads", "3")]
    [InlineData("num_key_value_heads", "8")]
    [InlineData("hidden_size", "1e300")]
    [InlineData("hidden_size", "24.5")]
    [InlineData("hidden_size", "\"24\"")]
    [InlineData("num_hidden_layers", "-1")]
    [InlineData("num_hidden_layers", "1000000000")]
    [InlineData("vocab_size", "0")]
    [InlineData("max_position_embeddings", "0")]
    [InlineData("intermediate_size", "null")]
    [InlineData("rms_norm_eps", "-1")]
    [InlineData("rope_theta", "0")]
    [InlineData("rope_scaling", "[]")]
    [InlineData("rope_scaling", "{\"rope_type\":\"longrope\"}")]
    [InlineData("rope_scaling", "{\"rope_type\":\"linear\"}")]
    [InlineData("rope_scaling", "{\"rope_type\":\"linear\",\"factor\":0}")]
    [InlineData("hidden_act", "\"sillu\"")]
    [InlineData("eos_token_id", "\"</s>\"")]
    [InlineData("tie_word_embeddings", "1")]
    [InlineData("model_type", "\"lama\"")]
    [InlineData("model_type", "null")]
    [Trait("Kind", "fault")]
    public void Load_AbsurdConfiguration_IsRefusedByKey(string key, string value)
    {
        JsonObject json = ((LlamaConfig)CausalLmCases.All["llama"] with { HeadDimension = 0 }).ToJson();
        json.Remove("head_dim");
        json[key] = JsonNode.Parse(value);
        Directory.CreateDirectory(_folder);
        JsonFile.WriteObject(Path.Combine(_folder, "config.json"), json);
        FileFormatException error = Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder));
        Assert.Contains(value is "\"lama\"" ? "Did you mean 'llama'" : value.Contains("longrope") ? "rope_type" : value.Contains("linear") ? "factor" : key, error.Message);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Load_ConfigurationAloneOrHugeBesideSmallWeights_IsRefusedWithoutAllocating()
    {
        Directory.CreateDirectory(_folder);
        LlamaConfig huge = (LlamaConfig)CausalLmCases.All["llama"] with { Width = 1 << 20, HiddenWidth = 1 << 20, Layers = 40, Heads = 1, HeadDimension = 1 << 16 };
        JsonFile.WriteObject(Path.Combine(_folder, "config.json"), huge.ToJson());
        Assert.Contains("no weights", Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder)).Message);
        Safetensors.Write(Path.Combine(_folder, "model.safetensors"), [new NamedTensor("model.norm.weight", [1], [1f])]);
        string message = Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder)).Message;
        Assert.Contains("missing (362)", message);
        Assert.Contains("'model.layers.{0, 1, 2,", message);
        Assert.InRange(message.Length, 100, 3500);
    }

    private void Rewrite(CausalLmConfig config, Action<List<NamedTensor>> change)
    {
        using (CausalLm lm = CausalLm.Create(config, 4))
            lm.SaveTo(_folder);
        string path = Path.Combine(_folder, "model.safetensors");
        List<NamedTensor> tensors;
        using (SafetensorsFile file = Safetensors.Open(path))
            tensors = [.. file.Tensors.Select(t => file.Read(t.Name))];
        change(tensors);
        Safetensors.Write(path, tensors);
    }
}
