using static TorchSharp.torch;

namespace Candela.Training.Tests;

[NoTensorLeaks]
public sealed class InitializersTests
{
    private static float[] Fill(Initializer initializer, Shape shape, long seed = 1)
    {
        var values = new float[shape.Elements];
        initializer(values, shape, new Rng(seed));
        return values;
    }

    private static double Variance(float[] values)
    {
        double mean = values.Average(v => (double)v);
        return values.Average(v => (v - mean) * (v - mean));
    }

    // Variances from the definitions: fan-in 9 * 32 = 288, fan-out 9 * 64 = 576 for [64, 32, 3, 3].
    [Fact]
    [Trait("Kind", "analytic")]
    public void Variances_AreThoseOfTheDefinitions()
    {
        Shape shape = [64, 32, 3, 3];
        void Check(Initializer initializer, double expected) => Assert.InRange(Variance(Fill(initializer, shape)), expected * 0.96, expected * 1.04);
        Check(Initializers.HeNormal, 2 / 288.0);
        Check(Initializers.HeUniform, 2 / 288.0);
        Check(Initializers.XavierNormal, 2 / 864.0);
        Check(Initializers.XavierUniform, 2 / 864.0);
        Check(Initializers.Normal(3, 2), 4);
        Check(Initializers.Uniform(-1, 1), 1 / 3.0);
        Check(Initializers.TruncatedNormal(1), 0.7737413); // 1 - 2 * 2 * phi(2) / (Phi(2) - Phi(-2))
        Assert.All(Fill(Initializers.TruncatedNormal(0.5), shape), v => Assert.InRange(v, -1, 1));
        Assert.All(Fill(Initializers.Constant(0.1), shape), v => Assert.Equal(0.1f, v));
        Assert.All(Fill(Initializers.Zeros, shape), v => Assert.Equal(0, v));
    }

    [Theory]
    [InlineData(8, 20)]
    [InlineData(20, 8)]
    [InlineData(12, 12)]
    [Trait("Kind", "analytic")]
    public void Orthogonal_RowsOrColumns_AreOrthonormalTimesTheGain(int rows, int columns)
    {
        float[] w = Fill(Initializers.Orthogonal(1.5), [rows, columns]);
        int vectors = Math.Min(rows, columns);
        for (int a = 0; a < vectors; a++)
        {
            for (int b = 0; b < vectors; b++)
            {
                double dot = 0;
                for (int j = 0; j < Math.Max(rows, columns); j++)
                    dot += rows <= columns ? w[(a * columns) + j] * (double)w[(b * columns) + j] : w[(j * columns) + a] * (double)w[(j * columns) + b];
                Assert.Equal(a == b ? 2.25 : 0, dot, 1e-5);
            }
        }
    }

    // He et al.: through ReLU layers the mean square of pre-activations stays; Xavier through tanh near 0 keeps the variance.
    [Theory]
    [InlineData(ActivationKind.Relu, 0.5, 2)]
    [InlineData(ActivationKind.None, 0.5, 2)]
    [Trait("Kind", "property")]
    public void DefaultInitializers_ThroughTenLayers_KeepTheScale(ActivationKind kind, double low, double high)
    {
        using var net = new Sequential([.. Enumerable.Range(0, 10).Select(_ => new Dense(256, kind))]);
        net.Build([256], seed: 11);
        using var scope = TensorScope.Begin();
        var input = new float[200 * 256];
        Initializers.Normal(0, 1)(input, [200, 256], new Rng(4));
        Tensor output = net.call(TensorMemory.FromSingles(input, 200, 256));
        double meanSquare = TensorMemory.Read(output).Average(v => (double)v * v);
        Assert.InRange(meanSquare, low, high);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Lsuv_OnABatch_GivesEveryLayerUnitVariance()
    {
        using var net = new Sequential(new Conv2d(8, 3, activation: ActivationKind.Relu), new Flatten(), new Dense(32, ActivationKind.Tanh), new Residual([new Dense(32)]), new Dense(5));
        net.Build([1, 12, 12], seed: 2);
        using var scope = TensorScope.Begin();
        var values = new float[64 * 144];
        Initializers.Normal(0.5, 3)(values, [64, 144], new Rng(9));
        Tensor batch = TensorMemory.FromSingles(values, 64, 1, 12, 12);
        IReadOnlyList<LayerVariance> report = Lsuv.Apply(net, batch, seed: 5);
        Assert.Equal(["conv1", "dense1", "residual1.dense1", "dense2"], report.Select(r => r.Layer));
        Assert.All(report, r => Assert.InRange(r.After, 0.98, 1.02));
        Assert.Contains(report, r => Math.Abs(r.Before - 1) > 0.2);
    }
}
