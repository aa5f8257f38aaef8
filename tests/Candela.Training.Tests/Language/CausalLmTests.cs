using Candela.Models;
using Candela.Training.Language;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Language;

[NoTensorLeaks]
public sealed class CausalLmTests
{
    [Theory]
    [MemberData(nameof(CausalLmCases.Names), MemberType = typeof(CausalLmCases))]
    [Trait("Kind", "conformance")]
    public void Logits_RandomModel_EqualPlainDoublePrecisionTwin(string name)
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All[name], 7);
        Perturb(lm);
        int[] tokens = CausalLmCases.Tokens(lm.Config, name == "rope-dynamic" ? 40 : 23, 3);
        double[][] expected = CausalLmCases.Reference(lm, tokens);
        float[] logits = Uncached(lm, tokens);
        AssertClose(expected, logits, 1e-4, "uncached");
        using ICausalState state = lm.Begin();
        if (name == "rope-dynamic")
            return; // earlier keys were turned for a shorter text: cached and uncached differ by the rule itself beyond the original context
        var row = new float[lm.VocabularySize];
        for (int t = 0; t < 9; t++)
        {
            state.Append(tokens.AsSpan(t, 1), row);
            AssertClose([expected[t]], row, 1e-4, $"token {t} alone");
        }

        var rest = new float[(tokens.Length - 9) * lm.VocabularySize];
        state.AppendAll(tokens.AsSpan(9), rest);
        AssertClose(expected[9..], rest, 1e-4, "the rest at once");
        for (int i = 0; i < rest.Length; i++)
            Assert.Equal(logits[(9 * lm.VocabularySize) + i], rest[i], 1e-5f * Math.Max(1, Math.Abs(rest[i])));
    }

    [Theory]
    [InlineData("grouped-heads")]
    [InlineData("mistral")]
    [InlineData("gpt2")]
    [Trait("Kind", "property")]
    public void State_ForkedAndRolledBack_GivesWhatAFreshOneGives(string name)
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All[name], 5);
        int[] tokens = CausalLmCases.Tokens(lm.Config, 20, 1);
        float[] expected = Uncached(lm, tokens), row = new float[lm.VocabularySize];
        using ICausalState state = lm.Begin();
        state.Append(tokens.AsSpan(0, 10), row);
        using ICausalState fork = state.Fork();
        fork.Append([1, 2, 3], row);
        Assert.Equal(10, state.Length);
        Assert.Equal(13, fork.Length);
        fork.RollBack(10);
        fork.Append(tokens.AsSpan(10), row);
        AssertRow(expected, row, 19);
        state.RollBack(4);
        state.Append(tokens.AsSpan(4, 3), row);
        AssertRow(expected, row, 6);
        state.RollBack(0);
        state.Append(tokens, row);
        AssertRow(expected, row, 19);
        using ICausalState empty = lm.Begin(), copy = empty.Fork();
        copy.Append(tokens.AsSpan(0, 1), row);
        AssertRow(expected, row, 0);

        static void AssertRow(float[] all, float[] row, int at)
        {
            for (int i = 0; i < row.Length; i++)
                Assert.Equal(all[(at * row.Length) + i], row[i], 1e-5f * Math.Max(1, Math.Abs(row[i])));
        }
    }

    [Fact]
    [Trait("Kind", "leak")]
    public void State_ThousandTokens_TensorsAndMemoryStayFlat()
    {
        var config = new LlamaConfig { VocabularySize = 300, ContextLength = 1100, Width = 64, HiddenWidth = 128, Layers = 2, Heads = 4, KeyValueHeads = 2, TiedEmbeddings = true };
        using CausalLm lm = CausalLm.Create(config, 1);
        using ICausalState state = lm.Begin();
        var row = new float[300];
        state.Append([1, 2, 3], row);
        long tensors = TensorScope.LiveTensors;
        for (int i = 0; i < 200; i++)
            state.Append([i % 300], row);
        long memory = Environment.WorkingSet;
        for (int i = 200; i < 1000; i++)
            state.Append([i % 300], row);
        Assert.Equal(tensors, TensorScope.LiveTensors);
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, 60 << 20);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void State_WrongTokensOrRoom_IsRefusedAndUnchanged()
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All["llama"], 1);
        using ICausalState state = lm.Begin();
        var row = new float[31];
        state.Append([1], row);
        Assert.Contains("31", Assert.Throws<UsageException>(() => state.Append([31], row)).Message);
        Assert.Throws<UsageException>(() => state.Append([-1], row));
        Assert.Throws<UsageException>(() => state.Append([], row));
        Assert.Throws<UsageException>(() => state.Append(new int[48], row));
        Assert.Throws<ShapeException>(() => state.Append([1], new float[30]));
        Assert.Throws<ShapeException>(() => state.AppendAll([1, 2], row));
        Assert.Throws<UsageException>(() => state.RollBack(2));
        Assert.Throws<UsageException>(() => state.RollBack(-1));
        Assert.Equal(1, state.Length);
        using var scope = TensorScope.Begin();
        Assert.Throws<ShapeException>(() => lm.Logits(tensor(new long[] { 1, 31 }, [1, 2])));
        Assert.Throws<ShapeException>(() => lm.Logits(zeros([1, 49], ScalarType.Int64)));
        Assert.Throws<ShapeException>(() => lm.Logits(zeros([4], ScalarType.Int64)));
    }

    [Theory]
    [MemberData(nameof(CausalLmCases.Names), MemberType = typeof(CausalLmCases))]
    [Trait("Kind", "gradient")]
    public void Gradients_InDoublePrecision_EqualCentralDifferences(string name)
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All[name], 2);
        Perturb(lm);
        lm.Network.to(ScalarType.Float64);
        using var scope = TensorScope.Begin();
        Tensor ids = tensor(CausalLmCases.Tokens(lm.Config, 14, 9).Select(t => (long)t).ToArray(), [2, 7]);
        CentralDifferences.Check(lm.Network, Loss);

        Tensor Loss()
        {
            Tensor logits = lm.Logits(ids);
            return nn.functional.cross_entropy(logits.view(-1, lm.VocabularySize), ids.roll(1, 1).reshape(-1));
        }
    }

    [Fact]
    [Trait("Kind", "leak")]
    public void TrainingSteps_InScopes_LeaveNoTensors()
    {
        using CausalLm lm = CausalLm.Create(CausalLmCases.All["gpt2"], 2); // with dropout
        lm.Network.train();
        long before = -1;
        for (int step = 0; step < 6; step++)
        {
            using (TensorScope.Begin())
            {
                lm.Network.BeginStep(1, step);
                lm.Logits(zeros([2, 5], ScalarType.Int64)).sum().backward();
                lm.Network.zero_grad();
            }

            if (step == 2)
                before = TensorScope.LiveTensors;
            else if (step > 2)
                Assert.Equal(before, TensorScope.LiveTensors);
        }
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    [Trait("Kind", "property")]
    public void Dropout_SameSeedAndStep_GivesTheSameLogits(string name)
    {
        CausalLmConfig config = CausalLmCases.All[name];
        using CausalLm lm = CausalLm.Create(config is LlamaConfig llama ? llama with { AttentionDropout = 0.3 } : config, 2);
        lm.Network.train();
        float[] first = At(3), again = At(3), other = At(4);
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        lm.Network.eval();
        Assert.NotEqual(first, At(3));

        float[] At(long step)
        {
            using var scope = TensorScope.Begin();
            lm.Network.BeginStep(1, step);
            return TensorMemory.Read(lm.Logits(arange(8, ScalarType.Int64).view(2, 4)));
        }
    }

    // Norms and biases away from one and zero, or a mix-up of two of them would not show.
    internal static void Perturb(CausalLm lm)
    {
        var rng = new Rng(11);
        foreach (TrainableParameter parameter in TrainableParameter.Of(lm.Network))
        {
            if (parameter.Value.dim() == 1)
            {
                foreach (ref float value in TensorMemory.Singles(parameter.Value))
                    value += (float)(0.3 * rng.NextGaussian());
            }
        }
    }

    internal static float[] Uncached(CausalLm lm, int[] tokens)
    {
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        return TensorMemory.Read(lm.Logits(tensor(Array.ConvertAll(tokens, t => (long)t), [1, tokens.Length])));
    }

    internal static void AssertClose(double[][] expected, float[] actual, double tolerance, string what)
    {
        int width = expected[0].Length;
        Assert.Equal(expected.Length * width, actual.Length);
        for (int t = 0; t < expected.Length; t++)
        {
            for (int i = 0; i < width; i++)
                Assert.True(Math.Abs(expected[t][i] - actual[(t * width) + i]) <= tolerance, $"{what}: row {t}, logit {i}: {expected[t][i]:R} was needed, got {actual[(t * width) + i]:R}");
        }
    }
}
