using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests;

public sealed class LinearChainCrfTests
{
    private const int Kinds = 3, Steps = 4;
    private static readonly int[] Lengths = [4, 1, 3];

    [Fact]
    [Trait("Kind", "analytic")]
    [NoTensorLeaks]
    public void LogPartitionLikelihoodAndDecode_AgainstAllPathsEnumerated_AreEqual()
    {
        for (long seed = 0; seed < 20; seed++)
        {
            using var crf = new LinearChainCrf();
            crf.Build([Steps, Kinds], seed);
            using var scope = TensorScope.Begin();
            Fill(crf, seed);
            Tensor emissions = Gaussian(new Rng(seed, 1), Lengths.Length, Steps, Kinds) * 2;
            float[] partition = TensorMemory.Read(crf.LogPartition(emissions, Lengths));
            var rng = new Rng(seed, 2);
            long[] tags = [.. Enumerable.Range(0, Lengths.Length * Steps).Select(_ => (long)rng.Next(Kinds))];
            float[] likelihood = TensorMemory.Read(crf.LogLikelihood(emissions, tags, Lengths));
            IReadOnlyList<int[]> decoded = crf.Decode(emissions, Lengths);
            for (int n = 0; n < Lengths.Length; n++)
            {
                List<(int[] Path, double Score)> all = [.. Paths(Lengths[n]).Select(path => (path, Score(crf, emissions, n, path)))];
                double expected = Math.Log(all.Sum(p => Math.Exp(p.Score)));
                Assert.Equal(expected, partition[n], 1e-4);
                int[] own = [.. tags.Skip(n * Steps).Take(Lengths[n]).Select(t => (int)t)];
                Assert.Equal(Score(crf, emissions, n, own) - expected, likelihood[n], 1e-4);
                Assert.Equal(all.MaxBy(p => p.Score).Path, decoded[n]);
            }
        }
    }

    [Fact]
    [Trait("Kind", "gradient")]
    [NoTensorLeaks]
    public void LogLikelihood_InDoublePrecision_GradientsEqualCentralDifferences()
    {
        using var crf = new LinearChainCrf();
        crf.Build([Steps, Kinds], 3);
        crf.to(ScalarType.Float64);
        using var scope = TensorScope.Begin();
        Tensor emissions = Gaussian(new Rng(5), Lengths.Length, Steps, Kinds).to(ScalarType.Float64).requires_grad_(true);
        long[] tags = [0, 2, 1, 1, 2, 0, 0, 0, 1, 1, 0, 2];
        crf.LogLikelihood(emissions, tags, Lengths).sum().backward();
        foreach (Tensor parameter in TrainableParameter.Of(crf).Select(p => (Tensor)p.Value).Append(emissions))
        {
            Span<double> values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(parameter.bytes);
            double[] gradient = parameter.grad!.data<double>().ToArray();
            for (int i = 0; i < values.Length; i++)
            {
                double kept = values[i];
                values[i] = kept + 1e-6;
                double up = Value();
                values[i] = kept - 1e-6;
                double down = Value();
                values[i] = kept;
                Assert.Equal((up - down) / 2e-6, gradient[i], 1e-7);
            }
        }

        double Value()
        {
            using var inner = TensorScope.Begin();
            using IDisposable quiet = no_grad();
            return crf.LogLikelihood(emissions, tags, Lengths).sum().item<double>();
        }
    }

