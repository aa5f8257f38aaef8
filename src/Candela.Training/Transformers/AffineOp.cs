using Candela.Training.DenseNets;
using Candela.Training.DenseNets.Kernels;
using Candela.Training.Kernels;
using Candela.Training.Transformers.Kernels;

namespace Candela.Training.Transformers;

/// <summary>y = x W^T + b of a layer with a weight matrix, with its low-rank update if it has one, forwards and backwards over rows. The bias is left to what follows.</summary>
internal sealed unsafe class AffineOp(ILowRankHost host) : IDisposable
{
    private readonly LayerParameter? _biasParameter = host.Bias;
    private readonly bool _transposed = host.IsTransposed;
    private float* _weight, _dWeight, _dBias, _a, _b, _dA, _dB;
    private LowRankUpdate? _update;
    private AlignedFloats? _scratch;
    private ulong _dropoutKey;

    public int Inputs => host.Weight.Shape[host.IsTransposed ? 0 : 1];

    public int Outputs => host.Weight.Shape[host.IsTransposed ? 1 : 0];

    /// <summary>The bias, or null.</summary>
    public float* Bias { get; private set; }

    public bool Trains => _dWeight != null || _dBias != null || _dA != null || _dB != null;

    public IEnumerable<LayerParameter> Parameters => _biasParameter is null ? [host.Weight] : [host.Weight, _biasParameter];

    /// <summary>Looks up where numbers lie; in training the update's dropout gets its noise.</summary>
    public void Bind(bool training)
    {
        _weight = ParameterMemory.Values(host.Weight);
        _dWeight = ParameterMemory.Gradients(host.Weight);
        if (_biasParameter is not null)
        {
            Bias = ParameterMemory.Values(_biasParameter);
            _dBias = ParameterMemory.Gradients(_biasParameter);
        }

        _update = host.Update is { IsMerged: false } update ? update : null;
        _a = _b = _dA = _dB = null;
        if (_update is null)
            return;
        _a = ParameterMemory.Values(_update.A.Matrix);
        _dA = ParameterMemory.Gradients(_update.A.Matrix);
        _b = ParameterMemory.Values(_update.B.Matrix);
        _dB = ParameterMemory.Gradients(_update.B.Matrix);
        _dropoutKey = training ? _update.Dropout.NextKey() : 0;
    }

    /// <summary>y = (y +) x W^T.</summary>
    /// <param name="pool">Threads.</param>
    /// <param name="x">Inputs.</param>
    /// <param name="y">Outputs.</param>
    /// <param name="rows">Of both.</param>
    /// <param name="add">Adds to y.</param>
    /// <param name="first">Number of the first row in the batch, which places it in dropout masks.</param>
    public void Forward(WorkPool pool, Rows x, Rows y, int rows, bool add, int first)
    {
        Gemm.Run(pool, new GemmProblem
        {
            M = rows,
            N = Outputs,
            K = Inputs,
            A = x.At,
            RowA = x.Stride,
            ColA = 1,
            B = _weight,
            RowB = _transposed ? Outputs : 1,
            ColB = _transposed ? 1 : Inputs,
            C = y.At,
            RowC = y.Stride,
            Accumulate = add,
        });
        if (_update is null)
            return;
        Rows inner = Inner(pool, x, rows, first, out _);
        Gemm.Run(pool, new GemmProblem { M = rows, N = Outputs, K = Rank, A = inner.At, RowA = Rank, ColA = 1, B = _b, RowB = 1, ColB = Rank, C = y.At, RowC = y.Stride, Accumulate = true });
    }

    /// <summary>Adds the gradients of weight, bias and update.</summary>
    public void WeightGradient(WorkPool pool, Rows x, Rows dy, int rows, int first)
    {
        if (_dWeight != null)
        {
            Gemm.Run(pool, _transposed
                ? new GemmProblem { M = Inputs, N = Outputs, K = rows, A = x.At, RowA = 1, ColA = x.Stride, B = dy.At, RowB = dy.Stride, ColB = 1, C = _dWeight, RowC = Outputs, Accumulate = true }
                : new GemmProblem { M = Outputs, N = Inputs, K = rows, A = dy.At, RowA = 1, ColA = dy.Stride, B = x.At, RowB = x.Stride, ColB = 1, C = _dWeight, RowC = Inputs, Accumulate = true });
        }

        if (_dBias != null)
        {
            float* to = _dBias;
            int outputs = Outputs;
            pool.Run((outputs + 63) / 64, (chunk, _) => RowKernels.ColumnSums(dy.From(chunk * 64), to + (chunk * 64), rows, Math.Min(64, outputs - (chunk * 64))));
        }

        if (_dA == null && _dB == null)
            return;
        int rank = Rank;
        Rows inner = Inner(pool, x, rows, first, out Rows kept);
        if (_dB != null)
            Gemm.Run(pool, new GemmProblem { M = Outputs, N = rank, K = rows, A = dy.At, RowA = 1, ColA = dy.Stride, B = inner.At, RowB = rank, ColB = 1, C = _dB, RowC = rank, Accumulate = true });
        if (_dA == null)
            return;
        float* dInner = InnerGradient(pool, dy, rows);
        Gemm.Run(pool, new GemmProblem { M = rank, N = Inputs, K = rows, A = dInner, RowA = 1, ColA = rank, B = kept.At, RowB = kept.Stride, ColB = 1, C = _dA, RowC = Inputs, Accumulate = true });
    }

