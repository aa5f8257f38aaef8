namespace Candela.Training.Tests;

/// <summary>Frequencies of published settings. The numbers come from a separate Python transcription of the published formulas (Llama 3.1, YaRN, dynamic NTK), not from this code.</summary>
public sealed class RotaryEmbeddingTests
{
    [Fact]
    [Trait("Kind", "golden")]
    public void Frequencies_Llama31Yarn4AndDynamic2_EqualTheTranscribedFormulas()
    {
        Check(new RotaryEmbedding(128, 500_000, 131_072, new() { Kind = RopeScalingKind.Llama3, Factor = 8, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalContextLength = 8192 }), 1,
            [0, 20, 28, 30, 32, 35, 40, 63], [1.0, 0.016560440080994446, 0.003211445994752591, 0.0013718935677611381, 0.0005248461609929547, 9.556212353964683e-05, 3.428102195952591e-05, 3.068925988914511e-07]);
        var yarn = new RotaryEmbedding(128, 1e6, 131_072, new() { Kind = RopeScalingKind.Yarn, Factor = 4, OriginalContextLength = 32_768 });
        Check(yarn, 1, [0, 20, 24, 30, 35, 40, 63], [1.0, 0.01333521432163324, 0.005375321490790102, 0.0010643609812470017, 0.0002462584069089387, 4.445698525097307e-05, 3.102344401879299e-07]);
        Assert.Equal(1.138629436111989, yarn.AttentionFactor, 1e-12);
        var dynamic = new RotaryEmbedding(64, 10_000, 8192, new() { Kind = RopeScalingKind.Dynamic, Factor = 2, OriginalContextLength = 4096 });
        Check(dynamic, 6000, [0, 1, 10, 31], [1.0, 0.7341600401787418, 0.045489108402982786, 6.910556409591315e-05]);
        Assert.Equal(Math.Pow(10_000, -2 / 64.0), dynamic.Frequencies(4096)[1], 1e-15);
        Assert.Equal(1.0 / 3, new RotaryEmbedding(64, 10_000, 4096, new() { Kind = RopeScalingKind.Linear, Factor = 3 }).Frequencies(1)[0], 1e-15);

        static void Check(RotaryEmbedding rotary, int length, int[] at, double[] expected)
        {
            double[] frequencies = rotary.Frequencies(length);
            for (int i = 0; i < at.Length; i++)
                Assert.Equal(expected[i], frequencies[at[i]], expected[i] * 1e-12);
        }
    }

    [Theory]
    [InlineData(3, 10_000.0)]
    [InlineData(0, 10_000.0)]
    [InlineData(4, 0.0)]
    [Trait("Kind", "fault")]
    public void Constructor_OddDimensionsOrNoBase_IsRefused(int dimensions, double theta) =>
        Assert.Throws<UsageException>(() => new RotaryEmbedding(dimensions, theta, 16));
}
