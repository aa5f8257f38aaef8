using System.Text.Json.Nodes;

namespace Candela.Training;

/// <summary>Shapes and options the four pooling layers share.</summary>
internal static class PoolingRules
{
    public static Shape Output1d(string layer, Shape input, Window window) => input.Count == 2
        ? [input[0], window.Output(input[1], layer, input)]
        : throw new ShapeException($"{layer} needs examples of shape [channels, length]; got {input}.");

    public static Shape Output2d(string layer, Shape input, Window rows, Window columns) => input.Count == 3
        ? [input[0], rows.Output(input[1], layer, input), columns.Output(input[2], layer, input)]
        : throw new ShapeException($"{layer} needs examples of shape [channels, height, width]; got {input}.");

    public static void CheckPadding(string layer, int size, int padding)
    {
        if (padding < 0 || padding > size / 2)
            throw new UsageException($"{layer} of size {size} takes a padding of 0 to {size / 2}; got {padding}.");
    }

    public static void Write(JsonObject options, int size, int stride, int padding)
    {
        options["size"] = size;
        options["stride"] = stride;
        options["padding"] = padding;
    }

    public static void Write(JsonObject options, Size2 size, Size2 stride, int padding)
    {
        options["size"] = new JsonArray(size.Height, size.Width);
        options["stride"] = new JsonArray(stride.Height, stride.Width);
        options["padding"] = padding;
    }
}
