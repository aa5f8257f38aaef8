namespace Candela.Training;

/// <summary>Evaluates the training loss at the parameters' present values and writes its gradient into the gradient buffer.</summary>
/// <returns>The loss, without penalties.</returns>
public delegate double LossClosure();

/// <summary>A fused optimiser: parameters, gradients and its own moments are flat float buffers and one vectorised pass updates them all.
/// Free of libtorch; the same arithmetic for every engine and, unless clipping is on (its norm is a sum), the same bits for every vector width.</summary>
/// <remarks>Not for use from several threads at once. Cost: one pass over parameters, gradients and moments (memory bound); with clipping
/// one more over the gradients.</remarks>
public abstract class Optimizer
{
    // Numbers per inner block: short enough that block-wise float sums stay exact to 1e-6 and that the L1 step finds its block in the second-level cache.
    private const int Block = 4096;

    private readonly ParameterSegment[] _runs;

    private protected Optimizer(OptimizerOptions options, IReadOnlyList<ParameterSegment> segments)
    {
        options.Check();
        (Options, Segments) = (options, segments);
        int end = 0;
        var runs = new List<ParameterSegment>();
        foreach (ParameterSegment segment in segments)
        {
            if (segment.Length < 0 || segment.Offset < end)
                throw new ShapeException($"Segment of {segment.Length} numbers at {segment.Offset} overlaps the one before it, which ends at {end}; give segments in order.");
            if (runs.Count > 0 && segment.Offset == end && runs[^1].Decays == segment.Decays)
                runs[^1] = runs[^1] with { Length = runs[^1].Length + segment.Length };
            else
                runs.Add(segment);
            end = segment.Offset + segment.Length;
        }

        (_runs, Length) = ([.. runs], end);
    }

    /// <summary>Which optimiser and its numbers.</summary>
    public OptimizerOptions Options { get; }

    /// <summary>The parameter tensors, in order.</summary>
    public IReadOnlyList<ParameterSegment> Segments { get; }

    /// <summary>Numbers the buffers must hold.</summary>
    public int Length { get; }

    /// <summary>Steps taken.</summary>
    public long Steps { get; private protected set; }

    /// <summary>True when the last <see cref="Minimize"/> found no lower point even along the plain gradient: the minimum is reached as closely as rounding lets it.</summary>
    public virtual bool Stalled => false;

    /// <summary>Makes the optimiser for <paramref name="options"/> over parameters laid out as <paramref name="segments"/> (ascending, not overlapping).</summary>
    /// <exception cref="UsageException">A number of the options is out of range.</exception>
    public static Optimizer Create(OptimizerOptions options, IReadOnlyList<ParameterSegment> segments) => options switch
    {
        SgdOptions sgd => new SgdOptimizer(sgd, segments),
        AdagradOptions adagrad => new AdagradOptimizer(adagrad, segments),
        RmspropOptions rmsprop => new RmspropOptimizer(rmsprop, segments),
        AdamOptions adam => new AdamOptimizer(adam, segments),
        LionOptions lion => new LionOptimizer(lion, segments),
        LbfgsOptions lbfgs => new LbfgsOptimizer(lbfgs, segments),
        _ => throw new UsageException($"There is no optimiser for {options.GetType().Name}."),
    };

    /// <summary>Takes one step.</summary>
    /// <param name="parameters">At least <see cref="Length"/> numbers, changed in place.</param>
    /// <param name="gradients">Their gradients, unchanged.</param>
    /// <param name="learningRate">The rate of this step, 0 or more.</param>
    /// <param name="maxNorm">Gradients (after <paramref name="gradientScale"/>) are scaled down to this global L2 norm when theirs is larger. Default: no clipping.</param>
    /// <param name="gradientScale">Factor of the gradients, for example 1 / accumulated batches. Default 1.</param>
    /// <returns>The global L2 norm of the scaled gradients before clipping.</returns>
    /// <exception cref="ShapeException">A buffer is too short.</exception>
    public double Step(Span<float> parameters, ReadOnlySpan<float> gradients, double learningRate, double maxNorm = double.PositiveInfinity, double gradientScale = 1)
    {
        CheckLengths(parameters.Length, gradients.Length);
        double norm = double.NaN, scale = gradientScale;
        if (!double.IsPositiveInfinity(maxNorm))
        {
            norm = Norm(gradients) * gradientScale;
            if (norm > maxNorm)
                scale *= maxNorm / norm;
        }

        Steps++;
        Prepare(learningRate, parameters, gradients, scale);
        double squares = 0;
        foreach (ParameterSegment run in _runs)
        {
            for (int start = run.Offset; start < run.Offset + run.Length; start += Block)
            {
                int length = Math.Min(Block, run.Offset + run.Length - start);
                Span<float> block = parameters.Slice(start, length);
                squares += Update(start, block, gradients.Slice(start, length), run.Decays, (float)scale);
                if (run.Decays && Options.L1 > 0)
                    Shrink(start, block, learningRate * Options.L1);
            }
        }

        return double.IsNaN(norm) ? Math.Sqrt(squares) : norm;
    }

