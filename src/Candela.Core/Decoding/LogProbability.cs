using System.Numerics.Tensors;

namespace Candela.Decoding;

/// <summary>Normalisation of logits, shifted by the largest so that it neither overflows nor loses small terms. The order of additions is fixed: the same numbers on every machine whose exponential is the same.</summary>
public static class LogProbability
{
    private const int Block = 1024;

    /// <summary>ln of the sum of exp(logit): what is taken off a logit to make it a log-probability. In double precision over float exponentials: relative error about 1e-7.</summary>
    /// <exception cref="EngineException">A logit is NaN or positive infinity.</exception>
    /// <exception cref="UsageException">All are negative infinity.</exception>
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        float largest = TensorPrimitives.Max(logits);
        RequireFinite(largest);
        Span<float> part = stackalloc float[Block];
        double total = 0;
        for (int at = 0; at < logits.Length; at += Block)
        {
            ReadOnlySpan<float> some = logits.Slice(at, Math.Min(Block, logits.Length - at));
            Span<float> weights = part[..some.Length];
            TensorPrimitives.Subtract(some, largest, weights);
            TensorPrimitives.Exp(weights, weights);
            total += Sum(weights);
        }

        return largest + Math.Log(total);
    }

    /// <summary>The likeliest tokens with their log-probabilities, falling, equals by rising id. O(V) for a small <paramref name="count"/>.</summary>
    /// <param name="logits">One per id.</param>
    /// <param name="logSumExp">What <see cref="LogSumExp"/> gives for them.</param>
    /// <param name="count">How many; fewer when the vocabulary is smaller.</param>
    public static TokenLogProbability[] Top(ReadOnlySpan<float> logits, double logSumExp, int count)
    {
        var keys = new ulong[Math.Min(count, logits.Length)];
        TokenOrder.SelectTop(logits, [], keys);
        return Array.ConvertAll(keys, key => new TokenLogProbability(TokenOrder.IdOf(key), TokenOrder.LogitOf(key) - logSumExp));
    }

    /// <summary>The likeliest token; of equals the lowest id.</summary>
    /// <inheritdoc cref="LogSumExp" path="/exception"/>
    public static int Greedy(ReadOnlySpan<float> logits)
    {
        int best = TensorPrimitives.IndexOfMax(logits);
        RequireFinite(logits[best]);
        if (logits[best] == 0) // IndexOfMax ranks zero above minus zero
            while (logits[..best].Contains(0f))
                best = logits[..best].IndexOf(0f);
        return best;
    }

    /// <summary>Sum in double precision, four lanes in a fixed order.</summary>
    internal static double Sum(ReadOnlySpan<float> values)
    {
        double a = 0, b = 0, c = 0, d = 0;
        int i = 0;
        for (; i + 4 <= values.Length; i += 4)
        {
            a += values[i];
            b += values[i + 1];
            c += values[i + 2];
            d += values[i + 3];
        }

        for (; i < values.Length; i++)
            a += values[i];
        return a + b + (c + d);
    }

    internal static void RequireFinite(float largest)
    {
        if (float.IsNegativeInfinity(largest))
            throw new UsageException("No token may follow: the bias, the banned sequences, the n-gram rule or the suppressed tokens rule out every one. Loosen one of them.");
        if (!float.IsFinite(largest))
            throw new EngineException($"The model gave {largest} as a logit: its weights, or the arithmetic on them, are not finite.");
    }
}
