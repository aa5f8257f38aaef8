using Candela.Training.Reference;

namespace Candela.Training.Tests.Optimizers;

/// <summary>Every vectorised kernel against its scalar twin, bit for bit, over lengths with every tail.</summary>
[Trait("Kind", "conformance")]
public class UpdateKernelTests
{
    public static TheoryData<int> Lengths => [.. Enumerable.Range(0, 41), 1023, 1024, 1025, 10_007];

    [Theory, MemberData(nameof(Lengths))]
    public void Plain_AnyLength_EqualsTwin(int length) => Same(length,
        (p, g, a, b, c) => UpdateKernels.Run(new PlainRule(0.1f, 0.01f), p, g, default, default, default, 0.5f),
        (p, g, a, b, c) => UpdateReference.Plain(p, g, 0.1f, 0.01f));

    [Theory, MemberData(nameof(Lengths))]
    public void Momentum_AnyLength_EqualsTwin(int length)
    {
        foreach (bool nesterov in new[] { false, true })
            Same(length,
                (p, g, a, b, c) => UpdateKernels.Run(new MomentumRule(0.1f, 0.9f, 0.7f, nesterov, 0.01f), p, g, a, default, default, 0.5f),
                (p, g, a, b, c) => UpdateReference.Momentum(p, g, a, 0.1f, 0.9f, 0.7f, nesterov, 0.01f));
    }

    [Theory, MemberData(nameof(Lengths))]
    public void Adagrad_AnyLength_EqualsTwin(int length) => Same(length,
        (p, g, a, b, c) => UpdateKernels.Run(new AdagradRule(0.1f, 1e-10f, 0.01f), p, g, a, default, default, 0.5f),
        (p, g, a, b, c) => UpdateReference.Adagrad(p, g, a, 0.1f, 1e-10f, 0.01f));

    [Theory, MemberData(nameof(Lengths))]
    public void Rmsprop_AnyLength_EqualsTwin(int length)
    {
        foreach ((bool centered, float momentum) in new[] { (false, 0f), (true, 0f), (false, 0.9f), (true, 0.9f) })
            Same(length,
                (p, g, a, b, c) => UpdateKernels.Run(new RmspropRule(0.1f, 0.9f, 0.1f, 1e-8f, momentum, centered, 0.01f), p, g, a, b, c, 0.5f),
                (p, g, a, b, c) => UpdateReference.Rmsprop(p, g, a, b, c, 0.1f, 0.9f, 0.1f, 1e-8f, momentum, centered, 0.01f));
    }

    [Theory, MemberData(nameof(Lengths))]
    public void PlainRmsprop_AnyLength_EqualsTwin(int length) => Same(length,
        (p, g, a, b, c) => UpdateKernels.Run(new PlainRmspropRule(0.1f, 0.9f, 0.1f, 1e-8f, 0.01f), p, g, a, default, default, 0.5f),
        (p, g, a, b, c) => UpdateReference.Rmsprop(p, g, a, b, c, 0.1f, 0.9f, 0.1f, 1e-8f, 0, false, 0.01f));

    [Theory, MemberData(nameof(Lengths))]
    public void Adam_AnyLength_EqualsTwin(int length) => Same(length,
        (p, g, a, b, c) => UpdateKernels.Run(new AdamRule(0.01f, 1.5f, 0.9f, 0.1f, 0.999f, 0.001f, 1e-8f, 0.01f, 0.02f), p, g, a, b, default, 0.5f),
        (p, g, a, b, c) => UpdateReference.Adam(p, g, a, b, default, 0.01f, 1.5f, 0.9f, 0.1f, 0.999f, 0.001f, 1e-8f, 0.01f, 0.02f));

