using Candela.Decoding;
using CsCheck;

namespace Candela.Core.Tests.Decoding;

/// <summary>Each filter against sets worked out by hand, and against plain definitions over sorted probabilities on random logits with many ties.</summary>
public class LogitsWarperTests
{
    private static readonly Gen<float[]> Logits = Gen.Int[-12, 12].Select(i => i / 4f).Array[1, 60];

    private static TokenCandidates Of(params double[] probabilities) => Load(Array.ConvertAll(probabilities, p => (float)Math.Log(p)));

    private static TokenCandidates Load(float[] logits)
    {
        var candidates = new TokenCandidates(logits.Length);
        candidates.Load(logits);
        return candidates;
    }

    private static int[] Kept(TokenCandidates candidates, ILogitsWarper warper)
    {
        warper.Warp(candidates);
        int[] ids = candidates.Ids.ToArray();
        Array.Sort(ids);
        return ids;
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Temperature_DividesLogitDifferences()
    {
        TokenCandidates candidates = Load([1, 3, 2]);
        new Temperature(0.5).Warp(candidates);
        Assert.Equal([-4f, 0f, -2f], candidates.Logits.ToArray());
        new Temperature(double.Epsilon).Warp(candidates);
        Assert.Equal(0f, candidates.Logits[1]);
        Assert.Equal(1, TokenSampler.Draw(candidates, 0.999999));
    }

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData(1, new[] { 1 })]
    [InlineData(2, new[] { 1, 2 })]
    [InlineData(3, new[] { 1, 2, 4 })]
    [InlineData(9, new[] { 0, 1, 2, 3, 4 })]
    public void TopK_Ties_LowestIdsStay(int k, int[] kept) => Assert.Equal(kept, Kept(Load([0, 5, 3, 1, 3]), new TopK(k)));

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData(0.3, new[] { 1 })]
    [InlineData(0.45, new[] { 1, 3 })]
    [InlineData(0.65, new[] { 0, 1, 3 })] // 0.4 + 0.2 (id 3 ties with none), then 0.15 twice: id 0 first
    [InlineData(0.8, new[] { 0, 1, 2, 3 })]
    [InlineData(1, new[] { 0, 1, 2, 3, 4 })]
    public void TopP_SmallestSetThatReachesP(double p, int[] kept) => Assert.Equal(kept, Kept(Of(0.15, 0.4, 0.15, 0.2, 0.1), new TopP(p)));

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData(0.2, new[] { 0, 1, 2, 3, 4 })]
    [InlineData(0.3, new[] { 0, 1, 2, 3 })]
    [InlineData(0.45, new[] { 1, 3 })]
    [InlineData(1, new[] { 1 })]
    public void MinP_RelativeToTheLikeliest(double share, int[] kept) => Assert.Equal(kept, Kept(Of(0.15, 0.4, 0.15, 0.2, 0.1), new MinP(share)));

    /// <summary>Probabilities 0.5, 0.25, 0.125, 0.125: entropy 1.75 bits, surprisals 1, 2, 3, 3 bits, distances 0.75, 0.25, 1.25, 1.25: the order is 1, 0, 2, 3.</summary>
    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData(0.2, new[] { 1 })]
    [InlineData(0.3, new[] { 0, 1 })]
    [InlineData(0.8, new[] { 0, 1, 2 })]
    [InlineData(0.9, new[] { 0, 1, 2, 3 })]
    public void Typical_NearestTheEntropyFirst(double p, int[] kept) => Assert.Equal(kept, Kept(Of(0.5, 0.25, 0.125, 0.125), new Typical(p)));

    [Fact]
    [Trait("Kind", "property")]
    public void TopK_AnyLogits_EqualsStableSort() => Gen.Select(Logits, Gen.Int[1, 70]).Sample((logits, k) =>
        Assert.Equal(Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).ThenBy(i => i).Take(k).Order(), Kept(Load(logits), new TopK(k))));

    [Fact]
    [Trait("Kind", "property")]
    public void TopP_AnyLogits_EqualsDefinition() => Gen.Select(Logits, Gen.Double[0.01, 0.999]).Sample((logits, p) =>
    {
        double total = logits.Sum(x => Math.Exp(x)), sum = 0;
        var expected = new List<int>();
        foreach (int i in Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).ThenBy(i => i))
        {
            if (Math.Abs((sum / total) - p) < 1e-6)
                return; // on the border rounding decides
            if (sum >= p * total)
                break;
            expected.Add(i);
            sum += Math.Exp(logits[i]);
        }

        Assert.Equal(expected.Order(), Kept(Load(logits), new TopP(p)));
    });

    [Fact]
    [Trait("Kind", "property")]
    public void Chain_AfterTopK_FiltersSeeTheNarrowedDistribution() => Gen.Select(Logits, Gen.Int[1, 20], Gen.Double[0.05, 0.95]).Sample((logits, k, p) =>
    {
        // Top-k then top-p equals top-p over logits where all but the k likeliest are banned.
        TokenCandidates candidates = Load(logits);
        new TopK(k).Warp(candidates);
        var rest = new HashSet<int>(candidates.Ids.ToArray());
        int[] chained = Kept(candidates, new TopP(p));
        Assert.Equal(Kept(Load([.. logits.Select((x, i) => rest.Contains(i) ? x : float.NegativeInfinity)]), new TopP(p)), chained);
    });

    [Fact]
    [Trait("Kind", "property")]
    public void Sort_AnyLogits_FallsAndKeepsPairs() => Gen.Float.Where(float.IsFinite).Array[1, 50].Sample(logits =>
    {
        TokenCandidates candidates = Load(logits);
        candidates.Sort();
        for (int i = 0; i < candidates.Count; i++)
        {
            Assert.Equal(logits[candidates.Ids[i]], candidates.Logits[i]);
            Assert.True(i == 0 || candidates.Logits[i - 1] >= candidates.Logits[i]);
        }
    });

    [Fact]
    [Trait("Kind", "fault")]
    public void Load_NotFiniteOrAllBanned_IsRefused()
    {
        Assert.Throws<EngineException>(() => Load([0, float.NaN]));
        Assert.Throws<EngineException>(() => Load([0, float.PositiveInfinity]));
        Assert.Throws<EngineException>(() => Load([float.NegativeInfinity, float.NaN]));
        Assert.Throws<UsageException>(() => Load([float.NegativeInfinity, float.NegativeInfinity]));
    }
}
