using Candela.Training.DenseNets.Kernels;

namespace Candela.Training.DenseNets;

/// <summary>Convolution (stride 1), bias, ReLU and max pooling as one operation: [channels, height, width] -> [filters, rows / pool, columns / pool] per image.
/// Between steps only the pooled outputs and the winners' positions are kept. Images are split into a fixed number of chunks whose weight gradients are
/// added in order, so results do not depend on the number of threads.</summary>
internal sealed unsafe class ConvOp : DenseOp
{
    /// <summary>Parts of a batch that are worked on at once at the most.</summary>
    public const int Chunks = 8;

    private readonly ConvShape _shape, _back;
    private readonly int _height, _width, _top, _bottom, _left, _right, _pool, _weight, _bias;
    private readonly bool _relu;
    private readonly int[] _offsets, _backOffsets;
    private readonly AlignedFloats _packed, _packedBack, _gradients;
    private AlignedFloats _images = new(0), _flat = new(0), _slopes = new(0);
    private int[] _winners = [];

    /// <param name="shape">Geometry with the padded height and width.</param>
    /// <param name="height">Rows of the image without padding.</param>
    /// <param name="width">Columns without padding.</param>
    /// <param name="top">Zeros above; below, left and right follow from the shape and <paramref name="left"/>.</param>
    /// <param name="left">Zeros to the left.</param>
    /// <param name="pool">Size and stride of the pooling windows; 1 for none.</param>
    /// <param name="relu">Whether outputs below zero become zero.</param>
    /// <param name="weight">Index of the weight [filters, channels, rows, columns] among the parameters.</param>
    /// <param name="bias">Index of the bias, or -1.</param>
    public ConvOp(ConvShape shape, int height, int width, int top, int left, int pool, bool relu, int weight, int bias)
        : base(shape.Channels * height * width, shape.Filters * (shape.OutputRows / pool) * (shape.OutputColumns / pool))
    {
        (_shape, _height, _width, _top, _left, _pool, _relu, _weight, _bias) = (shape, height, width, top, left, pool, relu, weight, bias);
        (_bottom, _right) = (shape.Height - height - top, shape.Width - width - left);
        // Input slopes: a convolution of the output slopes, padded by kernel - 1, with flipped kernels; its output is the padded input.
        _back = new ConvShape(shape.Filters, shape.Height + shape.KernelRows - 1, shape.Width + shape.KernelColumns - 1, shape.Channels, shape.KernelRows, shape.KernelColumns);
        _offsets = Offsets(_shape);
        _backOffsets = Offsets(_back);
        _packed = new AlignedFloats(_shape.PaddedFilters * _shape.Taps);
        _packedBack = new AlignedFloats(_back.PaddedFilters * _back.Taps);
        _gradients = new AlignedFloats(Chunks * ((_shape.Filters * _shape.Taps) + _shape.Filters));
    }

    /// <summary>Index of the weight among the parameters.</summary>
    public int Weight => _weight;

    /// <summary>Numbers of the weight.</summary>
    public int WeightLength => _shape.Filters * _shape.Taps;

    /// <summary>Inputs of one output.</summary>
    public int FanIn => _shape.Taps;

    public override long FloatsPerRow => Units + (long)_shape.ImageFloats;

    public override void Reserve(int rows, bool training)
    {
        base.Reserve(rows, training);
        _images = Grow(_images, Extent.OfRows(rows, _shape.ImageFloats));
        // One image's flat outputs, and in training its padded output slopes and flat input slopes, per chunk.
        _flat = Grow(_flat, Extent.OfRows(Chunks, ScratchFloats));
        if (!training)
            return;
        _slopes = Grow(_slopes, Extent.OfRows(rows, SlopeFloats));
        if (_winners.Length < rows * Units)
            _winners = GC.AllocateUninitializedArray<int>(rows * Units, pinned: true);
    }

    public override void Forward(StepContext step, float* x, int rows)
    {
        ConvKernels.Pack(_shape, step.Parameters + _weight, _packed.Pointer);
        Run(step, x, null, rows, &ForwardChunk);
    }

    public override void Backward(StepContext step, float* x, float* dx, int rows)
    {
        _gradients.Span.Clear();
        if (dx != null)
            ConvKernels.PackFlipped(_shape, step.Parameters + _weight, _packedBack.Pointer);
        Run(step, x, dx, rows, &BackwardChunk);
        int length = WeightLength;
        Sum(_gradients.Pointer, length + _shape.Filters, length, step.Gradients + _weight, step.Accumulate);
        if (_bias >= 0)
            Sum(_gradients.Pointer + length, length + _shape.Filters, _shape.Filters, step.Gradients + _bias, step.Accumulate);
    }

    public override void Dispose()
    {
        base.Dispose();
        foreach (AlignedFloats memory in new[] { _packed, _packedBack, _gradients, _images, _flat, _slopes })
            memory.Dispose();
    }

    private int SlopeFloats => (_shape.Filters * _shape.FlatRow) + ConvKernels.Slack;

    private int ScratchFloats => Math.Max(_shape.PaddedFilters * _shape.FlatRow, (_back.PaddedFilters * _back.FlatRow) + _back.ImageFloats) + ConvKernels.Slack;

    private struct Work
    {
        public ConvShape Shape, Back;
        public float* X, Dx, Values, Slopes, Images, FlatSlopes, Scratch, Packed, PackedBack, Gradients, Bias;
        public int* Offsets, BackOffsets, Winners;
        public int Rows, Height, Width, Top, Bottom, Left, Right, Pool, Units, SlopeFloats, ScratchFloats;
        public bool Relu, HasBias;

