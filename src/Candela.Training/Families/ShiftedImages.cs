using Candela.Data;

namespace Candela.Training;

/// <summary>Images moved by a few pixels, another way every epoch, their edges repeated: the mildest augmentation, which holds for digits, letters and photographs alike.
/// A move is a pure function of seed, epoch and place in the epoch, so a resumed run repeats it.</summary>
internal sealed class ShiftedImages(IExampleSource images, int reach, long seed) : IExampleSource
{
    /// <inheritdoc/>
    public long Count => images.Count;

    /// <inheritdoc/>
    public FeatureLayout Layout => images.Layout;

    /// <summary>Pixels an image is moved at the most: a fourteenth of its shorter side (2 of 28), 0 for the smallest.</summary>
    public static int Reach(IReadOnlyList<int> shape) => Math.Min(shape[1], shape[2]) / 14;

    /// <inheritdoc/>
    public IEnumerable<FeatureBatch> Batches(BatchPlan plan)
    {
        int channels = Layout.DenseShape[0], height = Layout.DenseShape[1], width = Layout.DenseShape[2], length = Layout.DenseWidth;
        var moved = new FeatureBatch { Dense = new float[(int)Math.Min(plan.BatchSize, Count) * length] };
        long at = plan.Skip * plan.BatchSize;
        foreach (FeatureBatch batch in images.Batches(plan))
        {
            (moved.Count, moved.Labels, moved.Targets, moved.Weights) = (batch.Count, batch.Labels, batch.Targets, batch.Weights);
            for (int i = 0; i < batch.Count; i++)
            {
                ulong bits = Rng.Mix((ulong)seed ^ Rng.Mix(((ulong)plan.Epoch << 40) + (ulong)at++ + 0xA5A5));
                int down = (int)(bits % (uint)((2 * reach) + 1)) - reach, right = (int)((bits >> 32) % (uint)((2 * reach) + 1)) - reach;
                for (int c = 0; c < channels; c++)
                    Move(batch.Dense.AsSpan((i * length) + (c * height * width), height * width), moved.Dense.AsSpan((i * length) + (c * height * width)), height, width, down, right);
            }

            yield return moved;
        }
    }

    private static void Move(ReadOnlySpan<float> from, Span<float> to, int height, int width, int down, int right)
    {
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<float> row = from.Slice(Math.Clamp(y - down, 0, height - 1) * width, width);
            Span<float> own = to.Slice(y * width, width);
            row[Math.Max(0, -right)..Math.Min(width, width - right)].CopyTo(own[Math.Max(0, right)..]);
            if (right > 0)
                own[..right].Fill(row[0]);
            else if (right < 0)
                own[(width + right)..].Fill(row[^1]);
        }
    }
}
