using static TorchSharp.torch;

namespace Candela.Training.Tests;

public sealed class AdditiveAttentionTests
{
    private const int Units = 5, Query = 3, Memory = 4, Steps = 6, Count = 3;
    private static readonly int[] Lengths = [6, 1, 4];

    [Fact]
    [Trait("Kind", "conformance")]
    [NoTensorLeaks]
    public void Attend_AgainstPlainLoopsInDoublePrecision_IsEqual()
    {
        using var attention = new AdditiveAttention(Units, Query);
        attention.Build([Steps, Memory], 7);
        using var scope = TensorScope.Begin();
        var rng = new Rng(1);
        float[] query = Numbers(Count * Query), memory = Numbers(Count * Steps * Memory), bias = Numbers(Units), mask = new float[Count * Steps];
        for (int n = 0; n < Count; n++)
            for (int s = Lengths[n]; s < Steps; s++)
                mask[(n * Steps) + s] = float.NegativeInfinity;
        TensorMemory.Write(attention.get_parameter("key.bias")!, bias);
        float[] w = Read("query.weight"), u = Read("key.weight"), v = Read("score.weight");
        Tensor steps = TensorMemory.FromSingles(memory, Count, Steps, Memory), asked = TensorMemory.FromSingles(query, Count, Query), masked = TensorMemory.FromSingles(mask, Count, Steps);
        Tensor keys = attention.call(steps);
        float[] weights = TensorMemory.Read(attention.Weights(asked, keys, masked)), seen = TensorMemory.Read(attention.Attend(asked, keys, steps, masked));
        for (int n = 0; n < Count; n++)
        {
            var scores = new double[Lengths[n]];
            for (int s = 0; s < Lengths[n]; s++)
            {
                for (int a = 0; a < Units; a++)
                {
                    double sum = bias[a];
                    for (int i = 0; i < Query; i++)
                        sum += (double)w[(a * Query) + i] * query[(n * Query) + i];
                    for (int i = 0; i < Memory; i++)
                        sum += (double)u[(a * Memory) + i] * memory[(((n * Steps) + s) * Memory) + i];
                    scores[s] += v[a] * Math.Tanh(sum);
                }
            }

            double total = scores.Sum(Math.Exp);
            for (int s = 0; s < Steps; s++)
                Assert.Equal(s < Lengths[n] ? Math.Exp(scores[s]) / total : 0, weights[(n * Steps) + s], 1e-6);
            for (int i = 0; i < Memory; i++)
                Assert.Equal(Enumerable.Range(0, Lengths[n]).Sum(s => Math.Exp(scores[s]) / total * memory[(((n * Steps) + s) * Memory) + i]), seen[(n * Memory) + i], 1e-5);
        }

        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(2 * rng.NextGaussian()))];
        float[] Read(string key) => TensorMemory.Read(attention.get_parameter(key)!);
    }

    [Theory]
    [InlineData("gru")]
    [InlineData("lstm")]
    [Trait("Kind", "conformance")]
    [NoTensorLeaks]
    public void RecurrentCell_SteppedOverASequence_EqualsTheLayer(string function)
    {
        using var cell = new RecurrentCell(function, Units);
        cell.Build([Memory], 2);
        using Recurrent layer = function == "gru" ? new Gru(Units) : new Lstm(Units);
        layer.Build([Steps, Memory], 2);
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        foreach (LayerParameter parameter in cell.OwnParameters)
            TensorMemory.Write(layer.get_parameter($"{parameter.Name}_l0")!, TensorMemory.Read(parameter.Value));
        var rng = new Rng(4);
        Tensor input = TensorMemory.FromSingles([.. Enumerable.Range(0, Count * Steps * Memory).Select(_ => (float)rng.NextGaussian())], Count, Steps, Memory);
        float[] expected = TensorMemory.Read(layer.call(input));
        Tensor zero = zeros([Count, Units]);
        Tensor[] state = function == "gru" ? [zero] : [zero, zero];
        for (int t = 0; t < Steps; t++)
        {
            Tensor x = input.select(1, t);
            if (t == 0)
                Assert.Equal(TensorMemory.Read(cell.call(x)), TensorMemory.Read(cell.Step(x, state)[0]));
            state = cell.Step(x, state);
            float[] hidden = TensorMemory.Read(state[0]);
            for (int n = 0; n < Count; n++)
                for (int i = 0; i < Units; i++)
                    Assert.Equal(expected[(((n * Steps) + t) * Units) + i], hidden[(n * Units) + i], 1e-6);
        }
    }
}
