namespace Candela.Training;

/// <summary>See <see cref="RmspropOptions"/>.</summary>
internal sealed class RmspropOptimizer : Optimizer
{
    private readonly RmspropOptions _options;
    private readonly float[] _square, _mean, _velocity;
    private readonly bool _plain;
    private float _rate;

    public RmspropOptimizer(RmspropOptions options, IReadOnlyList<ParameterSegment> segments) : base(options, segments)
    {
        _options = options;
        _plain = !options.Centered && options.Momentum == 0;
        (_square, _mean, _velocity) = (new float[Length], _plain ? [] : new float[Length], _plain ? [] : new float[Length]);
        Buffers = _plain ? new Dictionary<string, float[]> { ["square"] = _square } : new Dictionary<string, float[]> { ["square"] = _square, ["mean"] = _mean, ["velocity"] = _velocity };
    }

    private protected override IReadOnlyDictionary<string, float[]> Buffers { get; }

    private protected override void Prepare(double learningRate, ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradients, double gradientScale) => _rate = (float)learningRate;

    private protected override double Update(int offset, Span<float> parameters, ReadOnlySpan<float> gradients, bool decays, float scale)
    {
        int length = parameters.Length;
        float alpha = (float)_options.Alpha, rest = (float)(1 - _options.Alpha), epsilon = (float)_options.Epsilon, l2 = decays ? (float)_options.L2 : 0;
        if (_plain)
            return UpdateKernels.Run(new PlainRmspropRule(_rate, alpha, rest, epsilon, l2), parameters, gradients, _square.AsSpan(offset, length), default, default, scale);
        var rule = new RmspropRule(_rate, alpha, rest, epsilon, (float)_options.Momentum, _options.Centered, l2);
        return UpdateKernels.Run(rule, parameters, gradients, _square.AsSpan(offset, length), _mean.AsSpan(offset, length), _velocity.AsSpan(offset, length), scale);
    }

    private protected override void Shrink(int offset, Span<float> parameters, double amount)
    {
        int length = parameters.Length;
        UpdateKernels.ScaledSoftThreshold(parameters, _square.AsSpan(offset, length), _options.Centered ? _mean.AsSpan(offset, length) : default, (float)(amount / (1 - _options.Momentum)), 1, (float)_options.Epsilon);
    }
}
