using System.Runtime.InteropServices;
using Candela.Formats;
using Candela.Inference.Kernels;

namespace Candela.Inference.Weights;

/// <summary>Vectors a matrix is multiplied with: as singles, and, where a matrix wants them, quantised.</summary>
/// <param name="Values">[vectors, <paramref name="Stride"/>].</param>
/// <param name="Stride">Singles from one vector to the next.</param>
/// <param name="Quants">The same, quantised; filled only where a matrix takes quants.</param>
internal readonly unsafe record struct Inputs(nint Values, int Stride, Activations Quants)
{
    public float* At(int vector) => (float*)Values + ((nint)vector * Stride);
}

/// <summary>A weight matrix in memory, [rows, columns], in strips of eight rows. Products are the same to the last bit whatever the number of vectors and workers.</summary>
internal abstract unsafe class Matrix : IDisposable
{
    /// <summary>Rows of a strip.</summary>
    public const int StripRows = IStripKernel.Rows;

    private void* _memory;

    protected Matrix(GgmlType type, int rows, int columns, long stripBytes)
    {
        (Type, Rows, Columns, Strips, StripBytes) = (type, rows, columns, (rows + StripRows - 1) / StripRows, stripBytes);
        _memory = NativeMemory.AlignedAlloc((nuint)(Strips * stripBytes) + 64, 64);
        Memory = (byte*)_memory;
    }

    /// <summary>What the weights are stored as.</summary>
    public GgmlType Type { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Strips, the last one perhaps with fewer rows than eight.</summary>
    public int Strips { get; }

    /// <summary>Bytes that one product reads.</summary>
    public long Bytes => Strips * StripBytes;

    /// <summary>Whether products are with quantised vectors.</summary>
    public virtual bool TakesQuants => true;

    protected long StripBytes { get; }

    protected byte* Memory { get; }

    /// <summary>Multiplies some strips with some vectors.</summary>
    /// <param name="first">First strip.</param>
    /// <param name="strips">How many.</param>
    /// <param name="inputs">The vectors.</param>
    /// <param name="vectors">How many of them.</param>
    /// <param name="into">[vectors, <paramref name="stride"/>]; whole strips are written, so there must be room for a multiple of eight rows.</param>
    /// <param name="stride">Singles from one result to the next.</param>
    public abstract void Multiply(int first, int strips, in Inputs inputs, int vectors, float* into, nint stride);

    /// <summary>The values of a row.</summary>
    public abstract void Row(int row, Span<float> into);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        GC.SuppressFinalize(this);
    }

    protected byte* Strip(int strip) => Memory + (strip * StripBytes);

    protected Span<byte> StripSpan(int strip) => new(Strip(strip), checked((int)StripBytes));

    /// <summary>A matrix of stored rows; every type that <see cref="Quantization.BlockDecoder"/> reads.</summary>
    /// <param name="type">Of the rows.</param>
    /// <param name="rows">How many.</param>
    /// <param name="columns">Numbers of a row.</param>
    /// <param name="read">Fills a span with the stored bytes of rows, from a row on.</param>
    public static Matrix Create(GgmlType type, int rows, int columns, RowReader read) => type switch
    {
        GgmlType.Q4_0 => new StripMatrix<Nibbles>(rows, columns, read),
        GgmlType.Q8_0 => new StripMatrix<Octets>(rows, columns, read),
        GgmlType.Q4_K => new StripMatrix<SuperNibbles>(rows, columns, read),
        _ => new SingleMatrix(type, rows, columns, read),
    };
}

/// <summary>Fills a span with the stored bytes of whole rows.</summary>
internal delegate void RowReader(int firstRow, Span<byte> bytes);
