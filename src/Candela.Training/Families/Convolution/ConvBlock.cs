using System.Text.Json.Nodes;
using Candela.Graphs;
using Candela.Training.DenseNets.Kernels;

namespace Candela.Training.DenseNets;

/// <summary>Convolution layers of a graph as operations of the managed engine: conv2d (stride 1, one group, no dilation; relu or no activation), with a max-pool2d
/// that follows at once and does not overlap. Other convolutions need libtorch.</summary>
internal static class ConvBlock
{
    /// <summary>Null when the managed engine runs layer <paramref name="index"/> on inputs of <paramref name="shape"/>, else why not. Moves on past what it would take and to its output's shape.</summary>
    public static string? WhyNot(IReadOnlyList<LayerSpec> layers, ref int index, ref IReadOnlyList<int> shape)
    {
        LayerSpec layer = layers[index];
        try
        {
            var options = new Plan(layer, shape, Next(layers, index));
            if (options.Refusal is { } refusal)
                return $"layer '{layer.Name}' (conv2d) {refusal}";
            index += options.Pooled ? 1 : 0;
            shape = options.Output;
            return null;
        }
        catch (CandelaException error)
        {
            return $"layer '{layer.Name}' (conv2d) cannot be used: {error.Message.TrimEnd('.')}";
        }
    }

    /// <summary>The operation of layer <paramref name="index"/> and of the pool after it, which <see cref="WhyNot"/> has accepted.</summary>
    public static ConvOp Make(IReadOnlyList<LayerSpec> layers, ref int index, ref IReadOnlyList<int> shape, List<DenseParameter> layout, ref int length)
    {
        LayerSpec layer = layers[index];
        var plan = new Plan(layer, shape, Next(layers, index));
        int weight = length, bias = -1;
        layout.Add(new DenseParameter($"{layer.Name}.weight", [plan.Shape.Filters, plan.Shape.Channels, plan.Shape.KernelRows, plan.Shape.KernelColumns], length, Decays: true));
        length = Extent.Sum(layer.Name, length, Extent.OfLayer(layer.Name, plan.Shape.Filters, plan.Shape.Taps));
        if (plan.HasBias)
        {
            bias = length;
            layout.Add(new DenseParameter($"{layer.Name}.bias", [plan.Shape.Filters], length, Decays: false));
            length = Extent.Sum(layer.Name, length, plan.Shape.Filters);
        }

        var op = new ConvOp(plan.Shape, shape[1], shape[2], plan.Top, plan.Left, plan.Pool, plan.Relu, weight, bias);
        index += plan.Pooled ? 1 : 0;
        shape = plan.Output;
        return op;
    }

    private static LayerSpec? Next(IReadOnlyList<LayerSpec> layers, int index) => index + 1 < layers.Count && layers[index + 1].Type == "max-pool2d" ? layers[index + 1] : null;

    /// <summary>What the options of a convolution and of the pool after it come to.</summary>
    private sealed class Plan
    {
        public Plan(LayerSpec layer, IReadOnlyList<int> input, LayerSpec? pool)
        {
            if (layer.Options["filters"] is not JsonValue || layer.Options["kernel"] is null)
                throw new UsageException("it needs filters and kernel");
            int filters = layer.Options["filters"]!.GetValue<int>();
            (int rows, int columns) = Pair(layer.Options["kernel"], 0);
            if (input.Count != 3 || filters < 1 || rows < 1 || columns < 1)
                throw new ShapeException($"a convolution of {filters} filters of {rows}x{columns} needs inputs [channels, height, width]; got [{string.Join(", ", input)}]");
            string activation = DenseNetwork.Text(layer, "activation") ?? "none";
            HasBias = layer.Options["bias"] is not JsonValue bias || !bias.TryGetValue(out bool with) || with;
            Relu = activation == "relu";
            if (Pair(layer.Options["stride"], 1) != (1, 1) || Pair(layer.Options["dilation"], 1) != (1, 1) || (int)DenseNetwork.Number(layer, "groups", 1) != 1)
                Refusal = "has a stride, dilation or groups other than 1";
            else if (!Relu && activation != "none")
                Refusal = $"has the activation '{activation}'; the managed convolution has relu and none";
            Padding padding = layer.Options["padding"] is JsonValue text ? Padding.Parse(text.TryGetValue(out int zeros) ? zeros.ToString(System.Globalization.CultureInfo.InvariantCulture) : text.GetValue<string>()) : Padding.Valid;
            padding.Along(input[1], rows, 1, 1, out int top, out int bottom);
            padding.Along(input[2], columns, 1, 1, out int left, out int right);
            Shape = new ConvShape(input[0], input[1] + top + bottom, input[2] + left + right, filters, rows, columns);
            (Top, Left, Pool) = (top, left, 1);
            RequireFits(layer.Name);
            if (Shape.OutputRows < 1 || Shape.OutputColumns < 1)
                throw new ShapeException($"a window of {rows}x{columns} does not fit inputs [{string.Join(", ", input)}]");
            if (pool is not null)
            {
                (int height, int width) = Pair(pool.Options["size"], 0);
                if (height != width || height < 1 || Pair(pool.Options["stride"], height) != (height, width) || (int)DenseNetwork.Number(pool, "padding", 0) != 0)
                    Refusal = "is followed by a pool that is not square, overlaps or is padded";
                else if (Shape.OutputRows < height || Shape.OutputColumns < height)
                    throw new ShapeException($"a pool of {height} does not fit outputs of {Shape.OutputRows}x{Shape.OutputColumns}");
                else
                    (Pool, Pooled) = (height, true);
            }

            Output = [filters, Shape.OutputRows / Pool, Shape.OutputColumns / Pool];
        }

        public ConvShape Shape { get; }

        public int Top { get; }

        public int Left { get; }

        public int Pool { get; }

        public bool Pooled { get; }

        public bool Relu { get; }

        public bool HasBias { get; }

        public string? Refusal { get; }

        public IReadOnlyList<int> Output { get; }

        // The sums and products of ConvShape and ConvOp are of 32 bits: all of them lie below one of these, times the chunks.
        private void RequireFits(string name)
        {
            long taps = Extent.OfLayer(name, Shape.Channels, (long)Shape.KernelRows * Shape.KernelColumns);
            Extent.OfLayer(name, ConvOp.Chunks * (Shape.Filters + 6L), taps + 1);
            Extent.OfLayer(name, ConvOp.Chunks * (Shape.Channels + 6L), Shape.Filters * (long)Shape.KernelRows * Shape.KernelColumns);
            long wide = (long)Shape.Width + Shape.KernelColumns, high = (long)Shape.Height + Shape.KernelRows;
            Extent.OfLayer(name, ConvOp.Chunks * (2L * Math.Max(Shape.Filters, Shape.Channels) + 6), ((wide + 16) * high) + ConvKernels.Slack);
        }

        private static (int Rows, int Columns) Pair(JsonNode? node, int otherwise) => node switch
        {
            JsonArray { Count: 2 } pair => (pair[0]!.GetValue<int>(), pair[1]!.GetValue<int>()),
            JsonValue value => (value.GetValue<int>(), value.GetValue<int>()),
            _ => (otherwise, otherwise),
        };
    }
}
