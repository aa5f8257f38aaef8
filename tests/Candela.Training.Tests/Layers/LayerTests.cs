using static TorchSharp.torch;

namespace Candela.Training.Tests;

[NoTensorLeaks]
public sealed class LayerTests
{
    internal static Sequential ArticlesNetwork() => new(
        new Conv2d(32, 3, activation: ActivationKind.Relu), new MaxPool2d(2),
        new Conv2d(64, 3, activation: ActivationKind.Relu), new MaxPool2d(2),
        new Flatten(), new Dense(128, ActivationKind.Relu), new Dense(10));

    // Counts and shapes printed by the article for its Keras network on 28x28x1.
    [Fact]
    [Trait("Kind", "golden")]
    public void Summary_ArticlesNetwork_HasItsShapesAndExactly225034Parameters()
    {
        using Sequential net = ArticlesNetwork();
        ModelSummary summary = net.Summary([1, 28, 28]);
        Assert.False(net.IsBuilt);
        Assert.Equal(225_034, summary.Parameters);
        Assert.Equal(["[32, 26, 26]", "[32, 13, 13]", "[64, 11, 11]", "[64, 5, 5]", "[1600]", "[128]", "[10]"], summary.Layers.Select(l => l.OutputShape.ToString()));
        Assert.Equal([320L, 0, 18_496, 0, 0, 204_928, 1_290], summary.Layers.Select(l => l.Parameters));
        Assert.Equal(2.0 * ((26 * 26 * 32 * 9) + (11 * 11 * 64 * 288) + (1600 * 128) + (128 * 10)), summary.Flops);
        Assert.Equal(225_034 * 4, summary.ParameterBytes);
        Assert.Contains("225,034", summary.ToString(), StringComparison.Ordinal);

        net.Build([1, 28, 28]);
        Assert.Equal(225_034, TrainableParameter.Of(net).Sum(p => p.Value.numel()));
        Assert.Equal(summary.ToString(), net.Summary().ToString());
        Assert.Equal("conv1.weight conv1.bias conv2.weight conv2.bias dense1.weight dense1.bias dense2.weight dense2.bias", string.Join(' ', TrainableParameter.Of(net).Select(p => p.Key)));
        Assert.Equal([true, false, true, false, true, false, true, false], TrainableParameter.Of(net).Select(p => p.Decays));
    }

