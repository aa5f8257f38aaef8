// Map of this file
//   GemmProblem    what is multiplied: C[m, n] = (C +) A[m, k] * B[k, n], A and B with any row and column stride, C row-major
//   GemmPanels     packing memory of one thread
//   Gemm.Run       splits C over the pool's threads by columns or rows (never over k, so results do not depend on the thread count)
//   Gemm.Serial    the five blocked loops of Goto and van de Geijn (2008), names as in BLIS: jc, pc, ic, jr, ir
//   PackA, PackB   panels of 6 rows / 16 columns, k-major, edges filled with zeros; 8x8 transposes in registers
//   Tile*          the 6 x 16 inner product: 12 accumulators of 8 lanes (AVX2 + FMA) or a portable one of 4 lanes
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Candela.Training.DenseNets.Kernels;

/// <summary>C[M, N] = A[M, K] * B[K, N], or C += A * B. Element (i, j) of A lies at A + i * RowA + j * ColA, and so for B; C is row-major with row stride RowC.</summary>
internal unsafe struct GemmProblem
{
    public int M, N, K;
    public float* A, B, C;
    public nint RowA, ColA, RowB, ColB, RowC;
    public bool Accumulate;

    /// <summary>Parts of C that threads take one by one; set by <see cref="Gemm.Run"/>.</summary>
    public int Chunks;

    /// <summary>Takes the kernel without AVX2 even where AVX2 is there (tests).</summary>
    public bool Portable;
}

/// <summary>Packing memory of one thread, allocated at first use.</summary>
internal sealed class GemmPanels : IDisposable
{
    private AlignedFloats? _a, _b, _scratch;

    public AlignedFloats A => _a ??= new AlignedFloats((Gemm.BlockM * Gemm.BlockK) + 64);

    public AlignedFloats B => _b ??= new AlignedFloats((Gemm.BlockN * Gemm.BlockK) + 64);

    /// <summary>Memory of the thread for other kernels, at least so many floats; what it holds is lost when it grows.</summary>
    public AlignedFloats Scratch(int length)
    {
        if (_scratch is { } old && old.Length >= length)
            return old;
        _scratch?.Dispose();
        return _scratch = new AlignedFloats(length);
    }

    public void Dispose()
    {
        _a?.Dispose();
        _b?.Dispose();
        _scratch?.Dispose();
    }
}

/// <summary>Blocked, packed single-precision matrix product. Twin: <see cref="DenseReference.Multiply"/>.</summary>
internal static unsafe class Gemm // AggressiveOptimization: compiled fully at first call, not after 30 slow ones
{
    internal const int TileM = 6, TileN = 16;

    // BlockK x 16 floats of B (20 KiB) stay in L1, BlockM x BlockK of A (180 KiB) in L2, BlockK x BlockN of B (1.25 MiB) in L3.
    internal const int BlockM = 144, BlockN = 1024, BlockK = 320;

    /// <summary>Below this many multiply-adds one thread is faster than waking another.</summary>
    private const double ParallelWork = 1.5e6;

    public static void Run(WorkPool pool, GemmProblem problem)
    {
        double work = (double)problem.M * problem.N * problem.K;
        problem.Chunks = work < ParallelWork || pool.Threads == 1 ? 1 : 2 * pool.Threads;
        pool.Run(&Chunk, &problem, problem.Chunks);
    }

    /// <summary>Y[rows, units] = X[rows, width] * W[units, width]^T, or Y += it.</summary>
    public static void Forward(WorkPool pool, float* x, float* w, float* y, int rows, int width, int units, bool accumulate = false) =>
        Run(pool, new GemmProblem
        {
            M = rows,
            N = units,
            K = width,
            A = x,
            RowA = width,
            ColA = 1,
            B = w,
            RowB = 1,
            ColB = width,
            C = y,
            RowC = units,
            Accumulate = accumulate,
        });

