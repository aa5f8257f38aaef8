namespace Candela.Training;

/// <summary>See <see cref="AdamOptions"/>.</summary>
internal sealed class AdamOptimizer : Optimizer
{
    private readonly AdamOptions _options;
    private readonly float[] _first, _second, _largest;
    private float _rate, _unbias, _decay;

    public AdamOptimizer(AdamOptions options, IReadOnlyList<ParameterSegment> segments) : base(options, segments)
    {
        _options = options;
        (_first, _second, _largest) = (new float[Length], new float[Length], options.AmsGrad ? new float[Length] : []);
        var buffers = new Dictionary<string, float[]> { ["first"] = _first, ["second"] = _second };
        if (options.AmsGrad)
            buffers["largest"] = _largest;
        Buffers = buffers;
    }

    private protected override IReadOnlyDictionary<string, float[]> Buffers { get; }

    private protected override void Prepare(double learningRate, ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradients, double gradientScale)
    {
        _rate = (float)(learningRate / (1 - Math.Pow(_options.Beta1, Steps)));
        _unbias = (float)(1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, Steps)));
        _decay = (float)(learningRate * _options.L2);
    }

    private protected override double Update(int offset, Span<float> parameters, ReadOnlySpan<float> gradients, bool decays, float scale)
    {
        int length = parameters.Length;
        float beta1 = (float)_options.Beta1, rest1 = (float)(1 - _options.Beta1), beta2 = (float)_options.Beta2, rest2 = (float)(1 - _options.Beta2), epsilon = (float)_options.Epsilon;
        float l2 = decays && !_options.Decoupled ? (float)_options.L2 : 0, decay = decays && _options.Decoupled ? _decay : 0;
        Span<float> first = _first.AsSpan(offset, length), second = _second.AsSpan(offset, length);
        return _options.AmsGrad
            ? UpdateKernels.Run(new AmsGradRule(_rate, _unbias, beta1, rest1, beta2, rest2, epsilon, l2, decay), parameters, gradients, first, second, _largest.AsSpan(offset, length), scale)
            : UpdateKernels.Run(new AdamRule(_rate, _unbias, beta1, rest1, beta2, rest2, epsilon, l2, decay), parameters, gradients, first, second, default, scale);
    }

    private protected override void Shrink(int offset, Span<float> parameters, double amount) =>
        UpdateKernels.ScaledSoftThreshold(parameters, (_options.AmsGrad ? _largest : _second).AsSpan(offset, parameters.Length), default, (float)amount, _unbias, (float)_options.Epsilon);
}
