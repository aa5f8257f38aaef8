namespace Candela.Data;

/// <summary>Bilinear resampling with pixel centres at half coordinates and clamped edges.</summary>
internal static class Bilinear
{
    /// <summary>Resizes interleaved pixels [H, W, C] into planes [C, H, W] of another size; the same size copies exactly.</summary>
    public static void Resize(ReadOnlySpan<byte> pixels, ImageShape from, Span<byte> into, ImageShape to)
    {
        double scaleY = from.Height / (double)to.Height, scaleX = from.Width / (double)to.Width;
        for (int y = 0; y < to.Height; y++)
        {
            double sourceY = Math.Clamp(((y + 0.5) * scaleY) - 0.5, 0, from.Height - 1);
            int top = (int)sourceY, bottom = Math.Min(top + 1, from.Height - 1);
            double down = sourceY - top;
            for (int x = 0; x < to.Width; x++)
            {
                double sourceX = Math.Clamp(((x + 0.5) * scaleX) - 0.5, 0, from.Width - 1);
                int left = (int)sourceX, right = Math.Min(left + 1, from.Width - 1);
                double across = sourceX - left;
                for (int c = 0; c < to.Channels; c++)
                {
                    double upper = Mix(pixels[Index(top, left, c)], pixels[Index(top, right, c)], across);
                    double lower = Mix(pixels[Index(bottom, left, c)], pixels[Index(bottom, right, c)], across);
                    into[(((c * to.Height) + y) * to.Width) + x] = (byte)(Mix(upper, lower, down) + 0.5);
                }
            }
        }

        int Index(int y, int x, int c) => (((y * from.Width) + x) * from.Channels) + c;
    }

    private static double Mix(double a, double b, double share) => a + ((b - a) * share);
}
