using Candela.Models;
using Candela.Training.Language;

namespace Candela.Training.Tests.Language;

/// <summary>A real checkpoint against the double-precision twin, in the slow tier: CANDELA_SLOW=1 and CANDELA_DATA, a folder with mdl-stories260k/hf.</summary>
public sealed class PublishedModelTests
{
    [Fact]
    [Trait("Kind", "conformance")]
    [NoTensorLeaks]
    public void Stories260K_LogitsAndGreedyText_EqualTwinAndPublishedOpening()
    {
        string folder = Path.Combine(Environment.GetEnvironmentVariable("CANDELA_DATA") ?? "", "mdl-stories260k", "hf");
        if (Environment.GetEnvironmentVariable("CANDELA_SLOW") != "1" || !Directory.Exists(folder))
            return; // its fast twin is CausalLmTests.Logits_RandomModel_EqualPlainDoublePrecisionTwin
        using CausalLm lm = CausalLm.Load(folder);
        Assert.Equal(260_032, lm.Config.ParameterCount);
        using ICausalState state = lm.Begin();
        var logits = new float[lm.VocabularySize];
        List<int> tokens = [1];
        state.Append([1], logits);
        for (int i = 0; i < 200; i++)
        {
            tokens.Add(System.Numerics.Tensors.TensorPrimitives.IndexOfMax<float>(logits));
            state.Append([tokens[^1]], logits);
        }

        double[][] expected = CausalLmCases.Reference(lm, [.. tokens]);
        CausalLmTests.AssertClose(expected, CausalLmTests.Uncached(lm, [.. tokens]), 1e-4, "uncached");
        CausalLmTests.AssertClose([expected[^1]], logits, 1e-4, "cached");
        string text = lm.Tokenizer!.Decode([.. tokens]);
        Assert.StartsWith("Once upon a time, there was a little girl named Lily.", text.TrimStart());
    }
}
