using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests;

public sealed class RecurrentTests
{
    public static TheoryData<string, int, bool> Nets()
    {
        var nets = new TheoryData<string, int, bool>();
        foreach (string kind in new[] { "rnn", "lstm", "gru" })
        {
            nets.Add(kind, 1, false);
            nets.Add(kind, 3, true);
        }

        return nets;
    }

    [Theory]
    [MemberData(nameof(Nets))]
    [Trait("Kind", "conformance")]
    public void Recurrent_WithTorchSharpsWeights_GivesItsOutputsAndGradients(string kind, int layers, bool bidirectional)
    {
        using Recurrent ours = Make(kind, 5, layers, bidirectional);
        ours.Build([7, 4], seed: 2);
        using var scope = TensorScope.Begin();
        using nn.Module theirs = kind switch
        {
            "rnn" => nn.RNN(4, 5, layers, batchFirst: true, bidirectional: bidirectional),
            "lstm" => nn.LSTM(4, 5, layers, batchFirst: true, bidirectional: bidirectional),
            _ => nn.GRU(4, 5, layers, batchFirst: true, bidirectional: bidirectional),
        };
        Dictionary<string, Tensor> target = theirs.state_dict(), source = ours.state_dict();
        Assert.Equal(target.Keys.Order(), source.Keys.Order());
        using (no_grad())
        {
            foreach ((string key, Tensor value) in source)
            {
                Assert.Equal(target[key].shape, value.shape);
                target[key].copy_(value);
            }
        }

        Tensor x = Gaussian(1, 3, 7, 4), ourX = x.clone().requires_grad_(true), theirX = x.clone().requires_grad_(true);
        Tensor ourY = ours.call(ourX), theirY = theirs switch
        {
            TorchSharp.Modules.RNN rnn => rnn.call(theirX).Item1,
            TorchSharp.Modules.LSTM lstm => lstm.call(theirX).Item1,
            TorchSharp.Modules.GRU gru => gru.call(theirX).Item1,
            _ => throw new InvalidOperationException(),
        };
        Tensor weights = Gaussian(3, 3, 7, bidirectional ? 10 : 5);
        (ourY * weights).sum().backward();
        (theirY * weights).sum().backward();
        AssertClose(theirY, ourY, 1e-6);
        AssertClose(theirX.grad!, ourX.grad!, 1e-5);
        Dictionary<string, TorchSharp.Modules.Parameter> twins = theirs.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (TrainableParameter parameter in TrainableParameter.Of(ours))
            AssertClose(twins[parameter.Key].grad!, parameter.Value.grad!, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Nets))]
    [Trait("Kind", "property")]
    [NoTensorLeaks]
    public void Run_WithPadding_GivesEachSequenceWhatItGivesAlone(string kind, int layers, bool bidirectional)
    {
        int[] lengths = [6, 2, 1, 4];
        foreach (bool sequence in new[] { true, false })
        {
            using Recurrent net = Make(kind, 3, layers, bidirectional, sequence);
            net.Build([6, 4], seed: 4);
            using var scope = TensorScope.Begin();
            using IDisposable quiet = no_grad();
            Tensor x = Gaussian(5, 4, 6, 4), together = net.Run(x, lengths);
            for (int n = 0; n < lengths.Length; n++)
            {
                Tensor alone = net.call(x.narrow(0, n, 1).narrow(1, 0, lengths[n]))[0], among = together[n];
                AssertClose(alone, sequence ? among.narrow(0, 0, lengths[n]) : among, 1e-6);
                if (sequence && lengths[n] < 6)
                    Assert.Equal(0, among.narrow(0, lengths[n], 6 - lengths[n]).abs().max().ToSingle());
            }
        }
    }

    [Fact]
    [Trait("Kind", "gradient")]
    public void Run_WithPadding_SendsNoGradientThere()
    {
        using var net = new Lstm(3, layers: 2, bidirectional: true);
        net.Build([5, 2], seed: 1);
        using var scope = TensorScope.Begin();
        Tensor x = Gaussian(6, 2, 5, 2).requires_grad_(true);
        net.Run(x, [5, 2]).sum().backward();
        Assert.Equal(0, x.grad![1].narrow(0, 2, 3).abs().max().ToSingle());
        Assert.NotEqual(0, x.grad![1].narrow(0, 0, 2).abs().min().ToSingle());
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Dropout_BetweenLayers_RepeatsWithTheStepAndIsOffInEvaluation()
    {
        using var net = new Gru(8, layers: 2, dropout: 0.5);
        net.Build([4, 3], seed: 1);
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        Tensor x = Gaussian(7, 2, 4, 3);
        float[] At(long step)
        {
            net.BeginStep(9, step);
            return TensorMemory.Read(net.call(x));
        }

        float[] first = At(0), second = At(1);
        Assert.Equal(first, At(0));
        Assert.NotEqual(first, second);
        net.eval();
        Assert.Equal(At(0), At(1));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Summary_OfStackedBidirectionalLstm_CountsGatesOfBothDirections()
    {
        // 4 H (F + H + 2) per direction of the first layer, 4 H (2 H + H + 2) of the second.
        using var net = new Lstm(20, layers: 2, bidirectional: true);
        Assert.Equal(15040, net.Summary([7, 10]).Parameters);
        Assert.Equal("[7, 40]", net.OutputShape([7, 10]).ToString());
        Assert.Equal(7 * 2 * 2 * 80.0 * (10 + 20 + 40 + 20), net.Flops([7, 10]));
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void Graph_OfRecurrentLayers_IsBuiltAgainWithAllOptions()
    {
        using var net = new Sequential(new Lstm(4, layers: 2, bidirectional: true, dropout: 0.2), new Gru(3, bias: false), new Rnn(2, sequence: false), new Dense(2));
        net.Build([5, 3], seed: 1);
        Candela.Graphs.LayerGraph graph = GraphBuilder.Describe(net, "test", Candela.Graphs.HeadKind.Linear);
        using Sequential again = GraphBuilder.Build(graph, seed: 1);
        Assert.Equal(net.Summary().ToString(), again.Summary().ToString());
        net.eval();
        again.eval();
        using var scope = TensorScope.Begin();
        Tensor x = Gaussian(8, 2, 5, 3);
        Assert.Equal(TensorMemory.Read(net.call(x)), TensorMemory.Read(again.call(x)));
        Assert.Equal(0.2, ((Recurrent)again.Children[0].Value).DropoutProbability);
    }

    private static Recurrent Make(string kind, int units, int layers, bool bidirectional, bool sequence = true) => kind switch
    {
        "rnn" => new Rnn(units, layers, bidirectional, sequence: sequence),
        "lstm" => new Lstm(units, layers, bidirectional, sequence: sequence),
        _ => new Gru(units, layers, bidirectional, sequence: sequence),
    };

    private static Tensor Gaussian(long seed, params long[] shape)
    {
        var rng = new Rng(seed);
        return tensor(Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => (float)rng.NextGaussian()).ToArray(), shape);
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.InRange((expected - actual).abs().max().ToSingle(), 0, tolerance * Math.Max(1, expected.abs().max().ToSingle()));
    }
}