        public readonly int From(int chunk) => (int)((long)Rows * chunk / Chunks);
    }

    private void Run(StepContext step, float* x, float* dx, int rows, delegate*<void*, int, GemmPanels, void> chunk)
    {
        fixed (int* offsets = _offsets, backOffsets = _backOffsets, winners = _winners)
        {
            var work = new Work
            {
                Shape = _shape,
                Back = _back,
                X = x,
                Dx = dx,
                Values = Values.Pointer,
                Slopes = Slopes.Pointer,
                Images = _images.Pointer,
                FlatSlopes = _slopes.Pointer,
                Scratch = _flat.Pointer,
                Packed = _packed.Pointer,
                PackedBack = _packedBack.Pointer,
                Gradients = _gradients.Pointer,
                Bias = _bias >= 0 ? step.Parameters + _bias : null,
                HasBias = _bias >= 0,
                Offsets = offsets,
                BackOffsets = backOffsets,
                Winners = (long)rows * Units <= _winners.Length ? winners : null, // kept in training only
                Rows = rows,
                Height = _height,
                Width = _width,
                Top = _top,
                Bottom = _bottom,
                Left = _left,
                Right = _right,
                Pool = _pool,
                Units = Units,
                SlopeFloats = SlopeFloats,
                ScratchFloats = ScratchFloats,
                Relu = _relu,
            };
            step.Pool.Run(chunk, &work, Chunks);
        }
    }

    private static void ForwardChunk(void* state, int chunk, GemmPanels panels)
    {
        ref Work w = ref *(Work*)state;
        float* flat = w.Scratch + ((nint)chunk * w.ScratchFloats);
        for (int n = w.From(chunk); n < w.From(chunk + 1); n++)
        {
            float* image = w.Images + ((nint)n * w.Shape.ImageFloats);
            ConvKernels.Pad(w.X + ((nint)n * w.Shape.Channels * w.Height * w.Width), w.Shape.Channels, w.Height, w.Width, w.Top, w.Bottom, w.Left, w.Right, image);
            ConvKernels.Convolve(w.Shape, image, w.Offsets, w.Packed, flat);
            ConvKernels.PoolForward(w.Shape, flat, w.Bias, w.Relu, w.Pool, w.Values + ((nint)n * w.Units), w.Winners == null ? null : w.Winners + ((nint)n * w.Units));
        }
    }

    private static void BackwardChunk(void* state, int chunk, GemmPanels panels)
    {
        ref Work w = ref *(Work*)state;
        int from = w.From(chunk), to = w.From(chunk + 1), taps = w.Shape.Filters * w.Shape.Taps;
        float* gradient = w.Gradients + ((nint)chunk * (taps + w.Shape.Filters));
        float* image = w.Scratch + ((nint)chunk * w.ScratchFloats);
        float* flat = image + w.Back.ImageFloats;
        for (int n = from; n < to; n++)
        {
            float* slopes = w.FlatSlopes + ((nint)n * w.SlopeFloats);
            ConvKernels.PoolBackward(w.Shape, w.Values + ((nint)n * w.Units), w.Slopes + ((nint)n * w.Units), w.Winners + ((nint)n * w.Units), w.Relu, w.Pool, slopes, w.HasBias ? gradient + taps : null);
            if (w.Dx == null)
                continue;
            int rows = w.Shape.OutputRows, columns = w.Shape.OutputColumns, edgeRows = w.Shape.KernelRows - 1, edgeColumns = w.Shape.KernelColumns - 1;
            PadFlat(slopes, w.Shape, edgeRows, edgeColumns, image);
            ConvKernels.Convolve(w.Back, image, w.BackOffsets, w.PackedBack, flat);
            ConvKernels.Compact(flat + ((nint)w.Top * w.Back.Width) + w.Left, w.Back.FlatRow, w.Shape.Channels, w.Height, w.Width, w.Back.Width, w.Dx + ((nint)n * w.Shape.Channels * w.Height * w.Width));
        }

        if (to > from)
            ConvKernels.WeightGradient(w.Shape, w.Images + ((nint)from * w.Shape.ImageFloats), w.Shape.ImageFloats, w.FlatSlopes + ((nint)from * w.SlopeFloats), w.SlopeFloats, to - from, w.Offsets, gradient);
    }

    // Flat slopes to rows of the back convolution's padded input.
    private static void PadFlat(float* slopes, ConvShape s, int edgeRows, int edgeColumns, float* image)
    {
        int wide = s.OutputColumns + (2 * edgeColumns), high = s.OutputRows + (2 * edgeRows);
        new Span<float>(image, s.Filters * high * wide).Clear();
        for (int f = 0; f < s.Filters; f++, slopes += s.FlatRow, image += (nint)high * wide)
            for (int y = 0; y < s.OutputRows; y++)
                new ReadOnlySpan<float>(slopes + ((nint)y * s.Width), s.OutputColumns).CopyTo(new Span<float>(image + ((nint)(y + edgeRows) * wide) + edgeColumns, s.OutputColumns));
    }

    private static void Sum(float* parts, nint stride, int length, float* to, bool accumulate)
    {
        for (int i = 0; i < length; i++)
        {
            float sum = accumulate ? to[i] : 0;
            for (int c = 0; c < Chunks; c++)
                sum += parts[(c * stride) + i];
            to[i] = sum;
        }
    }

    private static int[] Offsets(ConvShape shape)
    {
        var offsets = new int[shape.Taps];
        fixed (int* to = offsets)
            ConvKernels.Offsets(shape, to);
        return offsets;
    }
}
