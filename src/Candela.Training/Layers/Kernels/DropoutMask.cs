using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Candela.Training.Kernels;

/// <summary>Masks of dropout by counter: number i of a mask depends on its key and i alone, so any part can be made in any order.</summary>
internal static class DropoutMask
{
    private const ulong Odd = 0x9E3779B97F4A7C15;

    /// <summary>The key of a step, from which each layer's follows.</summary>
    public static ulong StepKey(long seed, long step) => Rng.Mix((ulong)seed ^ Rng.Mix((ulong)step + Odd));

    /// <summary>The key of a layer in a step.</summary>
    /// <param name="stepKey">The step's.</param>
    /// <param name="index">Place among the network's layers, each before its children, the network itself being 0.</param>
    public static ulong LayerKey(ulong stepKey, ulong index) => Rng.Mix(stepKey + index);

    /// <summary>The key of a layer's mask.</summary>
    /// <param name="layerKey">The layer's.</param>
    /// <param name="call">How often the layer was called in the step, from 1.</param>
    public static ulong CallKey(ulong layerKey, ulong call) => Rng.Mix(layerKey + (call * Odd));

    /// <summary>Fills with 0 (with the given probability) or 1 / (1 - probability).</summary>
    /// <param name="mask">The part of the mask that begins at number <paramref name="start"/>.</param>
    /// <param name="probability">Of 0.</param>
    /// <param name="key">The mask's.</param>
    /// <param name="start">Default 0, the whole mask.</param>
    public static void Fill(Span<float> mask, double probability, ulong key, uint start = 0)
    {
        uint low = (uint)key, high = (uint)(key >> 32), threshold = Threshold(probability);
        float kept = (float)(1 / (1 - probability));
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            // 8 lanes of 32 bits; unsigned >= by flipping the sign bit of both sides
            var counter = Vector256.Create(0u, 1, 2, 3, 4, 5, 6, 7);
            var sign = Vector256.Create(0x80000000u);
            Vector256<int> bound = (Vector256.Create(threshold) ^ sign).AsInt32();
            Vector256<float> scale = Vector256.Create(kept);
            ref float first = ref MemoryMarshal.GetReference(mask);
            for (; i + 8 <= mask.Length; i += 8)
            {
                Vector256<uint> x = counter + Vector256.Create(start + (uint)i);
                x = (x * 0x9E3779B9u) ^ Vector256.Create(low);
                x ^= x >>> 16;
                x *= Vector256.Create(0x7feb352du);
                x ^= x >>> 15;
                x += Vector256.Create(high);
                x *= Vector256.Create(0x846ca68bu);
                x ^= x >>> 16;
                Vector256<float> keep = Vector256.GreaterThanOrEqual((x ^ sign).AsInt32(), bound).AsSingle() & scale;
                keep.StoreUnsafe(ref first, (nuint)i);
            }
        }

        for (; i < mask.Length; i++)
            mask[i] = Hash(start + (uint)i, low, high) >= threshold ? kept : 0;
    }

    /// <summary>The plain twin of <see cref="Fill"/>.</summary>
    public static void FillReference(Span<float> mask, double probability, ulong key)
    {
        for (int i = 0; i < mask.Length; i++)
            mask[i] = Hash((uint)i, (uint)key, (uint)(key >> 32)) >= Threshold(probability) ? (float)(1 / (1 - probability)) : 0;
    }

    private static uint Threshold(double probability) => (uint)Math.Min(uint.MaxValue, Math.Round(probability * 4294967296.0));

    // Two rounds of a multiply-xorshift finaliser (constants of Wellons' "lowbias32"), keyed before and between.
    private static uint Hash(uint counter, uint low, uint high)
    {
        uint x = (counter * 0x9E3779B9u) ^ low;
        x ^= x >> 16;
        x *= 0x7feb352du;
        x ^= x >> 15;
        x += high;
        x *= 0x846ca68bu;
        return x ^ (x >> 16);
    }
}
