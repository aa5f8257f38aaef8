using Candela.Decoding;
using CsCheck;

namespace Candela.Core.Tests.Decoding;

public class BeamSearchTests
{
    /// <summary>All texts of at most <paramref name="length"/> tokens over a vocabulary with one end token, with their sums of log-probabilities.</summary>
    private static IEnumerable<(int[] Tokens, double Sum, int Length)> All(FunctionModel model, int[] prompt, int end, int length)
    {
        var open = new List<(int[] Tokens, double Sum)> { ([], 0) };
        for (int step = 1; step <= length; step++)
        {
            var next = new List<(int[], double)>();
            foreach ((int[] tokens, double sum) in open)
            {
                double[] row = model.Reference([.. prompt, .. tokens]);
                for (int id = 0; id < row.Length; id++)
                    if (id == end)
                        yield return (tokens, sum + row[id], step);
                    else if (step == length)
                        yield return ([.. tokens, id], sum + row[id], step);
                    else
                        next.Add(([.. tokens, id], sum + row[id]));
            }

            open = next;
        }
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Search_ManyBeams_EqualsExhaustiveSearch() => Gen.Select(Gen.Long, Gen.Double[-0.5, 2]).Sample((seed, alpha) =>
    {
        FunctionModel model = FunctionModel.Hash(4, seed);
        (int[] Tokens, double Score)[] expected = [.. All(model, [1, 2], end: 0, length: 4).Select(t => (t.Tokens, t.Sum / Math.Pow(t.Length, alpha))).OrderByDescending(t => t.Item2).Take(5)];
        IReadOnlyList<BeamHypothesis> found = new BeamSearch(model).Search([1, 2], new GenerationOptions { Beams = 256, BestOfBeams = 5, MaxTokens = 4, LengthPenalty = alpha }, [0]);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(expected[i].Score, found[i].Score, 1e-5);
            Assert.Equal(expected[i].Tokens, found[i].Tokens);
        }

        Assert.Equal(0, model.OpenStates);
    }, iter: 60);

    [Fact]
    [Trait("Kind", "property")]
    public void Search_OneBeam_EqualsGreedy() => Gen.Long.Sample(seed =>
    {
        FunctionModel model = FunctionModel.Hash(6, seed);
        List<int> tokens = [3];
        while (tokens.Count < 11)
        {
            double[] row = model.Reference(tokens);
            int best = Array.IndexOf(row, row.Max());
            if (best == 0)
                break;
            tokens.Add(best);
        }

        // One beam goes past an end token only if that is not its likeliest.
        BeamHypothesis found = new BeamSearch(model).Search([3], new GenerationOptions { MaxTokens = 10 }, [0])[0];
        Assert.Equal(tokens.Skip(1), found.Tokens);
    }, iter: 100);

    /// <summary>Two beams by hand. After 0: ids 1, 2 with 0.6, 0.4. After 1: 0.55 / 0.45 spread over 1 and 2; after 2: id 3 (end) with 0.9. The best text is "2, end" with 0.36 against 0.33 for "1, 1"; greedy takes 1.</summary>
    [Fact]
    [Trait("Kind", "analytic")]
    public void Search_TwoBeams_FindsWhatGreedyMisses()
    {
        float[] Row(params double[] p) => Array.ConvertAll(p, x => (float)Math.Log(x));
        FunctionModel model = FunctionModel.Markov([Row(0, 0.6, 0.4, 0), Row(0, 0.55, 0.45, 0), Row(0, 0.05, 0.05, 0.9), Row(1, 0, 0, 0)]);
        IReadOnlyList<BeamHypothesis> found = new BeamSearch(model).Search([0], new GenerationOptions { Beams = 2, BestOfBeams = 2, MaxTokens = 2 }, [3], TestContext.Current.CancellationToken);
        Assert.Equal([2], found[0].Tokens);
        Assert.Equal(FinishReason.Stop, found[0].FinishReason);
        Assert.Equal(Math.Log(0.36), found[0].LogProbability, 5);
        Assert.Equal(Math.Log(0.36) / 2, found[0].Score, 5);
        Assert.Equal([1, 1], found[1].Tokens);
        Assert.Equal(FinishReason.Length, found[1].FinishReason);
        Assert.Equal(Math.Log(0.33) / 2, found[1].Score, 5);
    }

    /// <summary>From 0 the end has 0.4 and id 1 0.6; from 1 the end has 0.7. With one finished text: stopping first keeps "end" at once under two beams when both ended; the exact rule goes on while an open beam can win.</summary>
    [Fact]
    [Trait("Kind", "analytic")]
    public void Search_Stopping_FirstEndsSoonerThanExact()
    {
        float[] Row(params double[] p) => Array.ConvertAll(p, x => (float)Math.Log(x));
        // 0 -> 2 (end) 0.4, 1 0.6; 1 -> 1 with 0.95, 2 (end) with 0.05.
        FunctionModel model = FunctionModel.Markov([Row(0, 0.6, 0.4), Row(0, 0.95, 0.05), Row(1, 0, 0)]);
        var options = new GenerationOptions { Beams = 1, MaxTokens = 20, LengthPenalty = 1 };
        BeamHypothesis exact = new BeamSearch(model).Search([0], options with { BeamStopping = BeamStopping.Exact, Beams = 2 }, [2], TestContext.Current.CancellationToken)[0];
        BeamHypothesis first = new BeamSearch(model).Search([0], options with { BeamStopping = BeamStopping.First, Beams = 2 }, [2], TestContext.Current.CancellationToken)[0];
        Assert.Equal(20, exact.Tokens.Count);
        Assert.Empty(first.Tokens);
        Assert.Equal(Math.Log(0.4), first.Score, 5);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Search_Processors_ApplyToEachBeamsOwnHistory()
    {
        FunctionModel model = FunctionModel.Markov([[0, 3, 2, 1], [0, 3, 2, 1], [0, 3, 2, 1], [0, 3, 2, 1]]);
        IReadOnlyList<BeamHypothesis> found = new BeamSearch(model).Search([0], new GenerationOptions { Beams = 3, BestOfBeams = 3, MaxTokens = 3, NoRepeatNgram = 1 }, [], TestContext.Current.CancellationToken);
        Assert.Equal(3, found.Count);
        foreach (BeamHypothesis text in found)
            Assert.Equal([1, 2, 3], text.Tokens.Order());
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Search_Refusals_LeaveNoStateOpen()
    {
        FunctionModel model = FunctionModel.Hash(4, 1, contextLength: 5);
        var search = new BeamSearch(model);
        Assert.Throws<UsageException>(() => search.Search([], new GenerationOptions(), [], TestContext.Current.CancellationToken));
        Assert.Throws<UsageException>(() => search.Search([4], new GenerationOptions(), [], TestContext.Current.CancellationToken));
        Assert.Throws<UsageException>(() => search.Search([0, 0, 0, 0, 0], new GenerationOptions(), [], TestContext.Current.CancellationToken));
        Assert.Throws<UsageException>(() => search.Search([0], new GenerationOptions { SuppressedTokens = [0, 1, 2, 3] }, [], TestContext.Current.CancellationToken));
        using var cancel = new CancellationTokenSource();
        int steps = 0;
        model.OnAppend = () => { if (++steps == 4) cancel.Cancel(); };
        Assert.Throws<OperationCanceledException>(() => search.Search([0], new GenerationOptions { Beams = 2 }, [], cancel.Token));
        Assert.Equal(0, model.OpenStates);
        Assert.Equal(4, search.Search([0], new GenerationOptions { Beams = 2 }, [], TestContext.Current.CancellationToken)[0].Tokens.Count); // the context is full
    }
}
