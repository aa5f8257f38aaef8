using System.Runtime.Intrinsics;
using Candela.Formats;
using Candela.Inference.Quantization;

namespace Candela.Inference.Weights;

/// <summary>Plain types, and quantised ones without a kernel of their own, as singles: exact, and as large as that.</summary>
internal sealed unsafe class SingleMatrix : Matrix
{
    private const int Lanes = 8;
    private readonly int _padded;

    public SingleMatrix(GgmlType type, int rows, int columns, RowReader read)
        : base(type, rows, columns, StripRows * (long)Padded(columns) * sizeof(float))
    {
        _padded = Padded(columns);
        var stored = new byte[GgmlTypes.Bytes(type, columns)];
        for (int row = 0; row < Strips * StripRows; row++)
        {
            var values = new Span<float>(At(row), _padded);
            values.Clear();
            if (row >= rows)
                continue;
            read(row, stored);
            BlockDecoder.Decode(type, stored, values[..columns]);
        }
    }

    public override bool TakesQuants => false;

    public override void Multiply(int first, int strips, in Inputs inputs, int vectors, float* into, nint stride)
    {
        for (int s = first; s < first + strips; s++)
        {
            for (int v = 0; v < vectors; v++)
                Strip(At(s * StripRows), _padded, inputs.At(v), Columns, into + (v * stride) + (s * StripRows));
        }
    }

    public override void Row(int row, Span<float> into) => new Span<float>(At(row), Columns).CopyTo(into);

    private static int Padded(int columns) => (columns + Lanes - 1) / Lanes * Lanes;

    private float* At(int row) => (float*)Memory + ((nint)row * _padded);

    // Eight rows at once, so that eight sums are under way; columns beyond the last whole eight are read one by one.
    private static void Strip(float* rows, nint stride, float* x, int columns, float* into)
    {
        Vector256<float> a = Vector256<float>.Zero, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        int k = 0;
        for (; k + Lanes <= columns; k += Lanes)
        {
            Vector256<float> v = Vector256.Load(x + k);
            float* w = rows + k;
            a = Vector256.FusedMultiplyAdd(Vector256.Load(w), v, a);
            b = Vector256.FusedMultiplyAdd(Vector256.Load(w + stride), v, b);
            c = Vector256.FusedMultiplyAdd(Vector256.Load(w + (2 * stride)), v, c);
            d = Vector256.FusedMultiplyAdd(Vector256.Load(w + (3 * stride)), v, d);
            e = Vector256.FusedMultiplyAdd(Vector256.Load(w + (4 * stride)), v, e);
            f = Vector256.FusedMultiplyAdd(Vector256.Load(w + (5 * stride)), v, f);
            g = Vector256.FusedMultiplyAdd(Vector256.Load(w + (6 * stride)), v, g);
            h = Vector256.FusedMultiplyAdd(Vector256.Load(w + (7 * stride)), v, h);
        }

        (into[0], into[1], into[2], into[3]) = (Vector256.Sum(a), Vector256.Sum(b), Vector256.Sum(c), Vector256.Sum(d));
        (into[4], into[5], into[6], into[7]) = (Vector256.Sum(e), Vector256.Sum(f), Vector256.Sum(g), Vector256.Sum(h));
        for (; k < columns; k++)
        {
            for (int r = 0; r < StripRows; r++)
                into[r] = MathF.FusedMultiplyAdd(rows[(r * stride) + k], x[k], into[r]);
        }
    }
}
