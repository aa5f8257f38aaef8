using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>All steps of a horizon at once from a window of the past: a linear map of the target's window, which begins as the seasonal naive forecast (or the last value), plus a recurrent net whose
/// output layer begins at 0. Training therefore starts from the naive forecast and learns what it lacks. Sources: the linear part beside a recurrent one, Lai et al. 2018 (LSTNet), section 3.6;
/// bringing each window to its own mean and spread, Kim et al. 2022 (RevIN).</summary>
internal sealed class ForecastNetwork : Layer
{
    private readonly ForecastShape _shape;
    private readonly Recurrent _recurrent;
    private readonly Dropout _dropout;
    private readonly Dense _linear, _head;

    public ForecastNetwork(ForecastShape shape)
    {
        _shape = shape;
        _linear = Child("linear", new Dense(shape.Horizon, bias: false, initializer: Naive));
        _recurrent = Child(shape.Net, shape.Net switch
        {
            "rnn" => (Recurrent)new Rnn(shape.Width, shape.Layers, dropout: shape.Dropout, sequence: false),
            "lstm" => new Lstm(shape.Width, shape.Layers, dropout: shape.Dropout, sequence: false),
            _ => new Gru(shape.Width, shape.Layers, dropout: shape.Dropout, sequence: false),
        });
        _dropout = Child("dropout", new Dropout(shape.Dropout));
        _head = Child("head", new Dense(shape.Horizon, initializer: Initializers.Zeros));
    }

    /// <inheritdoc/>
    public override string TypeId => "forecaster";

    private Shape Window => [_shape.Window, 1 + _shape.Inputs];

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => input.Equals(Window) ? [_shape.Horizon]
        : throw new ShapeException($"The forecaster needs examples of {Window}; got {input}.");

    /// <summary>Creates the parameters for its own window.</summary>
    public void Build(long seed) => Build(Window, seed);

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        BuildChild(_linear, [_shape.Window]);
        BuildChild(_recurrent, input);
        BuildChild(_head, [_shape.Width]);
    }

    // [N, W, F] -> [N, H]
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        using Tensor target = input.select(2, 0), straight = _linear.call(target), state = _recurrent.call(input), kept = _dropout.call(state), learned = _head.call(kept);
        return straight + learned;
    }

    internal override bool TakesOwnInput(string child) => child == _shape.Net;

    internal override Shape? InnerInput(string child, Shape input) => child == "linear" ? [_shape.Window] : null;

    private void Naive(Span<float> values, Shape shape, Rng rng)
    {
        values.Clear();
        int back = _shape.Season > 1 && _shape.Season <= _shape.Window ? _shape.Season : 1;
        for (int h = 0; h < _shape.Horizon; h++)
            values[(h * _shape.Window) + _shape.Window - back + (h % back)] = 1;
    }
}