    /// <summary>dX[rows, width] = dY[rows, units] * W[units, width], or dX += it.</summary>
    public static void InputGradient(WorkPool pool, float* dy, float* w, float* dx, int rows, int width, int units, bool accumulate = false) =>
        Run(pool, new GemmProblem
        {
            M = rows,
            N = width,
            K = units,
            A = dy,
            RowA = units,
            ColA = 1,
            B = w,
            RowB = width,
            ColB = 1,
            C = dx,
            RowC = width,
            Accumulate = accumulate,
        });

    /// <summary>dW[units, width] = dY[rows, units]^T * X[rows, width], or dW += it.</summary>
    public static void WeightGradient(WorkPool pool, float* dy, float* x, float* dw, int rows, int width, int units, bool accumulate = false) =>
        Run(pool, new GemmProblem
        {
            M = units,
            N = width,
            K = rows,
            A = dy,
            RowA = 1,
            ColA = units,
            B = x,
            RowB = width,
            ColB = 1,
            C = dw,
            RowC = width,
            Accumulate = accumulate,
        });

    private static void Chunk(void* state, int chunk, GemmPanels panels)
    {
        GemmProblem p = *(GemmProblem*)state;
        bool byColumns = p.N >= p.M;
        int length = byColumns ? p.N : p.M, tile = byColumns ? TileN : TileM, tiles = (length + tile - 1) / tile;
        int from = Math.Min(length, (int)((long)tiles * chunk / p.Chunks) * tile), to = Math.Min(length, (int)((long)tiles * (chunk + 1) / p.Chunks) * tile);
        if (byColumns)
        {
            p.B += from * p.ColB;
            p.C += from;
            p.N = to - from;
        }
        else
        {
            p.A += from * p.RowA;
            p.C += from * p.RowC;
            p.M = to - from;
        }

        Serial(p, panels);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Serial(GemmProblem p, GemmPanels panels)
    {
        if (p.M == 0 || p.N == 0)
            return;
        if (p.K == 0)
        {
            for (int i = 0; i < p.M && !p.Accumulate; i++)
                new Span<float>(p.C + (i * p.RowC), p.N).Clear();
            return;
        }

        float* packedA = panels.A.Pointer, packedB = panels.B.Pointer;
        bool fast = Fma.IsSupported && Avx2.IsSupported && !p.Portable;
        int blocks = (p.K + BlockK - 1) / BlockK;
        int depth = Math.Min(BlockK, ((p.K + blocks - 1) / blocks + 7) / 8 * 8);
        float* corner = stackalloc float[TileM * TileN];
        for (int jc = 0; jc < p.N; jc += BlockN)
        {
            int nc = Math.Min(BlockN, p.N - jc);
            for (int pc = 0; pc < p.K; pc += depth)
            {
                int kc = Math.Min(depth, p.K - pc);
                bool add = p.Accumulate || pc > 0;
                PackB(p.B + (pc * p.RowB) + (jc * p.ColB), p.RowB, p.ColB, kc, nc, packedB);
                for (int ic = 0; ic < p.M; ic += BlockM)
                {
                    int mc = Math.Min(BlockM, p.M - ic);
                    PackA(p.A + (ic * p.RowA) + (pc * p.ColA), p.RowA, p.ColA, mc, kc, packedA);
                    for (int jr = 0; jr < nc; jr += TileN)
                    {
                        int nr = Math.Min(TileN, nc - jr);
                        float* b = packedB + ((nint)jr * kc);
                        float* c = p.C + (ic * p.RowC) + jc + jr;
                        for (int ir = 0; ir < mc; ir += TileM, c += TileM * p.RowC)
                        {
                            int mr = Math.Min(TileM, mc - ir);
                            float* a = packedA + ((nint)ir * kc);
                            if (mr == TileM && nr == TileN)
                            {
                                if (fast)
                                    TileAvx2(kc, a, b, c, p.RowC, add);
                                else
                                    TilePortable(kc, a, b, c, p.RowC, add);
                                continue;
                            }

                            if (fast)
                                TileAvx2(kc, a, b, corner, TileN, false);
                            else
                                TilePortable(kc, a, b, corner, TileN, false);
                            for (int i = 0; i < mr; i++)
                                for (int j = 0; j < nr; j++)
                                    c[(i * p.RowC) + j] = add ? c[(i * p.RowC) + j] + corner[(i * TileN) + j] : corner[(i * TileN) + j];
                        }
                    }
                }
            }
        }
    }

    /// <summary>A[mc, kc] to panels: panel p holds rows 6p..6p+5 as [kc, 6]. Vector stores write 8 floats, of which the next store overwrites 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void PackA(float* a, nint row, nint col, int mc, int kc, float* to)
    {
        for (int i = 0; i < mc; i += TileM, a += TileM * row, to += TileM * kc)
        {
            int left = mc - i;
            int k = 0;
            if (col == 1 && left >= TileM && Vector256.IsHardwareAccelerated)
            {
                for (; k + 8 <= kc; k += 8)
                {
                    var rows = new Rows8(
                        Vector256.Load(a + k), Vector256.Load(a + row + k), Vector256.Load(a + (2 * row) + k), Vector256.Load(a + (3 * row) + k),
                        Vector256.Load(a + (4 * row) + k), Vector256.Load(a + (5 * row) + k), Vector256<float>.Zero, Vector256<float>.Zero);
                    rows.StoreTransposed(to + (k * TileM), TileM);
                }
            }
            else if (row == 1 && left >= 8 && Vector256.IsHardwareAccelerated)
            {
                for (; k < kc; k++)
                    Vector256.Load(a + (k * col)).Store(to + (k * TileM));
            }

            int filled = Math.Min(left, TileM);
            for (; k < kc; k++)
            {
                for (int r = 0; r < filled; r++)
                    to[(k * TileM) + r] = a[(r * row) + (k * col)];
                for (int r = filled; r < TileM; r++)
                    to[(k * TileM) + r] = 0;
            }
        }
    }

    /// <summary>B[kc, nc] to panels: panel p holds columns 16p..16p+15 as [kc, 16].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void PackB(float* b, nint row, nint col, int kc, int nc, float* to)
    {
        for (int j = 0; j < nc; j += TileN, b += TileN * col, to += TileN * kc)
        {
            int left = nc - j;
            int k = 0;
            if (left >= TileN && Vector256.IsHardwareAccelerated)
            {
                if (col == 1)
                {
                    for (; k < kc; k++)
                    {
                        Vector256.Load(b + (k * row)).StoreAligned(to + (k * TileN));
                        Vector256.Load(b + (k * row) + 8).StoreAligned(to + (k * TileN) + 8);
                    }
                }
                else if (row == 1)
                {
                    for (; k + 8 <= kc; k += 8)
                    {
                        for (int half = 0; half < TileN; half += 8)
                        {
                            float* s = b + (half * col) + k;
                            var rows = new Rows8(
                                Vector256.Load(s), Vector256.Load(s + col), Vector256.Load(s + (2 * col)), Vector256.Load(s + (3 * col)),
                                Vector256.Load(s + (4 * col)), Vector256.Load(s + (5 * col)), Vector256.Load(s + (6 * col)), Vector256.Load(s + (7 * col)));
                            rows.StoreTransposed(to + (k * TileN) + half, TileN);
                        }
                    }
                }
            }

            int filled = Math.Min(left, TileN);
            for (; k < kc; k++)
            {
                for (int r = 0; r < filled; r++)
                    to[(k * TileN) + r] = b[(k * row) + (r * col)];
                for (int r = filled; r < TileN; r++)
                    to[(k * TileN) + r] = 0;
            }
        }
    }

    /// <summary>Eight rows of eight lanes; stores their transpose in three rounds: pairs within 128 bits, quads, then the 128-bit halves.</summary>
    private readonly struct Rows8(
        Vector256<float> r0, Vector256<float> r1, Vector256<float> r2, Vector256<float> r3,
        Vector256<float> r4, Vector256<float> r5, Vector256<float> r6, Vector256<float> r7)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void StoreTransposed(float* to, nint stride)
        {
            if (!Avx.IsSupported)
            {
                for (int lane = 0; lane < 8; lane++)
                    Vector256.Create(r0[lane], r1[lane], r2[lane], r3[lane], r4[lane], r5[lane], r6[lane], r7[lane]).Store(to + (lane * stride));
                return;
            }

            Vector256<float> a0 = Avx.UnpackLow(r0, r1), a1 = Avx.UnpackHigh(r0, r1), a2 = Avx.UnpackLow(r2, r3), a3 = Avx.UnpackHigh(r2, r3);
            Vector256<float> a4 = Avx.UnpackLow(r4, r5), a5 = Avx.UnpackHigh(r4, r5), a6 = Avx.UnpackLow(r6, r7), a7 = Avx.UnpackHigh(r6, r7);
            Vector256<float> b0 = Avx.Shuffle(a0, a2, 0x44), b1 = Avx.Shuffle(a0, a2, 0xEE), b2 = Avx.Shuffle(a1, a3, 0x44), b3 = Avx.Shuffle(a1, a3, 0xEE);
            Vector256<float> b4 = Avx.Shuffle(a4, a6, 0x44), b5 = Avx.Shuffle(a4, a6, 0xEE), b6 = Avx.Shuffle(a5, a7, 0x44), b7 = Avx.Shuffle(a5, a7, 0xEE);
            Avx.Permute2x128(b0, b4, 0x20).Store(to);
            Avx.Permute2x128(b1, b5, 0x20).Store(to + stride);
            Avx.Permute2x128(b2, b6, 0x20).Store(to + (2 * stride));
            Avx.Permute2x128(b3, b7, 0x20).Store(to + (3 * stride));
            Avx.Permute2x128(b0, b4, 0x31).Store(to + (4 * stride));
            Avx.Permute2x128(b1, b5, 0x31).Store(to + (5 * stride));
            Avx.Permute2x128(b2, b6, 0x31).Store(to + (6 * stride));
            Avx.Permute2x128(b3, b7, 0x31).Store(to + (7 * stride));
        }
    }

