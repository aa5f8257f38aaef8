using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>What <see cref="Lsuv"/> did to one layer.</summary>
/// <param name="Layer">Path of the layer.</param>
/// <param name="Before">Variance of its outputs before the activation with orthonormal weights.</param>
/// <param name="After">The same after scaling.</param>
public sealed record LayerVariance(string Layer, double Before, double After);

/// <summary>Layer-sequential unit-variance initialisation: orthonormal weights, then, layer by layer, scaled until the outputs before the activation
/// have variance 1 on a batch. Source: Mishkin and Matas 2016, algorithm 1.</summary>
public static class Lsuv
{
    /// <summary>Initialises every dense and convolution layer inside a built network.</summary>
    /// <param name="network">A built network; put in evaluation mode during the passes and back afterwards.</param>
    /// <param name="batch">A batch of typical inputs.</param>
    /// <param name="seed">Seed of the orthonormal weights.</param>
    /// <param name="tolerance">Allowed distance of the variance from 1. Default 0.02.</param>
    /// <param name="maxPasses">Passes per layer at the most. Default 10.</param>
    /// <exception cref="ShapeException">The network is not built.</exception>
    public static IReadOnlyList<LayerVariance> Apply(Layer network, Tensor batch, long seed, double tolerance = 0.02, int maxPasses = 10)
    {
        if (!network.IsBuilt)
            throw new ShapeException("LSUV needs a built network: call Build(inputShape) first.");
        bool wasTraining = network.training;
        network.eval();
        var report = new List<LayerVariance>();
        long stream = 0;
        foreach ((string path, Layer layer) in Affine(network, ""))
        {
            LayerParameter weight = ((IAffineLayer)layer).Weight;
            var values = new float[weight.Shape.Elements];
            Initializers.Orthogonal()(values, weight.Shape, new Rng(seed, stream++));
            TensorMemory.Write(weight.Value, values);
            double before = Variance(network, layer, batch), at = before;
            for (int pass = 0; pass < maxPasses && Math.Abs(at - 1) > tolerance && at > 1e-12; pass++)
            {
                float scale = (float)(1 / Math.Sqrt(at));
                foreach (ref float value in values.AsSpan())
                    value *= scale;
                TensorMemory.Write(weight.Value, values);
                at = Variance(network, layer, batch);
            }

            report.Add(new LayerVariance(path, before, at));
        }

        network.train(wasTraining);
        return report;
    }

    private static IEnumerable<KeyValuePair<string, Layer>> Affine(Layer layer, string path)
    {
        if (layer is IAffineLayer)
            yield return new KeyValuePair<string, Layer>(path, layer);
        foreach ((string name, Layer child) in layer.Children)
        {
            foreach (KeyValuePair<string, Layer> inner in Affine(child, path.Length == 0 ? name : $"{path}.{name}"))
                yield return inner;
        }
    }

    private static double Variance(Layer network, Layer layer, Tensor batch)
    {
        double variance = double.NaN;
        var hook = layer.register_forward_pre_hook((_, input) =>
        {
            using var inner = TensorScope.Begin();
            variance = ((IAffineLayer)layer).Affine(input).var().item<float>();
            return input;
        });
        try
        {
            using var scope = TensorScope.Begin();
            using IDisposable quiet = no_grad();
            network.call(batch);
        }
        finally
        {
            hook.remove();
        }

        return variance;
    }
}
