using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests;

public sealed class TiedCrossEntropyTests
{
    [Theory]
    [InlineData(0.0, 1.0)]
    [InlineData(0.1, 0.25)]
    [Trait("Kind", "conformance")]
    [NoTensorLeaks]
    public void Backward_AgainstLibtorchsCrossEntropy_GivesItsLossAndGradients(double smoothing, double scale)
    {
        const int Rows = 700, Width = 12, Classes = 5003; // several blocks of rows, the last one shorter
        using var scope = TensorScope.Begin();
        var rng = new Rng(5);
        Tensor input = Numbers(Rows, Width), table = Numbers(Classes, Width);
        long[] labels = [.. Enumerable.Range(0, Rows).Select(_ => (long)rng.Next(Classes))];
        Tensor before = input.detach().clone().requires_grad_(true), leaf = table.detach().clone().requires_grad_(true);
        leaf.grad = ones_like(leaf); // it is added to
        double sum = TiedCrossEntropy.Backward(before * 2, leaf, labels, smoothing, scale);
        Tensor expectedInput = input.detach().clone().requires_grad_(true), expectedTable = table.detach().clone().requires_grad_(true);
        Tensor loss = nn.functional.cross_entropy(nn.functional.linear(expectedInput * 2, expectedTable), tensor(labels), reduction: nn.Reduction.Sum, label_smoothing: smoothing);
        (loss * scale).backward();
        Assert.Equal(loss.ToSingle(), sum, 1e-5 * sum);
        Assert.True((before.grad! - expectedInput.grad!).abs().max().ToSingle() < 1e-4);
        Assert.True((leaf.grad! - 1 - expectedTable.grad!).abs().max().ToSingle() < 1e-4);

        Tensor Numbers(int rows, int width) => TensorMemory.FromSingles([.. Enumerable.Range(0, rows * width).Select(_ => (float)rng.NextGaussian())], rows, width);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Row_OfHandComputedLogits_IsExact()
    {
        float[] logits = [1, 2, 4];
        double lse = Math.Log(Math.Exp(1) + Math.Exp(2) + Math.Exp(4));
        Assert.Equal(lse - (0.7 * 2) - (0.3 * 7 / 3), TiedCrossEntropy.Row(logits, 1, 0.3f, 2), 1e-6);
        Assert.Equal(2 * (Math.Exp(1 - lse) - 0.1), logits[0], 1e-6);
        Assert.Equal(2 * (Math.Exp(2 - lse) - 0.8), logits[1], 1e-6);
        Assert.Equal(2 * (Math.Exp(4 - lse) - 0.1), logits[2], 1e-6);
    }
}
