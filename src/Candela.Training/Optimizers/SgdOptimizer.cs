namespace Candela.Training;

/// <summary>See <see cref="SgdOptions"/>.</summary>
internal sealed class SgdOptimizer : Optimizer
{
    private readonly SgdOptions _options;
    private readonly float[] _velocity;
    private float _rate, _take;

    public SgdOptimizer(SgdOptions options, IReadOnlyList<ParameterSegment> segments) : base(options, segments)
    {
        _options = options;
        _velocity = options.Momentum > 0 ? new float[Length] : [];
        Buffers = options.Momentum > 0 ? new Dictionary<string, float[]> { ["velocity"] = _velocity } : [];
    }

    private protected override IReadOnlyDictionary<string, float[]> Buffers { get; }

    private protected override void Prepare(double learningRate, ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradients, double gradientScale)
    {
        _rate = (float)learningRate;
        _take = Steps == 1 ? 1 : (float)(1 - _options.Dampening); // the first velocity is the gradient itself, undampened
    }

    private protected override double Update(int offset, Span<float> parameters, ReadOnlySpan<float> gradients, bool decays, float scale)
    {
        float l2 = decays ? (float)_options.L2 : 0;
        return _velocity.Length == 0
            ? UpdateKernels.Run(new PlainRule(_rate, l2), parameters, gradients, default, default, default, scale)
            : UpdateKernels.Run(new MomentumRule(_rate, (float)_options.Momentum, _take, _options.Nesterov, l2), parameters, gradients, _velocity.AsSpan(offset, parameters.Length), default, default, scale);
    }

    private protected override void Shrink(int offset, Span<float> parameters, double amount) =>
        UpdateKernels.SoftThreshold(parameters, (float)(_velocity.Length == 0 ? amount : amount * (1 - _options.Dampening) / (1 - _options.Momentum)));
}