    [Theory, MemberData(nameof(Lengths))]
    public void AmsGrad_AnyLength_EqualsTwin(int length) => Same(length,
        (p, g, a, b, c) => UpdateKernels.Run(new AmsGradRule(0.01f, 1.5f, 0.9f, 0.1f, 0.999f, 0.001f, 1e-8f, 0.01f, 0.02f), p, g, a, b, c, 0.5f),
        (p, g, a, b, c) => UpdateReference.Adam(p, g, a, b, c, 0.01f, 1.5f, 0.9f, 0.1f, 0.999f, 0.001f, 1e-8f, 0.01f, 0.02f));

    [Theory, MemberData(nameof(Lengths))]
    public void Lion_AnyLength_EqualsTwin(int length) => Same(length,
        (p, g, a, b, c) => UpdateKernels.Run(new LionRule(0.01f, 0.9f, 0.1f, 0.99f, 0.01f, 0.02f), p, g, a, default, default, 0.5f),
        (p, g, a, b, c) => UpdateReference.Lion(p, g, a, 0.01f, 0.9f, 0.1f, 0.99f, 0.01f, 0.02f));

    [Theory, MemberData(nameof(Lengths))]
    public void SoftThreshold_AnyLength_EqualsTwin(int length)
    {
        float[] fast = Numbers(length, 1), slow = [.. fast];
        UpdateKernels.SoftThreshold(fast, 0.3f);
        UpdateReference.SoftThreshold(slow, 0.3f);
        Assert.Equal(slow, fast);
        Assert.True(length < 20 || (fast.Contains(0) && fast.Any(x => x != 0)));
    }

    [Theory, MemberData(nameof(Lengths))]
    public void ScaledSoftThreshold_AnyLength_EqualsTwin(int length)
    {
        float[] square = [.. Numbers(length, 3).Select(x => x * x)], mean = [.. Numbers(length, 4).Select(x => 0.1f * x)];
        foreach (float[] m in new[] { mean, [] })
        {
            float[] fast = Numbers(length, 1), slow = [.. fast];
            UpdateKernels.ScaledSoftThreshold(fast, square, m, 0.3f, 1.2f, 1e-8f);
            UpdateReference.ScaledSoftThreshold(slow, square, m, 0.3f, 1.2f, 1e-8f);
            Assert.Equal(slow, fast);
        }
    }

    [Theory, MemberData(nameof(Lengths))]
    public void SumOfSquares_AnyLength_IsNearDoubleSum(int length)
    {
        float[] values = Numbers(length, 2);
        double exact = values.Sum(x => (double)x * x);
        Assert.InRange(UpdateKernels.SumOfSquares(values), exact * (1 - 1e-5), exact * (1 + 1e-5));
    }

    private delegate float Fast(Span<float> p, ReadOnlySpan<float> g, Span<float> a, Span<float> b, Span<float> c);

    private delegate void Slow(Span<float> p, ReadOnlySpan<float> g, Span<float> a, Span<float> b, Span<float> c);

    private static void Same(int length, Fast fast, Slow slow)
    {
        float[] p = Numbers(length, 1), a = new float[length], b = new float[length], c = new float[length];
        float[] p2 = [.. p], a2 = [.. a], b2 = [.. b], c2 = [.. c];
        for (int step = 0; step < 3; step++)
        {
            float[] g = Numbers(length, 10 + step), scaled = [.. g.Select(x => x * 0.5f)];
            double squares = fast(p, g, a, b, c), exact = scaled.Sum(x => (double)x * x);
            slow(p2, scaled, a2, b2, c2);
            Assert.InRange(squares, exact * (1 - 1e-4), exact * (1 + 1e-4));
        }

        Assert.Equal(p2, p);
        Assert.Equal(a2, a);
        Assert.Equal(b2, b);
        Assert.Equal(c2, c);
    }

    private static float[] Numbers(int length, long stream)
    {
        var rng = new Rng(7, stream);
        var values = new float[length];
        for (int i = 0; i < length; i++)
            values[i] = i % 11 == 3 ? 0 : (float)rng.NextGaussian();
        return values;
    }
}
