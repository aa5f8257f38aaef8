using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests;

public sealed class LayerConformanceTests
{
    [Theory]
    [MemberData(nameof(LayerCase.Twins), MemberType = typeof(LayerCase))]
    [Trait("Kind", "conformance")]
    public void Layer_WithTorchSharpsWeights_GivesItsOutputsAndGradients(string name)
    {
        LayerCase c = LayerCase.Of(name);
        using Layer ours = c.Make();
        using nn.Module<Tensor, Tensor> theirs = c.Twin!();
        ours.Build(c.Input, seed: 3);
        using var scope = TensorScope.Begin();
        Dictionary<string, Tensor> target = theirs.state_dict(), source = ours.state_dict();
        Assert.Equal(source.Keys.Order(), target.Keys.Order());
        using (no_grad())
        {
            foreach ((string key, Tensor value) in source)
            {
                Assert.Equal(value.shape, target[key].shape);
                target[key].copy_(value);
            }
        }

        foreach (bool train in new[] { true, false })
        {
            ours.train(train);
            theirs.train(train);
            Tensor x = c.Batch(4, ScalarType.Float32, 1), y = x.clone();
            if (c.Vocabulary == 0)
                (x, y) = (x.requires_grad_(true), y.requires_grad_(true));
            Tensor a = ours.call(x), b = theirs.call(y);
            Assert.Equal([4L, .. ours.OutputShape(c.Input).ToLongs()], a.shape);
            AssertClose(b, a, 1e-6, "output");
            if (!a.requires_grad)
                continue;
            Tensor weights = rand_like(a);
            (a * weights).sum().backward();
            (b * weights).sum().backward();
            if (c.Vocabulary == 0)
                AssertClose(y.grad!, x.grad!, 1e-5, "input gradient");
            Dictionary<string, TorchSharp.Modules.Parameter> twins = theirs.named_parameters().ToDictionary(p => p.name, p => p.parameter);
            foreach (TrainableParameter parameter in TrainableParameter.Of(ours))
                AssertClose(twins[parameter.Key].grad!, parameter.Value.grad!, 1e-5, parameter.Key);
            ours.zero_grad();
            theirs.zero_grad();
        }

        Dictionary<string, Tensor> after = theirs.state_dict();
        foreach ((string key, Tensor value) in ours.state_dict())
            AssertClose(after[key], value, 1e-6, key); // running statistics
    }

    [Theory]
    [MemberData(nameof(LayerCase.Names), MemberType = typeof(LayerCase))]
    [Trait("Kind", "gradient")]
    [NoTensorLeaks]
    public void Layer_InDoublePrecision_GradientsEqualCentralDifferences(string name)
    {
        LayerCase c = LayerCase.Of(name);
        using Layer layer = c.Make();
        layer.Build(c.Input, seed: 5);
        layer.to(ScalarType.Float64);
        using var scope = TensorScope.Begin();
        Tensor x = c.Batch(3, ScalarType.Float64, 2);
        Tensor weights;
        using (no_grad())
            weights = tensor(Enumerable.Range(0, (int)layer.call(x).numel()).Select(i => Math.Sin(1 + (0.7 * i))).ToArray(), layer.call(x).shape);
        List<Tensor> checkedTensors = [.. TrainableParameter.Of(layer).Select(p => (Tensor)p.Value)];
        if (c.Vocabulary == 0)
            checkedTensors.Add(x.requires_grad_(true));
        foreach (Tensor parameter in checkedTensors)
            Assert.Equal(ScalarType.Float64, parameter.dtype);
        Tensor result = layer.call(x);
        Assert.True(result.requires_grad, "a layer without anything to differentiate is a defect of the table");
        (result * weights).sum().backward();
        foreach (Tensor parameter in checkedTensors)
        {
            Span<double> values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(parameter.bytes);
            double[] gradient = parameter.grad!.data<double>().ToArray();
            for (int i = 0; i < values.Length; i += 1 + (values.Length / 40))
            {
                const double H = 1e-6;
                double kept = values[i];
                values[i] = kept + H;
                double up = Value();
                values[i] = kept - H;
                double down = Value();
                values[i] = kept;
                double expected = (up - down) / (2 * H);
                Assert.True(Math.Abs(expected - gradient[i]) <= 1e-6 * Math.Max(1, Math.Abs(expected)) + 1e-7, $"{name}: element {i} of a tensor of {values.Length}: central difference {expected:R}, gradient {gradient[i]:R}");
            }
        }

        double Value()
        {
            using var inner = TensorScope.Begin();
            using IDisposable quiet = no_grad();
            return (layer.call(x) * weights).sum().item<double>();
        }
    }

    [Theory]
    [MemberData(nameof(LayerCase.Names), MemberType = typeof(LayerCase))]
    [Trait("Kind", "leak")]
    [NoTensorLeaks]
    public void Layer_TwentyStepsInScopes_LeavesNoTensors(string name)
    {
        LayerCase c = LayerCase.Of(name);
        using Layer layer = c.Make();
        layer.Build(c.Input);
        long before = -1;
        for (int step = 0; step < 20; step++)
        {
            using var scope = TensorScope.Begin();
            layer.BeginStep(1, step);
            Tensor y = layer.call(c.Batch(3, ScalarType.Float32, step)).sum();
            if (y.requires_grad)
                y.backward();
            layer.zero_grad();
            if (step == 2)
                before = TensorScope.LiveTensors;
            else if (step > 2)
                Assert.Equal(before, TensorScope.LiveTensors);
        }
    }

    [Theory]
    [InlineData(1e4)]
    [InlineData(-1e4)]
    [InlineData(1e30)]
    [InlineData(-1e30)]
    [Trait("Kind", "analytic")]
    [NoTensorLeaks]
    public void Activation_FarOut_StaysFiniteWithFiniteGradient(double at)
    {
        foreach (ActivationKind kind in Enum.GetValues<ActivationKind>())
        {
            using var layer = new Activation(kind);
            using var scope = TensorScope.Begin();
            Tensor x = tensor(new[] { (float)at, 0f, (float)(-at) }, [1, 3]).requires_grad_(true);
            Tensor y = layer.call(x);
            y.sum().backward();
            Assert.True(y.isfinite().all().item<bool>(), $"{kind} of {at}");
            Assert.True(x.grad!.isfinite().all().item<bool>(), $"{kind}'s gradient at {at}");
        }
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance, string what)
    {
        using var scope = TensorScope.Begin();
        double difference = (expected.detach().to(ScalarType.Float64) - actual.detach().to(ScalarType.Float64)).abs().max().item<double>();
        double scale = Math.Max(1, expected.detach().to(ScalarType.Float64).abs().max().item<double>());
        Assert.True(difference <= tolerance * scale, $"{what}: largest difference {difference:G3}, allowed {tolerance * scale:G3}");
    }
}
