using Candela.Training.DenseNets;
using Candela.Training.Transformers.Kernels;

namespace Candela.Training.Transformers;

/// <summary>What one pass over a batch shares: its threads, shape, rotation tables and memory for a slab (some whole sequences) at a time.</summary>
internal sealed unsafe class TransformerPass(WorkPool pool, int sequences, int tokens)
{
    // Rows of a slab: enough that the products run at full speed, few enough that what is only needed for a moment is small.
    private const int SlabRows = 1024;

    public WorkPool Pool { get; } = pool;

    public int Sequences { get; } = sequences;

    public int Tokens { get; } = tokens;

    public int Rows { get; } = sequences * tokens;

    /// <summary>Sequences worked on at once.</summary>
    public int SlabSequences { get; } = Math.Clamp(SlabRows / Math.Max(1, tokens), 1, sequences);

    /// <summary>[tokens, <see cref="Turning"/>] each, or null.</summary>
    public float* Cosines { get; init; }

    public float* Sines { get; init; }

    /// <summary>Numbers of a head that turn.</summary>
    public int Turning { get; init; }

    /// <summary>y = x * mask of a key, or y += x * mask; rows of a whole [rows, width] mask beginning at row <paramref name="first"/>.</summary>
    public void Drop(Rows x, Rows y, int rows, int width, Dropout dropout, ulong key, int first, bool add, float* bias)
    {
        double probability = dropout.Probability;
        RowChunks.Each(Pool, rows, 64, (from, count, _) =>
        {
            Span<float> mask = width <= 4096 ? stackalloc float[width] : new float[width];
            fixed (float* m = mask)
            {
                for (int r = from; r < from + count; r++)
                {
                    Candela.Training.Kernels.DropoutMask.Fill(mask, probability, key, (uint)((long)(first + r) * width));
                    RowKernels.Masked(x[r], m, bias, y[r], width, add);
                }
            }
        });
    }
}

/// <summary>Consecutive pieces of one block of memory.</summary>
/// <param name="start">Where the first piece begins; null only counts.</param>
internal unsafe ref struct Carver(float* start)
{
    private readonly float* _start = start;

    /// <summary>Floats handed out.</summary>
    public long Length { get; private set; }

    /// <summary>The next piece, on a 64-byte boundary.</summary>
    public float* Take(long length)
    {
        float* at = _start + Length;
        Length += (length + 15) / 16 * 16;
        return at;
    }
}