    /// <summary>dx = (dx +) dy W.</summary>
    public void InputGradient(WorkPool pool, Rows dy, int rows, Rows dx, bool add, int first)
    {
        Gemm.Run(pool, new GemmProblem
        {
            M = rows,
            N = Inputs,
            K = Outputs,
            A = dy.At,
            RowA = dy.Stride,
            ColA = 1,
            B = _weight,
            RowB = _transposed ? 1 : Inputs,
            ColB = _transposed ? Outputs : 1,
            C = dx.At,
            RowC = dx.Stride,
            Accumulate = add,
        });
        if (_update is null)
            return;
        Reserve(rows);
        bool drops = Dropped > 0;
        int inputs = Inputs;
        float* dInner = InnerGradient(pool, dy, rows);
        Rows to = drops ? new Rows(_scratch!.Pointer + InnerSize(rows), inputs) : dx;
        Gemm.Run(pool, new GemmProblem { M = rows, N = inputs, K = Rank, A = dInner, RowA = Rank, ColA = 1, B = _a, RowB = inputs, ColB = 1, C = to.At, RowC = to.Stride, Accumulate = !drops });
        if (drops)
            RowChunks.Each(pool, rows, 64, (from, count, _) => Drop(to.Skip(from), dx.Skip(from), count, first + from, add: true));
    }

    public void Dispose() => _scratch?.Dispose();

    private int Rank => _update!.A.Matrix.Shape[0];

    private double Dropped => _update!.Dropout is { training: true } dropout && _dropoutKey != 0 ? dropout.Probability : 0;

    // Both [rows, rank] matrices.
    private int InnerSize(int rows) => 2 * ((rows * Rank) + 16);

    private void Reserve(int rows)
    {
        int length = InnerSize(rows) + (Dropped > 0 ? rows * Inputs : 0);
        if (_scratch is not null && _scratch.Length >= length)
            return;
        _scratch?.Dispose();
        _scratch = new AlignedFloats(length);
    }

    // scale x dropout(x) A^T, [rows, rank]; kept is what A reads.
    private Rows Inner(WorkPool pool, Rows x, int rows, int first, out Rows kept)
    {
        Reserve(rows);
        int rank = Rank, inputs = Inputs;
        float* inner = _scratch!.Pointer;
        kept = x;
        if (Dropped > 0)
        {
            Rows dropped = kept = new Rows(inner + InnerSize(rows), inputs);
            RowChunks.Each(pool, rows, 64, (from, count, _) => Drop(x.Skip(from), dropped.Skip(from), count, first + from, add: false));
        }

        Gemm.Run(pool, new GemmProblem { M = rows, N = rank, K = inputs, A = kept.At, RowA = kept.Stride, ColA = 1, B = _a, RowB = 1, ColB = inputs, C = inner, RowC = rank });
        Scale(inner, rows * rank);
        return new Rows(inner, rank);
    }

    // scale x dy B, [rows, rank]
    private float* InnerGradient(WorkPool pool, Rows dy, int rows)
    {
        float* dInner = _scratch!.Pointer + (rows * Rank) + 16;
        Gemm.Run(pool, new GemmProblem { M = rows, N = Rank, K = Outputs, A = dy.At, RowA = dy.Stride, ColA = 1, B = _b, RowB = Rank, ColB = 1, C = dInner, RowC = Rank });
        Scale(dInner, rows * Rank);
        return dInner;
    }

    private void Drop(Rows x, Rows y, int rows, int first, bool add)
    {
        int width = Inputs;
        Span<float> mask = width <= 4096 ? stackalloc float[width] : new float[width];
        fixed (float* m = mask)
        {
            for (int r = 0; r < rows; r++)
            {
                DropoutMask.Fill(mask, Dropped, _dropoutKey, (uint)((long)(first + r) * width));
                if (!add)
                {
                    RowKernels.Multiply(x[r], m, y[r], width);
                    continue;
                }

                RowKernels.Multiply(x[r], m, m, width);
                RowKernels.Add(m, y[r], width);
            }
        }
    }

    private void Scale(float* x, int count) =>
        System.Numerics.Tensors.TensorPrimitives.Multiply(new ReadOnlySpan<float>(x, count), (float)_update!.Scale, new Span<float>(x, count));
}
