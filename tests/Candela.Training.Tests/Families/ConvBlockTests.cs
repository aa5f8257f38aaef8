using Candela.Data;
using Candela.Graphs;
using Candela.Training.DenseNets;
using static TorchSharp.torch;

namespace Candela.Training.Tests;

public sealed class ConvBlockTests
{
    public static TheoryData<string> Networks => ["articles", "same-3x3", "no-pool", "pool-3", "kernel-5", "kernel-2", "wide", "no-bias", "deep"];

    private static Sequential Network(string name, out Shape input)
    {
        input = name switch
        {
            "articles" => [1, 28, 28],
            "same-3x3" => [3, 10, 9],
            "no-pool" => [2, 8, 8],
            "pool-3" => [1, 14, 14],
            "kernel-5" => [2, 15, 13],
            "kernel-2" => [1, 9, 9],
            "wide" => [1, 6, 40],
            "no-bias" => [2, 8, 8],
            _ => [3, 16, 16],
        };
        Layer[] layers = name switch
        {
            "articles" => [new Conv2d(32, 3, activation: ActivationKind.Relu), new MaxPool2d(2), new Conv2d(64, 3, activation: ActivationKind.Relu), new MaxPool2d(2), new Flatten(), new Dense(128, ActivationKind.Relu), new Dense(10)],
            "same-3x3" => [new Conv2d(7, 3, padding: Padding.Same, activation: ActivationKind.Relu), new MaxPool2d(2), new Conv2d(5, 3, padding: 1), new Flatten(), new Dense(10)],
            "no-pool" => [new Conv2d(4, 3), new Conv2d(6, 3, activation: ActivationKind.Relu), new Flatten(), new Dense(10)],
            "pool-3" => [new Conv2d(6, 3, activation: ActivationKind.Relu), new MaxPool2d(3), new Flatten(), new Dense(10)],
            "kernel-5" => [new Conv2d(3, 5, padding: 2, activation: ActivationKind.Relu), new MaxPool2d(2), new Conv2d(4, 5), new Flatten(), new Dense(10)],
            "kernel-2" => [new Conv2d(5, 2, padding: Padding.Same, activation: ActivationKind.Relu), new Conv2d(5, new Size2(1, 4)), new MaxPool2d(2), new Flatten(), new Dense(10)],
            "wide" => [new Conv2d(13, 3, padding: 1, activation: ActivationKind.Relu), new MaxPool2d(2), new Flatten(), new Dense(10)],
            "no-bias" => [new Conv2d(4, 3, activation: ActivationKind.Relu, bias: false), new MaxPool2d(2), new Flatten(), new Dense(10)],
            _ => [new Conv2d(8, 3, padding: 1, activation: ActivationKind.Relu), new Conv2d(8, 3, padding: 1, activation: ActivationKind.Relu), new MaxPool2d(2), new Conv2d(12, 3, padding: 1, activation: ActivationKind.Relu), new MaxPool2d(2), new Flatten(), new Dense(10)],
        };
        return new Sequential(layers);
    }

    private static FeatureBatch Batch(Shape input, int rows, long seed)
    {
        var rng = new Rng(seed);
        var batch = new FeatureBatch { Count = rows, Dense = new float[rows * input.Elements], Labels = new int[rows] };
        foreach (ref float value in batch.Dense.AsSpan())
            value = (float)rng.NextGaussian();
        foreach (ref int label in batch.Labels.AsSpan())
            label = rng.Next(10);
        return batch;
    }