    /// <summary>c[rows, columns] = (c +) sum over k of a[k, 6] x b[k, 16], at most 6 x 16, from packed panels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Tile(int kc, float* a, float* b, float* c, nint ldc, bool add, int rows = TileM, int columns = TileN)
    {
        if (rows != TileM || columns != TileN)
            TilePart(kc, a, b, c, ldc, add, rows, columns);
        else if (Fma.IsSupported && Avx2.IsSupported)
            TileAvx2(kc, a, b, c, ldc, add);
        else
            TilePortable(kc, a, b, c, ldc, add);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TilePart(int kc, float* a, float* b, float* c, nint ldc, bool add, int rows, int columns)
    {
        float* corner = stackalloc float[TileM * TileN];
        Tile(kc, a, b, corner, TileN, false);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                c[(i * ldc) + j] = add ? c[(i * ldc) + j] + corner[(i * TileN) + j] : corner[(i * TileN) + j];
    }

    /// <summary>c[6, 16] = (c +) sum over k of a[k, 6] x b[k, 16]. 12 accumulators of 8 lanes, 2 of B, 1 broadcast: 15 of 16 registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TileAvx2(int kc, float* a, float* b, float* c, nint ldc, bool add)
    {
        Vector256<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        Vector256<float> c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        for (int k = 0; k < kc; k++)
        {
            Vector256<float> b0 = Vector256.LoadAligned(b), b1 = Vector256.LoadAligned(b + 8);
            Vector256<float> x = Avx.BroadcastScalarToVector256(a);
            c00 = Fma.MultiplyAdd(x, b0, c00);
            c01 = Fma.MultiplyAdd(x, b1, c01);
            x = Avx.BroadcastScalarToVector256(a + 1);
            c10 = Fma.MultiplyAdd(x, b0, c10);
            c11 = Fma.MultiplyAdd(x, b1, c11);
            x = Avx.BroadcastScalarToVector256(a + 2);
            c20 = Fma.MultiplyAdd(x, b0, c20);
            c21 = Fma.MultiplyAdd(x, b1, c21);
            x = Avx.BroadcastScalarToVector256(a + 3);
            c30 = Fma.MultiplyAdd(x, b0, c30);
            c31 = Fma.MultiplyAdd(x, b1, c31);
            x = Avx.BroadcastScalarToVector256(a + 4);
            c40 = Fma.MultiplyAdd(x, b0, c40);
            c41 = Fma.MultiplyAdd(x, b1, c41);
            x = Avx.BroadcastScalarToVector256(a + 5);
            c50 = Fma.MultiplyAdd(x, b0, c50);
            c51 = Fma.MultiplyAdd(x, b1, c51);
            a += TileM;
            b += TileN;
        }

        if (add)
        {
            c00 += Vector256.Load(c);
            c01 += Vector256.Load(c + 8);
            c10 += Vector256.Load(c + ldc);
            c11 += Vector256.Load(c + ldc + 8);
            c20 += Vector256.Load(c + (2 * ldc));
            c21 += Vector256.Load(c + (2 * ldc) + 8);
            c30 += Vector256.Load(c + (3 * ldc));
            c31 += Vector256.Load(c + (3 * ldc) + 8);
            c40 += Vector256.Load(c + (4 * ldc));
            c41 += Vector256.Load(c + (4 * ldc) + 8);
            c50 += Vector256.Load(c + (5 * ldc));
            c51 += Vector256.Load(c + (5 * ldc) + 8);
        }

        c00.Store(c);
        c01.Store(c + 8);
        c10.Store(c + ldc);
        c11.Store(c + ldc + 8);
        c20.Store(c + (2 * ldc));
        c21.Store(c + (2 * ldc) + 8);
        c30.Store(c + (3 * ldc));
        c31.Store(c + (3 * ldc) + 8);
        c40.Store(c + (4 * ldc));
        c41.Store(c + (4 * ldc) + 8);
        c50.Store(c + (5 * ldc));
        c51.Store(c + (5 * ldc) + 8);
    }

    /// <summary>The same tile two rows at a time with 128-bit vectors: NEON, SSE, WebAssembly, or plain code where there are none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TilePortable(int kc, float* a, float* b, float* c, nint ldc, bool add)
    {
        for (int i = 0; i < TileM; i += 2)
        {
            Vector128<float> p0 = default, p1 = default, p2 = default, p3 = default, q0 = default, q1 = default, q2 = default, q3 = default;
            float* s = a + i;
            float* t = b;
            for (int k = 0; k < kc; k++, s += TileM, t += TileN)
            {
                Vector128<float> b0 = Vector128.Load(t), b1 = Vector128.Load(t + 4), b2 = Vector128.Load(t + 8), b3 = Vector128.Load(t + 12);
                Vector128<float> x = Vector128.Create(s[0]), y = Vector128.Create(s[1]);
                p0 = Vector128.FusedMultiplyAdd(x, b0, p0);
                p1 = Vector128.FusedMultiplyAdd(x, b1, p1);
                p2 = Vector128.FusedMultiplyAdd(x, b2, p2);
                p3 = Vector128.FusedMultiplyAdd(x, b3, p3);
                q0 = Vector128.FusedMultiplyAdd(y, b0, q0);
                q1 = Vector128.FusedMultiplyAdd(y, b1, q1);
                q2 = Vector128.FusedMultiplyAdd(y, b2, q2);
                q3 = Vector128.FusedMultiplyAdd(y, b3, q3);
            }

            StoreRow(c + (i * ldc), p0, p1, p2, p3, add);
            StoreRow(c + ((i + 1) * ldc), q0, q1, q2, q3, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow(float* c, Vector128<float> v0, Vector128<float> v1, Vector128<float> v2, Vector128<float> v3, bool add)
    {
        if (add)
        {
            v0 += Vector128.Load(c);
            v1 += Vector128.Load(c + 4);
            v2 += Vector128.Load(c + 8);
            v3 += Vector128.Load(c + 12);
        }

        v0.Store(c);
        v1.Store(c + 4);
        v2.Store(c + 8);
        v3.Store(c + 12);
    }
}
