// Map of this file
//   ConvShape        geometry of a stride-1 convolution and its flat layouts
//   Pack*            weights to panels of 6 filters, tap-major
//   Convolve         one image: out[filters, flat] = sum over taps of weight x shifted input, register tiles of 6 filters x 16 positions
//   WeightGradient   images of a chunk: dot products of output slopes with shifted inputs, register tiles of 4 filters x 3 taps
//   PoolForward/Backward   bias, ReLU and 2 x 2 (or any) max pooling of one image, fused
//
// The flat trick: an image lies row after row with its padded width, so the input of tap (ky, kx) for ALL output positions is one
// contiguous run that begins ky * width + kx later. No im2col, no packing of inputs. The width - ow positions at the end of each row
// are computed too and thrown away (7 % of the work for 28 wide images, 16 % for 13 wide).
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Candela.Training.DenseNets.Kernels;

/// <summary>A stride-1 convolution of [channels, height, width] by [filters, channels, kernel rows, kernel columns], its input already padded.</summary>
internal readonly record struct ConvShape(int Channels, int Height, int Width, int Filters, int KernelRows, int KernelColumns)
{
    /// <summary>Rows of the output.</summary>
    public int OutputRows => Height - KernelRows + 1;

    /// <summary>Columns of the output.</summary>
    public int OutputColumns => Width - KernelColumns + 1;

    /// <summary>Taps per filter.</summary>
    public int Taps => Channels * KernelRows * KernelColumns;

    /// <summary>Floats of one image and what reads past its end may touch.</summary>
    public int ImageFloats => (Channels * Height * Width) + ConvKernels.Slack;

    /// <summary>Flat output positions of one filter, those in the gaps included, up to a multiple of 16.</summary>
    public int FlatRow => (((OutputRows - 1) * Width) + OutputColumns + 15) / 16 * 16;

    /// <summary>Filters up to a multiple of 6.</summary>
    public int PaddedFilters => (Filters + 5) / 6 * 6;
}

/// <summary>Kernels of the convolution block; twins in <see cref="ConvReference"/>.</summary>
internal static unsafe class ConvKernels
{
    /// <summary>Floats that may be read (never used) past the end of an image.</summary>
    public const int Slack = 32;

    /// <summary>Where the input of each tap begins: channel * height * width + ky * width + kx.</summary>
    public static void Offsets(ConvShape s, int* offsets)
    {
        for (int c = 0; c < s.Channels; c++)
            for (int y = 0; y < s.KernelRows; y++)
                for (int x = 0; x < s.KernelColumns; x++)
                    *offsets++ = (((c * s.Height) + y) * s.Width) + x;
    }

    /// <summary>Weights [filters, taps] to panels [filters / 6][taps][6], zero where there is no filter.</summary>
    public static void Pack(ConvShape s, float* weights, float* packed)
    {
        for (int f = 0; f < s.PaddedFilters; f += 6)
            for (int k = 0; k < s.Taps; k++)
                for (int i = 0; i < 6; i++)
                    *packed++ = f + i < s.Filters ? weights[((f + i) * s.Taps) + k] : 0;
    }

    /// <summary>Panels of the convolution that gives input slopes from output slopes: [channels / 6][filters, flipped taps][6].</summary>
    public static void PackFlipped(ConvShape s, float* weights, float* packed)
    {
        int area = s.KernelRows * s.KernelColumns;
        for (int c = 0; c < s.Channels; c += 6)
            for (int f = 0; f < s.Filters; f++)
                for (int t = area - 1; t >= 0; t--)
                    for (int i = 0; i < 6; i++)
                        *packed++ = c + i < s.Channels ? weights[(((f * s.Channels) + c + i) * area) + t] : 0;
    }

