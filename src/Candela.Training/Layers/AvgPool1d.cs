using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>The mean of each window, padding zeros counted (as in PyTorch): [C, T] -> [C, T'], T' = floor((T + 2 padding - size) / stride) + 1.</summary>
public sealed class AvgPool1d : Layer
{
    private readonly Window _window;

    /// <summary>Creates it.</summary>
    /// <param name="size">Window size.</param>
    /// <param name="stride">Steps of the window. Default: the window's size.</param>
    /// <param name="padding">Zeros on both sides; at most half the size. Default 0.</param>
    public AvgPool1d(int size, int? stride = null, int padding = 0)
    {
        (Size, Stride, PaddingSize) = (size, stride ?? size, padding);
        _window = new Window(size, Stride, padding, 1).Checked("AvgPool1d");
        PoolingRules.CheckPadding("AvgPool1d", size, padding);
    }

    /// <summary>Window size.</summary>
    public int Size { get; }

    /// <summary>Steps of the window.</summary>
    public int Stride { get; }

    /// <summary>Zeros on both sides.</summary>
    public int PaddingSize { get; }

    /// <inheritdoc/>
    public override string TypeId => "avg-pool1d";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => PoolingRules.Output1d("AvgPool1d", input, _window);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => nn.functional.avg_pool1d(input, Size, Stride, PaddingSize);

    internal override void WriteOptions(JsonObject options) => PoolingRules.Write(options, Size, Stride, PaddingSize);
}
