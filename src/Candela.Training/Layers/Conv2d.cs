using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>2-d convolution (cross-correlation, as everywhere): [C, H, W] -> [filters, H', W']. Keys <c>weight</c> [filters, C / groups, kh, kw] and
/// <c>bias</c> [filters], as torch.nn.Conv2d has them. Source: LeCun et al. 1998; verified against torch.nn.Conv2d.</summary>
public sealed class Conv2d : Layer, IAffineLayer
{
    private readonly Initializer _initializer;
    private readonly Activation? _activation;
    private readonly Window _rows, _columns;
    private LayerParameter? _weight, _bias;

    /// <summary>Creates it; the number of input channels is found out when it is built.</summary>
    /// <param name="filters">Output channels; a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernel">Window size; an int is a square.</param>
    /// <param name="stride">Steps of the window. Default 1.</param>
    /// <param name="padding">Valid (default), Same, or zeros on every side.</param>
    /// <param name="dilation">Distance between the window's taps. Default 1.</param>
    /// <param name="groups">Input and output channels are split into this many groups that do not see each other. Default 1.</param>
    /// <param name="activation">Applied to the outputs. Default none.</param>
    /// <param name="bias">Whether a trained offset per filter is added. Default true.</param>
    /// <param name="initializer">How the weight begins; the default fits the activation.</param>
    public Conv2d(int filters, Size2 kernel, Size2? stride = null, Padding padding = default, Size2? dilation = null, int groups = 1,
        ActivationKind activation = ActivationKind.None, bool bias = true, Initializer? initializer = null)
    {
        ConvolutionRules.CheckFilters("Conv2d", filters, groups);
        (Filters, Kernel, Stride, Padding, Dilation, Groups, ActivationKind, HasBias) = (filters, kernel, stride ?? 1, padding, dilation ?? 1, groups, activation, bias);
        _rows = new Window(Kernel.Height, Stride.Height, padding, Dilation.Height).Checked("Conv2d");
        _columns = new Window(Kernel.Width, Stride.Width, padding, Dilation.Width).Checked("Conv2d");
        _initializer = initializer ?? activation.DefaultInitializer();
        if (activation != ActivationKind.None)
            _activation = Child("activation", new Activation(activation));
    }

    /// <summary>Output channels.</summary>
    public int Filters { get; }

    /// <summary>Window size.</summary>
    public Size2 Kernel { get; }

    /// <summary>Steps of the window.</summary>
    public Size2 Stride { get; }

    /// <summary>Zeros around the input.</summary>
    public Padding Padding { get; }

    /// <summary>Distance between taps.</summary>
    public Size2 Dilation { get; }

    /// <summary>Groups of channels.</summary>
    public int Groups { get; }

    /// <summary>Applied to the outputs.</summary>
    public ActivationKind ActivationKind { get; }

    /// <summary>Whether a trained offset per filter is added.</summary>
    public bool HasBias { get; }

    /// <inheritdoc/>
    public override string TypeId => "conv2d";

    LayerParameter IAffineLayer.Weight => _weight!;

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        string what = $"Conv2d({Filters}, {Kernel})";
        ConvolutionRules.CheckInput(what, input, "[channels, height, width]", Groups, InputShape);
        return [Filters, _rows.Output(input[1], what, input), _columns.Output(input[2], what, input)];
    }

    /// <inheritdoc/>
    public override double Flops(Shape input) => 2.0 * OutputShape(input).Elements * (input[0] / Groups) * Kernel.Height * Kernel.Width;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        _weight = Parameter("weight", [Filters, input[0] / Groups, Kernel.Height, Kernel.Width], _initializer, decays: true);
        if (HasBias)
            _bias = Parameter("bias", [Filters], Initializers.Zeros, decays: false);
        if (_activation is not null)
            BuildChild(_activation, OutputShape(input));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        Tensor output = ((IAffineLayer)this).Affine(input);
        return _activation is null ? output : _activation.Consume(output);
    }

    Tensor IAffineLayer.Affine(Tensor input)
    {
        _rows.Zeros((int)input.size(2), out int top, out int bottom);
        _columns.Zeros((int)input.size(3), out int left, out int right);
        bool even = top == bottom && left == right;
        if (!even) // libtorch pads both sides alike
            input = nn.functional.pad(input, [left, right, top, bottom]);
        return nn.functional.conv2d(input, _weight!.Value, _bias?.Value, [Stride.Height, Stride.Width], even ? [top, left] : [0, 0], [Dilation.Height, Dilation.Width], Groups);
    }

    internal override void WriteOptions(JsonObject options)
    {
        options["filters"] = Filters;
        options["kernel"] = new JsonArray(Kernel.Height, Kernel.Width);
        options["stride"] = new JsonArray(Stride.Height, Stride.Width);
        options["padding"] = Padding.ToString();
        options["dilation"] = new JsonArray(Dilation.Height, Dilation.Width);
        options["groups"] = Groups;
        options["activation"] = ActivationKind.Id();
        options["bias"] = HasBias;
    }
}
