using Candela.Decoding;
using Candela.Models;
using Candela.Training.Language;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Language;

public sealed class Seq2SeqNetworkTests
{
    private const int Vocabulary = 17;
    private static readonly int[][] Sources = [[5, 9, 3, 2], [7, 2], [4, 4, 8, 16, 11, 6, 2], [3, 2]];
    private static readonly long[] Targets = [1, 6, 7, 8, 1, 9, 4, 4, 1, 16, 3, 5, 1, 5, 5, 12];

    public static TheoryData<string, int> Nets { get; } = new() { { "transformer", 0 }, { "transformer", 12 }, { "gru", 0 }, { "lstm", 0 } };

    [Theory]
    [MemberData(nameof(Nets))]
    [Trait("Kind", "conformance")]
    [NoTensorLeaks]
    public void Step_TokenByTokenWithSelectedRows_EqualsAllAtOnce(string architecture, int positions)
    {
        using Seq2SeqNetwork net = Net(architecture, positions);
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        Tensor source = Seq2SeqSearch.Pad(Sources, 0, out int[] lengths), target = tensor(Targets, [4, 4]);
        float[] all = TensorMemory.Read(net.Logits(source, lengths, target));
        using Seq2SeqState state = net.Begin(source, lengths);
        int[] rows = [0, 1, 2, 3];
        for (int t = 0; t < 4; t++)
        {
            if (t == 2)
            {
                state.Select([3, 0, 0, 2]); // rows leave, repeat and change places, with their sources
                rows = [3, 0, 0, 2];
            }
            else if (t == 3)
            {
                state.Select([0, 2, 1, 3], sameSources: true); // equal rows change places
            }

            float[] step = TensorMemory.Read(state.Step([.. rows.Select(r => Targets[(r * 4) + t])]));
            for (int i = 0; i < rows.Length; i++)
                for (int v = 0; v < Vocabulary; v++)
                    Assert.Equal(all[(((rows[i] * 4) + t) * Vocabulary) + v], step[(i * Vocabulary) + v], 2e-5);
        }

        Assert.Equal(4, state.Rows);
    }

    [Fact]
    [Trait("Kind", "conformance")]
    [NoTensorLeaks]
    public void Logits_OfTransformer_EqualThoseOfPlainLoopsInDoublePrecision()
    {
        using var net = (TransformerSeq2Seq)Net("transformer", 0);
        using var scope = TensorScope.Begin();
        var rng = new Rng(9);
        foreach (TrainableParameter parameter in TrainableParameter.Of(net)) // norms and offsets too
            foreach (ref float number in TensorMemory.Singles(parameter.Value))
                number += (float)(0.2 * rng.NextGaussian());
        using IDisposable quiet = no_grad();
        Tensor source = Seq2SeqSearch.Pad(Sources, 0, out int[] lengths), target = tensor(Targets, [4, 4]);
        float[] logits = TensorMemory.Read(net.Logits(source, lengths, target));
        var twin = new Candela.Training.Language.Reference.ReferenceSeq2Seq(net);
        for (int n = 0; n < Sources.Length; n++)
        {
            double[][] expected = twin.Logits(Sources[n], [.. Targets.Skip(4 * n).Take(4).Select(id => (int)id)]);
            for (int t = 0; t < 4; t++)
                for (int v = 0; v < Vocabulary; v++)
                    Assert.Equal(expected[t][v], logits[(((n * 4) + t) * Vocabulary) + v], 2e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Nets))]
    [Trait("Kind", "property")]
    [NoTensorLeaks]
    public void Logits_OfPaddedBatch_EqualThoseOfEachAlone(string architecture, int positions)
    {
        using Seq2SeqNetwork net = Net(architecture, positions);
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        Tensor source = Seq2SeqSearch.Pad(Sources, 0, out int[] lengths), target = tensor(Targets, [4, 4]);
        float[] together = TensorMemory.Read(net.Logits(source, lengths, target));
        for (int n = 0; n < Sources.Length; n++)
        {
            float[] alone = TensorMemory.Read(net.Logits(Seq2SeqSearch.Pad([Sources[n]], 0, out int[] one), one, target.narrow(0, n, 1)));
            for (int i = 0; i < alone.Length; i++)
                Assert.Equal(alone[i], together[(n * alone.Length) + i], 2e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Nets))]
    [Trait("Kind", "property")]
    [NoTensorLeaks]
    public void Logits_WhenALaterTargetTokenChanges_StayTheSameBeforeIt(string architecture, int positions)
    {
        using Seq2SeqNetwork net = Net(architecture, positions);
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        Tensor source = Seq2SeqSearch.Pad([Sources[2]], 0, out int[] lengths);
        float[] first = TensorMemory.Read(net.Logits(source, lengths, tensor(new long[] { 1, 6, 7, 8 }, [1, 4])));
        float[] second = TensorMemory.Read(net.Logits(source, lengths, tensor(new long[] { 1, 6, 12, 8 }, [1, 4])));
        Assert.Equal(first.AsSpan(0, 2 * Vocabulary), second.AsSpan(0, 2 * Vocabulary));
        Assert.NotEqual(first[2 * Vocabulary], second[2 * Vocabulary]);
        float[] other = TensorMemory.Read(net.Logits(Seq2SeqSearch.Pad([[4, 4, 8, 16, 11, 7, 2]], 0, out lengths), lengths, tensor(new long[] { 1, 6, 7, 8 }, [1, 4])));
        Assert.NotEqual(first[0], other[0]); // the source is read
    }

