using System.Numerics.Tensors;
using Candela.Inference.Cache;

namespace Candela.Inference.Kernels;

/// <summary>Causal attention of a few neighbouring positions over cached keys and values, page by page with a running softmax: no row of scores longer than a page exists.</summary>
/// <remarks>Milakov and Gimelshein 2018 (online softmax). Each query's result is the same to the last bit however many queries are handled together.</remarks>
internal static unsafe class Attention
{
    /// <summary>Queries handled together at the most.</summary>
    public const int Tile = 8;

    private const int Positions = KeyValuePage.Positions;

    /// <summary>Singles of scratch that one call needs.</summary>
    public static int Scratch(int heads, int width) => (Positions * width) + (Tile * heads * (Positions + 2 + width));

    /// <summary>Attends.</summary>
    /// <param name="cache">Filled up to the last query's position.</param>
    /// <param name="layer">Layer.</param>
    /// <param name="group">Head of keys and values.</param>
    /// <param name="first">Position of the first query; the others follow it.</param>
    /// <param name="count">Queries, 1 to <see cref="Tile"/>.</param>
    /// <param name="window">Positions back that a query sees, itself included; 0 for all.</param>
    /// <param name="queries">The group's heads of the first query, [heads, width]; the next query <paramref name="queryStride"/> further.</param>
    /// <param name="queryStride">Singles between queries.</param>
    /// <param name="heads">Heads of the group.</param>
    /// <param name="width">Numbers of a head.</param>
    /// <param name="into">As queries.</param>
    /// <param name="intoStride">Singles between results.</param>
    /// <param name="scratch">See <see cref="Scratch"/>.</param>
    public static void Run(CacheState cache, int layer, int group, int first, int count, int window, float* queries, nint queryStride, int heads, int width, float* into, nint intoStride, float* scratch)
    {
        float scale = 1 / MathF.Sqrt(width);
        int rows = count * heads;
        float* page = scratch, scores = page + (Positions * width), most = scores + (Tile * heads * Positions), sums = most + (Tile * heads), totals = sums + (Tile * heads);
        new Span<float>(most, rows).Fill(float.NegativeInfinity);
        new Span<float>(sums, rows).Clear();
        new Span<float>(totals, rows * width).Clear();
        int last = first + count - 1, begin = window > 0 ? Math.Max(0, first - window + 1) : 0;
        for (int start = begin / Positions * Positions; start <= last; start += Positions)
        {
            int filled = Math.Min(Positions, last + 1 - start);
            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(cache.Page(start).Keys(layer, group), filled * width), new Span<float>(page, filled * width));
            for (int row = 0; row < rows; row++)
            {
                (int from, int to) = Seen(first + (row / heads), start, window);
                float* query = queries + (row / heads * queryStride) + (row % heads * width), own = scores + (row * Positions);
                for (int p = from; p < to; p++)
                    own[p] = scale * VectorMath.Dot(query, page + (p * width), width);
                if (to > from)
                    Weigh(new Span<float>(own + from, to - from), ref most[row], ref sums[row], new Span<float>(totals + (row * width), width));
            }

            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(cache.Page(start).Values(layer, group), filled * width), new Span<float>(page, filled * width));
            for (int row = 0; row < rows; row++)
            {
                (int from, int to) = Seen(first + (row / heads), start, window);
                float* own = scores + (row * Positions);
                for (int p = from; p < to; p++)
                    VectorMath.AddScaled(page + (p * width), own[p], totals + (row * width), width);
            }
        }

        for (int row = 0; row < rows; row++)
            TensorPrimitives.Divide(new ReadOnlySpan<float>(totals + (row * width), width), sums[row], new Span<float>(into + (row / heads * intoStride) + (row % heads * width), width));
    }

    // Positions of the page, counted from its start, that a query sees.
    private static (int From, int To) Seen(int position, int start, int window) =>
        (window > 0 ? Math.Max(0, position - window + 1 - start) : 0, Math.Min(Positions, position + 1 - start));

    private static void Weigh(Span<float> scores, ref float most, ref float sum, Span<float> total)
    {
        float larger = Math.Max(most, TensorPrimitives.Max(scores));
        if (larger > most)
        {
            float shrink = MathF.Exp(most - larger);
            TensorPrimitives.Multiply(total, shrink, total);
            (sum, most) = (sum * shrink, larger);
        }

        TensorPrimitives.Subtract(scores, most, scores);
        TensorPrimitives.Exp(scores, scores);
        sum += TensorPrimitives.Sum(scores);
    }
}