    /// <summary>Evaluates <paramref name="loss"/> and takes one step; LBFGS evaluates it several times to search along its direction.</summary>
    /// <param name="parameters">Changed in place; <paramref name="loss"/> must read these.</param>
    /// <param name="gradients">Where <paramref name="loss"/> writes its gradient.</param>
    /// <param name="loss">The full-batch loss.</param>
    /// <param name="learningRate">The rate; for LBFGS the first step length tried.</param>
    /// <param name="maxNorm">As for <see cref="Step"/>; LBFGS ignores it.</param>
    /// <returns>The loss before the step.</returns>
    public virtual double Minimize(Span<float> parameters, Span<float> gradients, LossClosure loss, double learningRate, double maxNorm = double.PositiveInfinity)
    {
        double value = loss();
        Step(parameters, gradients, learningRate, maxNorm);
        return value;
    }

    /// <summary>The global L2 norm of <paramref name="gradients"/> over all segments, summed block-wise in double.</summary>
    public double Norm(ReadOnlySpan<float> gradients)
    {
        double squares = 0;
        foreach (ParameterSegment run in _runs)
            for (int start = run.Offset; start < run.Offset + run.Length; start += Block)
                squares += UpdateKernels.SumOfSquares(gradients.Slice(start, Math.Min(Block, run.Offset + run.Length - start)));
        return Math.Sqrt(squares);
    }

    /// <summary>A copy of the state.</summary>
    public virtual OptimizerState Save() => new(Options.Id, Steps, Buffers.ToDictionary(buffer => buffer.Key, buffer => buffer.Value.ToArray()));

    /// <summary>Goes on from a saved state.</summary>
    /// <exception cref="ShapeException">The state is of another optimiser or of other parameters.</exception>
    public virtual void Load(OptimizerState state)
    {
        if (state.Id != Options.Id)
            throw new ShapeException($"The optimiser state is of '{state.Id}', this optimiser is '{Options.Id}'.");
        foreach (KeyValuePair<string, float[]> buffer in Buffers)
        {
            if (!state.Buffers.TryGetValue(buffer.Key, out float[]? saved) || saved.Length != buffer.Value.Length)
                throw new ShapeException($"The optimiser state has {saved?.Length ?? 0} numbers of '{buffer.Key}', this optimiser needs {buffer.Value.Length}.");
            saved.CopyTo(buffer.Value, 0);
        }

        Steps = state.Steps;
    }

    /// <summary>The live moment buffers by name.</summary>
    private protected virtual IReadOnlyDictionary<string, float[]> Buffers { get; } = new Dictionary<string, float[]>();

    /// <summary>Computes the numbers of this step (<see cref="Steps"/> counts it already).</summary>
    private protected abstract void Prepare(double learningRate, ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradients, double gradientScale);

    /// <summary>Updates one block that starts at <paramref name="offset"/> of the moments; returns the sum of squares of the scaled gradients.</summary>
    private protected abstract double Update(int offset, Span<float> parameters, ReadOnlySpan<float> gradients, bool decays, float scale);

    /// <summary>The proximal step of the L1 penalty on one block. <paramref name="amount"/> is rate x L1; the threshold is scaled as the optimiser scales a steady gradient,
    /// so the fixed points are the lasso's.</summary>
    private protected virtual void Shrink(int offset, Span<float> parameters, double amount) => UpdateKernels.SoftThreshold(parameters, (float)amount);

    private protected void CheckLengths(int parameters, int gradients)
    {
        if (parameters < Length || gradients < Length)
            throw new ShapeException($"The optimiser needs buffers of {Length} numbers; it got {parameters} parameters and {gradients} gradients.");
    }
}
