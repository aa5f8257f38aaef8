// Map of this file
//   AttentionShape             what one pass of attention is over, and where its matrices lie
//   AttentionKernels.Forward   out = softmax(scale Q K^T, causal) V for one sequence and one key-value head; the row's log-sum is kept
//   AttentionKernels.Backward  gradients of Q, K, V, with the weights made anew from the log-sums
// Six query rows at a time stay in the first-level cache from scores to output (Dao et al. 2022, on the CPU's tiles): keys and values are packed once per head, as panels of the
// 6 x 16 product of Gemm, and panels beyond the causal edge are never computed. The sums over queries (for K and V) go through Gemm block by block.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Candela.Training.DenseNets.Kernels;
using Candela.Training.Kernels;

namespace Candela.Training.Transformers.Kernels;

/// <summary>Causal attention over sequences of equal length. Matrices are [sequence x token] rows; a head's numbers stand together.</summary>
internal unsafe struct AttentionShape
{
    public int Tokens, Heads, Groups, Width; // Width: of a head
    public int Window; // tokens back that are seen, itself included; 0 for all
    public float Scale;
    public Rows Queries, Keys, Values, Output;

    /// <summary>[sequence, head, token].</summary>
    public float* LogSums;

    /// <summary>Gradients; null forwards.</summary>
    public Rows DOutput, DQueries, DKeys, DValues;

    /// <summary>Of the weights; 0 for none.</summary>
    public double Dropout;

    public ulong DropoutKey;

    /// <summary>Number of the first sequence in the batch, which places it in the dropout mask.</summary>
    public int FirstSequence;
}

/// <summary>Exact attention in blocks. Twin: <see cref="AttentionOp"/> on libtorch.</summary>
internal static unsafe class AttentionKernels
{
    private const int TileM = Gemm.TileM, TileN = Gemm.TileN, Lanes = 8;

    // Queries whose weights and their gradients are held at once, backwards.
    private const int QueryBlock = 16 * TileM;

    /// <summary>One sequence and key-value head: chunk = sequence x groups + group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in AttentionShape s, int chunk, GemmPanels panels)
    {
        int sequence = chunk / s.Groups, group = chunk % s.Groups, t = s.Tokens, d = s.Width, each = s.Heads / s.Groups, first = sequence * t;
        int padded = Up(t, TileN), deep = Up(d, TileN);
        float* keys = panels.Scratch((d * padded) + (deep * t) + (TileM * padded) + (TileM * (padded + d)) + padded + 64).Pointer;
        float* values = keys + (d * padded), scores = values + (deep * t), packed = scores + (TileM * padded), mask = packed + (TileM * (padded + d)) + 16;
        Gemm.PackB(s.Keys[first] + (group * d), 1, s.Keys.Stride, d, t, keys); // [d, t]
        Gemm.PackB(s.Values[first] + (group * d), s.Values.Stride, 1, t, d, values); // [t, d]
        float* sums = stackalloc float[TileM];
        for (int h = group * each; h < (group + 1) * each; h++)
        {
            long firstRow = ((((long)(s.FirstSequence + sequence) * s.Heads) + h) * t);
            float* logs = s.LogSums + ((((nint)sequence * s.Heads) + h) * t);
            for (int i = 0; i < t; i += TileM)
            {
                int rows = Math.Min(TileM, t - i), end = Math.Min(t, i + TileM), from = From(s.Window, i), stop = Up(end, TileN);
                Gemm.PackA(s.Queries[first + i] + (h * d), s.Queries.Stride, 1, rows, d, packed);
                for (int j = from; j < stop; j += TileN)
                    Gemm.Tile(d, packed, keys + ((nint)j * d), scores + j, padded, false);
                for (int r = 0; r < rows; r++)
                {
                    float* row = scores + (r * padded);
                    Hide(row, from, stop, i + r, s.Window);
                    sums[r] = 1 / Softmax(row, from, stop, s.Scale, out logs[i + r]);
                    if (s.Dropout > 0)
                        Drop(row, mask, from, end, s.Dropout, s.DropoutKey, (uint)(((firstRow + i + r) * t) + from));
                }

                Gemm.PackA(scores + from, padded, 1, rows, end - from, packed);
                float* output = s.Output[first + i] + (h * d);
                for (int p = 0; p < d; p += TileN)
                    Gemm.Tile(end - from, packed, values + ((nint)p * t) + (from * TileN), output + p, s.Output.Stride, false, rows, Math.Min(TileN, d - p));
                for (int r = 0; r < rows; r++)
                    Times(output + (r * s.Output.Stride), sums[r], d);
            }
        }
    }

