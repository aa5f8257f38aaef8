using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>The largest value of each window: [C, T] -> [C, T'], T' = floor((T + 2 padding - size) / stride) + 1.</summary>
public sealed class MaxPool1d : Layer
{
    private readonly Window _window;

    /// <summary>Creates it.</summary>
    /// <param name="size">Window size.</param>
    /// <param name="stride">Steps of the window. Default: the window's size.</param>
    /// <param name="padding">Borders that never win, on both sides; at most half the size. Default 0.</param>
    public MaxPool1d(int size, int? stride = null, int padding = 0)
    {
        (Size, Stride, PaddingSize) = (size, stride ?? size, padding);
        _window = new Window(size, Stride, padding, 1).Checked("MaxPool1d");
        PoolingRules.CheckPadding("MaxPool1d", size, padding);
    }

    /// <summary>Window size.</summary>
    public int Size { get; }

    /// <summary>Steps of the window.</summary>
    public int Stride { get; }

    /// <summary>Borders on both sides.</summary>
    public int PaddingSize { get; }

    /// <inheritdoc/>
    public override string TypeId => "max-pool1d";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => PoolingRules.Output1d("MaxPool1d", input, _window);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => nn.functional.max_pool1d(input, Size, Stride, PaddingSize, 1);

    internal override void WriteOptions(JsonObject options) => PoolingRules.Write(options, Size, Stride, PaddingSize);
}