    /// <summary>[channels, height, width] into the middle of zeros [channels, height + top + bottom, width + left + right]; borders are written too.</summary>
    public static void Pad(float* image, int channels, int height, int width, int top, int bottom, int left, int right, float* padded)
    {
        int wide = width + left + right;
        if (top == 0 && bottom == 0 && left == 0 && right == 0)
        {
            new ReadOnlySpan<float>(image, channels * height * width).CopyTo(new Span<float>(padded, channels * height * width));
            return;
        }

        for (int c = 0; c < channels; c++)
        {
            new Span<float>(padded, top * wide).Clear();
            padded += top * wide;
            for (int y = 0; y < height; y++, padded += wide, image += width)
            {
                new Span<float>(padded, left).Clear();
                new ReadOnlySpan<float>(image, width).CopyTo(new Span<float>(padded + left, width));
                new Span<float>(padded + left + width, right).Clear();
            }

            new Span<float>(padded, bottom * wide).Clear();
            padded += bottom * wide;
        }
    }

    /// <summary>One image: flat[PaddedFilters, FlatRow]. 12 accumulators of 8 lanes, 2 inputs, 1 broadcast: 15 registers; 12 multiply-adds per 9 loads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convolve(ConvShape s, float* image, int* offsets, float* packed, float* flat)
    {
        int taps = s.Taps, row = s.FlatRow, filters = s.PaddedFilters;
        for (int f = 0; f < filters; f += 6, packed += 6 * taps, flat += 6 * row)
        {
            for (int p = 0; p < row; p += 16)
            {
                Vector256<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
                Vector256<float> c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
                float* a = packed;
                float* at = image + p;
                for (int k = 0; k < taps; k++, a += 6)
                {
                    float* x = at + offsets[k];
                    Vector256<float> b0 = Vector256.Load(x), b1 = Vector256.Load(x + 8);
                    Vector256<float> w = Vector256.Create(a[0]);
                    c00 = Vector256.FusedMultiplyAdd(w, b0, c00);
                    c01 = Vector256.FusedMultiplyAdd(w, b1, c01);
                    w = Vector256.Create(a[1]);
                    c10 = Vector256.FusedMultiplyAdd(w, b0, c10);
                    c11 = Vector256.FusedMultiplyAdd(w, b1, c11);
                    w = Vector256.Create(a[2]);
                    c20 = Vector256.FusedMultiplyAdd(w, b0, c20);
                    c21 = Vector256.FusedMultiplyAdd(w, b1, c21);
                    w = Vector256.Create(a[3]);
                    c30 = Vector256.FusedMultiplyAdd(w, b0, c30);
                    c31 = Vector256.FusedMultiplyAdd(w, b1, c31);
                    w = Vector256.Create(a[4]);
                    c40 = Vector256.FusedMultiplyAdd(w, b0, c40);
                    c41 = Vector256.FusedMultiplyAdd(w, b1, c41);
                    w = Vector256.Create(a[5]);
                    c50 = Vector256.FusedMultiplyAdd(w, b0, c50);
                    c51 = Vector256.FusedMultiplyAdd(w, b1, c51);
                }

                float* o = flat + p;
                c00.Store(o);
                c01.Store(o + 8);
                c10.Store(o += row);
                c11.Store(o + 8);
                c20.Store(o += row);
                c21.Store(o + 8);
                c30.Store(o += row);
                c31.Store(o + 8);
                c40.Store(o += row);
                c41.Store(o + 8);
                c50.Store(o += row);
                c51.Store(o + 8);
            }
        }
    }

