using System.Runtime.Intrinsics.X86;
using Candela.Formats;
using Candela.Inference.Kernels;

namespace Candela.Inference.Weights;

/// <summary>A matrix of a quantised type that has products of its own.</summary>
internal sealed unsafe class StripMatrix<TKernel> : Matrix
    where TKernel : struct, IStripKernel
{
    private readonly int _blocks;

    public StripMatrix(int rows, int columns, RowReader read)
        : base(TKernel.Type, rows, columns, columns / GgmlTypes.BlockElements(TKernel.Type) * (long)TKernel.StripBytes)
    {
        _blocks = columns / GgmlTypes.BlockElements(TKernel.Type);
        int rowBytes = _blocks * GgmlTypes.BlockBytes(TKernel.Type);
        var stored = new byte[StripRows * rowBytes];
        for (int s = 0; s < Strips; s++)
        {
            int count = Math.Min(StripRows, rows - (s * StripRows));
            Span<byte> some = stored.AsSpan(0, count * rowBytes);
            read(s * StripRows, some);
            TKernel.Pack(some, count, _blocks, StripSpan(s));
        }
    }

    public override void Multiply(int first, int strips, in Inputs inputs, int vectors, float* into, nint stride)
    {
        Activations x = inputs.Quants;
        int v = 0;
        for (; Avx2.IsSupported && v + 4 <= vectors; v += 4)
        {
            QuantVector some = x.At(v);
            for (int s = first; s < first + strips; s++)
                TKernel.Multiply4(Strip(s), some, _blocks, Columns, into + (v * stride) + (s * StripRows), stride);
        }

        for (; v < vectors; v++)
        {
            QuantVector one = x.At(v);
            for (int s = first; s < first + strips; s++)
            {
                if (Avx2.IsSupported)
                    TKernel.Multiply1(Strip(s), one, _blocks, into + (v * stride) + (s * StripRows));
                else
                    TKernel.MultiplyPlain(Strip(s), one, _blocks, into + (v * stride) + (s * StripRows));
            }
        }
    }

    public override void Row(int row, Span<float> into) => TKernel.Row(Strip(row / StripRows), row % StripRows, _blocks, into);
}
