using Candela.Training.DenseNets;

namespace Candela.Training.Transformers;

/// <summary>Works on rows <paramref name="from"/> to from + count.</summary>
internal delegate void RowChunk(int from, int count, int chunk);

/// <summary>Splits rows over the threads of a pool; the split depends on the rows alone.</summary>
internal static class RowChunks
{
    public static void Each(WorkPool pool, int rows, int size, RowChunk work) =>
        pool.Run((rows + size - 1) / size, (chunk, _) => work(chunk * size, Math.Min(size, rows - (chunk * size)), chunk));
}
