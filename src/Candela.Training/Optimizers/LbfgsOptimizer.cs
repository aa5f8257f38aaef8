namespace Candela.Training;

/// <summary>See <see cref="LbfgsOptions"/>. Inner products are summed in double. <see cref="Optimizer.Step"/> takes the step of the given rate without a line search.</summary>
internal sealed class LbfgsOptimizer : Optimizer
{
    private readonly LbfgsOptions _options;
    private readonly float[] _direction, _gradient, _lastParameters, _lastGradient, _moves, _changes, _start;
    private readonly float[] _counters = new float[1]; // curvature pairs stored; pair k is row k, oldest first
    private double _length;
    private bool _stalled;

    public LbfgsOptimizer(LbfgsOptions options, IReadOnlyList<ParameterSegment> segments) : base(options, segments)
    {
        _options = options;
        (_direction, _gradient, _lastParameters, _lastGradient, _start) = (new float[Length], new float[Length], new float[Length], new float[Length], new float[Length]);
        (_moves, _changes) = (new float[options.History * Length], new float[options.History * Length]);
        Buffers = new Dictionary<string, float[]>
        {
            ["pairs"] = _counters,
            ["moves"] = _moves,
            ["changes"] = _changes,
            ["lastParameters"] = _lastParameters,
            ["lastGradient"] = _lastGradient,
        };
    }

    private protected override IReadOnlyDictionary<string, float[]> Buffers { get; }

    public override bool Stalled => _stalled;

    private int Pairs
    {
        get => (int)_counters[0];
        set => _counters[0] = value;
    }

    public override double Minimize(Span<float> parameters, Span<float> gradients, LossClosure loss, double learningRate, double maxNorm = double.PositiveInfinity)
    {
        CheckLengths(parameters.Length, gradients.Length);
        double plain = loss(), value = Penalised(plain, parameters, gradients, 1);
        Steps++;
        double slope = Aim(parameters), length = FirstLength(learningRate);
        _stalled = slope == 0;
        if (_stalled)
            return plain; // the gradient is 0
        parameters[..Length].CopyTo(_start);
        var search = new LineSearch(this, parameters, gradients, loss);
        double accepted = search.Run(value, slope, length);
        if (accepted == 0)
        {
            _start.CopyTo(parameters);
            _stalled = Pairs == 0;
            Pairs = 0; // no lower point along this direction: rounding or a stale history
        }

        return plain;
    }

    private protected override void Prepare(double learningRate, ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradients, double gradientScale)
    {
        Penalised(0, parameters, gradients, gradientScale);
        Aim(parameters);
        _length = FirstLength(learningRate);
    }

    private protected override double Update(int offset, Span<float> parameters, ReadOnlySpan<float> gradients, bool decays, float scale)
    {
        for (int i = 0; i < parameters.Length; i++)
            parameters[i] += (float)(_length * _direction[offset + i]);
        return UpdateKernels.SumOfSquares(gradients) * scale * scale;
    }

    /// <summary>The very first direction is a raw gradient whose length means nothing: it is shortened to unit 1-norm at the most.</summary>
    private double FirstLength(double learningRate)
    {
        if (Pairs > 0)
            return learningRate;
        double sum = 0;
        foreach (float g in _gradient)
            sum += Math.Abs(g);
        return learningRate * Math.Min(1, 1 / sum);
    }

    /// <summary>Adds the L2 penalty: returns the loss with it and leaves the gradient with it in <see cref="_gradient"/>.</summary>
    private double Penalised(double loss, ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradients, double scale)
    {
        double squares = 0;
        foreach (ParameterSegment segment in Segments)
        {
            double l2 = segment.Decays ? _options.L2 : 0;
            for (int i = segment.Offset; i < segment.Offset + segment.Length; i++)
            {
                _gradient[i] = (float)((gradients[i] * scale) + (l2 * parameters[i]));
                squares += l2 * parameters[i] * parameters[i];
            }
        }

        return loss + (squares / 2);
    }

    /// <summary>Stores the newest curvature pair, then computes the direction -H g by the two-loop recursion; returns its slope (negative, or 0).</summary>
    private double Aim(ReadOnlySpan<float> parameters)
    {
        if (Steps > 1)
            Remember(parameters);
        parameters[..Length].CopyTo(_lastParameters);
        _gradient.CopyTo(_lastGradient, 0);
        for (int i = 0; i < Length; i++)
            _direction[i] = -_gradient[i];
        int pairs = Pairs;
        Span<double> alphas = stackalloc double[pairs], rhos = stackalloc double[pairs];
        for (int k = pairs - 1; k >= 0; k--)
        {
            rhos[k] = 1 / Dot(Row(_moves, k), Row(_changes, k));
            alphas[k] = rhos[k] * Dot(Row(_moves, k), _direction);
            Add(_direction, -alphas[k], Row(_changes, k));
        }

        if (pairs > 0)
        {
            double gamma = 1 / (rhos[pairs - 1] * Dot(Row(_changes, pairs - 1), Row(_changes, pairs - 1)));
            for (int i = 0; i < Length; i++)
                _direction[i] = (float)(gamma * _direction[i]);
        }

        for (int k = 0; k < pairs; k++)
            Add(_direction, alphas[k] - (rhos[k] * Dot(Row(_changes, k), _direction)), Row(_moves, k));
        double slope = Dot(_gradient, _direction);
        if (pairs > 0 && !(slope < 0))
        {
            Pairs = 0;
            for (int i = 0; i < Length; i++)
                _direction[i] = -_gradient[i];
            slope = Dot(_gradient, _direction);
        }

        return slope;
    }

