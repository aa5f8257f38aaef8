using Candela.Formats;
using Candela.Inference;
using Candela.Models;
using Candela.Training.Language;

namespace Candela.Conformance.Tests;

/// <summary>The inference engine against the training engine, on the same weights.</summary>
public sealed class DecoderTests : IDisposable
{
    private static readonly LlamaConfig Llama = new() { VocabularySize = 61, ContextLength = 160, Width = 64, HiddenWidth = 96, Layers = 3, Heads = 4, InitializerRange = 0.2 };
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-").FullName;

    public static TheoryData<string> Cases => new(Configs.Keys);

    private static Dictionary<string, LlamaConfig> Configs { get; } = new()
    {
        ["llama"] = Llama,
        ["grouped"] = Llama with { KeyValueHeads = 2 },
        ["tied"] = Llama with { TiedEmbeddings = true, KeyValueHeads = 1 },
        ["qwen2"] = Llama with { AttentionBias = true, KeyValueHeads = 2 },
        ["qwen3"] = Llama with { NormalizeHeads = true, KeyValueHeads = 2, HeadDimension = 24 },
        ["odd sizes"] = Llama with { VocabularySize = 37, Width = 40, HiddenWidth = 52, HeadDimension = 10 },
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Kind", "conformance")]
    public void Append_Float32_EqualsTheTrainingEngine(string name)
    {
        using CausalLm trained = CausalLm.Create(Configs[name], 3);
        string path = Path.Combine(_folder, "model.gguf");
        GgufModels.Write(trained, path, GgmlType.F32);
        foreach (int threads in new[] { 1, 3 })
        {
            using LanguageModel model = LanguageModel.Open(path, threads);
            Rng rng = new(5);
            int[] tokens = [.. Enumerable.Range(0, 140).Select(_ => rng.Next(model.VocabularySize))];
            float[] expected = All(trained, tokens), found = All(model, tokens);
            // Keys and values are kept as halves: 2^-11 of each.
            double size = expected.Max(Math.Abs);
            for (int i = 0; i < expected.Length; i++)
                Assert.True(Math.Abs(expected[i] - found[i]) <= 3e-3 * size, $"{name}, {threads} threads, token {i / model.VocabularySize}: {found[i]} for {expected[i]}");
        }
    }

    [Theory]
    [InlineData(GgmlType.F32)]
    [InlineData(GgmlType.Q8_0)]
    [InlineData(GgmlType.Q4_0)]
    [Trait("Kind", "property")]
    public void Append_HoweverTheTokensAreCutAndShared_GivesTheSameBits(GgmlType type)
    {
        using CausalLm trained = CausalLm.Create(Llama with { KeyValueHeads = 2 }, 4);
        string path = Path.Combine(_folder, "model.gguf");
        GgufModels.Write(trained, path, type);
        Rng rng = new(6);
        int[] tokens = [.. Enumerable.Range(0, 150).Select(_ => rng.Next(Llama.VocabularySize))];
        float[]? first = null;
        foreach (int threads in new[] { 1, 2 })
        {
            using LanguageModel model = LanguageModel.Open(path, threads);
            float[] whole = All(model, tokens), last = new float[model.VocabularySize];
            first ??= whole;
            Assert.Equal(first, whole);
            using ICausalState state = model.Begin();
            for (int at = 0; at < tokens.Length;)
            {
                int count = Math.Min(1 + rng.Next(9), tokens.Length - at);
                state.Append(tokens.AsSpan(at, count), last);
                at += count;
                Assert.Equal(whole[((at - 1) * model.VocabularySize)..(at * model.VocabularySize)], last);
            }

            using ICausalState fork = state.Fork();
            state.RollBack(70);
            state.Append([1, 2, 3], last);
            fork.RollBack(100);
            fork.Append(tokens.AsSpan(100, 1), last);
            Assert.Equal(whole[(100 * model.VocabularySize)..(101 * model.VocabularySize)], last);
        }
    }

    private static float[] All(ICausalLm model, int[] tokens)
    {
        var logits = new float[tokens.Length * model.VocabularySize];
        using ICausalState state = model.Begin();
        state.AppendAll(tokens, logits);
        return logits;
    }
}
