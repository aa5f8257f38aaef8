namespace Candela.Training.DenseNets;

/// <summary>The convolution block in plain loops and double precision: the twin its kernels are tested against.</summary>
public static class ConvReference
{
    /// <summary>One image: max over windows of act(bias + sum over taps), output[filters, rows / pool, columns / pool].</summary>
    /// <param name="image">[channels, height, width].</param>
    /// <param name="weights">[filters, channels, kernel, kernel].</param>
    /// <param name="bias">[filters].</param>
    /// <param name="channels">Input channels.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="kernel">Rows and columns of the kernel.</param>
    /// <param name="padding">Zeros on every side.</param>
    /// <param name="pool">Size and stride of the windows; 1 for none.</param>
    /// <param name="relu">Whether values below zero become zero.</param>
    public static double[] Forward(ReadOnlySpan<float> image, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, int channels, int height, int width, int kernel, int padding, int pool, bool relu)
    {
        int filters = bias.Length, rows = height + (2 * padding) - kernel + 1, columns = width + (2 * padding) - kernel + 1;
        var output = new double[filters * (rows / pool) * (columns / pool)];
        Array.Fill(output, double.NegativeInfinity);
        for (int f = 0; f < filters; f++)
        {
            for (int y = 0; y < rows / pool * pool; y++)
            {
                for (int x = 0; x < columns / pool * pool; x++)
                {
                    double sum = bias[f];
                    for (int c = 0; c < channels; c++)
                    {
                        for (int i = 0; i < kernel; i++)
                        {
                            for (int j = 0; j < kernel; j++)
                            {
                                int row = y + i - padding, column = x + j - padding;
                                if (row >= 0 && row < height && column >= 0 && column < width)
                                    sum += image[(((c * height) + row) * width) + column] * (double)weights[(((((f * channels) + c) * kernel) + i) * kernel) + j];
                            }
                        }
                    }

                    if (relu)
                        sum = Math.Max(sum, 0);
                    ref double best = ref output[(((f * (rows / pool)) + (y / pool)) * (columns / pool)) + (x / pool)];
                    best = Math.Max(best, sum);
                }
            }
        }

        return output;
    }
}