    [Theory]
    [Trait("Kind", "conformance")]
    [NoTensorLeaks]
    [InlineData(1)]
    [InlineData(30)] // scores whose exponentials leave a double's range along a sentence
    public void SummedLikelihood_AgainstAutograd_ValueAndGradientsAreEqual(double scale)
    {
        using var crf = new LinearChainCrf();
        crf.Build([Steps, Kinds], 3);
        using var scope = TensorScope.Begin();
        Fill(crf, 4);
        float[] values = TensorMemory.Read(Gaussian(new Rng(5), Lengths.Length, Steps, Kinds) * scale);
        long[] tags = [0, 2, 1, 1, 2, 0, 0, 0, 1, 1, 0, 2];
        (double expected, float[][] gradients) = Of(emissions => crf.LogLikelihood(emissions, tags, Lengths).sum() * -0.25);
        (double value, float[][] managed) = Of(emissions => crf.SummedLikelihood(emissions, tags, Lengths, -0.25));
        Assert.Equal(expected, value, 1e-4 * Math.Max(1, Math.Abs(expected)));
        Assert.True(gradients.Max(g => g.Max()) > 0.01, "gradients of 0 show nothing");
        for (int i = 0; i < gradients.Length; i++)
            Assert.All(gradients[i].Zip(managed[i]), pair => Assert.Equal(pair.First, pair.Second, 2e-5f));

        (double, float[][]) Of(Func<Tensor, Tensor> loss)
        {
            using Tensor emissions = tensor(values, [Lengths.Length, Steps, Kinds]).requires_grad_(true);
            Tensor[] all = [.. TrainableParameter.Of(crf).Select(p => (Tensor)p.Value), emissions];
            foreach (Tensor parameter in all)
                parameter.grad = null;
            Tensor result = loss(emissions);
            result.backward();
            return (result.ToSingle(), [.. all.Select(p => TensorMemory.Read(p.grad!))]);
        }
    }

    [Fact]
    [Trait("Kind", "property")]
    public void LogPartition_PaddingChanged_StaysTheSame()
    {
        using var crf = new LinearChainCrf();
        crf.Build([Steps, Kinds], 1);
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        Tensor emissions = Gaussian(new Rng(1), 3, Steps, Kinds), other = emissions.clone();
        other[1].narrow(0, 1, 3).fill_(50);
        Assert.Equal(TensorMemory.Read(crf.LogPartition(emissions, Lengths)), TensorMemory.Read(crf.LogPartition(other, Lengths)));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void LogLikelihood_TagOrLengthOutOfRange_IsRefused()
    {
        using var crf = new LinearChainCrf();
        using var scope = TensorScope.Begin();
        Tensor emissions = zeros(1, 2, 3);
        Assert.Contains("tag 3", Assert.Throws<ShapeException>(() => crf.LogLikelihood(emissions, [0, 3], [2])).Message, StringComparison.Ordinal);
        Assert.Contains("1 to 2", Assert.Throws<ShapeException>(() => crf.LogPartition(emissions, [3])).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<int[]> Paths(int length)
    {
        for (int code = 0; code < Math.Pow(Kinds, length); code++)
            yield return [.. Enumerable.Range(0, length).Select(t => code / (int)Math.Pow(Kinds, t) % Kinds)];
    }

    private static double Score(LinearChainCrf crf, Tensor emissions, int n, int[] path)
    {
        Dictionary<string, Tensor> weights = crf.state_dict();
        float[] transitions = TensorMemory.Read(weights["transitions"]), start = TensorMemory.Read(weights["start_transitions"]), end = TensorMemory.Read(weights["end_transitions"]), all = TensorMemory.Read(emissions);
        double score = start[path[0]] + end[path[^1]];
        for (int t = 0; t < path.Length; t++)
            score += all[(((n * Steps) + t) * Kinds) + path[t]] + (t == 0 ? 0 : transitions[(path[t - 1] * Kinds) + path[t]]);
        return score;
    }

    private static void Fill(LinearChainCrf crf, long seed)
    {
        var rng = new Rng(seed, 7);
        foreach (Tensor value in crf.state_dict().Values)
            TensorMemory.Write(value, [.. Enumerable.Range(0, (int)value.numel()).Select(_ => (float)rng.NextGaussian())]);
    }

    private static Tensor Gaussian(Rng rng, params long[] shape) =>
        tensor(Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => (float)rng.NextGaussian()).ToArray(), shape);
}
