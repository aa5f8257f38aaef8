using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Batch normalisation of [C] or [C, T] examples. Keys as torch.nn.BatchNorm1d: <c>weight</c>, <c>bias</c>, <c>running_mean</c>, <c>running_var</c>, <c>num_batches_tracked</c>.</summary>
public sealed class BatchNorm1d : Layer
{
    private readonly BatchNormState _state;

    /// <summary>Creates it.</summary>
    /// <param name="momentum">Weight of the newest batch in the running mean and variance, 0..1. Default 0.1.</param>
    /// <param name="epsilon">Added to the variance. Default 1e-5.</param>
    public BatchNorm1d(double momentum = 0.1, double epsilon = 1e-5) => _state = new BatchNormState(momentum, epsilon);

    /// <inheritdoc/>
    public override string TypeId => "batch-norm1d";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => BatchNormState.Check("BatchNorm1d", input, InputShape, input.Count is 1 or 2, "[features] or [channels, length]");

    /// <inheritdoc/>
    public override double Flops(Shape input) => 2.0 * input.Elements;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input) => _state.Build(input[0], Parameter, Buffer);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => _state.Compute(this, input, training);

    internal override void WriteOptions(JsonObject options) => _state.Write(options);
}

/// <summary>Batch normalisation of [C, H, W] examples, per channel. Keys as torch.nn.BatchNorm2d. Source: Ioffe and Szegedy 2015.</summary>
public sealed class BatchNorm2d : Layer
{
    private readonly BatchNormState _state;

    /// <summary>Creates it.</summary>
    /// <param name="momentum">Weight of the newest batch in the running mean and variance, 0..1. Default 0.1.</param>
    /// <param name="epsilon">Added to the variance. Default 1e-5.</param>
    public BatchNorm2d(double momentum = 0.1, double epsilon = 1e-5) => _state = new BatchNormState(momentum, epsilon);

    /// <inheritdoc/>
    public override string TypeId => "batch-norm2d";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => BatchNormState.Check("BatchNorm2d", input, InputShape, input.Count == 3, "[channels, height, width]");

    /// <inheritdoc/>
    public override double Flops(Shape input) => 2.0 * input.Elements;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input) => _state.Build(input[0], Parameter, Buffer);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => _state.Compute(this, input, training);

    internal override void WriteOptions(JsonObject options) => _state.Write(options);
}

/// <summary>What the two batch norms share.</summary>
internal sealed class BatchNormState
{
    private readonly double _momentum, _epsilon;
    private LayerParameter? _weight, _bias;

    public BatchNormState(double momentum, double epsilon)
    {
        if (momentum is not (>= 0 and <= 1) || !(epsilon > 0))
            throw new UsageException($"Batch norm needs a momentum of 0..1 and an epsilon above 0; got {momentum} and {epsilon}.");
        (_momentum, _epsilon) = (momentum, epsilon);
    }

    public static Shape Check(string layer, Shape input, Shape? built, bool fits, string wanted) =>
        !fits ? throw new ShapeException($"{layer} needs examples of shape {wanted}; got {input}.")
        : built is not null && built[0] != input[0] ? throw new ShapeException($"{layer} was built for {built[0]} channels; got {input}.")
        : input;

    public void Build(int channels, Func<string, Shape, Initializer, bool, LayerParameter> parameter, Action<string, Tensor> buffer)
    {
        _weight = parameter("weight", [channels], Initializers.Ones, false);
        _bias = parameter("bias", [channels], Initializers.Zeros, false);
        buffer("running_mean", zeros(channels));
        buffer("running_var", ones(channels));
        buffer("num_batches_tracked", tensor(0L));
    }

    public Tensor Compute(Layer layer, Tensor input, bool training)
    {
        if (training)
        {
            if (input.numel() / input.size(1) < 2)
                throw new ShapeException($"Batch norm in training mode needs more than one value per channel; got a batch of shape [{string.Join(", ", input.shape)}]. Use a batch of 2 rows or more.");
            layer.get_buffer("num_batches_tracked")!.add_(1);
        }

        return nn.functional.batch_norm(input, layer.get_buffer("running_mean"), layer.get_buffer("running_var"), _weight!.Value, _bias!.Value, training, _momentum, _epsilon);
    }

    public void Write(JsonObject options)
    {
        options["momentum"] = _momentum;
        options["epsilon"] = _epsilon;
    }
}