    /// <summary>gradient[filters, taps] = (gradient +) sum over images and positions of slopes[image][filter, position] x inputs[image][position + offset of the tap].
    /// Slopes must be zero in the gaps. Accumulators stay in registers over all images, so the sums across lanes are few.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WeightGradient(ConvShape s, float* images, nint imageStride, float* slopes, nint slopeStride, int count, int* offsets, float* gradient)
    {
        int taps = s.Taps, row = s.FlatRow;
        for (int f = 0; f < s.Filters; f += 4)
        {
            int rows = Math.Min(4, s.Filters - f);
            // Rows that are not there repeat the last one; their sums are not stored.
            nint r1 = (nint)Math.Min(1, rows - 1) * row, r2 = (nint)Math.Min(2, rows - 1) * row, r3 = (nint)Math.Min(3, rows - 1) * row;
            for (int k = 0; k < taps; k += 3)
            {
                int columns = Math.Min(3, taps - k);
                nint t0 = offsets[k], t1 = offsets[k + Math.Min(1, columns - 1)], t2 = offsets[k + Math.Min(2, columns - 1)];
                Vector256<float> c00 = default, c01 = default, c02 = default, c10 = default, c11 = default, c12 = default;
                Vector256<float> c20 = default, c21 = default, c22 = default, c30 = default, c31 = default, c32 = default;
                for (int n = 0; n < count; n++)
                {
                    float* d = slopes + (n * slopeStride) + (f * row);
                    float* x = images + (n * imageStride);
                    for (int p = 0; p < row; p += 8, d += 8, x += 8)
                    {
                        Vector256<float> x0 = Vector256.Load(x + t0), x1 = Vector256.Load(x + t1), x2 = Vector256.Load(x + t2), y = Vector256.Load(d);
                        c00 = Vector256.FusedMultiplyAdd(y, x0, c00);
                        c01 = Vector256.FusedMultiplyAdd(y, x1, c01);
                        c02 = Vector256.FusedMultiplyAdd(y, x2, c02);
                        y = Vector256.Load(d + r1);
                        c10 = Vector256.FusedMultiplyAdd(y, x0, c10);
                        c11 = Vector256.FusedMultiplyAdd(y, x1, c11);
                        c12 = Vector256.FusedMultiplyAdd(y, x2, c12);
                        y = Vector256.Load(d + r2);
                        c20 = Vector256.FusedMultiplyAdd(y, x0, c20);
                        c21 = Vector256.FusedMultiplyAdd(y, x1, c21);
                        c22 = Vector256.FusedMultiplyAdd(y, x2, c22);
                        y = Vector256.Load(d + r3);
                        c30 = Vector256.FusedMultiplyAdd(y, x0, c30);
                        c31 = Vector256.FusedMultiplyAdd(y, x1, c31);
                        c32 = Vector256.FusedMultiplyAdd(y, x2, c32);
                    }
                }

                float* g = gradient + ((nint)f * taps) + k;
                Put(g, columns, Vector256.Sum(c00), Vector256.Sum(c01), Vector256.Sum(c02));
                if (rows > 1)
                    Put(g + taps, columns, Vector256.Sum(c10), Vector256.Sum(c11), Vector256.Sum(c12));
                if (rows > 2)
                    Put(g + (2 * taps), columns, Vector256.Sum(c20), Vector256.Sum(c21), Vector256.Sum(c22));
                if (rows > 3)
                    Put(g + (3 * taps), columns, Vector256.Sum(c30), Vector256.Sum(c31), Vector256.Sum(c32));
            }
        }
    }