    [Theory]
    [MemberData(nameof(Nets))]
    [Trait("Kind", "gradient")]
    [NoTensorLeaks]
    public void Gradients_InDoublePrecision_EqualCentralDifferences(string architecture, int positions)
    {
        using Seq2SeqNetwork net = Net(architecture, positions);
        net.to(ScalarType.Float64);
        using var scope = TensorScope.Begin();
        Tensor source = Seq2SeqSearch.Pad(Sources, 0, out int[] lengths), target = tensor(Targets, [4, 4]);
        Tensor labels = tensor(new long[] { 6, 7, 8, 2, 9, 4, 4, 2, 16, 3, 5, 2, 5, 5, 12, 2 });
        CentralDifferences.Check(net, () => nn.functional.cross_entropy(net.Logits(source, lengths, target).view(-1, Vocabulary), labels));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Parameters_OfPublishedShapes_AreAsCountedByHand()
    {
        using Seq2SeqNetwork transformer = Net("transformer", 0), gru = Net("gru", 0), lstm = Net("lstm", 0);
        const int V = Vocabulary, W = 8, F = 2 * W, Norm = 2 * W, Attention = 4 * ((W * W) + W), Feed = (W * F) + F + (F * W) + W;
        Assert.Equal((V * W) + (2 * (Attention + Feed + (2 * Norm))) + (2 * ((2 * Attention) + Feed + (3 * Norm))) + (2 * Norm), Count(transformer));
        foreach ((Seq2SeqNetwork net, int gates) in new[] { (gru, 3), (lstm, 4) })
        {
            int Run(int inputs) => gates * W * (inputs + W + 2);
            int encoder = (2 * Run(W)) + (2 * Run(2 * W)), decoder = Run(3 * W) + Run(W);
            int attention = (W * W) + (2 * W * W) + W + W, start = 2 * ((W * W) + W), readout = (4 * W * W) + W;
            Assert.Equal((V * W) + encoder + start + attention + decoder + readout, Count(net));
        }

        static long Count(Seq2SeqNetwork net) => TrainableParameter.Of(net).Sum(p => p.Value.numel());
    }

    [Theory]
    [MemberData(nameof(Nets))]
    [Trait("Kind", "conformance")]
    [NoTensorLeaks]
    public void Search_OverManySources_EqualsBeamSearchOverEachAlone(string architecture, int positions)
    {
        var rng = new Rng(3);
        int[][] sources = [.. Enumerable.Range(0, 7).Select(_ => (int[])[.. Enumerable.Range(0, 1 + rng.Next(6)).Select(_ => 3 + rng.Next(Vocabulary - 3)), 2])];
        int end;
        using (Seq2SeqNetwork endless = Net(architecture, positions))
            end = Seq2SeqSearch.Write(endless, sources, new Seq2SeqDecoding { Beams = 3, MaxTokens = 6 }, TestContext.Current.CancellationToken)[0][3]; // a token that such a net writes
        using Seq2SeqNetwork net = Net(architecture, positions, end);
        int ended = 0;
        foreach ((int beams, double penalty) in new[] { (1, 1.0), (3, 1.0), (4, 0.6) })
        {
            IReadOnlyList<IReadOnlyList<int>> written = Seq2SeqSearch.Write(net, sources, new Seq2SeqDecoding { Beams = beams, LengthPenalty = penalty, MaxTokens = 6, BatchSize = 5 }, TestContext.Current.CancellationToken);
            for (int i = 0; i < sources.Length; i++)
            {
                using var alone = new Conditioned(net, sources[i]);
                BeamHypothesis best = new BeamSearch(alone).Search([1], new GenerationOptions { Beams = beams, LengthPenalty = penalty, MaxTokens = 6 }, [end], TestContext.Current.CancellationToken)[0];
                Assert.Equal(best.Tokens, written[i]);
                ended += best.FinishReason == FinishReason.Stop ? 1 : 0;
            }
        }

        Assert.InRange(ended, 1, (3 * sources.Length) - 1);
    }

    [Theory]
    [InlineData("transformer", 9, 2, 4, "even number")]
    [InlineData("tranformer", 8, 2, 2, "Did you mean 'transformer'")]
    [InlineData("gru", 8, 0, 2, "layers is 0")]
    [Trait("Kind", "fault")]
    public void CreateNetwork_OfImpossibleSizes_IsRefused(string architecture, int width, int layers, int heads, string said)
    {
        var config = new Seq2SeqConfig { Architecture = architecture, VocabularySize = 20, Width = width, Layers = layers, Heads = heads };
        Assert.Contains(said, Assert.Throws<UsageException>(config.CreateNetwork).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Logits_WithWrongShapes_AreRefusedInManagedCode()
    {
        using Seq2SeqNetwork net = Net("transformer", 3);
        using var scope = TensorScope.Begin();
        Tensor ids = ones([2, 3], ScalarType.Int64);
        Assert.Contains("a length for each", Assert.Throws<ShapeException>(() => net.Logits(ids, [3], ids)).Message, StringComparison.Ordinal);
        Assert.Contains("Lengths from 1 to 3", Assert.Throws<ShapeException>(() => net.Logits(ids, [3, 4], ids)).Message, StringComparison.Ordinal);
        Assert.Contains("3 trained positions", Assert.Throws<ShapeException>(() => net.Logits(ids, [3, 3], ones([2, 4], ScalarType.Int64))).Message, StringComparison.Ordinal);
    }

    private static Seq2SeqNetwork Net(string architecture, int positions, int end = 2)
    {
        Seq2SeqNetwork net = new Seq2SeqConfig { Architecture = architecture, VocabularySize = Vocabulary, Width = 8, Layers = 2, Heads = 2, Dropout = 0.1, LearnedPositions = positions, EosId = end }.CreateNetwork();
        net.Build([2, 1], 11);
        net.eval();
        return net;
    }

    /// <summary>A net with its source fixed, as a causal language model.</summary>
    private sealed class Conditioned(Seq2SeqNetwork net, int[] source) : ICausalLm
    {
        public int VocabularySize => Vocabulary;

        public int ContextLength => 64;

        public ICausalState Begin() => new State(net, source, []);

        public void Dispose()
        {
        }

        private sealed class State(Seq2SeqNetwork net, int[] source, List<int> tokens) : ICausalState
        {
            public int Length => tokens.Count;

            public void Append(ReadOnlySpan<int> more, Span<float> logits)
            {
                tokens.AddRange(more);
                using var scope = TensorScope.Begin();
                using IDisposable quiet = no_grad();
                Tensor target = tensor(tokens.Select(t => (long)t).ToArray(), [1, tokens.Count]);
                Tensor all = net.Logits(Seq2SeqSearch.Pad([source], 0, out int[] lengths), lengths, target);
                TensorMemory.Read(all.select(1, tokens.Count - 1)).CopyTo(logits);
            }

            public void AppendAll(ReadOnlySpan<int> more, Span<float> logits) => throw new NotSupportedException();

            public ICausalState Fork() => new State(net, source, [.. tokens]);

            public void RollBack(int length) => tokens.RemoveRange(length, tokens.Count - length);

            public void Dispose()
            {
            }
        }
    }
}