    // The independent implementation is libtorch: same weights, same batch, same loss.
    [Theory]
    [MemberData(nameof(Networks))]
    [Trait("Kind", "conformance")]
    public void ManagedNetwork_WithTheLayersWeights_GivesLibtorchsOutputsLossAndGradients(string name)
    {
        using Sequential layers = Network(name, out Shape input);
        layers.Build(input, seed: 4);
        LayerGraph graph = GraphBuilder.Describe(layers, "cnn", HeadKind.Softmax);
        Assert.Null(DenseNetwork.WhyNot(graph));
        foreach (int threads in new[] { 1, 3 })
        {
            using var pool = new WorkPool(threads);
            using var managed = new DenseNetwork(graph, pool);
            IReadOnlyList<TrainableParameter> parameters = TrainableParameter.Of(layers);
            Assert.Equal(parameters.Select(p => p.Key), managed.Layout.Select(p => p.Key));
            foreach ((TrainableParameter parameter, DenseParameter slot) in parameters.Zip(managed.Layout))
                TensorMemory.Read(parameter.Value).CopyTo(managed.Parameters[slot.Offset..]);

            const int Rows = 11;
            FeatureBatch batch = Batch(input, Rows, 8);
            using var scope = TensorScope.Begin();
            layers.zero_grad();
            Tensor outputs = layers.call(tensor(batch.Dense, [Rows, .. input.ToLongs()]));
            Tensor loss = nn.functional.cross_entropy(outputs, tensor(batch.Labels.Select(l => (long)l).ToArray()));
            loss.backward();

            AssertClose(TensorMemory.Read(outputs), managed.Forward(batch.Dense, Rows), 2e-5, "outputs");
            double ours = managed.Differentiate(batch, new DenseLoss(DenseLossKind.CrossEntropy), seed: 1, step: 0);
            Assert.Equal(loss.item<float>(), ours, 1e-5);
            foreach ((TrainableParameter parameter, DenseParameter slot) in parameters.Zip(managed.Layout))
                AssertClose(TensorMemory.Read(parameter.Value.grad!), managed.Gradients.Slice(slot.Offset, slot.Length), 2e-5, parameter.Key);

            managed.Differentiate(batch, new DenseLoss(DenseLossKind.CrossEntropy), seed: 1, step: 1, accumulate: true);
            foreach ((TrainableParameter parameter, DenseParameter slot) in parameters.Zip(managed.Layout))
                AssertClose(TensorMemory.Read(parameter.Value.grad! * 2), managed.Gradients.Slice(slot.Offset, slot.Length), 2e-5, parameter.Key + " twice");
        }
    }

    [Fact]
    [Trait("Kind", "property")]
    public void ManagedNetwork_OnAnyNumberOfThreads_GivesTheSameBits()
    {
        using Sequential layers = Network("articles", out Shape input);
        layers.Build(input);
        LayerGraph graph = GraphBuilder.Describe(layers, "cnn", HeadKind.Softmax);
        FeatureBatch batch = Batch(input, 19, 3);
        float[]? first = null;
        foreach (int threads in new[] { 1, 2, 4 })
        {
            using var pool = new WorkPool(threads);
            using var managed = new DenseNetwork(graph, pool);
            managed.Initialize(5);
            managed.Differentiate(batch, new DenseLoss(DenseLossKind.CrossEntropy), seed: 1, step: 0);
            Assert.Equal(first ??= managed.Gradients.ToArray(), managed.Gradients.ToArray());
        }
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void Forward_OfOneImage_EqualsPlainLoops()
    {
        var rng = new Rng(6);
        float[] Fill(int length) => [.. Enumerable.Range(0, length).Select(_ => (float)rng.NextGaussian())];
        using var layers = new Sequential(new Conv2d(5, 3, padding: 1, activation: ActivationKind.Relu), new MaxPool2d(2));
        layers.Build([2, 7, 9]);
        using var managed = new DenseNetwork(GraphBuilder.Describe(layers, "cnn", HeadKind.Linear));
        float[] image = Fill(2 * 7 * 9), weights = Fill(5 * 2 * 9), bias = Fill(5);
        weights.CopyTo(managed.Parameters);
        bias.CopyTo(managed.Parameters[weights.Length..]);
        double[] expected = ConvReference.Forward(image, weights, bias, 2, 7, 9, kernel: 3, padding: 1, pool: 2, relu: true);
        AssertClose([.. expected.Select(v => (float)v)], managed.Forward(image, 1), 1e-6, "outputs");
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void WhyNot_WhatTheManagedEngineHasNot_SaysSo()
    {
        static string? Why(Shape input, params Layer[] layers)
        {
            using var network = new Sequential(layers);
            network.Build(input);
            return DenseNetwork.WhyNot(GraphBuilder.Describe(network, "cnn", HeadKind.Linear));
        }

        Assert.Contains("stride", Why([1, 8, 8], new Conv2d(2, 3, stride: 2))!, StringComparison.Ordinal);
        Assert.Contains("groups", Why([2, 8, 8], new Conv2d(2, 3, groups: 2))!, StringComparison.Ordinal);
        Assert.Contains("tanh", Why([1, 8, 8], new Conv2d(2, 3, activation: ActivationKind.Tanh))!, StringComparison.Ordinal);
        Assert.Contains("pool", Why([1, 8, 8], new Conv2d(2, 3), new MaxPool2d(3, stride: 2))!, StringComparison.Ordinal);
        Assert.Contains("avg-pool2d", Why([1, 8, 8], new Conv2d(2, 3), new AvgPool2d(2))!, StringComparison.Ordinal);
    }

    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double scale = 1e-3, worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            scale = Math.Max(scale, Math.Abs(expected[i]));
            worst = Math.Max(worst, Math.Abs(expected[i] - (double)actual[i]));
        }

        Assert.True(worst <= tolerance * scale, $"{what}: largest difference {worst:G3}, allowed {tolerance * scale:G3}");
    }
}
