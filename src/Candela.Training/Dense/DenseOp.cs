using Candela.Training.DenseNets.Kernels;
using Candela.Training.Kernels;

namespace Candela.Training.DenseNets;

/// <summary>What an operation sees of the step it runs in.</summary>
internal sealed unsafe class StepContext(WorkPool pool)
{
    public WorkPool Pool { get; } = pool;

    public float* Parameters;
    public float* Gradients;

    /// <summary>Dropout is on.</summary>
    public bool Training;

    /// <summary>Gradients are added to, not replaced.</summary>
    public bool Accumulate;

    public long Seed;
    public long Step;
}

/// <summary>One operation of a dense net with its own working memory.</summary>
internal abstract unsafe class DenseOp(int width, int units) : IDisposable
{
    /// <summary>Numbers in per row.</summary>
    public int Width { get; } = width;

    /// <summary>Numbers out per row.</summary>
    public int Units { get; } = units;

    public AlignedFloats Values { get; private set; } = new(0);

    /// <summary>Gradient of the loss by <see cref="Values"/>.</summary>
    public AlignedFloats Slopes { get; private set; } = new(0);

    /// <summary>Numbers of working memory per row in evaluation, about.</summary>
    public virtual long FloatsPerRow => Units;

    /// <summary>Grows working memory to <paramref name="rows"/> rows.</summary>
    /// <exception cref="ShapeException">More than <see cref="Extent"/> allows. From here on rows x units cannot overflow.</exception>
    public virtual void Reserve(int rows, bool training)
    {
        int length = Extent.OfRows(rows, Units);
        Values = Grow(Values, length);
        if (training)
            Slopes = Grow(Slopes, length);
    }

    /// <summary>x[rows, Width] to Values[rows, Units].</summary>
    public abstract void Forward(StepContext step, float* x, int rows);

    /// <summary>Slopes to the parameters' gradients and, when not null, to <paramref name="dx"/>[rows, Width]. May change Slopes.</summary>
    public abstract void Backward(StepContext step, float* x, float* dx, int rows);

    public virtual void Dispose()
    {
        Values.Dispose();
        Slopes.Dispose();
    }

    protected static AlignedFloats Grow(AlignedFloats present, int length)
    {
        if (present.Length >= length)
            return present;
        present.Dispose();
        return new AlignedFloats(length);
    }
}

/// <summary>y = f(x W^T + b), f an activation; W [units, width] at <paramref name="weight"/> of the parameters, b at <paramref name="bias"/> (-1: none).</summary>
internal sealed unsafe class LinearOp(int width, int units, int weight, int bias, ActivationKind activation) : DenseOp(width, units)
{
    private AlignedFloats _inputs = new(0);

    public ActivationKind Activation { get; } = activation;

    public int Weight => weight;

    public override void Reserve(int rows, bool training)
    {
        base.Reserve(rows, training);
        if (Activation.NeedsInput())
            _inputs = Grow(_inputs, rows * Units);
    }

    public override void Forward(StepContext step, float* x, int rows)
    {
        float* y = Values.Pointer, z = Activation.NeedsInput() ? _inputs.Pointer : y;
        Gemm.Forward(step.Pool, x, step.Parameters + weight, z, rows, Width, Units);
        bool relu = Activation == ActivationKind.Relu;
        if (bias >= 0)
            ElementKernels.AddBias(z, step.Parameters + bias, rows, Units, relu);
        if (!(relu && bias >= 0))
            ElementKernels.Apply(Activation, z, y, rows * Units);
    }

    public override void Backward(StepContext step, float* x, float* dx, int rows)
    {
        float* y = Values.Pointer, dy = Slopes.Pointer;
        ElementKernels.Chain(Activation, Activation.NeedsInput() ? _inputs.Pointer : y, y, dy, dy, rows * Units);
        Gemm.WeightGradient(step.Pool, dy, x, step.Gradients + weight, rows, Width, Units, step.Accumulate);
        if (bias >= 0)
            ElementKernels.ColumnSums(dy, rows, Units, step.Gradients + bias, step.Accumulate);
        if (dx != null)
            Gemm.InputGradient(step.Pool, dy, step.Parameters + weight, dx, rows, Width, Units);
    }

    public override void Dispose()
    {
        base.Dispose();
        _inputs.Dispose();
    }
}

/// <summary>An activation on its own.</summary>
internal sealed unsafe class ActivationOp(int width, ActivationKind activation) : DenseOp(width, width)
{
    public override void Forward(StepContext step, float* x, int rows) => ElementKernels.Apply(activation, x, Values.Pointer, rows * Units);

    public override void Backward(StepContext step, float* x, float* dx, int rows)
    {
        if (dx != null)
            ElementKernels.Chain(activation, x, Values.Pointer, Slopes.Pointer, dx, rows * Units);
    }
}

/// <summary>Inverted dropout: in training each number is 0 with probability <paramref name="rate"/>, else divided by 1 - rate. The mask is a pure
/// function of the seed, the step and <paramref name="place"/>, so a resumed run meets the same masks; it is that of <see cref="Dropout"/> in the same net.</summary>
internal sealed unsafe class DropoutOp(int width, double rate, int place) : DenseOp(width, width)
{
    private AlignedFloats _mask = new(0);

    public override void Reserve(int rows, bool training)
    {
        base.Reserve(rows, training);
        if (training)
            _mask = Grow(_mask, rows * Units);
    }

    public override void Forward(StepContext step, float* x, int rows)
    {
        int count = rows * Units;
        if (!step.Training || rate <= 0)
        {
            new ReadOnlySpan<float>(x, count).CopyTo(Values.Span);
            return;
        }

        ulong key = DropoutMask.LayerKey(DropoutMask.StepKey(step.Seed, step.Step), (ulong)place);
        DropoutMask.Fill(_mask.Span[..count], rate, DropoutMask.CallKey(key, 1));
        ElementKernels.Multiply(x, _mask.Pointer, Values.Pointer, count);
    }

    public override void Backward(StepContext step, float* x, float* dx, int rows)
    {
        if (dx == null)
            return;
        if (!step.Training || rate <= 0)
            new ReadOnlySpan<float>(Slopes.Pointer, rows * Units).CopyTo(new Span<float>(dx, rows * Units));
        else
            ElementKernels.Multiply(Slopes.Pointer, _mask.Pointer, dx, rows * Units);
    }

    public override void Dispose()
    {
        base.Dispose();
        _mask.Dispose();
    }
}