    /// <summary>Gradients of one sequence and key-value head; those of queries, keys and values are written, not added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(AttentionShape s, int chunk, GemmPanels panels)
    {
        int sequence = chunk / s.Groups, group = chunk % s.Groups, t = s.Tokens, d = s.Width, each = s.Heads / s.Groups, first = sequence * t;
        int padded = Up(t, TileN), deep = Up(d, TileN), most = Math.Min(QueryBlock, Up(t, TileM));
        float* keys = panels.Scratch((2 * d * padded) + (deep * t) + (2 * most * padded) + (TileM * (padded + (2 * d))) + padded + 128).Pointer;
        float* values = keys + (d * padded), columns = values + (d * padded), weights = columns + (deep * t), slopes = weights + (most * padded);
        float* packedQuery = slopes + (most * padded), packedOutput = packedQuery + (TileM * d) + 16, packedSlopes = packedOutput + (TileM * d) + 16, mask = packedSlopes + (TileM * padded) + 16;
        Gemm.PackB(s.Keys[first] + (group * d), 1, s.Keys.Stride, d, t, keys);
        Gemm.PackB(s.Values[first] + (group * d), 1, s.Values.Stride, d, t, values);
        Gemm.PackB(s.Keys[first] + (group * d), s.Keys.Stride, 1, t, d, columns);
        for (int r = 0; r < t; r++)
        {
            new Span<float>(s.DKeys[first + r] + (group * d), d).Clear();
            new Span<float>(s.DValues[first + r] + (group * d), d).Clear();
        }

        for (int h = group * each; h < (group + 1) * each; h++)
        {
            long firstRow = ((((long)(s.FirstSequence + sequence) * s.Heads) + h) * t);
            float* logs = s.LogSums + ((((nint)sequence * s.Heads) + h) * t);
            for (int block = 0; block < t; block += QueryBlock)
            {
                int blockEnd = Math.Min(t, block + QueryBlock), blockFrom = From(s.Window, block), blockStop = Up(blockEnd, TileN);
                for (int i = block; i < blockEnd; i += TileM)
                {
                    int rows = Math.Min(TileM, blockEnd - i), end = Math.Min(t, i + TileM), from = From(s.Window, i), stop = Up(end, TileN);
                    float* p = weights + ((nint)(i - block) * padded), g = slopes + ((nint)(i - block) * padded);
                    Gemm.PackA(s.Queries[first + i] + (h * d), s.Queries.Stride, 1, rows, d, packedQuery);
                    Gemm.PackA(s.DOutput[first + i] + (h * d), s.DOutput.Stride, 1, rows, d, packedOutput);
                    for (int j = from; j < stop; j += TileN)
                    {
                        Gemm.Tile(d, packedQuery, keys + ((nint)j * d), p + j, padded, false);
                        Gemm.Tile(d, packedOutput, values + ((nint)j * d), g + j, padded, false);
                    }

                    for (int r = 0; r < rows; r++)
                    {
                        float* weight = p + (r * padded), slope = g + (r * padded);
                        new Span<float>(weight + blockFrom, from - blockFrom).Clear();
                        new Span<float>(slope + blockFrom, from - blockFrom).Clear();
                        new Span<float>(weight + stop, blockStop - stop).Clear();
                        new Span<float>(slope + stop, blockStop - stop).Clear();
                        Hide(weight, from, stop, i + r, s.Window);
                        float delta = Dot(s.DOutput[first + i + r] + (h * d), s.Output[first + i + r] + (h * d), d);
                        if (s.Dropout > 0)
                        {
                            Mask(mask, from, stop, end, s, firstRow + i + r);
                            RowKernels.Multiply(slope + from, mask, slope + from, stop - from);
                        }

                        Slopes(weight, slope, from, stop, s.Scale, logs[i + r], delta);
                        if (s.Dropout > 0)
                            RowKernels.Multiply(weight + from, mask, weight + from, stop - from);
                    }

                    Gemm.PackA(g + from, padded, 1, rows, end - from, packedSlopes);
                    float* dq = s.DQueries[first + i] + (h * d);
                    for (int c = 0; c < d; c += TileN)
                        Gemm.Tile(end - from, packedSlopes, columns + ((nint)c * t) + (from * TileN), dq + c, s.DQueries.Stride, false, rows, Math.Min(TileN, d - c));
                }

                Sum(weights, s.DOutput, s.DValues);
                Sum(slopes, s.Queries, s.DKeys);

                // to[key] += sum over the block's queries of by[query, key] x rows[query]
                void Sum(float* by, Rows rows, Rows to) => Gemm.Serial(new GemmProblem
                {
                    M = blockEnd - blockFrom,
                    N = d,
                    K = blockEnd - block,
                    A = by + blockFrom,
                    RowA = 1,
                    ColA = padded,
                    B = rows[first + block] + (h * d),
                    RowB = rows.Stride,
                    ColB = 1,
                    C = to[first + blockFrom] + (group * d),
                    RowC = to.Stride,
                    Accumulate = true,
                }, panels);
            }
        }
    }

