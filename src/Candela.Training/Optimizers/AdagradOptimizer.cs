namespace Candela.Training;

/// <summary>See <see cref="AdagradOptions"/>.</summary>
internal sealed class AdagradOptimizer : Optimizer
{
    private readonly AdagradOptions _options;
    private readonly float[] _sum;
    private float _rate;

    public AdagradOptimizer(AdagradOptions options, IReadOnlyList<ParameterSegment> segments) : base(options, segments)
    {
        _options = options;
        _sum = new float[Length];
        Array.Fill(_sum, (float)options.InitialSum);
        Buffers = new Dictionary<string, float[]> { ["sum"] = _sum };
    }

    private protected override IReadOnlyDictionary<string, float[]> Buffers { get; }

    private protected override void Prepare(double learningRate, ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradients, double gradientScale) =>
        _rate = (float)(learningRate / (1 + ((Steps - 1) * _options.RateDecay)));

    private protected override double Update(int offset, Span<float> parameters, ReadOnlySpan<float> gradients, bool decays, float scale) =>
        UpdateKernels.Run(new AdagradRule(_rate, (float)_options.Epsilon, decays ? (float)_options.L2 : 0), parameters, gradients, _sum.AsSpan(offset, parameters.Length), default, default, scale);

    private protected override void Shrink(int offset, Span<float> parameters, double amount) =>
        UpdateKernels.ScaledSoftThreshold(parameters, _sum.AsSpan(offset, parameters.Length), default, (float)(amount / (1 + ((Steps - 1) * _options.RateDecay))), 1, (float)_options.Epsilon);
}
