using Candela.Training.DenseNets;
using Candela.Training.Transformers.Kernels;

namespace Candela.Training.Transformers;

/// <summary>Layer norm (with a bias) or RMS norm over rows, forwards and backwards; outputs are made anew where they are needed again, from two kept numbers per row.</summary>
internal sealed unsafe class NormOp(LayerParameter weight, LayerParameter? bias, double epsilon) : IDisposable
{
    private const int Chunk = 64; // rows
    private readonly bool _centred = bias is not null;
    private float* _weight, _bias, _dWeight, _dBias;
    private AlignedFloats? _sums;

    public int Width { get; } = weight.Shape.Last;

    public bool Trains => _dWeight != null || _dBias != null;

    public void Bind()
    {
        _weight = ParameterMemory.Values(weight);
        _dWeight = ParameterMemory.Gradients(weight);
        if (bias is not null)
        {
            _bias = ParameterMemory.Values(bias);
            _dBias = ParameterMemory.Gradients(bias);
        }
    }

    public void Forward(WorkPool pool, Rows x, Rows y, float* stats, int rows) => Each(pool, rows, (from, count, _) =>
        RowKernels.NormForward(x.Skip(from), _weight, _bias, y.Skip(from), stats + (2 * from), count, Width, (float)epsilon, _centred));

    /// <summary>The outputs again.</summary>
    public void Again(WorkPool pool, Rows x, Rows y, float* stats, int rows) => Each(pool, rows, (from, count, _) =>
        RowKernels.NormApply(x.Skip(from), _weight, _bias, y.Skip(from), stats + (2 * from), count, Width));

    /// <summary>g (+)= the gradient of x; gradients of the weights are added.</summary>
    public void Backward(WorkPool pool, Rows x, Rows dy, Rows g, float* stats, int rows, bool add)
    {
        int chunks = (rows + Chunk - 1) / Chunk;
        float* sums = null;
        if (Trains)
        {
            int length = chunks * 2 * Width;
            if (_sums is null || _sums.Length < length)
            {
                _sums?.Dispose();
                _sums = new AlignedFloats(length);
            }

            sums = _sums.Pointer;
            new Span<float>(sums, length).Clear();
        }

        // Each chunk of rows has sums of its own, added in order: the same result on any number of threads.
        Each(pool, rows, (from, count, chunk) => RowKernels.NormBackward(x.Skip(from), _weight, stats + (2 * from), dy.Skip(from), g.Skip(from),
            _dWeight == null ? null : sums + (2 * chunk * Width), _dBias == null ? null : sums + (((2 * chunk) + 1) * Width), count, Width, _centred, add));
        for (int chunk = 0; chunk < chunks && sums != null; chunk++)
        {
            if (_dWeight != null)
                RowKernels.Add(sums + (2 * chunk * Width), _dWeight, Width);
            if (_dBias != null)
                RowKernels.Add(sums + (((2 * chunk) + 1) * Width), _dBias, Width);
        }
    }

    public void Dispose() => _sums?.Dispose();

    private static void Each(WorkPool pool, int rows, RowChunk work) => RowChunks.Each(pool, rows, Chunk, work);
}