    /// <summary>Bias, ReLU (if asked) and max pooling by windows of <paramref name="pool"/> x pool (1: none) of one image's flat outputs, to output[filters, rows / pool, columns / pool].
    /// <paramref name="winners"/> gets the flat position of each largest value within its filter; null where nobody asks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PoolForward(ConvShape s, float* flat, float* bias, bool relu, int pool, float* output, int* winners)
    {
        int rows = s.OutputRows / pool, columns = s.OutputColumns / pool, width = s.Width;
        bool keep = winners != null;
        Vector256<float> floor = Vector256.Create(relu ? 0 : float.NegativeInfinity);
        for (int f = 0; f < s.Filters; f++, flat += s.FlatRow)
        {
            float add = bias == null ? 0 : bias[f];
            Vector256<float> offset = Vector256.Create(add);
            for (int y = 0; y < rows; y++, output += columns, winners += columns)
            {
                int start = y * pool * width, x = 0;
                if (pool == 2 && Vector256.IsHardwareAccelerated)
                {
                    for (; x + 8 <= columns; x += 8)
                    {
                        float* top = flat + start + (2 * x);
                        Split(top, out Vector256<float> a, out Vector256<float> b);
                        Split(top + width, out Vector256<float> c, out Vector256<float> d);
                        Vector256<float> best = Vector256.Max(Vector256.Max(a, b), Vector256.Max(c, d));
                        var at = Vector256.Create(width + 1);
                        at = Vector256.ConditionalSelect(Vector256.Equals(c, best).AsInt32(), Vector256.Create(width), at);
                        at = Vector256.ConditionalSelect(Vector256.Equals(b, best).AsInt32(), Vector256.Create(1), at);
                        at = Vector256.ConditionalSelect(Vector256.Equals(a, best).AsInt32(), default, at);
                        at += Vector256.Create(start + (2 * x)) + Vector256.Create(0, 2, 4, 6, 8, 10, 12, 14);
                        Vector256.Max(best + offset, floor).Store(output + x);
                        if (keep)
                            at.Store(winners + x);
                    }
                }
                else if (pool == 1)
                {
                    for (; x + 8 <= columns; x += 8)
                        Vector256.Max(Vector256.Load(flat + start + x) + offset, floor).Store(output + x);
                }

                for (; x < columns; x++)
                {
                    int best = start + (x * pool);
                    for (int i = 0; i < pool; i++)
                        for (int j = 0; j < pool; j++)
                            if (flat[start + (i * width) + (x * pool) + j] > flat[best])
                                best = start + (i * width) + (x * pool) + j;
                    float value = flat[best] + add;
                    output[x] = relu ? Math.Max(value, 0) : value;
                    if (keep && pool > 1)
                        winners[x] = best;
                }
            }
        }
    }

    /// <summary>Slopes of the pooled outputs to flat slopes [filters, FlatRow] (zeros elsewhere), and their sums per filter added to <paramref name="biasGradient"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PoolBackward(ConvShape s, float* output, float* slopes, int* winners, bool relu, int pool, float* flat, float* biasGradient)
    {
        int rows = s.OutputRows / pool, columns = s.OutputColumns / pool, count = rows * columns, width = s.Width;
        new Span<float>(flat, s.Filters * s.FlatRow).Clear();
        for (int f = 0; f < s.Filters; f++, flat += s.FlatRow, output += count, slopes += count, winners += count)
        {
            float sum = 0;
            if (pool > 1)
            {
                for (int i = 0; i < count; i++)
                {
                    float slope = relu && !(output[i] > 0) ? 0 : slopes[i];
                    flat[winners[i]] = slope;
                    sum += slope;
                }
            }
            else
            {
                for (int y = 0, i = 0; y < rows; y++)
                {
                    for (int x = 0; x < columns; x++, i++)
                    {
                        float slope = relu && !(output[i] > 0) ? 0 : slopes[i];
                        flat[(y * width) + x] = slope;
                        sum += slope;
                    }
                }
            }

            if (biasGradient != null)
                biasGradient[f] += sum;
        }
    }

    /// <summary>Flat rows of <paramref name="width"/> to rows of <paramref name="columns"/>, channel by channel, dropping the gaps and, at the borders, the padding.</summary>
    public static void Compact(float* flat, nint flatRow, int channels, int rows, int columns, int width, float* image)
    {
        for (int c = 0; c < channels; c++, flat += flatRow)
            for (int y = 0; y < rows; y++, image += columns)
                new ReadOnlySpan<float>(flat + ((nint)y * width), columns).CopyTo(new Span<float>(image, columns));
    }

    // Even and odd elements of 16 floats.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Split(float* from, out Vector256<float> even, out Vector256<float> odd)
    {
        Vector256<float> a = Vector256.Load(from), b = Vector256.Load(from + 8);
        Vector256<float> p = Vector256.Shuffle(a, Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7)), q = Vector256.Shuffle(b, Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
        even = Vector256.Create(p.GetLower(), q.GetLower());
        odd = Vector256.Create(p.GetUpper(), q.GetUpper());
    }

    private static void Put(float* to, int columns, float a, float b, float c)
    {
        to[0] += a;
        if (columns > 1)
            to[1] += b;
        if (columns > 2)
            to[2] += c;
    }
}
