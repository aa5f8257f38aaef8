namespace Candela.Training;

/// <summary>The geometry of a window that slides along one axis, shared by convolutions and pools.</summary>
internal readonly record struct Window(int Kernel, int Stride, Padding Padding, int Dilation)
{
    /// <summary>Throws unless every number is usable.</summary>
    public Window Checked(string layer)
    {
        if (Kernel < 1 || Stride < 1 || Dilation < 1)
            throw new UsageException($"{layer} needs a kernel, stride and dilation of 1 or more; got {Kernel}, {Stride} and {Dilation}.");
        return this;
    }

    /// <summary>floor((input + padding - dilation (kernel - 1) - 1) / stride) + 1.</summary>
    public int Output(int input, string layer, Shape example)
    {
        Padding.Along(input, Kernel, Stride, Dilation, out int before, out int after);
        int reach = (Dilation * (Kernel - 1)) + 1;
        return input + before + after >= reach
            ? ((input + before + after - reach) / Stride) + 1
            : throw new ShapeException($"{layer} with a window of {reach} does not fit examples of {example} (size {input} with padding {before} + {after}).");
    }

    /// <summary>Zeros before and after.</summary>
    public void Zeros(int input, out int before, out int after) => Padding.Along(input, Kernel, Stride, Dilation, out before, out after);
}
