namespace Candela.Training;

/// <summary>See <see cref="LionOptions"/>.</summary>
internal sealed class LionOptimizer : Optimizer
{
    private readonly LionOptions _options;
    private readonly float[] _moment;
    private float _rate, _decay;

    public LionOptimizer(LionOptions options, IReadOnlyList<ParameterSegment> segments) : base(options, segments)
    {
        _options = options;
        _moment = new float[Length];
        Buffers = new Dictionary<string, float[]> { ["moment"] = _moment };
    }

    private protected override IReadOnlyDictionary<string, float[]> Buffers { get; }

    private protected override void Prepare(double learningRate, ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradients, double gradientScale) =>
        (_rate, _decay) = ((float)learningRate, (float)(learningRate * _options.L2));

    private protected override double Update(int offset, Span<float> parameters, ReadOnlySpan<float> gradients, bool decays, float scale)
    {
        var rule = new LionRule(_rate, (float)_options.Beta1, (float)(1 - _options.Beta1), (float)_options.Beta2, (float)(1 - _options.Beta2), decays ? _decay : 0);
        return UpdateKernels.Run(rule, parameters, gradients, _moment.AsSpan(offset, parameters.Length), default, default, scale);
    }
}
