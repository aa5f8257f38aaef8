using Candela.Training.Language;
using Candela.Training.Language.Adapters;
using Candela.Training.Tasks;
using Candela.Training.Tests.Language;
using TorchSharp;

namespace Candela.Training.Tests.Transformers;

/// <summary>The managed engine against the same network on libtorch (whose gradients are checked by central differences in double precision elsewhere).</summary>
[NoTensorLeaks]
public sealed class TransformerEngineTests
{
    private const float Tolerance = 2e-4f;

    [Theory]
    [MemberData(nameof(CausalLmCases.Names), MemberType = typeof(CausalLmCases))]
    [Trait("Kind", "conformance")]
    public void Differentiate_EveryConfiguration_EqualsAutograd(string name) => Compare(CausalLmCases.All[name]);

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen3")]
    [InlineData("gpt2")]
    [Trait("Kind", "conformance")]
    public void Differentiate_BlocksRunAgain_EqualsAutograd(string name) => Compare(CausalLmCases.All[name], recompute: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Kind", "conformance")]
    public void Differentiate_WithEveryDropout_EqualsAutogradsMasks(bool recompute)
    {
        Compare((Gpt2Config)CausalLmCases.All["gpt2"] with { EmbeddingDropout = 0.2, ResidualDropout = 0.3, AttentionDropout = 0.25 }, recompute);
        Compare((LlamaConfig)CausalLmCases.All["mistral"] with { AttentionDropout = 0.25 }, recompute);
    }

    [Theory]
    [InlineData("grouped-heads", 0.0)]
    [InlineData("gpt2", 0.3)]
    [InlineData("all-biases", 0.3)]
    [Trait("Kind", "conformance")]
    public void Differentiate_Adapters_EqualsAutograd(string name, double dropout) =>
        Compare(CausalLmCases.All[name], prepare: lm => LoraAdapter.Attach(lm, new LoraOptions { Rank = 3, Alpha = 12, Dropout = dropout, TargetModules = name == "gpt2" ? ["c_attn", "c_fc", "c_proj"] : ["q_proj", "up_proj", "down_proj", "lm_head"] }, 3));

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    [Trait("Kind", "conformance")]
    public void Differentiate_HeadOnly_EqualsAutograd(string name) => Compare(CausalLmCases.All[name], prepare: lm =>
    {
        lm.TrainHeadOnly();
        return null;
    });

    [Theory]
    [InlineData(7, 3, 4, "Token 7")]
    [InlineData(-1, 3, 4, "Token -1")]
    [InlineData(3, 7, 4, "Token 7")]
    [InlineData(3, 3, 9, "9 tokens")]
    [Trait("Kind", "fault")]
    public void Differentiate_NumbersOutsideTheTables_AreRefused(long input, long target, int tokens, string named)
    {
        using CausalLm lm = CausalLm.Create(new Gpt2Config { VocabularySize = 7, ContextLength = 8, Width = 8, Layers = 1, Heads = 2 }, 1);
        using var trainable = new CausalTrainable(lm.Network, 1, 1);
        var batch = new TokenBatch { Count = 1, Length = tokens, Inputs = [.. Enumerable.Repeat(input, tokens)], Targets = [.. Enumerable.Repeat(target, tokens)], Learned = tokens };
        Assert.Contains(named, Assert.Throws<ShapeException>(() => trainable.Differentiate(batch, 0, accumulate: false, 1)).Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(48)]
    [Trait("Kind", "conformance")]
    public void Differentiate_LengthsAtTheEdgesOfTiles_EqualsAutograd(int tokens)
    {
        Compare(CausalLmCases.All["grouped-heads"], tokens: tokens, sequences: 2);
        Compare(CausalLmCases.All["mistral"], tokens: tokens, sequences: 2);
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void Differentiate_SeveralSlabsAndPiecesOfLogits_EqualsAutograd()
    {
        Compare(new LlamaConfig { VocabularySize = 5001, ContextLength = 520, Width = 16, HiddenWidth = 24, Layers = 1, Heads = 2, InitializerRange = 0.1 }, tokens: 520, sequences: 3);
        Compare((LlamaConfig)CausalLmCases.All["mistral"] with { ContextLength = 300, Window = 70 }, tokens: 290, sequences: 5);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    [InlineData("mistral")]
    [Trait("Kind", "conformance")]
    public void Differentiate_Bfloat16Products_IsCloseToFloat32(string name)
    {
        float[] full = Gradients(CausalLmCases.All[name], managed: false, false, null, 37, 3, out BatchLoss loss, out _);
        float[] half = Gradients(CausalLmCases.All[name], managed: false, false, null, 37, 3, out BatchLoss halfLoss, out _, bfloat16: true);
        Assert.NotEqual(loss.Sum, halfLoss.Sum);
        Assert.Equal(loss.Mean, halfLoss.Mean, 0.02 * loss.Mean); // 8 bits of a number are kept
        double dot = full.Zip(half, (a, b) => (double)a * b).Sum(), lengths = Math.Sqrt(full.Sum(a => (double)a * a) * half.Sum(b => (double)b * b));
        Assert.InRange(dot / lengths, 0.995, 1);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Differentiate_OtherNumberOfThreads_GivesTheSameBits()
    {
        int before = torch.get_num_threads();
        try
        {
            LibTorch.SetThreads(1);
            float[] one = Gradients(CausalLmCases.All["grouped-heads"], true, false, null, 40, 3, out _, out _);
            LibTorch.SetThreads(3);
            Assert.Equal(one, Gradients(CausalLmCases.All["grouped-heads"], true, false, null, 40, 3, out _, out _));
        }
        finally
        {
            LibTorch.SetThreads(before);
        }
    }

    private static void Compare(CausalLmConfig config, bool recompute = false, Func<CausalLm, LoraAdapter?>? prepare = null, int tokens = 37, int sequences = 3)
    {
        float[] expected = Gradients(config, managed: false, false, prepare, tokens, sequences, out BatchLoss theirs, out float[] theirLosses);
        float[] actual = Gradients(config, managed: true, recompute, prepare, tokens, sequences, out BatchLoss ours, out float[] ourLosses);
        Assert.Equal(theirs.Weight, ours.Weight);
        Assert.Equal(theirs.Sum, ours.Sum, 1e-5 * Math.Abs(theirs.Sum));
        for (int i = 0; i < theirLosses.Length; i++)
            Assert.Equal(theirLosses[i], ourLosses[i], 2e-5f * Math.Abs(theirLosses[i]));
        float largest = expected.Max(Math.Abs);
        Assert.True(largest > 0);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= Tolerance * Math.Max(0.05f * largest, Math.Abs(expected[i])), $"gradient {i} of {expected.Length}: autograd {expected[i]:R}, engine {actual[i]:R}, largest {largest}");
    }

    private static float[] Gradients(CausalLmConfig config, bool managed, bool recompute, Func<CausalLm, LoraAdapter?>? prepare, int tokens, int sequences, out BatchLoss loss, out float[] losses, bool bfloat16 = false)
    {
        using CausalLm lm = CausalLm.Create(config, 5);
        using LoraAdapter? adapter = prepare?.Invoke(lm);
        var rng = new Rng(2);
        using (torch.no_grad())
        {
            foreach (TrainableParameter parameter in TrainableParameter.Of(lm.Network))
                TensorMemory.Write(parameter.Value, [.. TensorMemory.Read(parameter.Value).Select(v => v + (0.1f * (float)rng.NextGaussian()))]);
        }

        using var trainable = new CausalTrainable(lm.Network, 2, 9, managed, recompute, bfloat16);
        TokenBatch batch = Batch(config, tokens, sequences);
        trainable.Differentiate(batch, 3, accumulate: false, gradientScale: 1);
        loss = trainable.Differentiate(batch, 4, accumulate: true, gradientScale: 0.5); // adds to the first
        float[] gradients = trainable.Gradients.ToArray();
        losses = [.. trainable.BlockLosses(new OneBatch(batch), _ => { }).SelectMany(l => l)];
        return gradients;
    }

    private static TokenBatch Batch(CausalLmConfig config, int tokens, int sequences)
    {
        int[] ids = CausalLmCases.Tokens(config, (tokens * sequences) + 1, 6);
        var batch = new TokenBatch { Count = sequences, Length = tokens, Inputs = [.. ids.Take(tokens * sequences).Select(i => (long)i)], Targets = [.. ids.Skip(1).Select(i => (long)i)] };
        for (int i = 0; i < batch.Targets.Length; i += 5)
            batch.Targets[i] = TokenBatch.Ignored;
        batch.Learned = batch.Targets.Count(t => t != TokenBatch.Ignored);
        return batch;
    }

    private sealed class OneBatch(TokenBatch batch) : Candela.Data.IBatchSource<TokenBatch>
    {
        public long Count => batch.Count;

        public IEnumerable<TokenBatch> Batches(Candela.Data.BatchPlan plan) => [batch];
    }
}