    [Theory]
    [MemberData(nameof(LayerCase.Names), MemberType = typeof(LayerCase))]
    [Trait("Kind", "property")]
    public void Summary_BeforeAndAfterBuilding_Agree(string name)
    {
        LayerCase c = LayerCase.Of(name);
        using var net = new Sequential(c.Make());
        ModelSummary before = net.Summary(c.Input);
        net.Build(c.Input);
        Assert.Equal(before.ToString(), net.Summary().ToString());
        Assert.Equal(before.Parameters, net.parameters().Sum(p => p.numel()));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Build_SameSeed_SameWeights_OtherSeed_Others()
    {
        using Sequential a = ArticlesNetwork(), b = ArticlesNetwork(), c = ArticlesNetwork();
        a.Build([1, 28, 28], 7);
        b.Build([1, 28, 28], 7);
        c.Build([1, 28, 28], 8);
        float[] First(Sequential net) => TensorMemory.Read(TrainableParameter.Of(net)[0].Value);
        Assert.Equal(First(a), First(b));
        Assert.NotEqual(First(a), First(c));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Forward_Unbuilt_BuildsFromTheFirstBatch()
    {
        using var net = new Sequential(new Dense(3, ActivationKind.PRelu), new Dense(2));
        using var scope = TensorScope.Begin();
        Assert.Equal([4L, 2L], net.call(zeros(4, 5)).shape);
        Assert.Equal("[5]", net.InputShape!.ToString());
        Assert.Contains(TrainableParameter.Of(net), p => p.Key == "dense1.activation.weight" && !p.Decays);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Shapes_ThatDoNotFit_NameTheLayerAndTheShape()
    {
        using Sequential net = ArticlesNetwork();
        var error = Assert.Throws<ShapeException>(() => net.Build([1, 4, 4]));
        Assert.Contains("conv2", error.Message, StringComparison.Ordinal);
        Assert.Contains("[32, 1, 1]", error.Message, StringComparison.Ordinal);

        using var dense = new Dense(3);
        dense.Build([5]);
        using var scope = TensorScope.Begin();
        Assert.Contains("[6]", Assert.Throws<ShapeException>(() => dense.call(zeros(2, 6))).Message, StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => dense.Build([6]));
        using var residual = new Residual([new Dense(3)]);
        Assert.Contains("projection", Assert.Throws<ShapeException>(() => residual.OutputShape([4])).Message, StringComparison.Ordinal);
        using var unbuilt = new Dense(3);
        Assert.Throws<ShapeException>(() => TrainableParameter.Of(unbuilt));
        Assert.Throws<ShapeException>(() => unbuilt.Summary());
        using var embedding = new Embedding(4, 2);
        Assert.Throws<ShapeException>(() => embedding.call(zeros(2, 3)));
        using var norm = new BatchNorm1d();
        Assert.Throws<ShapeException>(() => norm.call(zeros(1, 3)));
        Assert.Throws<ShapeException>(() => Shape.Create([3, 0]));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Options_OutOfRange_AreRefused()
    {
        Assert.Throws<UsageException>(() => new Dense(0));
        Assert.Throws<UsageException>(() => new Conv2d(4, 3, groups: 3));
        Assert.Throws<UsageException>(() => new Conv2d(4, 0));
        Assert.Throws<UsageException>(() => new Conv1d(4, 3, stride: 0));
        Assert.Throws<UsageException>(() => new MaxPool2d(2, padding: 2));
        Assert.Throws<UsageException>(() => new Dropout(1));
        Assert.Throws<UsageException>(() => new Embedding(4, 2, paddingId: 4));
        Assert.Throws<UsageException>(() => new Sequential());
        Assert.Throws<UsageException>(() => new Sequential(new Dense(1) { Name = "a" }, new Dense(1) { Name = "a" }));
        Assert.Contains("relu", Assert.Throws<UsageException>(() => ActivationNames.Parse("rellu")).Message, StringComparison.Ordinal);
    }

    // Keras documents output = ceil(input / stride) for padding="same".
    [Theory]
    [InlineData(5, 3, 1, 1)]
    [InlineData(5, 4, 1, 1)]
    [InlineData(6, 3, 2, 1)]
    [InlineData(7, 2, 3, 1)]
    [InlineData(9, 3, 1, 2)]
    [Trait("Kind", "analytic")]
    public void Conv_SamePadding_OutputIsInputOverStrideRoundedUp(int length, int kernel, int stride, int dilation)
    {
        using var layer = new Conv1d(1, kernel, stride, Padding.Same, dilation);
        using var scope = TensorScope.Begin();
        long expected = (length + stride - 1) / stride;
        Assert.Equal([2L, 1L, expected], layer.call(zeros(2, 1, length)).shape);
        Assert.Equal(expected, layer.OutputShape([1, length])[1]);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Dropout_InTraining_DropsTheShareAndKeepsTheMean_AndRepeatsBySeedAndStep()
    {
        using var layer = new Dropout(0.3);
        using var scope = TensorScope.Begin();
        Tensor x = ones(1000, 100);
        float[] At(long seed, long step)
        {
            layer.BeginStep(seed, step);
            return TensorMemory.Read(layer.call(x));
        }

        layer.train();
        float[] first = At(1, 1);
        Assert.InRange(first.Count(v => v == 0) / 100_000.0, 0.3 - 0.006, 0.3 + 0.006); // 4 standard errors
        Assert.InRange(first.Average(), 0.99, 1.01);
        Assert.Equal(first, At(1, 1));
        foreach ((long seed, long step) in new[] { (1L, 2L), (2L, 1L) })
            Assert.InRange(first.Zip(At(seed, step)).Count(p => p.First == p.Second) / 100_000.0, 0.57, 0.59); // 0.49 + 0.09 when independent
        Assert.NotEqual(first, TensorMemory.Read(layer.call(x))); // a second call in the same step
        layer.eval();
        Assert.All(At(1, 1), v => Assert.Equal(1, v));
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void DropoutMask_EqualsItsPlainTwin_AtEveryTail()
    {
        for (int length = 0; length < 40; length++)
        {
            float[] fast = new float[length], plain = new float[length];
            Kernels.DropoutMask.Fill(fast, 0.4, 0x123456789abcdefUL + (ulong)length);
            Kernels.DropoutMask.FillReference(plain, 0.4, 0x123456789abcdefUL + (ulong)length);
            Assert.Equal(plain, fast);
        }
    }
}
