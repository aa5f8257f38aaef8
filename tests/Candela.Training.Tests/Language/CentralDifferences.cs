using static TorchSharp.torch;

namespace Candela.Training.Tests.Language;

/// <summary>Gradients of a double-precision network against central differences, two seeded numbers of every trained tensor.</summary>
internal static class CentralDifferences
{
    /// <summary>Runs the loss backwards and compares.</summary>
    /// <param name="network">Float64; its gradients are empty.</param>
    /// <param name="loss">A scalar; the same each time for the same weights.</param>
    /// <param name="afterBackward">Looks at the gradients before they are compared.</param>
    public static void Check(Layer network, Func<Tensor> loss, Action? afterBackward = null)
    {
        loss().backward();
        afterBackward?.Invoke();
        var rng = new Rng(4);
        foreach (TrainableParameter parameter in TrainableParameter.Of(network))
        {
            Span<double> values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(parameter.Value.bytes);
            double[] gradient = parameter.Value.grad!.data<double>().ToArray();
            for (int n = 0; n < 2; n++)
            {
                int i = rng.Next(values.Length);
                double kept = values[i];
                const double H = 1e-5;
                values[i] = kept + H;
                double up = Value();
                values[i] = kept - H;
                double down = Value();
                values[i] = kept;
                double expected = (up - down) / (2 * H);
                Assert.True(Math.Abs(expected - gradient[i]) <= 1e-6 * Math.Max(1, Math.Abs(expected)), $"{parameter.Key}[{i}]: central difference {expected:R}, gradient {gradient[i]:R}");
            }
        }

        double Value()
        {
            using var inner = TensorScope.Begin();
            using IDisposable quiet = no_grad();
            return loss().item<double>();
        }
    }
}
