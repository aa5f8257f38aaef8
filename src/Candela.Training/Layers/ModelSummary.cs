using System.Globalization;
using System.Text;

namespace Candela.Training;

/// <summary>One line of a <see cref="ModelSummary"/>.</summary>
/// <param name="Name">Path from the root (<c>block1.conv1</c>).</param>
/// <param name="Type">As config.json spells it.</param>
/// <param name="OutputShape">Of one example, without the batch axis.</param>
/// <param name="Parameters">Trained numbers of the layer and all inside it.</param>
/// <param name="Flops">Of one example's forward pass, two per multiply-add, all inside it included.</param>
/// <param name="Depth">0 for the root's children.</param>
public sealed record LayerSummary(string Name, string Type, Shape OutputShape, long Parameters, double Flops, int Depth);

/// <summary>What a network consists of and costs, computed in managed code.</summary>
/// <param name="InputShape">Of one example.</param>
/// <param name="OutputShape">Of one example.</param>
/// <param name="Layers">In order; children follow their parent.</param>
/// <param name="Parameters">Trained numbers.</param>
/// <param name="Flops">Of one example's forward pass, two per multiply-add.</param>
/// <param name="ActivationBytes">Float32 outputs of all layers for one example: what training keeps for the backward pass, about.</param>
public sealed record ModelSummary(Shape InputShape, Shape OutputShape, IReadOnlyList<LayerSummary> Layers, long Parameters, double Flops, long ActivationBytes)
{
    /// <summary>Float32 weights.</summary>
    public long ParameterBytes => Parameters * sizeof(float);

    /// <summary>Weights, their gradients and Adam's two moments, and the activations and their gradients of a batch.</summary>
    public long TrainingBytes(int batchSize) => (4 * ParameterBytes) + (2 * batchSize * ActivationBytes);

    /// <summary>Summarises a network, built or not.</summary>
    /// <param name="network">The network; building is not needed and does not happen.</param>
    /// <param name="input">Shape of one example; null takes the shape it was built for.</param>
    /// <exception cref="ShapeException">No shape is known, or a layer refuses what the one before it gives.</exception>
    public static ModelSummary Of(Layer network, Shape? input = null)
    {
        Shape shape = input ?? network.InputShape ?? throw new ShapeException("The network's input shape is not known yet: pass it, as in Summary([1, 28, 28]).");
        List<LayerSummary> lines = [];
        long activations = 0;
        Tally total = Add(network, "", shape, -1, lines, ref activations);
        return new ModelSummary(shape, network.OutputShape(shape), lines, total.Parameters, total.Flops, activations * sizeof(float));
    }

    /// <summary>The table people read.</summary>
    public override string ToString()
    {
        int name = Math.Max(12, Layers.Max(l => l.Name.Length + l.Type.Length + (2 * l.Depth) + 3));
        int shape = Math.Max(12, Layers.Max(l => l.OutputShape.ToString().Length));
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"Layer (type)".PadRight(name)}  {"Output shape".PadRight(shape)}  {"Parameters",12}  {"FLOPs",14}");
        text.AppendLine($"{"input".PadRight(name)}  {InputShape}");
        foreach (LayerSummary layer in Layers)
            text.AppendLine(CultureInfo.InvariantCulture, $"{Label(layer).PadRight(name)}  {layer.OutputShape.ToString().PadRight(shape)}  {layer.Parameters,12:N0}  {layer.Flops,14:N0}");
        text.AppendLine(CultureInfo.InvariantCulture, $"Parameters {Parameters:N0} ({Mebibytes(ParameterBytes)}), forward {Flops / 1e6:N2} MFLOP per example, activations {Mebibytes(ActivationBytes)} per example, training at batch 32 about {Mebibytes(TrainingBytes(32))}");
        return text.ToString();
    }

    private static string Label(LayerSummary layer) => $"{new string(' ', 2 * layer.Depth)}{layer.Name} ({layer.Type})";

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:N2} MiB");

    private readonly record struct Tally(long Parameters, double Flops);

    private static Tally Add(Layer layer, string path, Shape input, int depth, List<LayerSummary> lines, ref long activations)
    {
        int line = lines.Count;
        double flops = layer.Flops(input);
        long parameters = layer.CountParameters(input);
        Shape at = input;
        foreach ((string name, Layer child) in layer.Children)
        {
            bool isOwnActivation = name == "activation" && child is Activation;
            Shape into = isOwnActivation ? layer.OutputShape(input) : layer.InnerInput(name, input) ?? (layer.TakesOwnInput(name) ? input : at);
            if (isOwnActivation)
            {
                parameters += child.CountParameters(into);
                continue; // counted with its layer, as Keras does
            }

            Tally inside = Add(child, path.Length == 0 ? name : $"{path}.{name}", into, depth + 1, lines, ref activations);
            parameters += inside.Parameters;
            flops += inside.Flops;
            if (!layer.TakesOwnInput(name))
                at = child.OutputShape(into);
        }

        if (depth >= 0)
            lines.Insert(line, new LayerSummary(path, layer.TypeId, layer.OutputShape(input), parameters, flops, depth));
        if (depth >= 0 && layer.Children.All(c => c.Value is Activation))
            activations += layer.OutputShape(input).Elements;
        return new Tally(parameters, flops);
    }
}
