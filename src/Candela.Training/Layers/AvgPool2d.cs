using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>The mean of each window, padding zeros counted (as in PyTorch): [C, H, W] -> [C, H', W'], H' = floor((H + 2 padding - size) / stride) + 1.</summary>
public sealed class AvgPool2d : Layer
{
    private readonly Window _rows, _columns;

    /// <summary>Creates it.</summary>
    /// <param name="size">Window size; an int is a square.</param>
    /// <param name="stride">Steps of the window. Default: the window's size.</param>
    /// <param name="padding">Zeros on every side; at most half the size. Default 0.</param>
    public AvgPool2d(Size2 size, Size2? stride = null, int padding = 0)
    {
        (Size, Stride, PaddingSize) = (size, stride ?? size, padding);
        _rows = new Window(Size.Height, Stride.Height, padding, 1).Checked("AvgPool2d");
        _columns = new Window(Size.Width, Stride.Width, padding, 1).Checked("AvgPool2d");
        PoolingRules.CheckPadding("AvgPool2d", Math.Min(Size.Height, Size.Width), padding);
    }

    /// <summary>Window size.</summary>
    public Size2 Size { get; }

    /// <summary>Steps of the window.</summary>
    public Size2 Stride { get; }

    /// <summary>Zeros on every side.</summary>
    public int PaddingSize { get; }

    /// <inheritdoc/>
    public override string TypeId => "avg-pool2d";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => PoolingRules.Output2d("AvgPool2d", input, _rows, _columns);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) =>
        nn.functional.avg_pool2d(input, [Size.Height, Size.Width], [Stride.Height, Stride.Width], [PaddingSize, PaddingSize]);

    internal override void WriteOptions(JsonObject options) => PoolingRules.Write(options, Size, Stride, PaddingSize);
}
