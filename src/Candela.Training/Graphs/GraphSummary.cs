using System.Text.Json.Nodes;
using Candela.Graphs;

namespace Candela.Training;

/// <summary>The <see cref="ModelSummary"/> of a graph. Graphs of the managed engine's layer types need no libtorch; others are built by it.</summary>
public static class GraphSummary
{
    /// <summary>Summarises a graph.</summary>
    /// <exception cref="FileFormatException">A layer or an option is unknown or missing.</exception>
    /// <exception cref="ShapeException">A layer refuses what the one before it gives.</exception>
    public static ModelSummary Of(LayerGraph graph)
    {
        var lines = new List<LayerSummary>();
        Shape at = Shape.Of(graph.InputShape);
        long parameters = 0, activations = 0;
        foreach (LayerSpec layer in graph.Layers)
        {
            if (Line(layer, at) is not { } line)
            {
                using Sequential network = GraphBuilder.Build(graph);
                return network.Summary();
            }

            lines.Add(line);
            at = line.OutputShape;
            parameters += line.Parameters;
            activations += at.Elements;
        }

        return new ModelSummary(Shape.Of(graph.InputShape), at, lines, parameters, lines.Sum(l => l.Flops), activations * sizeof(float));
    }

    // Null for a type that needs the layers themselves.
    private static LayerSummary? Line(LayerSpec layer, Shape input)
    {
        switch (layer.Type)
        {
            case "dense":
                {
                    int units = Required(layer, "units");
                    long weights = (long)input.Last * units;
                    return new LayerSummary(layer.Name, layer.Type, input.WithLast(units), weights + (Bias(layer) ? units : 0), 2.0 * input.Elements * units, 0);
                }

            case "conv2d" when input.Count == 3:
                {
                    Size2 kernel = Pair(layer, "kernel") ?? throw Lacks(layer, "kernel"), stride = Pair(layer, "stride") ?? 1, dilation = Pair(layer, "dilation") ?? 1;
                    int filters = Required(layer, "filters"), groups = (int)Number(layer, "groups", 1);
                    Padding padding = layer.Options["padding"] is { } node ? Padding.Parse(node.ToString()) : Padding.Valid;
                    Shape output =
                    [
                        filters,
                    new Window(kernel.Height, stride.Height, padding, dilation.Height).Checked(layer.Name).Output(input[1], layer.Name, input),
                    new Window(kernel.Width, stride.Width, padding, dilation.Width).Checked(layer.Name).Output(input[2], layer.Name, input),
                ];
                    long taps = (long)(input[0] / groups) * kernel.Height * kernel.Width;
                    return new LayerSummary(layer.Name, layer.Type, output, (filters * taps) + (Bias(layer) ? filters : 0), 2.0 * output.Elements * taps, 0);
                }

            case "max-pool2d" when input.Count == 3:
                {
                    Size2 size = Pair(layer, "size") ?? throw Lacks(layer, "size"), stride = Pair(layer, "stride") ?? size;
                    int padding = (int)Number(layer, "padding", 0);
                    Shape output = PoolingRules.Output2d(layer.Name, input, new Window(size.Height, stride.Height, padding, 1).Checked(layer.Name), new Window(size.Width, stride.Width, padding, 1).Checked(layer.Name));
                    return new LayerSummary(layer.Name, layer.Type, output, 0, 0, 0);
                }

            case "flatten":
                return new LayerSummary(layer.Name, layer.Type, [checked((int)input.Elements)], 0, 0, 0);
            case "dropout":
            case "activation" when layer.Options["activation"]?.ToString() != "prelu":
                return new LayerSummary(layer.Name, layer.Type, input, 0, 0, 0);
            default:
                return null;
        }
    }

    private static bool Bias(LayerSpec layer) => layer.Options["bias"] is not JsonValue value || !value.TryGetValue(out bool with) || with;

    private static int Required(LayerSpec layer, string option) => Number(layer, option, 0) is >= 1 and <= int.MaxValue and var number ? (int)number : throw Lacks(layer, option);

    private static double Number(LayerSpec layer, string option, double otherwise) => layer.Options[option] is JsonValue value && value.TryGetValue(out int number) ? number : otherwise;

    private static Size2? Pair(LayerSpec layer, string option) => layer.Options[option] switch
    {
        JsonArray { Count: 2 } pair when pair[0] is JsonValue h && h.TryGetValue(out int height) && pair[1] is JsonValue w && w.TryGetValue(out int width) => new Size2(height, width),
        JsonValue value when value.TryGetValue(out int side) => side,
        _ => null,
    };

    private static FileFormatException Lacks(LayerSpec layer, string option) => new(LayerGraphFile.FileName, Fault.Corrupt, $"layer '{layer.Name}' ({layer.Type}) needs a whole number of 1 or more for '{option}'.");
}
