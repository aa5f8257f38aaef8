using Candela.Decoding;
using CsCheck;

namespace Candela.Core.Tests.Decoding;

public class TokenSamplerTests
{
    private static readonly float[] Skewed = [0f, 1f, 2f, -1f, 2.5f, 0.5f];

    [Fact]
    [Trait("Kind", "analytic")]
    public void Greedy_Ties_LowestId()
    {
        Assert.Equal(1, LogProbability.Greedy([-1f, 2f, 2f]));
        Assert.Equal(0, LogProbability.Greedy([-0f, 0f, -0f]));
        Assert.Equal(1, LogProbability.Greedy([-1f, -0f, 0f]));
        Assert.Throws<EngineException>(() => LogProbability.Greedy([0f, float.NaN]));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void TopKOne_AnyLogits_EqualsGreedy() => Gen.Int[-8, 8].Select(i => i / 4f).Array[1, 40].Sample(logits =>
    {
        var sampler = new TokenSampler(new GenerationOptions { TopK = 1 }, logits.Length, []);
        Assert.Equal(LogProbability.Greedy(logits), sampler.Next([0], 1, (float[])logits.Clone()));
    });

    /// <summary>Chi-squared of 20,000 draws against the softmax; 5 degrees of freedom, 20.5 is the 0.999 quantile.</summary>
    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData(1.0)]
    [InlineData(0.7)]
    [InlineData(2.0)]
    public void Sampling_ManyDraws_FollowTheSoftmax(double temperature)
    {
        const int Draws = 20_000;
        var sampler = new TokenSampler(new GenerationOptions { Temperature = temperature, Seed = 7 }, Skewed.Length, []);
        var counts = new int[Skewed.Length];
        for (int i = 0; i < Draws; i++)
            counts[sampler.Next([0], 1, (float[])Skewed.Clone())]++;
        double[] weights = Array.ConvertAll(Skewed, x => Math.Exp(x / temperature));
        double chi = counts.Select((c, i) => Math.Pow(c - (Draws * weights[i] / weights.Sum()), 2) / (Draws * weights[i] / weights.Sum())).Sum();
        Assert.InRange(chi, 0, 20.5);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Sampling_SameSeed_SameDraws()
    {
        int[] Draw(long seed)
        {
            var sampler = new TokenSampler(new GenerationOptions { Seed = seed, TopP = 0.95 }, Skewed.Length, []);
            return [.. Enumerable.Range(0, 50).Select(_ => sampler.Next([0], 1, (float[])Skewed.Clone()))];
        }

        Assert.Equal(Draw(3), Draw(3));
        Assert.NotEqual(Draw(3), Draw(4));
    }

    /// <summary>The borders of the inverse distribution function: 0.25, 0.25, 0.5 of [0, 1).</summary>
    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData(0.0, 0)]
    [InlineData(0.2499, 0)]
    [InlineData(0.2501, 1)]
    [InlineData(0.4999, 1)]
    [InlineData(0.5001, 3)]
    [InlineData(0.99999999, 3)]
    public void Draw_Uniform_PicksTheInterval(double uniform, int id)
    {
        var candidates = new TokenCandidates(4);
        candidates.Load([0f, 0f, float.NegativeInfinity, MathF.Log(2)]);
        Assert.Equal(id, TokenSampler.Draw(candidates, uniform));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Processors_Order_BiasBeforeRepetitionBeforePresence()
    {
        // Token 0 was generated, 1 is the prompt: (1 + 3) / 2 - 1 = 1 against 3 / 2; bias last would give 1/2 - 1 + 3 = 2.5, presence first (1 + 3 - 1) / 2 = 1.5, a tie that 0 wins.
        var options = new GenerationOptions { Temperature = 0, LogitBias = new Dictionary<int, float> { [0] = 3 }, RepetitionPenalty = 2, PresencePenalty = 1 };
        Assert.Equal(1, new TokenSampler(options, 2, []).Next([1, 0], 1, [1f, 3f]));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void LogProbability_LargeLogits_DoNotOverflow()
    {
        Assert.Equal(89 + Math.Log(1 + Math.Exp(-1)), LogProbability.LogSumExp([88f, 89f]), 6);
        Assert.Equal(-1000 + Math.Log(3), LogProbability.LogSumExp([-1000f, -1000f, -1000f]), 6);
        TokenLogProbability[] top = LogProbability.Top([0f, MathF.Log(3), 0f, float.NegativeInfinity], Math.Log(5), 3);
        Assert.Equal([1, 0, 2], top.Select(t => t.Id));
        Assert.Equal(Math.Log(0.6), top[0].LogProbability, 6);
        Assert.Equal(Math.Log(0.2), top[2].LogProbability, 6);
    }
}
