using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>1-d convolution over sequences: [C, T] -> [filters, T']. Keys <c>weight</c> [filters, C / groups, k] and <c>bias</c> [filters], as torch.nn.Conv1d has them.</summary>
public sealed class Conv1d : Layer, IAffineLayer
{
    private readonly Initializer _initializer;
    private readonly Activation? _activation;
    private readonly Window _window;
    private LayerParameter? _weight, _bias;

    /// <summary>Creates it; see <see cref="Conv2d"/> for the arguments.</summary>
    public Conv1d(int filters, int kernel, int stride = 1, Padding padding = default, int dilation = 1, int groups = 1,
        ActivationKind activation = ActivationKind.None, bool bias = true, Initializer? initializer = null)
    {
        ConvolutionRules.CheckFilters("Conv1d", filters, groups);
        (Filters, Groups, ActivationKind, HasBias) = (filters, groups, activation, bias);
        _window = new Window(kernel, stride, padding, dilation).Checked("Conv1d");
        _initializer = initializer ?? activation.DefaultInitializer();
        if (activation != ActivationKind.None)
            _activation = Child("activation", new Activation(activation));
    }

    /// <summary>Output channels.</summary>
    public int Filters { get; }

    /// <summary>Window size.</summary>
    public int Kernel => _window.Kernel;

    /// <summary>Steps of the window.</summary>
    public int Stride => _window.Stride;

    /// <summary>Zeros around the input.</summary>
    public Padding Padding => _window.Padding;

    /// <summary>Distance between taps.</summary>
    public int Dilation => _window.Dilation;

    /// <summary>Groups of channels.</summary>
    public int Groups { get; }

    /// <summary>Applied to the outputs.</summary>
    public ActivationKind ActivationKind { get; }

    /// <summary>Whether a trained offset per filter is added.</summary>
    public bool HasBias { get; }

    /// <inheritdoc/>
    public override string TypeId => "conv1d";

    LayerParameter IAffineLayer.Weight => _weight!;

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        string what = $"Conv1d({Filters}, {Kernel})";
        ConvolutionRules.CheckInput(what, input, "[channels, length]", Groups, InputShape);
        return [Filters, _window.Output(input[1], what, input)];
    }

    /// <inheritdoc/>
    public override double Flops(Shape input) => 2.0 * OutputShape(input).Elements * (input[0] / Groups) * Kernel;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        _weight = Parameter("weight", [Filters, input[0] / Groups, Kernel], _initializer, decays: true);
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
        _window.Zeros((int)input.size(2), out int before, out int after);
        if (before != after) // libtorch pads both sides alike
            input = nn.functional.pad(input, [before, after]);
        return nn.functional.conv1d(input, _weight!.Value, _bias?.Value, Stride, before == after ? before : 0, Dilation, Groups);
    }

    internal override void WriteOptions(JsonObject options)
    {
        options["filters"] = Filters;
        options["kernel"] = Kernel;
        options["stride"] = Stride;
        options["padding"] = Padding.ToString();
        options["dilation"] = Dilation;
        options["groups"] = Groups;
        options["activation"] = ActivationKind.Id();
        options["bias"] = HasBias;
    }
}
