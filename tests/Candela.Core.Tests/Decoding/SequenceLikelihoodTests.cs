using Candela.Decoding;
using CsCheck;

namespace Candela.Core.Tests.Decoding;

public class SequenceLikelihoodTests
{
    private static double Expected(FunctionModel model, int[] context, int[] continuation)
    {
        double sum = 0;
        List<int> tokens = [.. context];
        foreach (int token in continuation)
        {
            sum += model.Reference(tokens)[token];
            tokens.Add(token);
        }

        return sum;
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Score_AnyContexts_EqualsTheSumFromScratch() =>
        Gen.Select(Gen.Long, Gen.Int[0, 4].Array[1, 6].Array[1, 4], Gen.Int[0, 4].Array[1, 5].Array[1, 4]).Sample((seed, contexts, continuations) =>
        {
            FunctionModel model = FunctionModel.Hash(5, seed);
            using (var likelihood = new SequenceLikelihood(model))
                foreach (int[] context in contexts)
                {
                    IReadOnlyList<ContinuationLikelihood> scores = likelihood.Score(context, continuations);
                    for (int i = 0; i < continuations.Length; i++)
                    {
                        Assert.Equal(Expected(model, context, continuations[i]), scores[i].LogProbability, 2e-5);
                        Assert.Equal(continuations[i].Length, scores[i].Tokens);
                    }
                }

            Assert.Equal(0, model.OpenStates);
        }, iter: 200);

    [Fact]
    [Trait("Kind", "analytic")]
    public void Score_CommonBeginning_IsReadOnce()
    {
        FunctionModel model = FunctionModel.Hash(5, 1);
        using var likelihood = new SequenceLikelihood(model);
        int[] shots = [.. Enumerable.Range(0, 30).Select(i => i % 5)];
        likelihood.Score([.. shots, 1], [[1, 2], [3, 4], [2]], TestContext.Current.CancellationToken);
        Assert.Equal(31 + 1 + 1, model.TokensRead);
        likelihood.Score([.. shots, 2, 3], [[1, 2]], TestContext.Current.CancellationToken);
        Assert.Equal(33 + 2 + 1, model.TokensRead);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Score_GreedyContinuation_IsSaid()
    {
        FunctionModel model = FunctionModel.Markov([[0, 2, 1], [0, 0, 1], [5, 0, 0]]);
        using var likelihood = new SequenceLikelihood(model);
        Assert.Equal([true, false, false], likelihood.Score([0], [[1, 2, 0], [1, 2, 1], [2, 0]], TestContext.Current.CancellationToken).Select(s => s.IsGreedy));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Score_LongContext_LosesItsOldestTokens()
    {
        FunctionModel model = FunctionModel.Hash(5, 2, contextLength: 6);
        using var likelihood = new SequenceLikelihood(model);
        int[] context = [0, 1, 2, 3, 4, 0, 1];
        ContinuationLikelihood score = likelihood.Score(context, [[2, 3]], TestContext.Current.CancellationToken)[0];
        Assert.Equal(2, score.LeftOut); // 5 of the context and the first of the continuation are inputs
        Assert.Equal(Expected(model, [2, 3, 4, 0, 1], [2, 3]), score.LogProbability, 2e-5);
        Assert.Throws<UsageException>(() => likelihood.Score(context, [[]], TestContext.Current.CancellationToken));
        Assert.Throws<UsageException>(() => likelihood.Score([], [[1]], TestContext.Current.CancellationToken));
        Assert.Throws<UsageException>(() => likelihood.Score([0], [[9]], TestContext.Current.CancellationToken));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Stream_AnyStride_CountsEachTokenOnceWithItsWindow() =>
        Gen.Select(Gen.Long, Gen.Int[0, 4].Array[2, 40], Gen.Int[1, 12], Gen.Int[1, 12]).Sample((seed, tokens, context, stride) =>
        {
            stride = Math.Min(stride, context);
            FunctionModel model = FunctionModel.Hash(5, seed, contextLength: 12);
            double expected = 0;
            for (int i = 1; i < tokens.Length; i++)
            {
                int end = i <= context ? Math.Min(tokens.Length, context + 1) : Math.Min(tokens.Length, 1 + context + (((i - 1 - context) / stride) + 1) * stride);
                expected -= model.Reference(tokens[Math.Max(0, end - 1 - context)..i])[tokens[i]];
            }

            using var likelihood = new SequenceLikelihood(model);
            StreamLikelihood stream = likelihood.Stream(tokens, context, stride);
            Assert.Equal(tokens.Length - 1, stream.Tokens);
            Assert.Equal(expected, stream.NegativeLogLikelihood, 1e-4);
        }, iter: 300);

    [Fact]
    [Trait("Kind", "analytic")]
    public void Stream_UniformModel_PerplexityIsTheVocabulary()
    {
        using var likelihood = new SequenceLikelihood(FunctionModel.Markov([.. Enumerable.Range(0, 8).Select(_ => new float[8])], contextLength: 16));
        StreamLikelihood stream = likelihood.Stream([.. Enumerable.Range(0, 1000).Select(i => i % 8)], stride: 4, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(8, stream.Perplexity, 5);
        Assert.Equal(3, stream.BitsPerToken, 6);
    }
}