    private static int Up(int count, int by) => (count + by - 1) / by * by;

    // First key, a multiple of 16, that a row of queries from i on sees.
    private static int From(int window, int i) => window == 0 ? 0 : Math.Max(0, i - window + 1) / TileN * TileN;

    // Keys that query i does not see.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Hide(float* scores, int from, int stop, int i, int window)
    {
        for (int j = i + 1; j < stop; j++)
            scores[j] = float.NegativeInfinity;
        if (window > 0)
            for (int j = from; j <= i - window; j++)
                scores[j] = float.NegativeInfinity;
    }

    // Scores to e^(scale s - largest); returns their sum. stop - from is a multiple of 16.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Softmax(float* row, int from, int stop, float scale, out float logSum)
    {
        Vector256<float> scales = Vector256.Create(scale), sums = default;
        float largest = RowKernels.Largest(row + from, stop - from) * scale;
        Vector256<float> shift = Vector256.Create(-largest);
        for (int j = from; j < stop; j += Lanes)
        {
            Vector256<float> e = FloatMath.Exp(Vector256.FusedMultiplyAdd(Vector256.Load(row + j), scales, shift));
            sums += e;
            e.Store(row + j);
        }

        float sum = Vector256.Sum(sums);
        logSum = largest + MathF.Log(sum);
        return sum;
    }

    // weight: scores to weights; slope: gradients of weights to those of scores.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Slopes(float* weight, float* slope, int from, int stop, float scale, float logSum, float delta)
    {
        Vector256<float> scales = Vector256.Create(scale), shift = Vector256.Create(-logSum), deltas = Vector256.Create(delta);
        for (int j = from; j < stop; j += Lanes)
        {
            Vector256<float> p = FloatMath.Exp(Vector256.FusedMultiplyAdd(Vector256.Load(weight + j), scales, shift));
            p.Store(weight + j);
            (p * (Vector256.Load(slope + j) - deltas) * scales).Store(slope + j);
        }
    }

    private static void Drop(float* row, float* mask, int from, int end, double probability, ulong key, uint start)
    {
        DropoutMask.Fill(new Span<float>(mask, end - from), probability, key, start);
        RowKernels.Multiply(row + from, mask, row + from, end - from);
    }

    private static void Mask(float* mask, int from, int stop, int end, in AttentionShape s, long row)
    {
        new Span<float>(mask, stop - from).Clear();
        DropoutMask.Fill(new Span<float>(mask, end - from), s.Dropout, s.DropoutKey, (uint)((row * s.Tokens) + from));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot(float* a, float* b, int count)
    {
        Vector256<float> sums = default;
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
            sums = Vector256.FusedMultiplyAdd(Vector256.Load(a + i), Vector256.Load(b + i), sums);
        float sum = Vector256.Sum(sums);
        for (; i < count; i++)
            sum += a[i] * b[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Times(float* x, float factor, int count)
    {
        Vector256<float> factors = Vector256.Create(factor);
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
            (Vector256.Load(x + i) * factors).Store(x + i);
        for (; i < count; i++)
            x[i] *= factor;
    }
}