    private void Remember(ReadOnlySpan<float> parameters)
    {
        if (Pairs == _options.History)
        {
            Array.Copy(_moves, Length, _moves, 0, (Pairs - 1) * Length);
            Array.Copy(_changes, Length, _changes, 0, (Pairs - 1) * Length);
            Pairs--;
        }

        Span<float> move = Row(_moves, Pairs), change = Row(_changes, Pairs);
        for (int i = 0; i < Length; i++)
            (move[i], change[i]) = (parameters[i] - _lastParameters[i], _gradient[i] - _lastGradient[i]);
        double curvature = Dot(move, change);
        if (curvature > 1e-10 * Dot(change, change)) // keeps H positive definite
            Pairs++;
    }

    private Span<float> Row(float[] matrix, int row) => matrix.AsSpan(row * Length, Length);

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }

    private static void Add(Span<float> to, double factor, ReadOnlySpan<float> from)
    {
        for (int i = 0; i < to.Length; i++)
            to[i] = (float)(to[i] + (factor * from[i]));
    }

    /// <summary>Strong-Wolfe search along the direction: brackets (algorithm 3.5), then zooms with cubic steps kept off the ends (3.6).</summary>
    private ref struct LineSearch(LbfgsOptimizer owner, Span<float> parameters, Span<float> gradients, LossClosure loss)
    {
        private readonly LbfgsOptimizer _owner = owner;
        private readonly Span<float> _parameters = parameters, _gradients = gradients;
        private readonly LossClosure _loss = loss;
        private double _bestLength, _bestValue;
        private int _left = owner._options.MaxEvaluations;

        /// <summary>The accepted length, at which the parameters are left; 0 when no lower point was found.</summary>
        public double Run(double value0, double slope0, double length)
        {
            _bestValue = value0;
            double low = 0, lowValue = value0, lowSlope = slope0, c1 = _owner._options.Armijo, c2 = _owner._options.Wolfe;
            double at = length, standing = 0;
            for (bool first = true; _left > 0; first = false)
            {
                (double value, double slope) = Evaluate(at);
                standing = at;
                if (!double.IsFinite(value) || value > value0 + (c1 * at * slope0) || (!first && value >= lowValue))
                {
                    standing = Zoom(value0, slope0, low, lowValue, lowSlope, at, value, slope, standing);
                    break;
                }

                if (Math.Abs(slope) <= -c2 * slope0)
                    break;
                if (slope >= 0)
                {
                    standing = Zoom(value0, slope0, at, value, slope, low, lowValue, lowSlope, standing);
                    break;
                }

                (low, lowValue, lowSlope, at) = (at, value, slope, 2.5 * at);
            }

            if (standing != _bestLength)
                Move(_bestLength);
            return _bestLength;
        }

        private double Zoom(double value0, double slope0, double low, double lowValue, double lowSlope, double high, double highValue, double highSlope, double standing)
        {
            double c1 = _owner._options.Armijo, c2 = _owner._options.Wolfe;
            while (_left > 0 && Math.Abs(high - low) > 1e-9 * Math.Max(Math.Abs(low), Math.Abs(high)))
            {
                double at = Between(low, lowValue, lowSlope, high, highValue, highSlope);
                (double value, double slope) = Evaluate(at);
                standing = at;
                if (!double.IsFinite(value) || value > value0 + (c1 * at * slope0) || value >= lowValue)
                {
                    (high, highValue, highSlope) = (at, value, slope);
                    continue;
                }

                if (Math.Abs(slope) <= -c2 * slope0)
                    break;
                if (slope * (high - low) >= 0)
                    (high, highValue, highSlope) = (low, lowValue, lowSlope);
                (low, lowValue, lowSlope) = (at, value, slope);
            }

            return standing;
        }

        /// <summary>The minimiser of the cubic through both ends (equation 3.59), at least a tenth of the bracket from each; its middle when there is none.</summary>
        private static double Between(double a, double fa, double ga, double b, double fb, double gb)
        {
            double margin = 0.1 * Math.Abs(b - a), from = Math.Min(a, b) + margin, to = Math.Max(a, b) - margin;
            double d1 = ga + gb - (3 * (fa - fb) / (a - b)), square = (d1 * d1) - (ga * gb);
            double d2 = Math.Sign(b - a) * Math.Sqrt(Math.Max(square, 0)), at = b - ((b - a) * (gb + d2 - d1) / (gb - ga + (2 * d2)));
            return square < 0 || !double.IsFinite(at) ? (a + b) / 2 : Math.Clamp(at, from, to);
        }

        private EndPoint Evaluate(double length)
        {
            _left--;
            Move(length);
            double value = _owner.Penalised(_loss(), _parameters, _gradients, 1);
            if (value < _bestValue)
                (_bestLength, _bestValue) = (length, value);
            return new EndPoint(value, Dot(_owner._gradient, _owner._direction));
        }

        private readonly void Move(double length)
        {
            for (int i = 0; i < _owner.Length; i++)
                _parameters[i] = (float)(_owner._start[i] + (length * _owner._direction[i]));
        }
    }

    private readonly record struct EndPoint(double Value, double Slope);
}
